"""A gateway that is paused: its operators are told when it begins, once a day, and when it is over.

However often that is, they are not told the same twice an hour, nor left with what is not so.
"""

import asyncio
from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core import moves
from bot.core.jobs import Job, Reason, Status
from bot.core.notices import (
    HUSH,
    MOST_WORDS,
    REMINDER,
    SHAPE,
    WORD,
    Notice,
    Pause,
    Paused,
    about,
)
from bot.store.tables import owners
from tests.contract.rows import NOON, Store

EMPTY = Pause(Reason.NO_BALANCE, until=NOON + 300)
LOCKED = Pause(Reason.BAD_KEY, until=NOON + 300, polls_only=True)
CHATS = ["discord", "room", "telegram"]


async def own(store: Store, *people: tuple[str, str]) -> None:
    rows = [{"platform": platform, "person": person, "since": 0} for platform, person in people]

    def work(connection: Connection) -> None:
        connection.execute(sa.insert(owners), rows)

    await store.database.run(work)


async def pause(
    store: Store, pause: Pause = EMPTY, *, now: float = NOON, rooms: tuple[str, ...] = ()
) -> None:
    await store.pauses.pause("main", pause, detail="HTTP 403: no", rooms=rooms, now=now)


async def works(store: Store, *, asked_at: float, polled: bool = False) -> bool:
    now = asked_at + 1
    return await store.pauses.works("main", polled=polled, asked_at=asked_at, rooms=(), now=now)


async def held(store: Store, gateway: str = "main", *, now: float = NOON) -> Pause | None:
    return await store.pauses.held(gateway, now=now)


async def probed(store: Store, *, now: float) -> list[Paused]:
    return await store.pauses.claim(now=now, until=now + 50, most=9)


async def claimed(store: Store, *, now: float) -> list[Notice]:
    return await store.notices.claim(CHATS, now=now, until=now + 60, most=9)


async def told(store: Store, *, now: float) -> list[tuple[str, str, Reason | None, int]]:
    """The due notices, each told once."""
    due = await claimed(store, now=now)
    for notice in due:
        await store.notices.forget(notice)
    return sorted((it.platform, it.person, it.reason, it.waiting) for it in due)


async def test_many_jobs_that_pause_at_once_make_one_notice_for_each_owner(store: Store) -> None:
    await own(store, ("discord", "7"), ("telegram", "8"))
    for _ in range(3):
        await store.admitted()
    await asyncio.gather(*(pause(store, now=NOON + number / 10) for number in range(9)))
    assert await told(store, now=NOON + 9) == [
        ("discord", "7", Reason.NO_BALANCE, 3),
        ("telegram", "8", Reason.NO_BALANCE, 3),
    ]
    await pause(store, now=NOON + 10)
    assert await told(store, now=NOON + 10) == []


async def test_a_pause_has_the_latest_reason_and_is_asked_about_at_its_first_time(
    store: Store,
) -> None:
    assert await store.pauses.next_due() is None
    await pause(store, LOCKED)
    for seconds in (10, 200):
        await pause(store, replace(EMPTY, until=NOON + 300 + seconds), now=NOON + seconds)
    assert await held(store) == EMPTY, "else many looks would put the question off for ever"
    assert await store.pauses.next_due() == NOON + 300
    assert await held(store, "other") is None


async def test_a_lock_that_lasts_is_said_again_a_day_later(store: Store) -> None:
    await own(store, ("discord", "7"))
    await pause(store)
    await told(store, now=NOON)
    await pause(store, now=NOON + REMINDER - 1)
    assert await told(store, now=NOON + REMINDER - 1) == []
    await pause(store, now=NOON + REMINDER)
    await pause(store, now=NOON + REMINDER + 1)
    assert len(await told(store, now=NOON + REMINDER + 1)) == 1


async def test_a_lock_that_comes_and_goes_is_told_with_its_end_once_an_hour(
    store: Store,
) -> None:
    """A balance that is too low for one video and enough for all others."""
    await own(store, ("discord", "7"))
    said = []
    for minute in range(0, 120, 5):
        now = NOON + 60 * minute
        await pause(store, now=now)
        said += [(minute, reason) for _, _, reason, _ in await told(store, now=now)]
        assert await works(store, asked_at=now + 60), "what waits goes on, said or not"
        said += [(minute + 1, reason) for _, _, reason, _ in await told(store, now=now + 61)]
    assert said == [(0, Reason.NO_BALANCE), (1, None), (65, Reason.NO_BALANCE), (66, None)]


async def test_what_was_too_soon_to_be_told_is_told_if_it_lasts_and_so_is_its_end(
    store: Store,
) -> None:
    await own(store, ("discord", "7"))
    await pause(store)
    await works(store, asked_at=NOON + 9)
    await told(store, now=NOON + 10)
    for later in (300, HUSH + 9):
        await pause(store, now=NOON + later)
        assert await told(store, now=NOON + later) == []
    await pause(store, now=NOON + 10 + HUSH)
    assert await told(store, now=NOON + 10 + HUSH) == [("discord", "7", Reason.NO_BALANCE, 1)]
    await works(store, asked_at=NOON + 11 + HUSH)
    assert await told(store, now=NOON + 12 + HUSH) == [("discord", "7", None, 0)]


async def test_a_lock_that_becomes_another_is_told_at_once_but_not_to_and_fro(
    store: Store,
) -> None:
    await own(store, ("discord", "7"))
    said = []
    for minute, lock in ((0, EMPTY), (10, LOCKED), (15, EMPTY), (20, LOCKED), (60, EMPTY)):
        now = NOON + 60 * minute
        await pause(store, lock, now=now)
        said += [(minute, reason) for _, _, reason, _ in await told(store, now=now)]
    assert said == [(0, Reason.NO_BALANCE), (10, Reason.BAD_KEY), (60, Reason.NO_BALANCE)]


async def test_in_a_room_of_ones_own_whoever_comes_is_told(store: Store) -> None:
    await pause(store, rooms=("room",))
    assert await told(store, now=NOON) == [("room", "", Reason.NO_BALANCE, 1)]


async def test_its_end_takes_the_place_of_what_was_not_said_yet(store: Store) -> None:
    """Nobody is told of a lock that is over, and what waited goes on at once."""
    await own(store, ("discord", "7"))
    waiting = await _put_back(store, Reason.NO_BALANCE)
    busy = await _put_back(store, Reason.BUSY)
    await pause(store)
    assert await works(store, asked_at=NOON + 10)
    assert await told(store, now=NOON + 20) == [("discord", "7", None, 0)]
    assert await held(store) is None
    assert await store.claimed(now=NOON + 20) == [waiting.id]
    assert busy.due_at == NOON + 300
    assert not await works(store, asked_at=NOON + 30), "it is over once"


async def test_news_that_comes_while_the_old_is_told_is_told_too(store: Store) -> None:
    await own(store, ("discord", "7"))
    await pause(store)
    (old,) = await claimed(store, now=NOON)
    await works(store, asked_at=NOON + 10)
    await store.notices.forget(old)
    await store.notices.put_off(old, due_at=NOON + 999)
    assert await told(store, now=NOON + 20) == [("discord", "7", None, 0)]


async def test_what_was_asked_before_the_pause_ends_nothing(store: Store) -> None:
    await pause(store)
    assert not await works(store, asked_at=NOON - 1)
    assert await held(store) == EMPTY


async def test_a_look_ends_no_pause_that_a_create_had(store: Store) -> None:
    """Without a balance nothing new is made, and what is being made can be looked at."""
    await pause(store, LOCKED)
    await pause(store)
    assert not await works(store, asked_at=NOON + 10, polled=True)
    assert await works(store, asked_at=NOON + 10)


async def test_a_look_ends_the_pause_that_looks_had(store: Store) -> None:
    await pause(store, LOCKED)
    assert await works(store, asked_at=NOON + 10, polled=True)


async def test_a_clock_that_was_wrong_leaves_no_pause_without_end(store: Store) -> None:
    """It began, and is to be asked about, three days from now."""
    await pause(store, replace(EMPTY, until=NOON + 3 * REMINDER + 300), now=NOON + 3 * REMINDER)
    assert [it.gateway for it in await probed(store, now=NOON)] == ["main"]
    assert await store.pauses.next_due() == NOON + 50
    assert await works(store, asked_at=NOON + 1)


async def test_a_paused_gateway_is_asked_by_one_and_once_until_its_next_time(store: Store) -> None:
    await pause(store)
    assert await probed(store, now=NOON + 299) == []
    asked = await asyncio.gather(*(probed(store, now=NOON + 300) for _ in range(5)))
    assert [it for each in asked for it in each] == [
        Paused(gateway="main", reason=Reason.NO_BALANCE, tried_at=NOON, refused_at=None)
    ]
    assert await store.pauses.next_due() == NOON + 350


async def test_one_order_may_try_and_the_one_that_waited_longest_is_due(store: Store) -> None:
    first, second = [await _put_back(store, Reason.NO_BALANCE) for _ in range(2)]
    await store.moved(first, replace(first, due_at=NOON + 400))
    await pause(store)
    await store.pauses.let_one_try("main", now=NOON + 10)
    assert await store.claimed(now=NOON + 10) == [second.id]
    tries = await asyncio.gather(*(held(store, now=NOON + 10) for _ in range(9)))
    assert sum(pause is None for pause in tries) == 1
    assert await held(store, now=NOON + 20) == EMPTY
    (paused,) = await probed(store, now=NOON + 300)
    assert paused.tried_at == NOON + 10


async def test_who_is_put_back_while_the_way_is_opened_is_due_all_the_same(store: Store) -> None:
    """Its row was in hand when that was said, so it could not be made due."""
    late = [await store.in_state(Status.SUBMITTING) for _ in range(2)]
    await pause(store)
    await store.pauses.let_one_try("main", now=NOON + 10)
    for row in late:
        back = moves.requeued(row, due_at=NOON + 300, attempts=0, reason=Reason.NO_BALANCE)
        await store.moved(row, back)
    assert await store.pauses.catch_up("main", now=NOON + 11)
    assert len(await store.claimed(now=NOON + 11)) == 1
    assert await held(store) is None, "that is the one"
    assert not await store.pauses.catch_up("main", now=NOON + 12)


async def test_who_is_put_back_as_the_pause_ends_is_due_all_the_same(store: Store) -> None:
    late = await _put_back(store, Reason.NO_BALANCE)
    assert await store.pauses.catch_up("main", now=NOON + 11)
    assert await store.claimed(now=NOON + 11) == [late.id]


async def test_a_free_question_that_was_refused_for_one_lock_tells_nothing_of_another(
    store: Store,
) -> None:
    await pause(store)
    await store.pauses.refused("main", Reason.BAD_KEY, now=NOON + 1)
    assert [it.refused_at for it in await probed(store, now=NOON + 300)] == [None]
    await store.pauses.refused("main", Reason.NO_BALANCE, now=NOON + 301)
    await pause(store)
    assert [it.refused_at for it in await probed(store, now=NOON + 350)] == [NOON + 301]
    await pause(store, LOCKED)
    assert [it.refused_at for it in await probed(store, now=NOON + 400)] == [None]


@pytest.mark.parametrize(
    ("lock", "goes_on"),
    [
        (EMPTY, False),
        (replace(EMPTY, polls_only=True), True),
        (replace(LOCKED, polls_only=False), True),
        (LOCKED, True),
    ],
)
async def test_with_its_end_looks_that_may_have_been_refused_are_due(
    store: Store, lock: Pause, goes_on: bool
) -> None:
    running = await store.in_state(Status.IN_PROGRESS)
    done = await store.in_state(Status.COMPLETED)
    rows = [await store.moved(row, replace(row, due_at=NOON + 99)) for row in (running, done)]
    await pause(store, lock)
    await works(store, asked_at=NOON + 10)
    due = await store.claimed(Status.IN_PROGRESS, Status.COMPLETED, now=NOON + 11)
    assert sorted(due) == (sorted(row.id for row in rows) if goes_on else [])


async def test_without_its_notice_there_is_no_pause(store: Store) -> None:
    """One transaction: an operator is not left in the dark by a kill between the two."""
    await own(store, ("discord", "7"))

    def spoil(connection: Connection) -> None:
        connection.execute(sa.text("DROP TABLE notices"))

    await store.database.run(spoil)
    with pytest.raises(sa.exc.DBAPIError):
        await pause(store)
    assert await held(store) is None


async def test_a_notice_is_in_one_pair_of_hands_until_its_claim_runs_out(store: Store) -> None:
    await own(store, ("discord", "7"), ("telegram", "8"))
    await pause(store)
    due = await asyncio.gather(*(claimed(store, now=NOON) for _ in range(5)))
    assert sorted(it.person for each in due for it in each) == ["7", "8"]
    assert await store.notices.next_due(CHATS) == NOON + 60
    assert [it.attempts for it in await claimed(store, now=NOON + 60)] == [2, 2]
    assert await store.notices.next_due(["room"]) is None


async def _put_back(store: Store, reason: Reason) -> Job:
    row = await store.in_state(Status.SUBMITTING)
    return await store.moved(row, moves.requeued(row, due_at=NOON + 300, attempts=0, reason=reason))


# ------------------------------------------------------------------- what pauses nothing


async def remark(store: Store, subject: str, *, now: float = NOON) -> None:
    await store.pauses.remark("main", subject, detail="HTTP 403: no", rooms=(), now=now)


async def subjects(store: Store, *, now: float) -> list[str]:
    """The due subjects, each told once."""
    due = await claimed(store, now=now)
    for notice in due:
        await store.notices.forget(notice)
    return sorted(it.subject for it in due)


async def test_an_unknown_word_and_an_unreadable_shape_are_told_once_for_ever(store: Store) -> None:
    await own(store, ("discord", "7"))
    for later in (0, 1, 2 * REMINDER):
        await remark(store, about(WORD, "marinating"), now=NOON + later)
        await remark(store, about(SHAPE, "{id: text}"), now=NOON + later)
    await remark(store, about(WORD, "basting"), now=NOON + 3)
    told = ["shape {id: text}", "word basting", "word marinating"]
    assert await subjects(store, now=NOON + 3) == told
    await remark(store, about(WORD, "basting"), now=NOON + 9 * REMINDER)
    assert await subjects(store, now=NOON + 9 * REMINDER) == []


async def test_a_word_that_nobody_could_be_told_of_is_told_to_the_first_owner(
    store: Store,
) -> None:
    await remark(store, about(WORD, "marinating"))
    await own(store, ("discord", "7"))
    await remark(store, about(WORD, "marinating"), now=NOON + 1)
    assert await subjects(store, now=NOON + 1) == ["word marinating"]


async def test_a_gateway_that_nobody_can_read_is_told_of_ten_times(store: Store) -> None:
    await own(store, ("discord", "7"))
    for number in range(3 * MOST_WORDS):
        await remark(store, about(WORD if number % 2 else SHAPE, f"noise {number}"))
    due = await store.notices.claim(CHATS, now=NOON, until=NOON + 60, most=99)
    assert len(due) == MOST_WORDS


async def test_what_stands_in_between_is_told_once_a_day(store: Store) -> None:
    await own(store, ("discord", "7"))
    said = []
    for hour in range(0, 49, 6):
        await remark(store, "blocked", now=NOON + 3600 * hour)
        said += [hour for _ in await subjects(store, now=NOON + 3600 * hour)]
    assert said == [0, 24, 48]


async def test_a_remark_takes_no_notice_of_a_lock_away_and_ends_none(store: Store) -> None:
    await own(store, ("discord", "7"))
    await pause(store)
    await remark(store, "blocked", now=NOON + 1)
    due = await claimed(store, now=NOON + 2)
    assert sorted((it.subject, it.reason) for it in due) == [
        ("", Reason.NO_BALANCE),
        ("blocked", None),
    ]
    await store.notices.forget(next(it for it in due if it.subject))
    left = await store.notices.claim(CHATS, now=NOON + 99, until=NOON + 199, most=9)
    assert [it.reason for it in left] == [Reason.NO_BALANCE]
    assert await works(store, asked_at=NOON + 200), "the pause is one still"
