"""Copies on the operator's own server: deleted once the original is stored and its post stands."""

import pytest

from bot.core.jobs import Reason, Status
from bot.core.outcomes import Failed, Trouble
from bot.core.steps.clearing import WAITS, Clearing
from bot.store.copies import Copies
from tests.unit.core.orders import order
from tests.unit.core.workshop import Workshop


class Cleaner:
    """The loop's work, driven by hand."""

    def __init__(self, workshop: Workshop) -> None:
        self.workshop, self.gateway = workshop, workshop.gateway
        self.gateway.own = True
        self.copies = Copies(workshop.database)

    async def clear(self) -> list[str]:
        """Clear what is due, as a process that was just started, and return all deleted ids."""
        gateways = {"main": self.gateway}
        clearing = Clearing(copies=self.copies, gateways=gateways, clock=self.workshop.clock)
        await clearing.clear(["main"])
        return self.gateway.deleted


@pytest.fixture
def cleaner(workshop: Workshop) -> Cleaner:
    return Cleaner(workshop)


async def test_a_copy_is_deleted_only_after_the_original_is_stored_and_posted(
    workshop: Workshop, cleaner: Cleaner
) -> None:
    job = await workshop.submit(order())
    await workshop.posts.posted(job, "card", "hall")
    await workshop.work(60)
    row = await workshop.job(job.id)
    assert (row.status, row.video is not None) == (Status.COMPLETED, True)
    assert await cleaner.clear() == []
    await workshop.speak()
    assert (await workshop.job(job.id)).status is Status.DELIVERED
    assert await cleaner.clear() == ["v1"]
    assert await cleaner.clear() == ["v1"]
    assert (await workshop.job(job.id)).copy_tries is None


async def test_nothing_is_deleted_at_a_server_that_is_not_the_operators(
    workshop: Workshop, cleaner: Cleaner
) -> None:
    """Negative control: the same job at an own server has a copy to delete."""
    cleaner.gateway.own = False
    job = await workshop.made(order())
    await workshop.speak()
    assert (await workshop.job(job.id)).copy_tries is None
    assert await cleaner.clear() == []


async def test_a_job_that_failed_leaves_its_copy_alone(
    workshop: Workshop, cleaner: Cleaner
) -> None:
    workshop.gateway.polls = [Failed(Reason.REFUSED, "no")]
    job = await workshop.submit(order())
    await workshop.work(600)
    assert (await workshop.job(job.id)).status is Status.FAILED
    assert await cleaner.clear() == []


async def test_a_server_that_refuses_is_tried_a_few_times_over_days_and_then_left(
    workshop: Workshop, cleaner: Cleaner
) -> None:
    """The tries are in the row, so it makes no difference that each is a new process."""
    cleaner.gateway.deletions = [Trouble("HTTP 409")]
    job = await workshop.made(order())
    await workshop.speak()
    workshop.clock.time = (await workshop.job(job.id)).delivered_at or 0.0
    begun = workshop.clock.time
    for tries, wait in enumerate(WAITS):
        workshop.clock.time = begun + wait - 1
        assert len(await cleaner.clear()) == tries
        workshop.clock.time = begun + wait
        assert len(await cleaner.clear()) == tries + 1
    workshop.clock.time += 30 * 86_400
    assert len(await cleaner.clear()) == len(WAITS)
    row = await workshop.job(job.id)
    assert (row.status, row.copy_tries) == (Status.DELIVERED, None)


async def test_a_copy_behind_another_address_is_not_deleted(
    workshop: Workshop, cleaner: Cleaner
) -> None:
    await workshop.made(order())
    await workshop.speak()
    cleaner.gateway.base_url = "https://moved.test"
    assert await cleaner.clear() == []


async def test_the_loop_goes_on_after_an_error_of_the_database(
    workshop: Workshop, cleaner: Cleaner, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateways = {"main": cleaner.gateway}
    tries = 0

    class Ended(Exception):
        """The test has seen enough."""

    async def due(*_: object, **__: object) -> list[object]:
        nonlocal tries
        tries += 1
        raise OSError("away")

    async def sleep(_: float) -> None:
        if tries == 3:
            raise Ended

    monkeypatch.setattr(cleaner.copies, "due", due)
    monkeypatch.setattr(workshop.clock, "sleep", sleep)
    clearing = Clearing(copies=cleaner.copies, gateways=gateways, clock=workshop.clock)
    with pytest.raises(Ended):
        await clearing.run()
    cleaner.gateway.own = False
    await clearing.run()
    assert tries == 3
