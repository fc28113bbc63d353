"""A job moves forward only, and each move changes its costs as designed."""

import itertools
from dataclasses import replace

import pytest

from bot.core import moves
from bot.core.errors import Broken
from bot.core.jobs import MOVES, Job, Reason, Status, Video
from bot.core.orders import Recording
from bot.core.posts import EDIT_PACE, EDITS_END, Form, Post, PostKind, due_after
from tests.unit.core.orders import CAT, SONG, changed, job, order

VIDEO = Video(key="videos/a.mp4", size=9, width=16, height=9, seconds=5.0)
RAW = Video(key="originals/a.mkv", size=9, width=16, height=9, seconds=5.0, plays=False)


def path(*statuses: Status) -> Job:
    """Return a job that went through `statuses` in order."""
    row = job()
    for status in statuses:
        match status:
            case Status.SUBMITTING:
                row = moves.submitting(row, now=1_001.0)
            case Status.IN_PROGRESS:
                row = moves.accepted(row, "v1", now=1_002.0, due_at=1_012.0)
            case Status.COMPLETED:
                row = moves.completed(row, now=1_060.0, sources=("https://x/v.mp4",))
            case Status.CONVERTING:
                row = moves.converting(row, RAW, now=1_060.5)
            case Status.DELIVERED:
                row = moves.delivered(row, now=1_061.0)
            case Status.UNCONFIRMED:
                row = moves.unconfirmed(row, detail="reset")
            case Status.FAILED:
                row = moves.failed(row, Reason.REFUSED, charged=False)
            case Status.CANCELLED:
                row = moves.cancelled(row, Reason.BY_PERSON)
            case _:
                row = moves.requeued(row, due_at=1_010.0, attempts=1)
    return row


TO: dict[Status, tuple[Status, ...]] = {
    Status.QUEUED: (),
    Status.SUBMITTING: (Status.SUBMITTING,),
    Status.IN_PROGRESS: (Status.SUBMITTING, Status.IN_PROGRESS),
    Status.COMPLETED: (Status.SUBMITTING, Status.IN_PROGRESS, Status.COMPLETED),
    Status.CONVERTING: (
        Status.SUBMITTING,
        Status.IN_PROGRESS,
        Status.COMPLETED,
        Status.CONVERTING,
    ),
    Status.DELIVERED: (
        Status.SUBMITTING,
        Status.IN_PROGRESS,
        Status.COMPLETED,
        Status.DELIVERED,
    ),
    Status.UNCONFIRMED: (Status.SUBMITTING, Status.UNCONFIRMED),
    Status.FAILED: (Status.FAILED,),
    Status.CANCELLED: (Status.CANCELLED,),
}


@pytest.mark.parametrize(("before", "after"), list(itertools.product(Status, Status)))
def test_only_the_moves_of_the_table_are_possible_between_states(
    before: Status, after: Status
) -> None:
    if after in MOVES[before] or (before is after is Status.QUEUED):
        assert path(*TO[before], after).status is after
    else:
        with pytest.raises(Broken, match="impossible_move"):
            path(*TO[before], after)


@pytest.mark.parametrize(
    ("end", "quota", "spend"),
    [
        (path(), 1, 7),
        (path(*TO[Status.DELIVERED]), 1, 7),
        (path(Status.CANCELLED), 0, 0),
        (path(*TO[Status.UNCONFIRMED]), 0, 7),
        (path(*TO[Status.UNCONFIRMED], Status.IN_PROGRESS), 0, 7),
        (path(*TO[Status.UNCONFIRMED], Status.FAILED), 0, 0),
        (moves.failed(path(*TO[Status.IN_PROGRESS]), Reason.MODERATED, charged=False), 0, 0),
        (moves.failed(path(*TO[Status.IN_PROGRESS]), Reason.TIMED_OUT, charged=True), 0, 7),
    ],
)
def test_quota_and_spend_of_a_job_follow_from_its_path_of_states(
    end: Job, quota: int, spend: int
) -> None:
    assert (end.quota_cost, end.spend_cost) == (quota, spend)


@pytest.mark.parametrize(
    ("before", "true", "after"),
    [((30, 3000), 7.2, (8, 800)), ((8, 800), 9.9, (8, 800)), ((30, 1), 7.2, (8, 1))],
)
def test_the_measured_length_of_a_sound_makes_a_job_cheaper_but_never_dearer(
    before: tuple[int, int], true: float, after: tuple[int, int]
) -> None:
    wish = order(pictures=(CAT,), sound=replace(SONG, seconds=None), seconds=30)
    waiting = replace(
        job(), order=wish, request=replace(job().request, seconds=before[0]), spend_cost=before[1]
    )
    ours = moves.measured(waiting, SONG.kept(Recording(key="sounds/a.mp3", size=9, seconds=true)))
    assert (ours.request.seconds, ours.spend_cost) == after
    assert ours.order == changed(
        wish, sound=replace(SONG, source=None, key="sounds/a.mp3", seconds=true), seconds=None
    )
    assert set(due_after(waiting, ours, now=2_000.0)) == {PostKind.CARD}


def test_a_job_in_a_final_state_is_never_due() -> None:
    for status in (Status.FAILED, Status.CANCELLED, Status.DELIVERED, Status.UNCONFIRMED):
        end = path(*TO[status])
        assert (end.due_at, end.claimed_until, end.is_final) == (None, None, True)


def test_a_job_that_goes_back_to_the_queue_has_no_time_of_submission() -> None:
    assert path(Status.SUBMITTING, Status.QUEUED).submitted_at is None


def test_every_visible_change_makes_the_card_due_and_every_end_one_message() -> None:
    stages = [path(*TO[Status.COMPLETED][:n]) for n in range(4)]
    stored = moves.stored(stages[-1], VIDEO)
    owed = [
        set(due_after(before, after, now=2_000.0))
        for before, after in itertools.pairwise(
            [*stages, stored, moves.delivered(stored, now=1_061.0)]
        )
    ]
    card = PostKind.CARD
    assert owed == [{card}, {card}, {card}, {card, PostKind.RESULT}, {card}]
    failed = moves.failed(stages[2], Reason.REFUSED, charged=False)
    assert set(due_after(stages[2], failed, now=2_000.0)) == {card, PostKind.FAILURE}
    lost = path(*TO[Status.UNCONFIRMED])
    assert set(due_after(stages[1], lost, now=2_000.0)) == {card, PostKind.FAILURE}


def test_a_silent_job_owes_no_result() -> None:
    done = replace(path(*TO[Status.COMPLETED]), silent=True)
    assert set(due_after(done, moves.stored(done, VIDEO), now=2_000.0)) == {PostKind.CARD}


def test_progress_alone_edits_the_card_by_tens_of_percent_and_not_for_ever() -> None:
    begun = path(*TO[Status.IN_PROGRESS])
    at = {n: replace(begun, progress=n) for n in (31, 39, 40)}
    young, old = 1_100.0, begun.created_at + EDITS_END
    assert due_after(at[31], at[39], now=young) == {}
    assert due_after(at[39], at[40], now=young) == {PostKind.CARD: young + EDIT_PACE}
    assert due_after(at[39], at[40], now=old) == {}


def test_the_nonces_of_posts_differ_by_kind_and_form_and_fit_discords_limit() -> None:
    plain = Post(id=1, job_id="aaaabbbbccccdddd", kind=PostKind.RESULT, due_at=0.0)
    posts = [
        replace(plain, kind=kind, direct=direct) for kind in PostKind for direct in (False, True)
    ]
    nonces = [post.nonce(form) for post in posts for form in Form]
    assert len(set(nonces)) == len(nonces)
    assert max(map(len, nonces)) <= 25
