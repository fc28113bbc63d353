"""A paused gateway is asked once a minute, free of charge, and what waits goes on at once."""

import asyncio

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core.context import PAUSE
from bot.core.jobs import Job, Reason, Status
from bot.core.notices import Paused
from bot.core.outcomes import Accepted, Done, Locked, Open, Probe, Running, Trouble
from bot.core.service import Actor
from bot.core.steps.probing import PROBE_TIME, Probing
from bot.core.wake import Wake
from bot.store.tables import owners
from tests.unit.core.orders import ANN, order
from tests.unit.core.scripted import ScriptedGateway
from tests.unit.core.workshop import Workshop

EMPTY = Locked(Reason.NO_BALANCE, "HTTP 403: empty")
BAD = Locked(Reason.BAD_KEY, "HTTP 401: no")
SILENT = Trouble("gateway_busy")
AT_ONCE = 5.0
"""Seconds."""


async def waiting(workshop: Workshop, number: int = 5, lock: Locked = BAD) -> list[Job]:
    """So many jobs that wait because their gateway refused the first of them."""
    workshop.gateway.creations = [lock]
    jobs = [await workshop.submit(order())]
    await workshop.work(1)
    jobs += [await workshop.submit(order()) for _ in range(number - 1)]
    await workshop.work(1)
    assert workshop.gateway.posts == 1
    return jobs


def probing(
    workshop: Workshop, gateway: ScriptedGateway, *, patience: float = PROBE_TIME
) -> Probing:
    return Probing(
        pauses=workshop.pauses,
        gateways={"main": gateway},
        clock=workshop.clock,
        wake=Wake(),
        patience=patience,
    )


async def done(workshop: Workshop, jobs: list[Job]) -> int:
    rows = [await workshop.job(job.id) for job in jobs]
    return sum(row.status is Status.COMPLETED for row in rows)


@pytest.mark.proof
@pytest.mark.parametrize("lock", [BAD, EMPTY])
async def test_where_a_free_question_tells_nothing_is_sent_before_its_good_answer(
    workshop: Workshop, lock: Locked
) -> None:
    """A probe that this process saw answered well tells something when it is refused."""
    workshop.probing._seen_open.add("main")
    workshop.gateway.probes = [lock, lock, lock, Open()]
    jobs = await waiting(workshop, lock=lock)
    workshop.gateway.creations = [Accepted("v1")]
    await workshop.work(3.5 * PAUSE)
    assert workshop.gateway.posts == 1
    await workshop.work(PAUSE / 2 + AT_ONCE)
    assert workshop.gateway.posts == 1 + len(jobs)
    await workshop.work(15)
    assert await done(workshop, jobs) == len(jobs)


async def test_another_process_goes_on_with_what_was_found_out(workshop: Workshop) -> None:
    """A key is replaced with a restart: what was refused to the old one proves the new one."""
    workshop.gateway.probes = [BAD]
    jobs = await waiting(workshop)
    await workshop.work(PAUSE + AT_ONCE)
    refused = workshop.gateway.posts
    workshop.gateway.creations, workshop.gateway.probes = [Accepted("v1")], [Open()]
    workshop.probing = probing(workshop, workshop.gateway)
    await workshop.work(PAUSE)
    assert workshop.gateway.posts == refused + len(jobs)


@pytest.mark.proof
@pytest.mark.parametrize(
    ("lock", "probe"),
    [
        (EMPTY, SILENT),
        (EMPTY, Open()),
        (EMPTY, BAD),
        (BAD, Open()),
        (BAD, EMPTY),
        (BAD, SILENT),
    ],
)
async def test_elsewhere_one_order_a_minute_tries_and_its_success_lets_the_others_go(
    workshop: Workshop, lock: Locked, probe: Probe
) -> None:
    """Above all where the free question is answered to any key, and tells of no balance."""
    workshop.gateway.probes = [probe]
    jobs = await waiting(workshop, 12, lock)
    await workshop.work(4 * 60.0)
    refused = workshop.gateway.posts - 1
    assert refused == 4
    workshop.gateway.creations = [Accepted("v1")]
    await workshop.work(60.0)
    assert workshop.gateway.posts == 1 + refused + len(jobs)


async def test_who_was_refused_is_not_faster_than_who_is_called_to_try(workshop: Workshop) -> None:
    """Even if both could be due in one moment: no order stands for all."""
    jobs = await waiting(workshop, 2)
    await workshop.work(PAUSE + AT_ONCE)
    assert [(await workshop.job(job.id)).attempts for job in jobs] == [1, 1]


@pytest.mark.proof
@pytest.mark.parametrize("probe", [SILENT, Open()])
async def test_owners_are_told_neither_of_each_order_that_tries_nor_of_an_end_that_is_none(
    workshop: Workshop, probe: Probe
) -> None:
    workshop.gateway.probes = [probe]

    def work(connection: Connection) -> None:
        connection.execute(sa.insert(owners).values(platform="chat", person="ann", since=0))

    await workshop.database.run(work)
    await waiting(workshop, 3, EMPTY)
    for _ in range(5):
        await workshop.work(59)
        await workshop.tell(1)
    assert workshop.gateway.posts > 4
    assert [text.id for _, text in workshop.chat.told] == ["notice.no_balance"]


async def test_a_new_order_may_be_the_one_that_tries(workshop: Workshop) -> None:
    jobs = await waiting(workshop, 1)
    await workshop.service.cancel(jobs[0].id, Actor(person=ANN))
    await workshop.work(60.0)
    assert workshop.gateway.posts == 1, "nothing waits"
    workshop.gateway.creations = [Accepted("v1")]
    await workshop.submit(order())
    await workshop.work(1.0)
    assert workshop.gateway.posts == 2


async def test_a_probe_that_is_wrong_locks_nobody_out(workshop: Workshop) -> None:
    """A gateway may keep its list of models from a key that makes videos."""
    workshop.gateway.probes = [BAD]
    jobs = await waiting(workshop)
    workshop.gateway.creations = [Accepted("v1")]
    await workshop.work(60)
    assert await done(workshop, jobs) == len(jobs)


async def test_a_look_that_was_refused_is_repeated_within_a_minute_and_at_once_when_all_is_well(
    workshop: Workshop,
) -> None:
    workshop.gateway.polls = [BAD, Done()]
    workshop.gateway.probes = [BAD, Open()]
    first = await workshop.submit(order())
    await workshop.work(15)
    assert (await workshop.job(first.id)).due_at == pytest.approx(
        workshop.clock.time + PAUSE, abs=10
    )
    await workshop.work(60)
    assert await done(workshop, [first]) == 1


async def test_with_the_end_of_the_pause_looks_that_were_put_off_are_due(
    workshop: Workshop,
) -> None:
    workshop.gateway.polls = [Running(), BAD]
    job = await workshop.submit(order())
    await workshop.work(25)
    row = await workshop.job(job.id)
    workshop.gateway.polls = [Done()]
    await workshop.pauses.refused("main", Reason.BAD_KEY, now=workshop.clock.time)
    workshop.gateway.probes = [Open()]
    (paused,) = await workshop.pauses.claim(
        now=workshop.clock.time + PAUSE, until=workshop.clock.time + 2 * PAUSE, most=9
    )
    await workshop.probing.take(paused)
    assert row.due_at is not None
    assert row.due_at > workshop.clock.time
    await workshop.work(1)
    assert await done(workshop, [job]) == 1


async def test_a_probe_without_an_end_is_no_answer(workshop: Workshop) -> None:
    class Deaf(ScriptedGateway):
        async def probe(self) -> Probe:
            await asyncio.Event().wait()
            return Open()

    (job,) = await waiting(workshop, 1)
    paused = Paused(gateway="main", reason=Reason.BAD_KEY, tried_at=1.0, refused_at=1.0)
    async with asyncio.timeout(60):
        await probing(workshop, Deaf(), patience=0.01).take(paused)
    assert (await workshop.job(job.id)).due_at == workshop.clock.time, "one may try"


async def test_a_gateway_that_left_the_configuration_keeps_its_orders_as_any_other_does(
    workshop: Workshop,
) -> None:
    (job,) = await waiting(workshop, 1)
    workshop.gateway.base_url = "https://elsewhere.test"
    await workshop.work(5 * PAUSE)
    assert (await workshop.job(job.id)).reason is Reason.BUSY
    assert workshop.gateway.posts == 1
