"""The inbox of updates: none is lost, handled twice, or handled out of turn."""

from dataclasses import replace

import pytest

from bot.core.updates import Update
from bot.store.updates import KEPT, Updates
from tests.contract.rows import NOON, Store


def told(number: int, lane: str = "hall", *, urgent: bool = False, at: float = NOON) -> Update:
    """Return an update with this number in this lane."""
    return Update(id=number, lane=lane, data={"update_id": number}, received_at=at, urgent=urgent)


@pytest.fixture
def inbox(store: Store) -> Updates:
    return Updates(store.database, "telegram:7")


async def due(inbox: Updates, *, now: float = NOON) -> list[int]:
    """Return the numbers of the due updates."""
    return [each.id for each in await inbox.due(now=now, most=10)]


async def test_a_stored_update_comes_back_unchanged(inbox: Updates) -> None:
    await inbox.put([told(5)])
    assert await inbox.due(now=NOON, most=10) == [told(5)]


async def test_an_update_delivered_twice_is_handled_once(inbox: Updates) -> None:
    await inbox.put([told(5)])
    await inbox.done(told(5))
    await inbox.put([told(5), told(6)])
    assert await due(inbox) == [6]


async def test_updates_of_one_lane_are_handled_in_order_and_do_not_delay_other_lanes(
    inbox: Updates,
) -> None:
    await inbox.put([told(1), told(2), told(3, "garden")])
    assert await due(inbox) == [1, 3]
    await inbox.put_off(told(1), due_at=NOON + 60)
    assert await due(inbox) == [3]
    assert await due(inbox, now=NOON + 60) == [1, 3]
    await inbox.done(told(1))
    assert await due(inbox) == [2, 3]


async def test_an_urgent_update_is_handled_before_other_updates(inbox: Updates) -> None:
    await inbox.put([told(1), told(2, "press", urgent=True)])
    assert await due(inbox) == [2, 1]


async def test_the_updates_of_an_album_wait_for_each_other_and_are_found_together(
    inbox: Updates,
) -> None:
    album = [replace(told(number, "album"), wait=1.5) for number in (1, 2, 3)]
    await inbox.put([*album, told(4, "hall")])
    assert await due(inbox) == [4]
    (first,) = [each for each in await inbox.due(now=NOON + 2, most=10) if each.lane == "album"]
    rest = await inbox.behind(first)
    assert [each.id for each in rest] == [2, 3]
    await inbox.done(first, *rest)
    assert await due(inbox, now=NOON + 2) == [4]


async def test_only_real_tries_of_handling_an_update_are_counted(inbox: Updates) -> None:
    await inbox.put([told(1)])
    await inbox.put_off(told(1), due_at=NOON)
    (again,) = await inbox.due(now=NOON, most=10)
    await inbox.put_off(again, due_at=NOON, tried=False)
    assert again.attempts == 1
    assert await inbox.due(now=NOON, most=10) == [again]


async def test_the_latest_update_number_is_kept_after_its_update_was_handled(
    inbox: Updates,
) -> None:
    assert await inbox.latest() is None
    await inbox.put([told(8), told(9)])
    await inbox.done(told(9))
    assert await inbox.latest() == 9


async def test_after_a_quiet_week_lower_update_numbers_are_accepted(inbox: Updates) -> None:
    await inbox.put([told(900)])
    await inbox.put([told(7, at=NOON + 7 * 86_400), told(8, at=NOON + 7 * 86_400)])
    assert await inbox.latest() == 8


async def test_only_updates_handled_long_ago_are_forgotten(inbox: Updates) -> None:
    await inbox.put([told(1), told(2, "garden")])
    await inbox.done(told(1))
    await inbox.put([told(3, at=NOON + KEPT + 1)])
    assert await due(inbox, now=NOON + KEPT + 1) == [2, 3], "what is pending stays pending"
    await inbox.put([told(1, at=NOON + KEPT + 1)])
    assert 1 in await due(inbox, now=NOON + KEPT + 1), "its number was forgotten"


async def test_each_bot_account_has_its_own_inbox(store: Store, inbox: Updates) -> None:
    other = Updates(store.database, "telegram:8")
    await inbox.put([told(5)])
    await other.put([told(5), told(4)])
    await inbox.done(told(5))
    assert (await due(inbox), await due(other)) == ([], [4])


async def test_next_due_tells_when_the_next_postponed_update_is_due(inbox: Updates) -> None:
    assert await inbox.next_due(now=NOON) is None
    await inbox.put([told(1), told(2, "garden"), told(3, "attic")])
    await inbox.done(told(1))
    await inbox.put_off(told(2), due_at=NOON + 5)
    assert await inbox.next_due(now=NOON) == NOON + 5, "what is due already is at hand"
