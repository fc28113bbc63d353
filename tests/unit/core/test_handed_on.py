"""A loop begins rows that were claimed for it, and releases those that it can no longer begin."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import pytest

from bot.core.bells import STATES
from bot.core.handed_on import HandedOn
from bot.core.jobs import Status
from bot.core.posts import PostKind
from bot.core.steps.content import Content
from bot.core.wake import Wake
from bot.core.worker import Worker
from tests.contract.rows import NOON
from tests.fakes.clock import FakeClock
from tests.unit.core.workshop import Workshop

WAIT = 20.0


class Rows:
    """Rows that are never due by themselves."""

    def __init__(self) -> None:
        self.asked = asyncio.Semaphore(0)
        """One entry for each claim."""
        self.held: list[str] = []
        self.released: list[str] = []

    async def claim(self, most: int) -> list[str]:
        self.asked.release()
        return []

    async def next_due(self) -> float | None:
        self.asked.release()
        return None

    async def renew(self, held: Sequence[str]) -> None:
        raise AssertionError("nothing takes long")

    async def release(self, row: str) -> None:
        self.released.append(row)

    def hold(self, row: str) -> None:
        self.held.append(row)

    def let_go(self, row: str) -> float:
        self.held.remove(row)
        return float("inf")


class Loop:
    """A loop with two slots and nothing to do; setting `leave` ends its steps."""

    def __init__(self) -> None:
        self.rows, self.wake = Rows(), Wake()
        self.on = HandedOn[str](self.wake)
        self.begun, self.leave = asyncio.Queue[str](), asyncio.Event()
        self.clock = FakeClock(NOON)
        self.worker = Worker(
            name="test",
            rows=self.rows,
            step=self._step,
            clock=self.clock,
            wake=self.wake,
            handed_on=self.on,
            slots=2,
            grace=0.0,
        )

    async def __aenter__(self) -> "Loop":
        assert not self.on.has_room, "it does not run yet"
        self._running = asyncio.create_task(self.worker.run())
        await self.clock.asleep()
        self.polls = self.rows.asked._value
        return self

    async def __aexit__(self, *_: object) -> None:
        self._running.cancel()
        with suppress(asyncio.CancelledError):
            await self._running

    async def _step(self, row: str) -> None:
        self.begun.put_nowait(row)
        await self.leave.wait()


async def test_a_row_handed_on_to_a_loop_begins_without_a_claim() -> None:
    async with asyncio.timeout(WAIT), Loop() as loop:
        loop.on.put("a")
        assert await loop.begun.get() == "a"
        assert loop.rows.held == ["a"], "no other loop may claim it"
        loop.on.put("b")
        assert await loop.begun.get() == "b"
        loop.leave.set()
        while loop.rows.held:
            await asyncio.sleep(0)
        assert loop.rows.asked._value == loop.polls, "the rows were not asked"


async def test_a_loop_has_no_room_for_more_rows_than_it_can_begin() -> None:
    async with asyncio.timeout(WAIT), Loop() as loop:
        loop.on.put("a")
        assert loop.on.has_room
        loop.on.put("b")
        assert not loop.on.has_room
        for _ in range(2):
            await loop.begun.get()
        await loop.clock.asleep()
        assert not loop.on.has_room
        loop.leave.set()
        while not loop.on.has_room:
            await asyncio.sleep(0)


async def test_a_stopped_loop_releases_rows_that_it_did_not_begin() -> None:
    """So the next process neither waits for our claim nor counts a crash."""
    async with asyncio.timeout(WAIT):
        async with Loop() as loop:
            loop._running.cancel()
            loop.on.put("a")
        assert loop.rows.released == ["a"]
        assert not loop.on.has_room


@pytest.mark.parametrize(
    ("said_on", "free", "handed_on"), [(["chat"], 1, 1), ([], 1, 0), (["chat"], 0, 0)]
)
async def test_a_result_is_claimed_at_once_only_if_this_process_can_post_it_at_once(
    workshop: Workshop, said_on: list[str], free: int, handed_on: int
) -> None:
    """On a network that is switched off, the result stays due for the process that serves it."""
    workshop.bells.results_on.free = free
    content = Content(
        replace(workshop.context, said_on=said_on),
        media=workshop.studio,
        conversions=workshop.conversions,
    )
    workshop.states = STATES[:3]
    job = await workshop.asked("a cat")
    await workshop.work(60)
    job = await workshop.job(job.id)
    assert job.status is Status.COMPLETED
    await content.fetch(job)
    now = workshop.clock.now()
    due = await workshop.posts.claim(["chat"], [PostKind.RESULT], now=now, until=now, most=9)
    assert len(list(workshop.bells.results_on.take())) == handed_on == 1 - len(due)
