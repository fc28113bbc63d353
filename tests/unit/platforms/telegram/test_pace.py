"""Telegram's rates are kept, the urgent go first, and mere progress never waits in a queue."""

import asyncio

import pytest

from bot.core.errors import Temporary
from bot.platforms.telegram.pace import GROUP, PRIVATE, Pace, Turn
from tests.fakes.clock import FakeClock

HALL, ANN = -100, 7


async def said(pace: Pace, clock: FakeClock, chat: int, count: int) -> list[float]:
    """When each of so many messages got its turn, in seconds from now."""
    begun, times = clock.now(), []

    async def say() -> None:
        await pace.turn(chat, Turn.ANSWER)
        times.append(clock.now() - begun)

    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(say())
        group.create_task(clock.advance(600))
    return times


@pytest.mark.parametrize(
    ("chat", "most", "seconds"), [(HALL, 20, 60.0), (ANN, 5, 1.0), (ANN, 6, 2.0), (ANN, 64, 60.0)]
)
async def test_no_window_holds_more_than_telegram_allows(
    chat: int, most: int, seconds: float
) -> None:
    clock = FakeClock()
    times = await said(Pace(clock), clock, chat, 40)
    assert len(times) == 40
    for at in times:
        assert len([each for each in times if at <= each < at + seconds]) <= most


async def test_in_private_nobody_waits_for_a_window_to_end() -> None:
    clock = FakeClock()
    times = await said(Pace(clock), clock, ANN, PRIVATE[0] + 2)
    assert times[-1] <= 2 * PRIVATE[1]


async def test_a_result_goes_before_answers_that_wait_longer() -> None:
    clock = FakeClock()
    pace = Pace(clock)
    await said(pace, clock, HALL, GROUP[0])
    order: list[Turn] = []

    async def wait(turn: Turn) -> None:
        await pace.turn(HALL, turn)
        order.append(turn)

    async with asyncio.TaskGroup() as group:
        for turn in (Turn.CHANGE, Turn.ANSWER, Turn.RESULT):
            group.create_task(wait(turn))
        await asyncio.sleep(0)
        group.create_task(clock.advance(600))
    assert order == [Turn.RESULT, Turn.ANSWER, Turn.CHANGE]


async def test_chats_do_not_wait_for_each_other() -> None:
    clock = FakeClock()
    pace = Pace(clock)
    pace.pause(HALL, 300.0)
    await asyncio.wait_for(pace.turn(ANN, Turn.ANSWER), 1)


async def test_a_pause_that_was_asked_for_is_kept() -> None:
    clock = FakeClock()
    pace = Pace(clock)
    pace.pause(HALL, 35.0)
    pace.pause(HALL, 5.0)
    assert await said(pace, clock, HALL, 1) == [35.0]


@pytest.mark.parametrize(("chat", "spacing"), [(ANN, 5.0), (HALL, 15.0)])
async def test_progress_is_shown_sparingly_and_never_waits(chat: int, spacing: float) -> None:
    clock = FakeClock()
    pace = Pace(clock)
    shown, told = 0, []
    for _ in range(120):
        try:
            pace.progress(chat)
        except Temporary as busy:
            told.append((busy.unsent, (busy.retry_after or 0) > 0))
        else:
            shown += 1
        await clock.advance(1.0)
    assert shown <= 120 / spacing + 1
    assert shown > 1
    assert set(told) == {(True, True)}


async def test_who_gave_up_waiting_takes_no_place() -> None:
    clock = FakeClock()
    pace = Pace(clock)
    pace.pause(ANN, 10.0)
    gone = asyncio.create_task(pace.turn(ANN, Turn.RESULT))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    assert await said(pace, clock, ANN, PRIVATE[0]) == [10.0] * PRIVATE[0]
