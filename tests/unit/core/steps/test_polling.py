"""Looks at jobs that are being made: taken together, written together, and judged as one alone."""

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
    """The store's looks; a test sees each write, and may let one fail."""

    writes: list[list[str]]
    asked: list[int]
    """How many each claim wanted at most."""
    questions = 0
    """How often it was asked when the next is due."""
    answers: asyncio.Event
    """Whether such a question is answered now."""
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
    """A gateway that knows how many ask it at once, and answers when it is let."""

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
    """A workshop whose looks run on a clock that the test moves."""

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
        """So many jobs that are being made, and whose looks are due."""
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
        """Somebody rings, and the rows are asked for what is due."""
        questions = self.rows.questions
        self.shop.bells.jobs.ring()
        await self.until(lambda: self.rows.questions > questions)

    async def until(self, holds: Callable[[], bool], *, step: float = SOON) -> None:
        """Let time pass until it holds. The database works in real time meanwhile."""
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


async def test_fifty_looks_are_a_few_writes_and_not_too_many_at_once(hall: Hall) -> None:
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


async def test_while_people_wait_looks_are_few_at_once_and_written_in_small_parts(
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


async def test_what_has_no_turn_while_people_wait_sleeps_until_they_may_be_gone(
    hall: Hall,
) -> None:
    async with hall.at_work():
        hall.shop.service.people.came()
        await hall.clock.advance(2 * LINGER)
    assert AT_ONCE - FEW_AT_ONCE <= hall.turned.naps <= 2 * AT_ONCE


async def test_a_job_in_hand_is_not_looked_at_twice(hall: Hall) -> None:
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


async def test_a_job_that_was_found_made_is_not_looked_at_again_while_its_video_comes(
    hall: Hall,
) -> None:
    """Its row tells nothing of that yet. Where it is given back as it was, it is due at once."""
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


async def test_a_gateway_at_another_address_is_not_asked_for_jobs_of_the_former_one(
    hall: Hall,
) -> None:
    """It may know the same id, of somebody else's video."""
    (job,) = await hall.making()
    hall.gateway.base_url = "https://another.example"
    async with hall.at_work(), asyncio.timeout(WAIT):
        while (await hall.now([job])) == [job]:
            await hall.clock.advance(SOON)
    (after,) = await hall.now([job])
    assert hall.gateway.polled == 0
    assert (after.status, after.progress) == (Status.IN_PROGRESS, job.progress)


async def test_it_is_looked_at_again_when_that_is_due_and_not_before(hall: Hall) -> None:
    (job,) = await hall.making()
    async with hall.at_work():
        await hall.until(lambda: len(hall.rows.writes) == 1)
        (after,) = await hall.now([job])
        assert after.due_at is not None
        await hall.until(lambda: hall.gateway.polled == 2)
        assert after.due_at <= hall.clock.now() < after.due_at + 3 * TOGETHER


async def test_a_look_that_is_written_while_the_next_is_asked_for_is_not_forgotten(
    hall: Hall,
) -> None:
    """The answer is of before, and knows of no row."""
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


async def test_a_bell_that_tells_when_a_look_is_due_spares_the_question(hall: Hall) -> None:
    """One is left for each claim, for rows that wait longer; a bell that does not tell asks too."""
    await hall.making()
    async with hall.at_work():
        await hall.until(lambda: len(hall.rows.writes) == 3)
        assert hall.rows.questions == len(hall.rows.asked) == 3
        hall.shop.bells.jobs.ring()
        await hall.until(lambda: hall.rows.questions == 4)
        assert len(hall.rows.asked) == 3


async def test_its_card_shows_what_was_seen(hall: Hall) -> None:
    """A step of ten percent is worth an edit, a smaller one is not."""
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
async def test_any_other_answer_is_judged_as_one_look_alone_is(
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


async def test_a_job_that_somebody_moved_meanwhile_is_not_overwritten(hall: Hall) -> None:
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


async def test_past_the_last_deadline_it_has_timed_out(hall: Hall) -> None:
    (job,) = await hall.making()
    await hall.clock.advance(LAST_DEADLINE)
    async with hall.at_work():
        await hall.until(lambda: hall.gateway.polled == 1 and not hall.polling._held)
    (after,) = await hall.now([job])
    assert (after.status, after.reason) == (Status.FAILED, Reason.TIMED_OUT)


async def test_an_answered_look_ends_a_pause_that_looks_began(hall: Hall) -> None:
    await hall.making()
    now = hall.clock.now()
    pause = Pause(Reason.BAD_KEY, until=now + PAUSE, polls_only=True)
    await hall.shop.pauses.pause("main", pause, detail="HTTP 401", rooms=(), now=now)
    await hall.clock.advance(1.0)
    assert await hall.shop.pauses.is_paused("main")
    async with hall.at_work():
        await hall.until(lambda: len(hall.rows.writes) == 1)
    assert not await hall.shop.pauses.is_paused("main")


async def test_what_a_full_database_does_not_take_is_written_later(hall: Hall) -> None:
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


async def test_a_clock_that_is_set_meanwhile_puts_no_look_off(hall: Hall) -> None:
    """The rows move with the clock, and what is written afterwards is by the new one."""
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


async def test_a_stop_writes_down_what_was_seen_and_gives_the_rest_back(hall: Hall) -> None:
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


async def test_a_stop_ends_although_the_database_takes_nothing(hall: Hall) -> None:
    await hall.making(2)
    hall.rows.trouble = Unwritten("database_full")
    async with asyncio.timeout(WAIT), hall.at_work():
        await hall.until(lambda: hall.gateway.polled == 2)
    assert await hall.rows.expire_claims(now=hall.clock.now()) == 2, "the next start takes them up"


async def test_a_step_that_fails_gives_its_row_back(hall: Hall) -> None:
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


async def test_a_job_whose_gateway_is_gone_waits_and_holds_up_no_other(hall: Hall) -> None:
    lost, kept = await hall.making(2)
    await hall.shop.jobs.save(lost, replace(lost, gateway="gone"), now=hall.clock.now())
    async with hall.at_work():
        await hall.until(lambda: len(hall.rows.writes) == 1 and not hall.polling._held)
    assert hall.rows.writes == [[kept.id]]
    (after,) = await hall.now([lost])
    assert after.due_at is not None
    assert PAUSE - 2 < after.due_at - hall.clock.now() <= PAUSE
