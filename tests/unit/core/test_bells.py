"""A change of a job rings the loops that have work with it, each with its time."""

import math
from dataclasses import replace

import pytest

from bot.core import moves
from bot.core.bells import Bells
from bot.core.jobs import Job, Reason, Status
from bot.core.wake import UNKNOWN
from tests.contract.rows import NOON, VIDEO, a_job

QUEUED = replace(a_job(now=NOON), status=Status.QUEUED)
MADE = replace(QUEUED, status=Status.IN_PROGRESS, submitted_at=NOON, claimed_until=NOON + 45)
DONE = moves.completed(MADE, now=NOON, sources=())
CARDS, RESULTS = "card", "result"


def rung(bells: Bells) -> dict[str, float]:
    """Return the bells that rang, each with its time."""
    named = {
        **{statuses[0].value: bell for statuses, bell in bells.each_job.items()},
        **{kinds[0].value: bell for kinds, bell in bells.each_post.items()},
        "notices": bells.notices,
        "watch": bells.watch,
    }
    return {name: due for name, bell in named.items() if (due := bell.due()) != math.inf}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (MADE, moves.put_off(MADE, due_at=NOON + 5), {Status.IN_PROGRESS: NOON + 5}),
        (
            MADE,
            moves.put_off(replace(MADE, progress=30), due_at=NOON + 5),
            {Status.IN_PROGRESS: NOON + 5, CARDS: NOON + 2},
        ),
        # The job left its slot, so the next one in the queue was made due.
        (MADE, DONE, {Status.COMPLETED: NOON, Status.QUEUED: NOON, CARDS: NOON + 2}),
        (DONE, moves.stored(DONE, VIDEO), {CARDS: NOON + 2, RESULTS: NOON}),
        (
            QUEUED,
            moves.submitting(QUEUED, now=NOON),
            {Status.SUBMITTING: NOON + 45, CARDS: NOON + 2},
        ),
        (QUEUED, moves.cancelled(QUEUED, Reason.BY_PERSON), {CARDS: NOON}),
    ],
    ids=["poll", "progress", "made", "stored", "submitting", "cancelled"],
)
def test_a_change_of_a_job_rings_only_the_loops_concerned(
    before: Job, after: Job, expected: dict[str, float]
) -> None:
    bells = Bells.new()
    bells.changed(before, after, now=NOON)
    assert rung(bells) == expected


def test_a_change_of_a_claimed_job_rings_once_the_claim_ends() -> None:
    bells = Bells.new()
    bells.take(MADE)
    bells.changed(MADE, DONE, now=NOON)
    assert Status.COMPLETED not in rung(bells)
    assert bells.let_go(MADE) == math.inf
    assert rung(bells) == {Status.COMPLETED: NOON}


def test_a_step_that_wrote_nothing_makes_its_loop_query_the_rows() -> None:
    bells = Bells.new()
    bells.take(DONE)
    assert bells.let_go(DONE) == UNKNOWN
    assert rung(bells) == {}


def test_a_handed_on_job_that_comes_back_unchanged_rings_its_former_loop() -> None:
    bells = Bells.new()
    bells.hand_on(MADE, bells.jobs_on[Status.COMPLETED,])
    assert set(bells.in_hand) == {MADE.id}, "no loop claims it on its way"
    bells.take(MADE)
    assert bells.let_go(MADE) == UNKNOWN
    assert rung(bells) == {Status.IN_PROGRESS: MADE.claimed_until}


def test_a_new_order_rings_for_its_post_to_the_gateway_and_for_its_card() -> None:
    bells = Bells.new()
    bells.ordered(QUEUED, card_at=NOON + 8)
    assert rung(bells) == {Status.QUEUED: NOON, CARDS: NOON + 8}


def test_a_job_is_handed_on_only_to_a_running_loop_with_room_while_no_step_has_it() -> None:
    bells = Bells.new()
    assert bells.way_on(DONE) is None, "no loop runs"
    on = bells.jobs_on[Status.COMPLETED,]
    on.free = 1
    assert bells.way_on(DONE) is on
    bells.take(DONE)
    assert bells.way_on(DONE) is None, "its end would let it go for both"
    bells.let_go(DONE)
    bells.changed(MADE, DONE, now=NOON, on=on)
    assert list(on.take()) == [DONE]
    assert Status.COMPLETED not in rung(bells), "its row need not be queried"
