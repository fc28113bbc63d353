"""Telegram's rates are kept, the urgent find a seat, and nobody is held for long."""

import asyncio
import tracemalloc
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.errors import Temporary
from bot.platforms.telegram.pace import (
    EVERYWHERE,
    GROUP,
    MOST_CHATS,
    PATIENCE,
    PRIVATE,
    Pace,
    Turn,
)
from tests.fakes.clock import FakeClock
from tests.fakes.telegram import Chat, ChatType
from tests.fakes.telegram.rates import Rates

HALL, CLUB, ANN = -100, -200, 7


async def ask(pace: Pace, chat: int, turn: Turn) -> None:
    """A turn of any kind."""
    if turn is Turn.PROGRESS:
        pace.progress(chat)
    else:
        await pace.turn(chat, turn)


async def insist(pace: Pace, clock: FakeClock, chat: int, turn: Turn) -> int:
    """Come again whenever told so, as rows do; how often that was."""
    for value in range(100):
        try:
            await pace.turn(chat, turn)
        except Temporary as busy:
            await clock.sleep(busy.retry_after or 0.0)
        else:
            return value
    raise AssertionError("never said")


async def said(
    pace: Pace, clock: FakeClock, chat: int, count: int, turn: Turn = Turn.POST
) -> list[float]:
    """When each of so many messages got its turn, in seconds from now."""
    begun, times = clock.now(), []

    async def say() -> None:
        await insist(pace, clock, chat, turn)
        times.append(clock.now() - begun)

    waiting = [asyncio.create_task(say()) for _ in range(count)]
    await clock.advance(600)
    await asyncio.wait_for(asyncio.gather(*waiting), 1)
    return times


async def value(pace: Pace, chat: int, turn: Turn) -> Temporary:
    """With what somebody is put off at once."""
    with pytest.raises(Temporary) as caught:
        await asyncio.wait_for(ask(pace, chat, turn), 1)
    return caught.value


async def paused(
    pace: Pace, clock: FakeClock, count: int, seconds: float
) -> list[asyncio.Task[None]]:
    """Results of so many chats, all with a seat at the end of the same short pause."""
    for chat in range(101, 101 + count):
        pace.pause(chat, seconds)
    waiting = [asyncio.create_task(pace.turn(chat, Turn.POST)) for chat in range(101, 101 + count)]
    await clock.advance(0.0)
    return waiting


# --- rates ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chat", "most", "seconds"), [(HALL, 20, 60.0), (ANN, 5, 1.0), (ANN, 6, 2.0), (ANN, 64, 60.0)]
)
@pytest.mark.parametrize("turn", [Turn.POST, Turn.ANSWER, Turn.CHANGE])
async def test_no_window_holds_more_than_telegram_allows(
    chat: int, most: int, seconds: float, turn: Turn
) -> None:
    clock = FakeClock()
    times = await said(Pace(clock), clock, chat, 40, turn)
    assert len(times) == 40
    for at in times:
        assert len([each for each in times if at <= each < at + seconds]) <= most


TURNS = st.tuples(
    st.sampled_from(Turn),
    st.integers(1, 40),
    st.sampled_from([(HALL,), (CLUB,), (ANN,), (HALL, CLUB, ANN), tuple(range(1, 40))]),
)
GAPS = st.one_of(st.floats(0, PATIENCE), st.floats(0, GROUP[1] + PATIENCE))


@settings(max_examples=60)
@given(steps=st.lists(st.tuples(GAPS, st.lists(TURNS, max_size=4)), max_size=8))
def test_whatever_the_order_telegrams_rates_are_kept(
    steps: list[tuple[float, list[tuple[Turn, int, tuple[int, ...]]]]],
) -> None:
    async def live() -> None:
        clock = FakeClock()
        pace, rates = Pace(clock), Rates(clock=clock.now)

        async def say(chat: int, turn: Turn) -> None:
            try:
                await ask(pace, chat, turn)
            except Temporary:
                return
            kind = ChatType.GROUP if chat < 0 else ChatType.PRIVATE
            rates.count("sendMessage", Chat(id=chat, type=kind, instance=""))

        asked = []
        for gap, turns in steps:
            await clock.advance(gap)
            for turn, count, chats in turns:
                asked += [
                    asyncio.create_task(say(chats[place % len(chats)], turn))
                    for place in range(count)
                ]
        await clock.advance(PATIENCE)
        assert all(task.done() for task in asked)
        assert rates.excesses == []

    asyncio.run(live())


async def test_in_private_nobody_waits_for_a_window_to_end() -> None:
    clock = FakeClock()
    times = await said(Pace(clock), clock, ANN, PRIVATE[0] + 2)
    assert times[-1] == pytest.approx(2 * PRIVATE[1])


@pytest.mark.parametrize(("chat", "spacing"), [(ANN, 5.0), (HALL, 15.0)])
async def test_progress_is_shown_sparingly_and_never_waits(chat: int, spacing: float) -> None:
    clock = FakeClock()
    pace = Pace(clock)
    shown, busy = 0, []
    for _ in range(120):
        try:
            pace.progress(chat)
        except Temporary as error:
            busy.append((error.unsent, (error.retry_after or 0) >= 1.0))
        else:
            shown += 1
        await clock.advance(1.0)
    assert shown <= 120 / spacing + 1
    assert shown > 1
    assert set(busy) == {(True, True)}


# --- who goes first -------------------------------------------------------------------------------


@pytest.mark.parametrize("chat", [HALL, ANN])
async def test_in_a_flood_of_answers_no_result_is_put_off(chat: int) -> None:
    clock = FakeClock()
    pace = Pace(clock)

    async def flood() -> None:
        while True:
            await insist(pace, clock, chat, Turn.ANSWER)

    answers = [asyncio.create_task(flood()) for _ in range(8)]
    await clock.advance(1.0)
    for _ in range(9):
        result = asyncio.create_task(pace.turn(chat, Turn.POST))
        await clock.advance(GROUP[1] / GROUP[2])
        await asyncio.wait_for(result, 1)
    for answer in answers:
        answer.cancel()
    await asyncio.gather(*answers, return_exceptions=True)


async def test_results_do_not_even_wait_for_answers_of_other_chats() -> None:
    clock = FakeClock()
    pace = Pace(clock)
    answers = [
        asyncio.create_task(insist(pace, clock, chat, Turn.ANSWER))
        for chat in range(1, 3 * EVERYWHERE[0])
    ]
    await clock.advance(0.5)
    for chat in range(1001, 1001 + EVERYWHERE[2]):
        await asyncio.wait_for(pace.turn(chat, Turn.POST), 1)
    await clock.advance(60)
    await asyncio.wait_for(asyncio.gather(*answers), 1)


async def test_whoever_may_speak_now_does_not_wait_for_those_who_may_later() -> None:
    clock = FakeClock()
    pace = Pace(clock)
    later = await paused(pace, clock, EVERYWHERE[0], 1.5)
    await asyncio.wait_for(pace.turn(ANN, Turn.POST), 1)
    await clock.advance(PATIENCE)
    await asyncio.wait_for(asyncio.gather(*later), 1)


async def test_a_seat_has_to_be_free_everywhere_and_in_its_chat() -> None:
    clock = FakeClock()
    pace = Pace(clock)
    for _ in range(PRIVATE[0]):
        await pace.turn(ANN, Turn.POST)
    later = await paused(pace, clock, EVERYWHERE[0], PRIVATE[1])
    busy = await value(pace, ANN, Turn.POST)
    assert busy.retry_after == pytest.approx(PRIVATE[1] + EVERYWHERE[1])
    await clock.advance(PATIENCE)
    await asyncio.wait_for(asyncio.gather(*later), 1)


async def test_each_is_told_when_a_seat_of_its_own_is_free() -> None:
    begun = FakeClock().now()
    seats = {turn: GROUP[0] - turn * GROUP[2] for turn in Turn}
    for turn in Turn:
        clock = FakeClock()
        pace = Pace(clock)
        for _ in range(GROUP[0]):  # one a second
            await pace.turn(HALL, Turn.POST)
            await clock.advance(1.0)
        busy = await value(pace, HALL, turn)
        assert (busy.code, busy.unsent) == ("telegram_busy", True)
        await clock.advance(busy.retry_after or 0.0)
        assert clock.now() - begun == GROUP[0] - seats[turn] + GROUP[1]
        await asyncio.wait_for(ask(pace, HALL, turn), 1)


@pytest.mark.parametrize("chat", [HALL, ANN])
async def test_the_less_urgent_the_fewer_seats(chat: int) -> None:
    most, _, kept = GROUP if chat < 0 else PRIVATE
    at_once = []
    for turn in (Turn.POST, Turn.ANSWER, Turn.CHANGE):
        clock = FakeClock()
        times = await said(Pace(clock), clock, chat, most, turn)
        at_once.append(times.count(0.0))
    assert at_once == [most, most - kept, most - 2 * kept]


async def test_chats_do_not_wait_for_each_other() -> None:
    clock = FakeClock()
    pace = Pace(clock)
    pace.pause(HALL, 300.0)
    await asyncio.wait_for(pace.turn(ANN, Turn.ANSWER), 1)


# --- waiting --------------------------------------------------------------------------------------


async def test_a_short_wait_is_waited_on_the_clock() -> None:
    clock = FakeClock()
    pace = Pace(clock)
    for _ in range(PRIVATE[0]):
        await pace.turn(ANN, Turn.POST)
    waiting = asyncio.create_task(pace.turn(ANN, Turn.POST))
    await clock.advance(PRIVATE[1] - 0.1)
    assert not waiting.done()
    await clock.advance(0.2)
    assert waiting.done()


async def test_a_seat_is_booked_as_soon_as_it_is_waited_for() -> None:
    clock = FakeClock()
    pace = Pace(clock)
    for _ in range(PRIVATE[0]):
        await pace.turn(ANN, Turn.POST)
    waiting = asyncio.create_task(pace.turn(ANN, Turn.POST))
    await clock.advance(0.0)
    busy = await value(pace, ANN, Turn.POST)
    assert busy.retry_after == pytest.approx(2 * PRIVATE[1])
    await clock.advance(PRIVATE[1])
    await waiting


async def test_a_pause_that_was_asked_for_is_told_at_once() -> None:
    pace = Pace(FakeClock())
    pace.pause(HALL, 35.0)
    pace.pause(HALL, 5.0)
    for turn in Turn:
        busy = await value(pace, HALL, turn)
        assert (busy.unsent, busy.retry_after) == (True, 35.0)


class Hasty(FakeClock):
    """Wakes people a moment too early, as real ones do."""

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds - 0.001)


async def test_a_short_pause_is_waited_for_and_no_reason_to_come_again() -> None:
    clock = Hasty()
    pace = Pace(clock)
    pace.pause(HALL, 0.3)
    waiting = asyncio.create_task(pace.turn(HALL, Turn.ANSWER))
    await clock.advance(0.0)
    assert not waiting.done()
    await clock.advance(0.3)
    await asyncio.wait_for(waiting, 1)


async def test_who_waits_while_a_pause_comes_is_put_off() -> None:
    clock = FakeClock()
    pace = Pace(clock)
    for _ in range(PRIVATE[0]):
        await pace.turn(ANN, Turn.POST)
    waiting = asyncio.create_task(pace.turn(ANN, Turn.POST))
    await clock.advance(0.0)
    pace.pause(ANN, 31.0)
    await clock.advance(PRIVATE[1])
    with pytest.raises(Temporary) as caught:
        await waiting
    assert caught.value.retry_after == pytest.approx(31.0 - PRIVATE[1])


async def test_heed_lasts_as_long_as_the_pause() -> None:
    clock = FakeClock()
    pace = Pace(clock)
    pace.pause(HALL, 35.0)
    with pytest.raises(Temporary) as caught:
        pace.heed(HALL)
    assert (caught.value.unsent, caught.value.retry_after) == (True, 35.0)
    pace.heed(ANN)
    await clock.advance(34.9)
    with pytest.raises(Temporary) as caught:
        pace.heed(HALL)
    assert caught.value.retry_after == 1.0, "no loop at the end of it"
    await clock.advance(0.1)
    pace.heed(HALL)


# --- many -----------------------------------------------------------------------------------------


@pytest.mark.proof
async def test_ten_thousand_chats_at_once_are_served_or_told_and_nobody_is_held() -> None:
    clock = FakeClock()
    pace = Pace(clock)
    asked = [asyncio.create_task(pace.turn(chat, Turn.ANSWER)) for chat in range(1, MOST_CHATS + 1)]
    await clock.advance(PATIENCE)
    assert all(task.done() for task in asked)
    ends = Counter(
        round(error.retry_after or 0.0, 3) if isinstance(error, Temporary) else "said"
        for error in [task.exception() for task in asked]
    )
    answers = 3 * (EVERYWHERE[0] - EVERYWHERE[2])  # now, in one second and in two
    assert ends == {"said": answers, 3.0: MOST_CHATS - answers}


async def test_a_crowd_that_is_told_the_same_gets_through_without_asking_all_the_time() -> None:
    clock = FakeClock()
    pace = Pace(clock)
    crowd = [asyncio.create_task(insist(pace, clock, chat, Turn.ANSWER)) for chat in range(1, 241)]
    await clock.advance(240 / (EVERYWHERE[0] - EVERYWHERE[2]))
    assert all(task.done() for task in crowd)
    assert max(task.result() for task in crowd) <= 10 / PATIENCE


async def test_of_too_many_chats_the_longest_quiet_are_forgotten() -> None:
    pace = Pace(FakeClock())
    pace.pause(HALL, 600.0)
    pace.pause(CLUB, 600.0)
    for chat in range(1, MOST_CHATS + 1):
        pace.heed(chat)
        with pytest.raises(Temporary):
            pace.heed(CLUB)
    pace.heed(HALL)


async def test_who_is_put_off_takes_no_seat() -> None:
    clock = FakeClock()
    pace = Pace(clock)
    for _ in range(GROUP[0]):
        await pace.turn(HALL, Turn.POST)
    for _ in range(1000):
        await value(pace, HALL, Turn.POST)
    await clock.advance(GROUP[1])
    assert await said(pace, clock, HALL, GROUP[0]) == [0.0] * GROUP[0]


class Leaping:
    """A clock that is a minute on whenever somebody looks."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        raise AssertionError("a pace goes by the clock that nobody sets")

    def steady(self) -> float:
        self._now += GROUP[1]
        return self._now

    def settled(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(f"nobody has to wait {seconds} s")


async def test_what_was_said_long_ago_takes_no_memory() -> None:
    pace = Pace(Leaping())
    held = []
    tracemalloc.start()
    for _ in range(3):
        held.append(tracemalloc.get_traced_memory()[0])
        for _ in range(1000):
            await pace.turn(HALL, Turn.POST)
            pace.progress(CLUB)
    tracemalloc.stop()
    assert held[2] - held[1] < 10_000, "two thousand numbers take six times that"
