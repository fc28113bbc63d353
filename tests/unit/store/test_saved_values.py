"""A save writes the changed columns only."""

from dataclasses import replace

from bot.core import moves
from bot.core.jobs import Status
from bot.store.rows import saved_values
from tests.contract.rows import NOON, VIDEO, a_job

JOB = replace(a_job(now=NOON), status=Status.IN_PROGRESS, claimed_until=NOON + 45)


def test_a_poll_saves_only_progress_due_time_claim_and_version() -> None:
    later = moves.put_off(replace(JOB, progress=20, version=9), due_at=NOON + 5)
    assert saved_values(JOB, later) == {
        "version": 9,
        "progress": 20,
        "due_at": NOON + 5,
        "claimed_until": None,
    }


def test_only_changed_values_of_a_row_are_encoded() -> None:
    done = replace(JOB, status=Status.COMPLETED)
    values = saved_values(done, moves.stored(done, VIDEO))
    assert values.keys() == {"video", "due_at", "claimed_until"}
    assert isinstance(values["video"], dict)


def test_a_changed_order_is_saved_together_with_the_columns_read_from_it() -> None:
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
