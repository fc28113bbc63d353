"""Claims of living and of dead processes, on both databases.

A living process keeps what it has in hand for as long as it takes; what a dead one had goes on
within a minute; and what could not be written down is given back as soon as it can be.
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
    """The loop of one process over queued jobs; what it does with a job is the test's affair."""

    def __init__(
        self, store: Store, clock: FakeClock, step: Callable[[Job], Awaitable[None]]
    ) -> None:
        self.rows = job_rows(store.jobs, [Status.QUEUED], clock, set(), Bells.new())
        self.renewals = asyncio.Queue[None]()
        self.full = False
        """Whether the database takes nothing."""
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
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


@pytest.mark.proof
async def test_a_living_process_keeps_what_it_is_at_for_as_long_as_it_takes(store: Store) -> None:
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


async def test_without_renewals_it_would_be_taken_from_it(store: Store) -> None:
    """Negative control, and what becomes of a dead process's rows: they go on within a minute."""
    clock = FakeClock(NOON)
    job = await store.admitted()
    dead = job_rows(store.jobs, [Status.QUEUED], clock, set(), Bells.new())
    other = job_rows(store.jobs, [Status.QUEUED], clock, set(), Bells.new())
    assert [each.id for each in await dead.claim(9)] == [job.id]
    assert await other.next_due() == NOON + CLAIM <= NOON + 60
    await clock.advance(CLAIM)
    assert [each.id for each in await other.claim(9)] == [job.id]


async def test_a_process_never_takes_what_it_has_in_hand_even_if_that_claim_ran_out(
    store: Store,
) -> None:
    """The clock was set, or the database took no renewal: the POST is under way all the same."""
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


async def test_what_could_not_be_written_is_given_back_as_soon_as_the_database_takes_it(
    store: Store,
) -> None:
    """Eight seconds of a full disk: the job goes on at once, and nobody says that it killed us."""
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
        await clock.asleep(2)  # one rests, one tries to give back
        await clock.advance(8)
        assert taken.empty()
        process.full = False
        await clock.asleep(1)
        await clock.advance(1)
        again = await taken.get()
    assert (again.crashes, clock.now()) == (0, NOON + 9)
    await stopped(running)


async def test_a_post_that_is_being_sent_is_nobody_elses_either(store: Store) -> None:
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


async def test_a_stop_ends_although_the_database_takes_nothing(store: Store) -> None:
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
