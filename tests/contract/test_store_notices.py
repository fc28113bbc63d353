"""Notices about a paused gateway: when the pause begins, once a day, and when it is over.

However often a gateway is paused, its owners are not told the same twice an hour, and the last
notice they got is true.
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
from tests.contract.rows import NOON, Store, a_job

EMPTY = Pause(Reason.NO_BALANCE, until=NOON + 300)
LOCKED = Pause(Reason.BAD_KEY, until=NOON + 300, polls_only=True)
CHATS = ["discord", "room", "telegram"]


async def own(store: Store, *people: tuple[str, str]) -> None:
    """Make these people owners, as pairs of platform and id."""
    rows = [{"platform": platform, "person": person, "since": 0} for platform, person in people]

    def work(connection: Connection) -> None:
        connection.execute(sa.insert(owners), rows)

    await store.database.run(work)


async def pause(
    store: Store, pause: Pause = EMPTY, *, now: float = NOON, rooms: tuple[str, ...] = ()
) -> None:
    """Pause the gateway main."""
    await store.pauses.pause("main", pause, detail="HTTP 403: no", rooms=rooms, now=now)


async def works(store: Store, *, asked_at: float, polled: bool = False) -> bool:
    """Record that main answered what was sent at `asked_at`; return whether that ended a pause."""
    now = asked_at + 1
    return await store.pauses.works("main", polled=polled, asked_at=asked_at, rooms=(), now=now)


async def held(store: Store, gateway: str = "main", *, now: float = NOON) -> Pause | None:
    """Return the pause that keeps an order back, or None."""
    return await store.pauses.held(gateway, now=now)


async def probed(store: Store, *, now: float) -> list[Paused]:
    """Claim the paused gateways whose probe is due."""
    return await store.pauses.claim(now=now, until=now + 50, most=9)


async def claimed(store: Store, *, now: float) -> list[Notice]:
    """Claim the due notices."""
    return await store.notices.claim(CHATS, now=now, until=now + 60, most=9)


async def told(store: Store, *, now: float) -> list[tuple[str, str, Reason | None, int]]:
    """Tell the due notices, and return platform, person, reason and the number of jobs for each."""
    due = await claimed(store, now=now)
    for notice in due:
        await store.notices.forget(notice)
    return sorted((it.platform, it.person, it.reason, it.waiting) for it in due)


async def test_many_jobs_that_pause_a_gateway_at_once_make_one_notice_for_each_owner(
    store: Store,
) -> None:
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


@pytest.mark.parametrize("lock", [EMPTY, LOCKED, replace(LOCKED, polls_only=False)])
async def test_a_notice_counts_the_orders_that_wait_and_no_video_that_is_being_made(
    store: Store, lock: Pause
) -> None:
    await own(store, ("discord", "7"))
    for status in Status:
        await store.in_state(status)
    await store.admitted(a_job(gateway="other"))
    await pause(store, lock)
    assert await told(store, now=NOON) == [("discord", "7", lock.reason, 2)]


async def test_a_pause_keeps_the_latest_reason_and_its_first_probe_time(
    store: Store,
) -> None:
    assert await store.pauses.next_due() is None
    await pause(store, LOCKED)
    for seconds in (10, 200):
        await pause(store, replace(EMPTY, until=NOON + 300 + seconds), now=NOON + seconds)
    assert await held(store) == EMPTY, "else many polls would put the probe off for ever"
    assert await store.pauses.next_due() == NOON + 300
    assert await held(store, "other") is None


async def test_a_lock_that_lasts_is_told_again_a_day_later(store: Store) -> None:
    await own(store, ("discord", "7"))
    await pause(store)
    await told(store, now=NOON)
    await pause(store, now=NOON + REMINDER - 1)
    assert await told(store, now=NOON + REMINDER - 1) == []
    await pause(store, now=NOON + REMINDER)
    await pause(store, now=NOON + REMINDER + 1)
    assert len(await told(store, now=NOON + REMINDER + 1)) == 1


async def test_a_lock_that_comes_and_goes_is_told_once_an_hour_together_with_its_end(
    store: Store,
) -> None:
    """The balance is too low for one video and enough for all others."""
    await own(store, ("discord", "7"))
    said = []
    for minute in range(0, 120, 5):
        now = NOON + 60 * minute
        await pause(store, now=now)
        said += [(minute, reason) for _, _, reason, _ in await told(store, now=now)]
        assert await works(store, asked_at=now + 60), "what waits goes on, said or not"
        said += [(minute + 1, reason) for _, _, reason, _ in await told(store, now=now + 61)]
    assert said == [(0, Reason.NO_BALANCE), (1, None), (65, Reason.NO_BALANCE), (66, None)]


async def test_a_lock_that_returns_within_an_hour_is_told_later_if_it_lasts(
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
    assert await told(store, now=NOON + 10 + HUSH) == [("discord", "7", Reason.NO_BALANCE, 0)]
    await works(store, asked_at=NOON + 11 + HUSH)
    assert await told(store, now=NOON + 12 + HUSH) == [("discord", "7", None, 0)]


async def test_a_changed_reason_of_a_lock_is_told_at_once_but_not_back_and_forth(
    store: Store,
) -> None:
    await own(store, ("discord", "7"))
    said = []
    for minute, lock in ((0, EMPTY), (10, LOCKED), (15, EMPTY), (20, LOCKED), (60, EMPTY)):
        now = NOON + 60 * minute
        await pause(store, lock, now=now)
        said += [(minute, reason) for _, _, reason, _ in await told(store, now=now)]
    assert said == [(0, Reason.NO_BALANCE), (10, Reason.BAD_KEY), (60, Reason.NO_BALANCE)]


async def test_a_pause_is_told_in_a_room_that_has_no_owners(store: Store) -> None:
    await pause(store, rooms=("room",))
    assert await told(store, now=NOON) == [("room", "", Reason.NO_BALANCE, 0)]


async def test_the_end_of_a_pause_replaces_a_notice_that_was_not_sent_yet(store: Store) -> None:
    """Nobody is told of a lock that is over, and waiting orders go on at once."""
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


async def test_the_end_of_a_pause_during_the_sending_of_its_notice_is_told_afterwards(
    store: Store,
) -> None:
    await own(store, ("discord", "7"))
    await pause(store)
    (old,) = await claimed(store, now=NOON)
    await works(store, asked_at=NOON + 10)
    await store.notices.forget(old)
    await store.notices.put_off(old, due_at=NOON + 999)
    assert await told(store, now=NOON + 20) == [("discord", "7", None, 0)]


async def test_a_success_requested_before_the_pause_does_not_end_the_pause(store: Store) -> None:
    await pause(store)
    assert not await works(store, asked_at=NOON - 1)
    assert await held(store) == EMPTY


async def test_a_successful_poll_does_not_end_a_pause_that_an_order_caused(store: Store) -> None:
    """Without a balance no new video is made, but running ones can still be polled."""
    await pause(store, LOCKED)
    await pause(store)
    assert not await works(store, asked_at=NOON + 10, polled=True)
    assert await works(store, asked_at=NOON + 10)


async def test_a_successful_poll_ends_a_pause_that_a_poll_caused(store: Store) -> None:
    await pause(store, LOCKED)
    assert await works(store, asked_at=NOON + 10, polled=True)


async def test_a_wrong_clock_does_not_leave_a_pause_that_never_ends(store: Store) -> None:
    """The clock was three days ahead when the pause began and when its probe time was set."""
    await pause(store, replace(EMPTY, until=NOON + 3 * REMINDER + 300), now=NOON + 3 * REMINDER)
    assert [it.gateway for it in await probed(store, now=NOON)] == ["main"]
    assert await store.pauses.next_due() == NOON + 50
    assert await works(store, asked_at=NOON + 1)


async def test_a_paused_gateway_is_probed_by_one_process_once_per_interval(store: Store) -> None:
    await pause(store)
    assert await probed(store, now=NOON + 299) == []
    asked = await asyncio.gather(*(probed(store, now=NOON + 300) for _ in range(5)))
    assert [it for each in asked for it in each] == [
        Paused(gateway="main", reason=Reason.NO_BALANCE, tried_at=NOON, refused_at=None)
    ]
    assert await store.pauses.next_due() == NOON + 350


async def test_one_order_may_try_a_paused_gateway_and_the_longest_waiting_is_due(
    store: Store,
) -> None:
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


async def test_an_order_put_back_while_a_paused_gateway_may_be_tried_becomes_due(
    store: Store,
) -> None:
    """The order's row was claimed when orders were made due, so this one was not."""
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


async def test_an_order_put_back_just_as_the_pause_ends_becomes_due(store: Store) -> None:
    late = await _put_back(store, Reason.NO_BALANCE)
    assert await store.pauses.catch_up("main", now=NOON + 11)
    assert await store.claimed(now=NOON + 11) == [late.id]


async def test_a_probe_refused_for_one_reason_tells_nothing_about_another_reason(
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
async def test_the_end_of_a_pause_makes_polls_due_that_may_have_been_refused(
    store: Store, lock: Pause, goes_on: bool
) -> None:
    running = await store.in_state(Status.IN_PROGRESS)
    done = await store.in_state(Status.COMPLETED)
    rows = [await store.moved(row, replace(row, due_at=NOON + 99)) for row in (running, done)]
    await pause(store, lock)
    await works(store, asked_at=NOON + 10)
    due = await store.claimed(Status.IN_PROGRESS, Status.COMPLETED, now=NOON + 11)
    assert sorted(due) == (sorted(row.id for row in rows) if goes_on else [])


async def test_a_pause_is_not_saved_if_its_notice_cannot_be_saved(store: Store) -> None:
    """A kill between pause and notice can't hide the pause: both are one transaction."""
    await own(store, ("discord", "7"))

    def spoil(connection: Connection) -> None:
        connection.execute(sa.text("DROP TABLE notices"))

    await store.database.run(spoil)
    with pytest.raises(sa.exc.DBAPIError):
        await pause(store)
    assert await held(store) is None


async def test_a_notice_is_claimed_by_one_worker_until_the_claim_runs_out(store: Store) -> None:
    await own(store, ("discord", "7"), ("telegram", "8"))
    await pause(store)
    due = await asyncio.gather(*(claimed(store, now=NOON) for _ in range(5)))
    assert sorted(it.person for each in due for it in each) == ["7", "8"]
    assert await store.notices.next_due(CHATS) == NOON + 60
    assert [it.attempts for it in await claimed(store, now=NOON + 60)] == [2, 2]
    assert await store.notices.next_due(["room"]) is None


async def _put_back(store: Store, reason: Reason) -> Job:
    """Return a job that was put back into the queue for this reason."""
    row = await store.in_state(Status.SUBMITTING)
    return await store.moved(row, moves.requeued(row, due_at=NOON + 300, attempts=0, reason=reason))


# --- remarks, which pause nothing ------------------------------------------------------


async def remark(store: Store, subject: str, *, now: float = NOON) -> None:
    """Record a remark about main, which pauses nothing."""
    await store.pauses.remark("main", subject, detail="HTTP 403: no", rooms=(), now=now)


async def subjects(store: Store, *, now: float) -> list[str]:
    """Tell the due notices, and return their subjects."""
    due = await claimed(store, now=now)
    for notice in due:
        await store.notices.forget(notice)
    return sorted(it.subject for it in due)


async def test_an_unknown_status_word_and_an_unreadable_shape_are_told_only_once(
    store: Store,
) -> None:
    await own(store, ("discord", "7"))
    for later in (0, 1, 2 * REMINDER):
        await remark(store, about(WORD, "marinating"), now=NOON + later)
        await remark(store, about(SHAPE, "{id: text}"), now=NOON + later)
    await remark(store, about(WORD, "basting"), now=NOON + 3)
    told = ["shape {id: text}", "word basting", "word marinating"]
    assert await subjects(store, now=NOON + 3) == told
    await remark(store, about(WORD, "basting"), now=NOON + 9 * REMINDER)
    assert await subjects(store, now=NOON + 9 * REMINDER) == []


async def test_an_unknown_status_word_found_before_there_was_an_owner_is_told_to_the_first_one(
    store: Store,
) -> None:
    await remark(store, about(WORD, "marinating"))
    await own(store, ("discord", "7"))
    await remark(store, about(WORD, "marinating"), now=NOON + 1)
    assert await subjects(store, now=NOON + 1) == ["word marinating"]


async def test_of_a_gateway_that_sends_only_unknown_words_ten_are_told(store: Store) -> None:
    await own(store, ("discord", "7"))
    for number in range(3 * MOST_WORDS):
        await remark(store, about(WORD if number % 2 else SHAPE, f"noise {number}"))
    due = await store.notices.claim(CHATS, now=NOON, until=NOON + 60, most=99)
    assert len(due) == MOST_WORDS


async def test_a_notice_of_a_proxy_before_the_gateway_is_told_once_a_day(store: Store) -> None:
    await own(store, ("discord", "7"))
    said = []
    for hour in range(0, 49, 6):
        await remark(store, "blocked", now=NOON + 3600 * hour)
        said += [hour for _ in await subjects(store, now=NOON + 3600 * hour)]
    assert said == [0, 24, 48]


async def test_a_remark_about_a_gateway_neither_replaces_the_notice_of_a_lock_nor_ends_it(
    store: Store,
) -> None:
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
