"""Saves: the columns that a change is about, and no others."""

from dataclasses import replace

from bot.core import moves
from bot.core.jobs import Status
from bot.store.rows import saved_values
from tests.contract.rows import NOON, VIDEO, a_job

JOB = replace(a_job(now=NOON), status=Status.IN_PROGRESS, claimed_until=NOON + 45)


def test_a_look_writes_when_the_next_one_is_due_and_how_far_it_is() -> None:
    later = moves.put_off(replace(JOB, progress=20, version=9), due_at=NOON + 5)
    assert saved_values(JOB, later) == {
        "version": 9,
        "progress": 20,
        "due_at": NOON + 5,
        "claimed_until": None,
    }


def test_a_value_is_encoded_only_if_it_changed() -> None:
    done = replace(JOB, status=Status.COMPLETED)
    values = saved_values(done, moves.stored(done, VIDEO))
    assert values.keys() == {"video", "due_at", "claimed_until"}
    assert isinstance(values["video"], dict)


def test_an_order_that_changed_is_written_with_all_that_is_read_off_it() -> None:
    address = replace(JOB.order.call.address, community="hall")
    order = replace(JOB.order, call=replace(JOB.order.call, address=address))
    values = saved_values(JOB, replace(JOB, order=order))
    assert values.pop("order_data")["call"]["address"]["community"] == "hall"
    assert values == {
        "platform": "discord",
        "event_id": JOB.order.call.event_id,
        "community": "hall",
        "person": "ada",
    }
