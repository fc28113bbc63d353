"""Polls of jobs in progress: claimed together, saved together, and judged like single polls."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.core.context import PAUSE
from bot.core.errors import Unwritten
from bot.core.jobs import LAST_DEADLINE, Job, Reason, Status
from bot.core.notices import Pause
from bot.core.outcomes import Done, Failed, Locked, Missing, Running, Trouble, Unread
from bot.core.pending import Pending, Seen
from bot.core.people import LINGER
from bot.core.posts import EDIT_PACE, PostKind
from bot.core.steps.polling import (
    AT_ONCE,
    BATCH,
    FEW,
    FEW_AT_ONCE,
    FEW_LINES,
    LINES,
    SOON,
    TOGETHER,
    Polling,
)
from bot.store.polls import Polls
from bot.store.tables import posts
from tests.databases import open_rows
from tests.fakes.clock import FakeClock
from tests.unit.core.orders import order
from tests.unit.core.scripted import HandClock, ScriptedGateway
from tests.unit.core.workshop import Workshop

WAIT = 20.0
STEP = ScriptedGateway.poll_step


class Rows(Polls):
    """The store's polls. A test sees each write and may let a write fail."""

    writes: list[list[str]]
    asked: list[int]
    """The maximum of each claim."""
    questions = 0
    """How often `next_due` was called."""
    answers: asyncio.Event
    """Set while `next_due` may return."""
    trouble: Exception | None = None
    most_held = 0

    async def claim(
        self, *, now: float, until: float, most: int, but: Collection[str]
    ) -> list[Pending]:
        self.asked.append(most)
        rows = await super().claim(now=now, until=until, most=most, but=but)
        self.most_held = max(self.most_held, len(rows) + len(but))
        return rows

    async def next_due(self, *, but: Collection[str]) -> float | None:
        due = await super().next_due(but=but)
        self.questions += 1
        await self.answers.wait()
        return due

    async def write(self, seen: Sequence[Seen], *, now: float, ahead: float) -> bool:
        if self.trouble:
            raise self.trouble
        shown = await super().write(seen, now=now, ahead=ahead)
        self.writes.append([each.id for each in seen])
        return shown


class Counted(ScriptedGateway):
    """A gateway that counts simultaneous polls and answers only when the test lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.asking = self.most = 0
        self.open = asyncio.Event()
        self.open.set()
        self.before_answer: Callable[[], Awaitable[object]] | None = None

    async def glance(self, gateway_id: str) -> Running | Unread:
        self.asking += 1
        self.most = max(self.most, self.asking)
        try:
            seen = await super().glance(gateway_id)
            if self.before_answer:
                await self.before_answer()
            await self.open.wait()
        finally:
            self.asking -= 1
        return seen


class Turned(HandClock):
    """A clock whose sleepers wake when the test moves it."""

    def __init__(self) -> None:
        super().__init__()
        self.hands = FakeClock()
        self.naps = 0

    def now(self) -> float:
        return self.hands.now()

    def steady(self) -> float:
        return self.hands.steady()

    def settled(self) -> float:
        return self.hands.settled()

    async def sleep(self, seconds: float) -> None:
        self.naps += 1
        await self.hands.sleep(seconds)


class Hall:
    """A workshop whose polls run on a clock that the test moves."""

    def __init__(self, shop: Workshop, gateway: Counted, clock: Turned) -> None:
        self.shop, self.gateway, self.clock = shop, gateway, clock.hands
        self.turned = clock
        self.rows = Rows(shop.database)
        self.rows.writes, self.rows.asked = [], []
        self.rows.answers = asyncio.Event()
        self.rows.answers.set()
        self.polling = Polling(
            context=shop.context,
            polls=self.rows,
            steps=shop.steps,
            wake=shop.bells.each_job[Status.IN_PROGRESS,],
            people=shop.service.people,
        )

    async def making(self, count: int = 1) -> list[Job]:
        """Return so many jobs in progress whose polls are due."""
        jobs = []
        for _ in range(count):
            job = await self.shop.submit(order())
            await self.shop.posts.posted(job, f"card of {job.id}", "hall")
            job = await self.shop.job(job.id)
            now = self.clock.now()
            (job,) = await self.shop.jobs.claim([Status.QUEUED], now=now, until=now + 60, most=1)
            await self.shop.steps.take(job)
            jobs.append(await self.shop.job(job.id))
        await self.clock.advance(60.0)
        return jobs

    async def now(self, jobs: Sequence[Job]) -> list[Job]:
        return [await self.shop.job(job.id) for job in jobs]

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        running = asyncio.create_task(self.polling.run())
        try:
            yield
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    async def rung(self) -> None:
        """Ring the bell, and wait until the rows are queried."""
        questions = self.rows.questions
        self.shop.bells.jobs.ring()
        await self.until(lambda: self.rows.questions > questions)

    async def until(self, holds: Callable[[], bool], *, step: float = SOON) -> None:
        """Let time pass until `holds` is true. The database works in real time meanwhile."""
        async with asyncio.timeout(WAIT):
            while not holds():
                await self.clock.advance(step)
                await self.shop.database.run(lambda it: it.exec_driver_sql("SELECT 1"))


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Hall]:
    clock, gateway = Turned(), Counted()
    gateway.polls = [Running(30)]
    async with open_rows(tmp_path) as database:
        yield Hall(Workshop(database, tmp_path, gateway, clock), gateway, clock)


async def test_fifty_polls_need_few_writes_and_only_some_run_at_once(hall: Hall) -> None:
    jobs = await hall.making(50)
    hall.gateway.open.clear()
    async with hall.at_work():
        await hall.until(lambda: hall.gateway.asking == AT_ONCE)
        hall.gateway.open.set()
        await hall.until(lambda: sum(map(len, hall.rows.writes)) == 50)
    assert len(hall.rows.writes) <= 3
    assert hall.gateway.most == AT_ONCE
    assert hall.gateway.polled == 50
    for before, after in zip(jobs, await hall.now(jobs), strict=True):
        assert after.due_at is not None
        assert (after.version, after.progress) == (before.version + 1, 30)
        assert 0.8 * STEP < after.due_at - hall.clock.now() < 1.2 * STEP


async def test_while_people_wait_few_polls_run_at_once_and_are_written_in_small_parts(
    hall: Hall,
) -> None:
    jobs = await hall.making(50)
    hall.gateway.open.clear()
    hall.shop.service.people.came()
    async with hall.at_work():
        await hall.until(lambda: hall.gateway.asking == FEW_AT_ONCE)
        begun = hall.clock.steady()
        hall.gateway.open.set()
        await hall.until(lambda: sum(map(len, hall.rows.writes)) == len(jobs))
        took = hall.clock.steady() - begun
    assert hall.gateway.most == FEW_AT_ONCE
    assert max(map(len, hall.rows.writes)) <= FEW_LINES < LINES
    assert max(hall.rows.asked) <= FEW < BATCH
    assert took >= (len(jobs) // FEW_LINES) * SOON


async def test_polls_that_may_not_run_while_people_wait_sleep_until_the_people_may_be_gone(
    hall: Hall,
) -> None:
    async with hall.at_work():
        hall.shop.service.people.came()
        await hall.clock.advance(2 * LINGER)
    assert AT_ONCE - FEW_AT_ONCE <= hall.turned.naps <= 2 * AT_ONCE


async def test_a_job_whose_poll_is_in_progress_is_not_polled_a_second_time(hall: Hall) -> None:
    await hall.making(3)
    hall.gateway.open.clear()
    async with hall.at_work():
        await hall.until(lambda: hall.gateway.asking == 3)
        for _ in range(5):
            hall.shop.bells.jobs.ring()
            await hall.until(lambda: True)
            await hall.clock.advance(60.0)
        assert hall.gateway.polled == 3
        hall.gateway.open.set()
        await hall.until(lambda: sum(map(len, hall.rows.writes)) == 3)


async def test_a_job_found_made_is_not_polled_while_its_video_is_downloaded(
    hall: Hall,
) -> None:
    """The row does not say so yet. If the job is released unchanged, it is due at once."""
    (job,) = await hall.making()
    hall.gateway.polls = [Done()]
    on = hall.shop.bells.jobs_on[Status.COMPLETED,]
    on.free = 1
    async with hall.at_work():
        await hall.until(lambda: not on.has_room and not hall.polling._held)
        for _ in range(3):
            await hall.rung()
        assert hall.gateway.polled == 1
        assert await hall.now([job]) == list(on.take()) == [job]
        hall.shop.bells.let_go(job)
        await hall.until(lambda: hall.gateway.polled == 2)


async def test_a_gateway_with_a_changed_address_is_not_polled_for_earlier_jobs(
    hall: Hall,
) -> None:
    """The new gateway may use the same id for somebody else's video."""
    (job,) = await hall.making()
    hall.gateway.base_url = "https://another.example"
    async with hall.at_work(), asyncio.timeout(WAIT):
        while (await hall.now([job])) == [job]:
            await hall.clock.advance(SOON)
    (after,) = await hall.now([job])
    assert hall.gateway.polled == 0
    assert (after.status, after.progress) == (Status.IN_PROGRESS, job.progress)


async def test_a_job_is_polled_again_when_its_next_poll_is_due_and_not_before(hall: Hall) -> None:
    (job,) = await hall.making()
    async with hall.at_work():
        await hall.until(lambda: len(hall.rows.writes) == 1)
        (after,) = await hall.now([job])
        assert after.due_at is not None
        await hall.until(lambda: hall.gateway.polled == 2)
        assert after.due_at <= hall.clock.now() < after.due_at + 3 * TOGETHER


async def test_a_poll_written_while_next_due_is_being_read_is_not_forgotten(
    hall: Hall,
) -> None:
    """`next_due` was read before the write and does not know of the new time."""
    (job,) = await hall.making()
    hall.gateway.open.clear()
    hall.rows.answers.clear()
    async with hall.at_work():
        await hall.until(lambda: hall.rows.questions == 1)
        hall.gateway.open.set()
        await hall.until(lambda: len(hall.rows.writes) == 1)
        hall.rows.answers.set()
        (after,) = await hall.now([job])
        assert after.due_at is not None
        await hall.until(lambda: hall.gateway.polled == 2)
        assert hall.clock.now() < after.due_at + 3 * TOGETHER


async def test_a_bell_that_tells_when_a_poll_is_due_spares_the_query(hall: Hall) -> None:
    """Each claim still needs one query, for rows that wait longer.

    A bell without a time needs one too.
    """
    await hall.making()
    async with hall.at_work():
        await hall.until(lambda: len(hall.rows.writes) == 3)
        assert hall.rows.questions == len(hall.rows.asked) == 3
        hall.shop.bells.jobs.ring()
        await hall.until(lambda: hall.rows.questions == 4)
        assert len(hall.rows.asked) == 3


async def test_the_card_of_a_polled_job_is_edited_for_steps_of_ten_percent_only(hall: Hall) -> None:
    """A step of ten percent is worth an edit; a smaller one is not."""
    (job,) = await hall.making()
    hall.gateway.polls = [Running(34), Running(38), Running(41)]
    due = []
    stands = sa.update(posts).values(due_at=None)
    await hall.shop.database.write(stands)
    async with hall.at_work():
        for count in (1, 2, 3):
            await hall.until(lambda count=count: len(hall.rows.writes) == count)  # type: ignore[misc]
            post = await hall.shop.posts.get(job.id, PostKind.CARD)
            assert post is not None
            due.append(post.due_at)
            await hall.shop.database.write(stands)
    assert due[1] is None
    assert due[0] is not None
    assert due[2] is not None
    assert 0 <= hall.clock.now() + EDIT_PACE - due[2] < 1


@pytest.mark.parametrize(
    ("seen", "status", "reason"),
    [
        (Done(("https://a.example/v.mp4",)), Status.COMPLETED, None),
        (Failed(Reason.MODERATED, "no"), Status.FAILED, Reason.MODERATED),
        (Missing(), Status.IN_PROGRESS, None),
        (Trouble("HTTP 502"), Status.IN_PROGRESS, None),
        (Locked(Reason.BAD_KEY, "HTTP 401"), Status.IN_PROGRESS, None),
        (Running(50, unknown="brewing"), Status.IN_PROGRESS, None),
    ],
)
async def test_an_answer_other_than_running_is_judged_as_by_a_single_poll(
    hall: Hall, seen: Done, status: Status, reason: Reason | None
) -> None:
    batched, alone = await hall.making(2)
    hall.gateway.polls = [seen]
    (claimed,) = await hall.shop.jobs.claim(
        [Status.IN_PROGRESS], now=hall.clock.now(), until=hall.clock.now() + 60, most=1
    )
    await hall.shop.steps.take(claimed)
    async with hall.at_work():
        await hall.until(lambda: hall.gateway.polled == 2 and not hall.polling._held)
    one, other = await hall.now([claimed, alone if claimed.id == batched.id else batched])
    assert (one.status, one.reason) == (other.status, other.reason) == (status, reason)
    assert (one.progress, one.attempts, one.sources) == (
        other.progress,
        other.attempts,
        other.sources,
    )
    assert (one.due_at is None) == (other.due_at is None)
    paused = await hall.shop.pauses.is_paused("main")
    assert paused == isinstance(seen, Locked)


async def test_a_poll_does_not_overwrite_a_job_that_was_moved_meanwhile(hall: Hall) -> None:
    jobs = await hall.making(2)
    hall.gateway.polls = [Running(70), Done()]
    hall.gateway.open.clear()
    async with hall.at_work():
        await hall.until(lambda: hall.gateway.asking == 2)
        for job in jobs:
            await hall.shop.jobs.save(job, replace(job, silent=True), now=hall.clock.now())
        moved = await hall.now(jobs)
        hall.gateway.polls = [Trouble("later")]
        hall.gateway.open.set()
        await hall.until(lambda: hall.rows.writes != [])
    for before, after in zip(moved, await hall.now(jobs), strict=True):
        assert after.silent
        assert after.status is before.status
        assert after.progress == before.progress


async def test_a_job_polled_after_the_last_deadline_has_timed_out(hall: Hall) -> None:
    (job,) = await hall.making()
    await hall.clock.advance(LAST_DEADLINE)
    async with hall.at_work():
        await hall.until(lambda: hall.gateway.polled == 1 and not hall.polling._held)
    (after,) = await hall.now([job])
    assert (after.status, after.reason) == (Status.FAILED, Reason.TIMED_OUT)


async def test_an_answered_poll_ends_a_pause_that_a_poll_caused(hall: Hall) -> None:
    await hall.making()
    now = hall.clock.now()
    pause = Pause(Reason.BAD_KEY, until=now + PAUSE, polls_only=True)
    await hall.shop.pauses.pause("main", pause, detail="HTTP 401", rooms=(), now=now)
    await hall.clock.advance(1.0)
    assert await hall.shop.pauses.is_paused("main")
    async with hall.at_work():
        await hall.until(lambda: len(hall.rows.writes) == 1)
    assert not await hall.shop.pauses.is_paused("main")


async def test_polls_that_a_full_database_did_not_save_are_saved_later(hall: Hall) -> None:
    jobs = await hall.making(5)
    hall.rows.trouble = Unwritten("database_full")
    async with hall.at_work():
        await hall.until(lambda: hall.gateway.polled == 5)
        await hall.clock.advance(8.0)
        assert hall.rows.writes == []
        hall.rows.trouble = None
        await hall.until(lambda: sum(map(len, hall.rows.writes)) == 5)
    assert hall.gateway.polled == 5, "nothing was forgotten, so nothing is asked again"
    assert {job.progress for job in await hall.now(jobs)} == {30}


async def test_a_clock_that_is_set_during_a_poll_does_not_delay_the_next_poll(hall: Hall) -> None:
    """The rows move with the clock, and later writes use the new time."""
    (job,) = await hall.making()
    hall.rows.trouble = Unwritten("database_full")
    async with hall.at_work():
        await hall.until(lambda: hall.gateway.polled == 1)
        hall.clock.adopt(-3000.0)
        hall.rows.trouble = None
        await hall.until(lambda: len(hall.rows.writes) == 1)
    (after,) = await hall.now([job])
    assert after.due_at is not None
    assert after.due_at - hall.clock.now() < 1.2 * STEP


async def test_a_stop_saves_the_answered_polls_and_releases_the_other_jobs(hall: Hall) -> None:
    jobs = await hall.making(5)
    answered = asyncio.Event()
    count = 0

    async def some_answer() -> None:
        nonlocal count
        count += 1
        if count > 2:
            answered.set()
            await asyncio.Event().wait()

    hall.gateway.before_answer = some_answer
    async with hall.at_work():
        await hall.until(answered.is_set)
    after = await hall.now(jobs)
    assert sorted(job.progress for job in after) == [0, 0, 0, 30, 30]
    assert await hall.rows.expire_claims(now=hall.clock.now()) == 0, "nothing is suspected"


async def test_a_stop_of_the_polling_loop_ends_although_the_database_takes_no_writes(
    hall: Hall,
) -> None:
    await hall.making(2)
    hall.rows.trouble = Unwritten("database_full")
    async with asyncio.timeout(WAIT), hall.at_work():
        await hall.until(lambda: hall.gateway.polled == 2)
    assert await hall.rows.expire_claims(now=hall.clock.now()) == 2, "the next start takes them up"


async def test_a_poll_that_fails_releases_its_job(hall: Hall) -> None:
    (job,) = await hall.making()
    trouble = [OSError("no space left on device")]

    async def fails() -> None:
        if trouble:
            raise trouble.pop()

    hall.gateway.before_answer = fails
    async with hall.at_work():
        await hall.until(lambda: len(hall.rows.writes) == 1, step=0.5)
    assert hall.gateway.polled == 2
    assert (await hall.now([job]))[0].crashes == 0


async def test_a_job_whose_gateway_is_gone_waits_and_does_not_delay_other_jobs(hall: Hall) -> None:
    lost, kept = await hall.making(2)
    await hall.shop.jobs.save(lost, replace(lost, gateway="gone"), now=hall.clock.now())
    async with hall.at_work():
        await hall.until(lambda: len(hall.rows.writes) == 1 and not hall.polling._held)
    assert hall.rows.writes == [[kept.id]]
    (after,) = await hall.now([lost])
    assert after.due_at is not None
    assert PAUSE - 2 < after.due_at - hall.clock.now() <= PAUSE
