"""A paused gateway is probed once a minute, free of charge, and waiting orders go on at once."""

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
"""Seconds within which several orders go on together."""


async def waiting(workshop: Workshop, number: int = 5, lock: Locked = BAD) -> list[Job]:
    """Return so many jobs that wait because their gateway refused the first of them."""
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
    """Return how many of the jobs are completed."""
    rows = [await workshop.job(job.id) for job in jobs]
    return sum(row.status is Status.COMPLETED for row in rows)


@pytest.mark.proof
@pytest.mark.parametrize("lock", [BAD, EMPTY])
async def test_if_probes_are_meaningful_no_order_is_sent_to_a_paused_gateway_before_one_succeeds(
    workshop: Workshop, lock: Locked
) -> None:
    """A probe is meaningful if this process has seen it succeed before it is refused."""
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


async def test_a_new_process_uses_what_an_earlier_process_learned_from_probes(
    workshop: Workshop,
) -> None:
    """A key is replaced with a restart: a probe that the old key failed can prove the new key."""
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
async def test_without_a_meaningful_probe_one_order_a_minute_tries_and_its_success_frees_the_others(
    workshop: Workshop, lock: Locked, probe: Probe
) -> None:
    """Above all, the probe may succeed with any key and never shows the balance."""
    workshop.gateway.probes = [probe]
    jobs = await waiting(workshop, 12, lock)
    await workshop.work(4 * 60.0)
    refused = workshop.gateway.posts - 1
    assert refused == 4
    workshop.gateway.creations = [Accepted("v1")]
    await workshop.work(60.0)
    assert workshop.gateway.posts == 1 + refused + len(jobs)


async def test_a_refused_order_does_not_try_again_before_the_orders_that_wait_for_their_try(
    workshop: Workshop,
) -> None:
    """This holds even if both orders could be due at the same moment."""
    jobs = await waiting(workshop, 2)
    await workshop.work(PAUSE + AT_ONCE)
    assert [(await workshop.job(job.id)).attempts for job in jobs] == [1, 1]


@pytest.mark.proof
@pytest.mark.parametrize("probe", [SILENT, Open()])
async def test_owners_get_no_notice_for_each_trying_order_or_for_a_false_end(
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


async def test_a_new_order_may_be_the_one_that_tries_a_paused_gateway(workshop: Workshop) -> None:
    jobs = await waiting(workshop, 1)
    await workshop.service.cancel(jobs[0].id, Actor(person=ANN))
    await workshop.work(60.0)
    assert workshop.gateway.posts == 1, "nothing waits"
    workshop.gateway.creations = [Accepted("v1")]
    await workshop.submit(order())
    await workshop.work(1.0)
    assert workshop.gateway.posts == 2


async def test_a_probe_that_is_refused_to_a_good_key_does_not_lock_the_gateway(
    workshop: Workshop,
) -> None:
    """A gateway may refuse its list of models to a key that can make videos."""
    workshop.gateway.probes = [BAD]
    jobs = await waiting(workshop)
    workshop.gateway.creations = [Accepted("v1")]
    await workshop.work(60)
    assert await done(workshop, jobs) == len(jobs)


async def test_a_refused_poll_is_repeated_within_a_minute_or_at_once_when_the_pause_ends(
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


async def test_the_end_of_a_pause_makes_the_refused_polls_due(
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


async def test_a_probe_that_never_ends_is_cut_off_and_counts_as_no_answer(
    workshop: Workshop,
) -> None:
    class Deaf(ScriptedGateway):
        async def probe(self) -> Probe:
            await asyncio.Event().wait()
            return Open()

    (job,) = await waiting(workshop, 1)
    paused = Paused(gateway="main", reason=Reason.BAD_KEY, tried_at=1.0, refused_at=1.0)
    async with asyncio.timeout(60):
        await probing(workshop, Deaf(), patience=0.01).take(paused)
    assert (await workshop.job(job.id)).due_at == workshop.clock.time, "one may try"


async def test_orders_of_a_paused_gateway_that_left_the_configuration_keep_waiting(
    workshop: Workshop,
) -> None:
    (job,) = await waiting(workshop, 1)
    workshop.gateway.base_url = "https://elsewhere.test"
    await workshop.work(5 * PAUSE)
    assert (await workshop.job(job.id)).reason is Reason.BUSY
    assert workshop.gateway.posts == 1
