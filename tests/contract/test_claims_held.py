"""Claims of running and of dead processes, on both databases.

A running process keeps its rows as long as it needs. The rows of a dead process go on within a
minute. A row whose step could not be saved is released as soon as the database works.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import pytest

from bot.core.bells import Bells
from bot.core.jobs import CLAIM, Job, Status
from bot.core.posts import Form, PostKind
from bot.core.wake import Wake
from bot.core.worker import RENEWAL, Worker
from bot.workers import job_rows, post_rows
from tests.contract.rows import NOON, Store
from tests.fakes.clock import FakeClock

WAIT = 20.0


class Process:
    """The loop of one process over queued jobs; the test decides what `step` does with a job."""

    def __init__(
        self, store: Store, clock: FakeClock, step: Callable[[Job], Awaitable[None]]
    ) -> None:
        self.rows = job_rows(store.jobs, [Status.QUEUED], clock, set(), Bells.new())
        self.renewals = asyncio.Queue[None]()
        self.full = False
        """Whether the database refuses all writes."""
        self.worker = Worker(name="test", rows=self, step=step, clock=clock, wake=Wake())

    async def claim(self, most: int) -> list[Job]:
        return await self.rows.claim(most)

    async def next_due(self) -> float | None:
        return await self.rows.next_due()

    async def renew(self, held: Sequence[Job]) -> None:
        self._write()
        await self.rows.renew(held)
        self.renewals.put_nowait(None)

    async def release(self, row: Job) -> None:
        self._write()
        await self.rows.release(row)

    def hold(self, row: Job) -> None:
        self.rows.hold(row)

    def let_go(self, row: Job) -> float:
        return self.rows.let_go(row)

    def _write(self) -> None:
        if self.full:
            raise OSError("no space left on device")


async def stopped(running: asyncio.Task[None]) -> None:
    """Cancel the loop and wait for its end."""
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


@pytest.mark.proof
async def test_a_running_process_keeps_its_claim_on_a_job_however_long_the_step_takes(
    store: Store,
) -> None:
    clock, leave, inside = FakeClock(NOON), asyncio.Event(), asyncio.Event()

    async def step(_job: Job) -> None:
        inside.set()
        await leave.wait()

    await store.admitted()
    process = Process(store, clock, step)
    other = job_rows(store.jobs, [Status.QUEUED], clock, set(), Bells.new())
    running = asyncio.create_task(process.worker.run())
    await inside.wait()
    async with asyncio.timeout(WAIT):
        while clock.now() < NOON + 3 * CLAIM:
            await clock.asleep()
            await clock.advance(RENEWAL)
            await process.renewals.get()
            assert await other.claim(9) == []
    leave.set()
    await stopped(running)


async def test_a_claim_that_is_not_renewed_runs_out_and_another_process_takes_the_job(
    store: Store,
) -> None:
    """Negative control: without renewals, the rows of a dead process go on within a minute."""
    clock = FakeClock(NOON)
    job = await store.admitted()
    dead = job_rows(store.jobs, [Status.QUEUED], clock, set(), Bells.new())
    other = job_rows(store.jobs, [Status.QUEUED], clock, set(), Bells.new())
    assert [each.id for each in await dead.claim(9)] == [job.id]
    assert await other.next_due() == NOON + CLAIM <= NOON + 60
    await clock.advance(CLAIM)
    assert [each.id for each in await other.claim(9)] == [job.id]


async def test_a_process_never_claims_a_job_that_it_works_on_even_if_its_claim_ran_out(
    store: Store,
) -> None:
    """The clock was set, or the database took no renewal. The POST is still under way."""
    clock, held = FakeClock(NOON), set[str]()
    job = await store.admitted()
    queued = job_rows(store.jobs, [Status.QUEUED], clock, held, Bells.new())
    every = job_rows(store.jobs, list(Status), clock, held, Bells.new())
    (mine,) = await queued.claim(9)
    await clock.advance(2 * CLAIM)
    assert await every.claim(9) == []
    assert await every.next_due() is None, "nor does it wait for it without a rest"
    queued.let_go(mine)
    assert [each.id for each in await every.claim(9)] == [job.id]


async def test_a_job_whose_step_could_not_be_saved_is_released_once_the_database_works(
    store: Store,
) -> None:
    """The disk is full for eight seconds: the job goes on at once and counts no crash."""
    clock, taken = FakeClock(NOON), asyncio.Queue[Job]()

    async def step(job: Job) -> None:
        taken.put_nowait(job)
        if process.full:
            raise OSError("no space left on device")
        await store.moved(job, job)

    await store.admitted()
    process = Process(store, clock, step)
    process.full = True
    running = asyncio.create_task(process.worker.run())
    async with asyncio.timeout(WAIT):
        await taken.get()
        await clock.asleep(2)  # one worker rests, one tries to release its row
        await clock.advance(8)
        assert taken.empty()
        process.full = False
        await clock.asleep(1)
        await clock.advance(1)
        again = await taken.get()
    assert (again.crashes, clock.now()) == (0, NOON + 9)
    await stopped(running)


async def test_a_post_that_is_being_sent_is_not_claimed_by_another_process(store: Store) -> None:
    clock = FakeClock(NOON + 60)
    await store.admitted()
    mine = post_rows(store.posts, ["discord"], [PostKind.CARD], clock)
    other = post_rows(store.posts, ["discord"], [PostKind.CARD], clock)
    (post,) = await mine.claim(9)
    for _ in range(5):
        await clock.advance(CLAIM - 1)
        await mine.renew([post])
        assert await other.claim(9) == []
    await clock.advance(CLAIM + 1)
    assert await mine.claim(9) == []
    assert await mine.next_due() is None
    (lost,) = await other.claim(9)
    assert (lost.id, lost.version) == (post.id, post.version + 1)
    assert await store.posts.sending(post, Form.TEXT, now=clock.now()) is None


async def test_a_stop_of_the_worker_ends_although_the_database_takes_no_writes(
    store: Store,
) -> None:
    clock, taken = FakeClock(NOON), asyncio.Event()

    async def step(_job: Job) -> None:
        taken.set()
        raise OSError("no space left on device")

    await store.admitted()
    process = Process(store, clock, step)
    process.full = True
    running = asyncio.create_task(process.worker.run())
    async with asyncio.timeout(WAIT):
        await taken.wait()
        await clock.asleep(2)
        running.cancel()
        await clock.asleep()
        await clock.advance(1)
        with suppress(asyncio.CancelledError):
            await running
