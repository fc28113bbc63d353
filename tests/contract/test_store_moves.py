"""Moves: the version is the only fence, and a move and its posts are one transaction."""

import asyncio
from dataclasses import replace
from functools import partial

import pytest

from bot.core import moves
from bot.core.errors import Broken
from bot.core.jobs import CLAIM, Job, Reason, Status
from bot.core.learned import Key, MadeVideo
from bot.core.plans import Took
from bot.core.posts import ANSWER_END, CARD_GRACE, EDIT_PACE, PostKind
from tests.contract.rows import NOON, VIDEO, Store, a_job, silent


async def test_a_save_returns_the_row_as_it_is_now_stored(store: Store) -> None:
    job = await store.admitted()
    saved = await store.jobs.save(job, moves.submitting(job, now=NOON), now=NOON)
    assert saved == replace(moves.submitting(job, now=NOON), version=job.version + 1)
    assert await store.jobs.get(job.id) == saved


async def test_a_save_based_on_an_outdated_row_changes_nothing(store: Store) -> None:
    job = await store.admitted()
    first = await store.moved(job, moves.cancelled(job, Reason.BY_PERSON))
    card = await store.post(job, PostKind.CARD)
    late = moves.failed(job, Reason.REFUSED, charged=True)
    assert await store.jobs.save(job, late, now=NOON) is None
    assert await store.jobs.get(job.id) == first
    assert await store.post(job, PostKind.CARD) == card
    assert await store.post(job, PostKind.FAILURE) is None


async def test_a_save_based_on_a_row_read_before_its_claim_is_refused(store: Store) -> None:
    job = await store.admitted()
    await store.claimed()
    assert await store.jobs.save(job, moves.cancelled(job, Reason.BY_PERSON), now=NOON) is None


async def test_of_many_simultaneous_saves_of_a_job_exactly_one_succeeds(store: Store) -> None:
    job = await store.admitted()
    after = [replace(job, progress=number) for number in range(20)]
    saved = await asyncio.gather(*(store.jobs.save(job, it, now=NOON) for it in after))
    (fastest,) = [row for row in saved if row is not None]
    assert await store.jobs.get(job.id) == fastest


@pytest.mark.parametrize("status", [Status.SUBMITTING, Status.UNCONFIRMED])
async def test_a_gateway_id_is_recorded_for_a_submitting_or_unconfirmed_job(
    store: Store, status: Status
) -> None:
    job = await store.in_state(status)
    accepted = await store.jobs.accept(job.id, "video_1", now=NOON + 5, due_at=NOON + 15)
    assert (accepted.status, accepted.gateway_id) == (Status.IN_PROGRESS, "video_1")
    assert (accepted.due_at, accepted.claimed_until) == (NOON + 15, None)
    assert await store.jobs.get(job.id) == accepted


async def test_recording_the_same_gateway_id_again_changes_nothing(store: Store) -> None:
    job = await store.in_state(Status.SUBMITTING)
    once = await store.jobs.accept(job.id, "video_1", now=NOON, due_at=NOON)
    assert await store.jobs.accept(job.id, "video_1", now=NOON + 9, due_at=NOON + 99) == once


async def test_recording_another_gateway_id_for_a_job_is_refused(store: Store) -> None:
    job = await store.in_state(Status.SUBMITTING)
    once = await store.jobs.accept(job.id, "video_1", now=NOON, due_at=NOON)
    with pytest.raises(Broken, match="impossible_move"):
        await store.jobs.accept(job.id, "video_2", now=NOON, due_at=NOON)
    assert await store.jobs.get(job.id) == once


async def test_recording_a_gateway_id_for_an_unknown_job_raises(store: Store) -> None:
    with pytest.raises(Broken, match="job_unknown"):
        await store.jobs.accept("nobody", "video_1", now=NOON, due_at=NOON)


async def test_a_recorded_gateway_id_and_dont_post_do_not_undo_each_other(store: Store) -> None:
    job = await store.in_state(Status.SUBMITTING)
    await store.moved(job, silent(job))
    accepted = await store.jobs.accept(job.id, "video_1", now=NOON, due_at=NOON)
    assert (accepted.silent, accepted.status) == (True, Status.IN_PROGRESS)


async def test_gateway_ids_are_recorded_among_many_simultaneous_saves(store: Store) -> None:
    jobs = [await store.in_state(Status.SUBMITTING) for _ in range(10)]
    await asyncio.gather(
        *(store.jobs.save(job, silent(job), now=NOON) for job in jobs),
        *(store.jobs.accept(job.id, "video_1", now=NOON, due_at=NOON) for job in jobs),
        *(store.jobs.save(job, silent(job), now=NOON) for job in jobs),
    )
    rows = [await store.jobs.get(job.id) for job in jobs]
    assert [row and row.gateway_id for row in rows] == ["video_1"] * 10


async def test_storing_the_video_of_a_job_makes_its_result_post_due(store: Store) -> None:
    job = await store.in_state(Status.COMPLETED)
    assert await store.post(job, PostKind.RESULT) is None
    await store.moved(job, moves.stored(job, VIDEO), now=NOON + 7)
    result = await store.post(job, PostKind.RESULT)
    assert result is not None
    assert (result.due_at, result.attempts, result.form) == (NOON + 7, 0, None)


async def test_no_result_is_posted_for_a_silent_job(store: Store) -> None:
    job = silent(await store.in_state(Status.COMPLETED))
    await store.moved(job, moves.delivered(moves.stored(job, VIDEO), now=NOON))
    assert await store.post(job, PostKind.RESULT) is None


@pytest.mark.parametrize("status", [Status.FAILED, Status.UNCONFIRMED])
async def test_a_failed_or_unconfirmed_job_owes_a_failure_post_at_once(
    store: Store, status: Status
) -> None:
    job = await store.in_state(status)
    failure = await store.post(job, PostKind.FAILURE)
    assert failure is not None
    assert failure.due_at == NOON


async def test_an_unconfirmed_job_that_fails_later_edits_its_failure_message(store: Store) -> None:
    job = await store.in_state(Status.UNCONFIRMED)
    post = await store.post(job, PostKind.FAILURE)
    assert post is not None
    await store.posts.sent(post, "m1", "c1", now=NOON)
    await store.moved(job, moves.failed(job, Reason.BY_ADMIN, charged=False))
    assert await store.post(job, PostKind.FAILURE) == replace(
        post, due_at=NOON, message_id="m1", channel_id="c1"
    )


async def test_an_unsent_card_waits_for_the_answer_of_the_command(store: Store) -> None:
    job = await store.admitted()
    await store.moved(job, moves.submitting(job, now=NOON + 1), now=NOON + 1)
    card = await store.post(job, PostKind.CARD)
    assert card is not None
    assert card.due_at == NOON + CARD_GRACE


async def test_a_posted_card_is_edited_at_once_when_its_job_is_cancelled(store: Store) -> None:
    job = await store.admitted()
    await store.posts.posted(job, "m1", "c1")
    await store.moved(job, moves.cancelled(job, Reason.BY_PERSON), now=NOON + 1)
    card = await store.post(job, PostKind.CARD)
    assert card is not None
    assert (card.due_at, card.message_id) == (NOON + 1, "m1")


async def test_a_card_of_a_short_state_is_edited_together_with_the_next_state(store: Store) -> None:
    """A POST that takes a second, or a video that is fetched in one, causes no edit of its own."""
    job = await store.admitted()
    await store.posts.posted(job, "m1", "c1")
    job = await store.moved(job, moves.submitting(job, now=NOON + 1), now=NOON + 1)
    card = await store.post(job, PostKind.CARD)
    assert card is not None
    assert card.due_at == NOON + 1 + EDIT_PACE
    running = moves.accepted(job, "id", now=NOON + 2, due_at=NOON + 9)
    await store.moved(job, running, now=NOON + 2)
    card = await store.post(job, PostKind.CARD)
    assert card is not None
    assert card.due_at == NOON + 1 + EDIT_PACE, "the edit that was due anyway"


async def test_several_steps_of_progress_share_one_edit_of_the_card(store: Store) -> None:
    job = await store.in_state(Status.IN_PROGRESS)
    await store.posts.posted(job, "m1", "c1")
    for second, percent in enumerate((10, 11, 20)):
        at = NOON + second
        job = await store.moved(job, replace(job, progress=percent), now=at)
    card = await store.post(job, PostKind.CARD)
    assert card is not None
    assert card.due_at == NOON + EDIT_PACE


async def test_the_latest_videos_of_a_model_tell_how_long_they_took_and_their_kind(
    store: Store,
) -> None:
    """A video whose duration is not known is left out."""
    sharp = a_job(person="bob")
    sharp = replace(sharp, request=replace(sharp.request, seconds=10, quality="720p"))
    ends: list[tuple[Job, float, float | None]] = [
        (a_job(), 30.0, 20.0),
        (a_job(), 50.0, 0.0),
        (sharp, 90.0, 85.0),
        (a_job(), 9_000.0, None),
    ]
    for kind, until, after in ends:
        job = await store.in_state(Status.IN_PROGRESS, kind)
        done = moves.completed(job, now=NOON + until, sources=(), made_after=after)
        await store.moved(job, done)
    await store.in_state(Status.IN_PROGRESS)
    model = "wan2.5-t2v-preview"
    assert await store.jobs.durations(model) == [
        MadeVideo(Key(model, 10, "main", "720p"), Took(85.0, 90.0)),
        MadeVideo(Key(model, 5, "main", None), Took(0.0, 50.0)),
        MadeVideo(Key(model, 5, "main", None), Took(20.0, 30.0)),
    ]
    assert await store.jobs.durations("sora-2") == []


@pytest.mark.parametrize("seconds", [0.0, 5.0])
async def test_recording_the_answer_of_a_command_makes_its_order_due_in_the_same_transaction(
    store: Store, seconds: float
) -> None:
    job = await store.admitted(replace(a_job(), due_at=NOON + ANSWER_END))
    left = await store.posts.posted(job, "m1", "c1", now=NOON + seconds)
    assert left is not None
    assert left == await store.jobs.get(job.id)
    assert (left.due_at, left.version) == (NOON + seconds, job.version + 1)
    card = await store.post(job, PostKind.CARD)
    assert card is not None
    assert (card.due_at, card.message_id) == (None, "m1"), "it shows what is so"


async def test_an_answer_that_comes_too_late_does_not_make_its_order_due(store: Store) -> None:
    """The order was withdrawn, or its time had come and a worker has claimed it."""
    withdrawn = await store.admitted(replace(a_job(), due_at=NOON + ANSWER_END))
    await store.moved(withdrawn, moves.cancelled(withdrawn, Reason.UNANSWERED))
    taken = await store.admitted(replace(a_job(), due_at=NOON + ANSWER_END))
    late = NOON + ANSWER_END
    await store.jobs.claim([Status.QUEUED], now=late, until=late + CLAIM, most=1)
    for job in (withdrawn, taken):
        before = await store.jobs.get(job.id)
        assert await store.posts.posted(job, "m1", "c1", now=late) is None
        assert await store.jobs.get(job.id) == before


async def test_an_order_made_due_by_its_answer_can_be_claimed_in_the_same_transaction(
    store: Store,
) -> None:
    """A crash of the claiming process gives the order back and counts as a crash."""
    job = await store.admitted(replace(a_job(), due_at=NOON + ANSWER_END))
    left = await store.posts.posted(job, "m1", "c1", now=NOON, until=NOON + CLAIM)
    assert left is not None
    assert left == await store.jobs.get(job.id)
    assert left.claimed_until == NOON + CLAIM
    take = partial(store.jobs.claim, [Status.QUEUED], most=9)
    assert await take(now=NOON + 1, until=NOON + 1 + CLAIM) == []
    late = NOON + CLAIM
    (again,) = await take(now=late, until=late + CLAIM)
    assert (again.version, again.crashes) == (left.version + 1, 1)


@pytest.mark.parametrize("is_kept_back", [False, True])
async def test_storing_a_video_can_claim_its_result_post_in_the_same_transaction(
    store: Store, *, is_kept_back: bool
) -> None:
    job = await store.in_state(Status.COMPLETED)
    after = moves.stored(silent(job) if is_kept_back else job, VIDEO)
    saved, result = await store.jobs.keep(job, after, now=NOON, until=NOON + CLAIM)
    assert saved is not None
    assert saved == await store.jobs.get(job.id)
    assert result == await store.post(job, PostKind.RESULT)
    assert (result is None) is is_kept_back
    assert result is None or (result.claimed_until, result.attempts) == (NOON + CLAIM, 1)
    assert await store.jobs.keep(job, after, now=NOON, until=NOON) == (None, None), "it is late"
    assert (job.id, PostKind.RESULT) not in await store.due_posts(now=NOON + 1)
