"""A gateway never gets more videos of a model than it makes at once; other jobs wait."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.core import moves
from bot.core.jobs import SOFT_DEADLINE, Job, Reason, Status
from tests.contract.rows import NOON, Store, a_job

LATE = NOON + SOFT_DEADLINE
"""The time at which jobs submitted at noon begin to count as taking too long."""


async def begun(
    store: Store, job: Job | None = None, *, now: float = NOON, at_once: int = 2
) -> Job:
    """Let a job (by default a new person's) ask for a slot, and return the job after that."""
    row = job or await store.admitted(a_job(person=f"p{now}", now=now))
    after = await store.jobs.begin(row, now=now, at_once=at_once)
    assert after is not None
    return after


async def filled(store: Store, *, waiting: int = 0) -> tuple[list[Job], list[Job]]:
    """Fill both slots, and let `waiting` more jobs wait, one second after the other."""
    taken = [await begun(store) for _ in range(2)]
    waits = [await begun(store, now=NOON + number) for number in range(1, waiting + 1)]
    assert {each.status for each in taken} == {Status.SUBMITTING}
    assert {each.status for each in waits} <= {Status.QUEUED}
    return taken, waits


async def due(store: Store, *, now: float) -> list[str]:
    """Return the ids of the due jobs, and release them at once."""
    rows = await store.jobs.claim((Status.QUEUED,), now=now, until=now + 1, most=99)
    for row in rows:
        await store.jobs.release(row)
    return [row.id for row in rows]


@pytest.mark.proof
async def test_of_nine_simultaneous_orders_only_two_are_sent_with_two_slots(store: Store) -> None:
    rows = [await store.admitted() for _ in range(9)]
    after = await asyncio.gather(*(begun(store, row) for row in rows))
    sent = [row for row in after if row.status is Status.SUBMITTING]
    waiting = [row for row in after if row.status is Status.QUEUED]
    assert (len(sent), len(waiting)) == (2, 7)
    assert {(row.reason, row.attempts, row.due_at) for row in waiting} == {
        (Reason.AT_ONCE, 0, LATE)
    }


def _accepted(job: Job) -> Job:
    return moves.accepted(job, "g", now=NOON, due_at=NOON)


ENDS: dict[str, Callable[[Job], Job]] = {
    "refused": lambda job: moves.failed(job, Reason.REFUSED, charged=False),
    "unconfirmed": lambda job: moves.unconfirmed(job, detail=None),
    "busy": lambda job: moves.requeued(job, due_at=NOON + 60, attempts=1, reason=Reason.BUSY),
    "completed": lambda job: moves.completed(job, now=NOON, sources=()),
    "lost": lambda job: moves.failed(job, Reason.LOST, charged=True),
}


@pytest.mark.parametrize("end", ENDS)
async def test_when_a_job_leaves_its_slot_the_next_waiting_job_is_due_at_once(
    store: Store, end: str
) -> None:
    (first, _), (next_, later) = await filled(store, waiting=2)
    if end in ("completed", "lost"):
        first = await store.moved(first, _accepted(first))
        assert await due(store, now=NOON + 9) == [], "it has its place until it is over"
    await store.moved(first, ENDS[end](first), now=NOON + 9)
    assert await due(store, now=NOON + 9) == [next_.id]
    assert (await begun(store, await _row(store, next_), now=NOON + 9)).status is Status.SUBMITTING
    assert await due(store, now=NOON + 50) == []
    assert (await _row(store, later)).due_at == LATE


async def test_every_model_and_every_gateway_has_slots_of_its_own(store: Store) -> None:
    await filled(store, waiting=1)
    job = a_job()
    other = replace(job, request=replace(job.request, model="sora-2"))
    for each in (other, replace(a_job(), gateway="second")):
        assert (await begun(store, await store.admitted(each))).status is Status.SUBMITTING


async def test_a_job_that_takes_too_long_no_longer_occupies_a_slot(store: Store) -> None:
    await filled(store)
    waiting = await begun(store, now=LATE - 1)
    assert waiting.status is Status.QUEUED
    assert await due(store, now=LATE) == [waiting.id]
    row = await _row(store, waiting)
    assert (await begun(store, row, now=LATE)).status is Status.SUBMITTING


async def test_a_later_order_does_not_overtake_a_job_that_waits_for_a_slot(store: Store) -> None:
    (first, _), (waiting,) = await filled(store, waiting=1)
    await store.moved(first, ENDS["refused"](first))
    assert (await begun(store, now=NOON + 5)).status is Status.QUEUED
    after = await begun(store, await _row(store, waiting), now=NOON + 6)
    assert after.status is Status.SUBMITTING


async def test_a_job_cancelled_while_it_waits_for_a_slot_lets_the_next_go_on(store: Store) -> None:
    (first, _), (waiting, next_) = await filled(store, waiting=2)
    await store.moved(first, ENDS["refused"](first), now=NOON + 5)
    row = await _row(store, waiting)
    await store.moved(row, moves.cancelled(row, Reason.BY_PERSON), now=NOON + 6)
    assert await due(store, now=NOON + 6) == [next_.id]


async def test_a_job_put_off_while_it_waits_for_a_slot_lets_the_next_go_on(
    store: Store,
) -> None:
    (first, second), (waiting, next_) = await filled(store, waiting=2)
    await store.moved(first, ENDS["refused"](first), now=NOON + 5)
    row = await _row(store, waiting)
    await store.moved(row, moves.put_off(row, due_at=LATE), now=NOON + 6)
    assert await due(store, now=NOON + 6) == [next_.id]
    assert (await begun(store, await _row(store, next_), now=NOON + 6)).status is Status.SUBMITTING
    await store.moved(second, ENDS["refused"](second), now=NOON + 7)
    assert await due(store, now=NOON + 7) == []
    assert (await begun(store, now=NOON + 8)).status is Status.SUBMITTING


@pytest.mark.proof
async def test_after_the_number_of_slots_was_raised_all_of_them_are_filled(store: Store) -> None:
    """The operator raised the limit: each job that begins makes the next one due."""
    (first, _), waiting = await filled(store, waiting=3)
    await store.moved(first, ENDS["refused"](first), now=NOON + 5)
    for each in waiting:
        assert await due(store, now=NOON + 6) == [each.id]
        row = await _row(store, each)
        assert (await begun(store, row, now=NOON + 6, at_once=4)).status is Status.SUBMITTING


@pytest.mark.proof
async def test_a_slot_that_becomes_free_while_an_order_asks_for_it_is_not_lost(
    store: Store,
) -> None:
    for number in range(20):
        now = NOON + 2 * SOFT_DEADLINE * number
        held = await begun(store, now=now, at_once=1)
        asking = await store.admitted(a_job(person="q", now=now))
        _, after = await asyncio.gather(
            store.moved(held, ENDS["refused"](held), now=now),
            begun(store, asking, now=now, at_once=1),
        )
        at_once = await due(store, now=now)
        assert after.status is Status.SUBMITTING or at_once == [asking.id]
        row = await _row(store, asking)
        if row.status is Status.QUEUED:
            row = await begun(store, row, now=now, at_once=1)
        await store.moved(row, ENDS["refused"](row), now=now)


async def test_a_job_cancelled_before_it_begins_gets_no_slot(store: Store) -> None:
    row = await store.admitted()
    await store.moved(row, moves.cancelled(row, Reason.BY_PERSON))
    assert await store.jobs.begin(row, now=NOON, at_once=2) is None


async def _row(store: Store, job: Job) -> Job:
    row = await store.jobs.get(job.id)
    assert row is not None
    return row
