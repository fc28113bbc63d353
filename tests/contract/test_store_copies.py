"""The copies on own servers that are due, on each database."""

from dataclasses import replace

from bot.core import moves
from bot.core.jobs import Job, Status
from bot.store.copies import Copies
from tests.contract.rows import NOON, Store, a_job

WAITS = (0.0, 100.0)


async def delivered(store: Store, *, at: float, gateway: str = "box") -> Job:
    """Return a delivered job with a copy at this gateway."""
    job = await store.in_state(Status.COMPLETED, a_job(gateway=gateway))
    job = await store.moved(job, replace(job, copy_tries=0))
    return await store.moved(job, moves.delivered(job, now=at))


async def test_due_copies_are_those_of_delivered_jobs_at_the_named_gateways(store: Store) -> None:
    copies = Copies(store.database)
    late, early = await delivered(store, at=NOON + 2), await delivered(store, at=NOON + 1)
    await delivered(store, at=NOON, gateway="elsewhere")
    waiting = await store.in_state(Status.COMPLETED, a_job(gateway="box"))
    await store.moved(waiting, replace(waiting, copy_tries=0))
    due = await copies.due(["box"], WAITS, now=NOON + 2, most=9)
    assert [(copy.job_id, copy.gateway_id, copy.tries) for copy in due] == [
        (job.id, job.gateway_id, 0) for job in (early, late)
    ]
    assert len(await copies.due(["box"], WAITS, now=NOON + 2, most=1)) == 1
    assert await copies.due(["box"], WAITS, now=NOON, most=9) == []


async def test_a_try_is_counted_in_the_row_and_the_next_is_due_later(store: Store) -> None:
    copies = Copies(store.database)
    job = await delivered(store, at=NOON)
    (copy,) = await copies.due(["box"], WAITS, now=NOON, most=9)
    await copies.tried(copy, tries=1)
    assert await copies.due(["box"], WAITS, now=NOON + 99, most=9) == []
    (again,) = await copies.due(["box"], WAITS, now=NOON + 100, most=9)
    await copies.tried(again, tries=None)
    assert await copies.due(["box"], WAITS, now=NOON + 1e6, most=9) == []
    row = await store.jobs.get(job.id)
    assert row is not None
    assert (row.copy_tries, row.version) == (None, job.version)
