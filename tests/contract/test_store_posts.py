"""Posts: each is sent once, in falling forms, and the database knows which message stands."""

import asyncio
from collections import Counter
from dataclasses import replace
from functools import partial

import pytest

from bot.core import moves
from bot.core.errors import Broken
from bot.core.jobs import CLAIM, Job, Reason, Status
from bot.core.posts import CARD_GRACE, EDIT_PACE, Form, Post, PostKind
from tests.contract.rows import NOON, VIDEO, Store, a_job

LATER = NOON + CARD_GRACE


async def begun(store: Store, post: Post, form: Form, *, now: float) -> Post:
    """Begin to send the post in this form."""
    held = await store.posts.sending(post, form, now=now)
    assert held is not None
    return held


async def test_no_post_is_claimed_by_two_workers(store: Store) -> None:
    for _ in range(30):
        await store.admitted()
    hands = await asyncio.gather(
        *(store.posts.claim(["discord"], now=LATER, until=LATER + 60, most=4) for _ in range(10))
    )
    handed = Counter(post.job_id for hand in hands for post in hand)
    assert max(len(hand) for hand in hands) <= 4
    assert max(handed.values()) == 1


async def test_claiming_a_post_counts_its_try_before_it_is_sent(store: Store) -> None:
    job = await store.admitted()
    card = await store.post(job, PostKind.CARD)
    assert card is not None
    claimed = await store.claimed_post(now=LATER)
    assert claimed == replace(card, claimed_until=LATER + 60, version=1, attempts=1)
    assert await store.due_posts(now=LATER + 59) == []
    assert await store.claimed_post(now=LATER + 60) == replace(
        card, claimed_until=LATER + 120, version=2, attempts=2
    )


async def test_a_post_is_claimed_for_its_own_platform_only(store: Store) -> None:
    job = await store.admitted(a_job(platform="telegram"))
    assert await store.due_posts(now=LATER) == []
    assert await store.posts.next_due(["discord"]) is None
    assert await store.posts.next_due(["discord", "telegram"]) == LATER
    assert (await store.claimed_post(now=LATER, platform="telegram")).job_id == job.id


async def test_a_post_is_claimed_only_by_a_worker_for_its_kind(store: Store) -> None:
    await store.admitted()
    results, words = (PostKind.RESULT,), (PostKind.CARD, PostKind.FAILURE)
    assert await store.posts.next_due(["discord"], results) is None
    assert await store.posts.next_due(["discord"], words) == LATER
    assert await store.posts.claim(["discord"], results, now=LATER, until=LATER, most=9) == []
    assert len(await store.posts.claim(["discord"], words, now=LATER, until=LATER, most=9)) == 1


@pytest.mark.parametrize("due_at", [LATER + 60, None])
async def test_a_post_that_became_due_again_during_its_claim_is_not_put_off(
    store: Store, due_at: float | None
) -> None:
    job = await store.admitted()
    post = await store.claimed_post(now=LATER)
    await store.moved(job, moves.submitting(job, now=LATER + 1), now=LATER + 1)
    await store.posts.put_off(post, due_at=due_at)
    assert await store.due_posts(now=LATER + 1 + EDIT_PACE) == [(job.id, PostKind.CARD)]


async def test_a_post_due_again_at_the_very_time_of_its_claim_is_not_lost(
    store: Store,
) -> None:
    job = await store.admitted()
    post = await store.claimed_post(now=LATER)
    then = LATER - EDIT_PACE
    await store.moved(job, moves.submitting(job, now=then), now=then)
    await store.posts.put_off(post, due_at=None)
    assert await store.due_posts(now=LATER + 1) == [(job.id, PostKind.CARD)]


async def test_a_post_that_the_network_told_to_wait_counts_no_try(store: Store) -> None:
    await store.admitted()
    first = await store.claimed_post(now=LATER)
    await store.posts.put_off(first, due_at=LATER + 5, tried=False)
    again = await store.claimed_post(now=LATER + 5)
    assert (first.attempts, again.attempts) == (1, 1)


async def test_posts_are_claimed_in_the_order_they_are_due(store: Store) -> None:
    jobs = [await store.admitted(a_job(now=NOON - at)) for at in range(3)]
    posts = await store.posts.claim(["discord"], now=LATER, until=LATER, most=9)
    assert [post.job_id for post in posts] == [job.id for job in reversed(jobs)]


async def test_next_due_tells_when_the_next_post_is_due_or_its_claim_ends(store: Store) -> None:
    assert await store.posts.next_due(["discord"]) is None
    await store.admitted()
    assert await store.posts.next_due(["discord"]) == LATER
    post = await store.claimed_post(now=LATER)
    assert await store.posts.next_due(["discord"]) == LATER + 60
    await store.posts.put_off(post, due_at=None)
    assert await store.posts.next_due(["discord"]) is None


async def test_claims_of_posts_by_a_dead_process_can_be_ended_before_they_run_out(
    store: Store,
) -> None:
    job = await store.admitted()
    await store.claimed_post(now=LATER)
    assert await store.posts.expire_claims(now=LATER + 1) == 1
    assert await store.due_posts(now=LATER + 1) == [(job.id, PostKind.CARD)]


async def test_the_answer_of_a_command_is_recorded_as_the_card(store: Store) -> None:
    job = await store.admitted()
    await store.posts.posted(job, "m1", "c1")
    card = await store.post(job, PostKind.CARD)
    assert card is not None
    assert (card.message_id, card.channel_id, card.due_at) == ("m1", "c1", None)


async def test_a_card_that_shows_an_older_state_is_edited_at_once(store: Store) -> None:
    """The job moved on while the command's answer, which shows it as queued, was on its way."""
    shown = await store.admitted()
    await store.moved(shown, moves.submitting(shown, now=NOON), now=NOON)
    await store.posts.posted(shown, "m1", "c1")
    assert await store.due_posts(now=NOON) == [(shown.id, PostKind.CARD)]


async def test_a_second_answer_of_a_command_does_not_replace_its_card(store: Store) -> None:
    job = await store.admitted()
    await store.posts.posted(job, "m1", "c1")
    await store.posts.posted(job, "m2", "c1")
    card = await store.post(job, PostKind.CARD)
    assert card is not None
    assert card.message_id == "m1"


async def test_recording_an_answer_for_an_unknown_job_raises(store: Store) -> None:
    with pytest.raises(Broken, match="job_unknown"):
        await store.posts.posted(a_job(), "m1", "c1")


async def test_simultaneous_answers_and_moves_never_leave_an_outdated_card(store: Store) -> None:
    jobs = [await store.admitted() for _ in range(20)]
    await asyncio.gather(
        *(
            work
            for job in jobs
            for work in (
                store.posts.posted(job, "m1", "c1"),
                store.jobs.save(job, moves.submitting(job, now=NOON), now=NOON),
            )
        )
    )
    assert len(await store.due_posts(now=NOON + EDIT_PACE)) == 20


async def test_the_form_and_time_of_a_send_are_saved_before_its_first_byte(store: Store) -> None:
    await store.admitted()
    claimed = await store.claimed_post(now=LATER)
    sending = await begun(store, claimed, Form.FILE, now=LATER + 1)
    assert sending == replace(claimed, form=Form.FILE, sending_at=LATER + 1)


async def test_a_worker_that_lost_its_claim_of_a_post_neither_sends_nor_changes_it(
    store: Store,
) -> None:
    """A slow worker wakes up after the post was claimed by another one."""
    job = await store.admitted()
    slow = await store.claimed_post(now=LATER)
    quick = await store.claimed_post(now=LATER + 60)
    assert await store.posts.sending(slow, Form.TEXT, now=LATER + 61) is None
    await store.posts.put_off(slow, due_at=None)
    await store.posts.fall(slow, Form.LINK, direct=True)
    assert await store.post(job, PostKind.CARD) == quick


async def test_a_repeated_send_in_the_same_form_keeps_the_time_of_the_first_send(
    store: Store,
) -> None:
    """The network remembers a nonce from the first try on, whatever became of that try."""
    await store.admitted()
    post = await begun(store, await store.claimed_post(now=LATER), Form.FILE, now=LATER)
    again = await begun(store, post, Form.FILE, now=LATER + 9)
    assert again.sending_at == LATER
    other = await begun(store, again, Form.LINK, now=LATER + 9)
    assert (other.form, other.sending_at) == (Form.LINK, LATER + 9)


async def test_a_post_that_falls_to_a_lesser_form_starts_counting_tries_anew(store: Store) -> None:
    job = await store.admitted()
    post = await store.claimed_post(now=LATER)
    post = await begun(store, post, Form.FILE, now=LATER)
    await store.posts.fall(post, Form.LINK, direct=True)
    assert await store.post(job, PostKind.CARD) == replace(
        post, form=Form.LINK, direct=True, sending_at=None, attempts=0, claimed_until=None
    )
    assert len(await store.due_posts(now=LATER)) == 1


async def test_a_post_that_falls_to_the_same_form_keeps_its_count_of_tries(store: Store) -> None:
    """A file is followed by a smaller file; the tries still come to an end."""
    job = await store.admitted()
    for tries in (1, 2):
        post = await store.claimed_post(now=LATER)
        assert post.attempts == tries
        post = await begun(store, post, Form.FILE, now=LATER)
        await store.posts.fall(post, Form.FILE, direct=False)
    await store.posts.fall(await store.claimed_post(now=LATER), Form.FILE, direct=True)
    fallen = await store.post(job, PostKind.CARD)
    assert fallen is not None
    assert fallen.attempts == 0


async def test_a_post_that_is_put_off_keeps_its_form_and_the_time_of_its_send(store: Store) -> None:
    await store.admitted()
    post = await store.claimed_post(now=LATER)
    post = await begun(store, post, Form.TEXT, now=LATER)
    await store.posts.put_off(post, due_at=LATER + 30)
    assert await store.due_posts(now=LATER + 29) == []
    again = await store.claimed_post(now=LATER + 30)
    assert (again.attempts, again.form, again.sending_at) == (2, Form.TEXT, LATER)


async def test_a_parked_post_is_kept_and_not_tried_again(store: Store) -> None:
    job = await store.admitted()
    post = await store.claimed_post(now=LATER)
    await store.posts.put_off(post, due_at=None)
    assert await store.due_posts(now=LATER + 1e9) == []
    assert await store.post(job, PostKind.CARD) is not None


async def test_a_sent_card_can_be_due_again_at_a_given_time(store: Store) -> None:
    job = await store.admitted()
    post = await store.claimed_post(now=LATER)
    await store.posts.sent(post, "m1", "c1", now=LATER, again_at=LATER + 90)
    assert await store.due_posts(now=LATER + 89) == []
    assert await store.due_posts(now=LATER + 90) == [(job.id, PostKind.CARD)]


async def test_a_sent_card_is_not_due_until_the_next_change(store: Store) -> None:
    job = await store.admitted()
    post = await store.claimed_post(now=LATER)
    post = await begun(store, post, Form.TEXT, now=LATER)
    await store.posts.sent(post, "m1", "c1", now=LATER)
    assert await store.post(job, PostKind.CARD) == Post(
        id=post.id,
        job_id=job.id,
        kind=PostKind.CARD,
        due_at=None,
        version=1,
        form=Form.TEXT,
        message_id="m1",
        channel_id="c1",
    )
    await store.moved(job, moves.submitting(job, now=LATER), now=LATER + 5)
    assert await store.due_posts(now=LATER + 5 + EDIT_PACE) == [(job.id, PostKind.CARD)]


@pytest.mark.parametrize(
    "changed_at",
    [LATER - 1, LATER, LATER + 1],
    ids=["a second before", "at once", "a second after"],
)
async def test_a_change_while_the_card_is_sent_makes_the_card_due_again(
    store: Store, changed_at: float
) -> None:
    """The message shows the earlier state, so it is outdated whatever the clock says."""
    job = await store.admitted()
    post = await store.claimed_post(now=LATER)
    await store.moved(job, moves.submitting(job, now=changed_at), now=changed_at)
    await store.posts.sent(post, "m1", "c1", now=LATER + 2)
    assert await store.due_posts(now=LATER + 2 + EDIT_PACE) == [(job.id, PostKind.CARD)]


@pytest.mark.parametrize(
    "changed_at",
    [LATER - 1, LATER, LATER + 1],
    ids=["a second before", "at once", "a second after"],
)
async def test_a_change_while_the_card_is_edited_makes_the_card_due_again(
    store: Store, changed_at: float
) -> None:
    shown = await store.admitted()
    job = await store.moved(shown, moves.submitting(shown, now=LATER), now=LATER)
    await store.posts.posted(shown, "m1", "c1")
    post = await store.claimed_post(now=LATER)
    await store.moved(job, moves.unconfirmed(job, detail=None), now=changed_at)
    await store.posts.sent(post, "m1", "c1", now=LATER + 2)
    assert (job.id, PostKind.CARD) in await store.due_posts(now=LATER + 2)


async def test_recording_a_sent_result_marks_its_job_as_delivered(store: Store) -> None:
    job = await _with_video(store)
    await store.posts.posted(job, "m1", "c1")
    post = await store.post(job, PostKind.RESULT)
    assert post is not None
    await store.posts.sent(post, "m2", "c1", now=NOON + 9)
    row = await store.jobs.get(job.id)
    assert row == replace(
        job,
        status=Status.DELIVERED,
        delivered_at=NOON + 9,
        ended_at=NOON + 9,
        version=job.version + 1,
    )
    assert await store.due_posts(now=NOON + 9) == [(job.id, PostKind.CARD)]


async def test_recording_a_sent_failure_makes_the_card_due_to_be_removed(store: Store) -> None:
    """The worker of posts then removes the card."""
    job = await store.in_state(Status.SUBMITTING)
    await store.posts.posted(job, "m1", "c1")
    await store.moved(job, moves.failed(job, Reason.MODERATED, charged=False), now=NOON)
    for kind in (PostKind.CARD, PostKind.FAILURE):
        post = await store.post(job, kind)
        assert post is not None
        await store.posts.sent(post, "m2" if kind is PostKind.FAILURE else "m1", "c1", now=NOON)
    card = await store.post(job, PostKind.CARD)
    assert card is not None
    assert (card.message_id, card.due_at) == ("m1", NOON)


async def test_failed_edits_of_a_card_do_not_count_as_tries_of_removing_it(
    store: Store,
) -> None:
    job = await store.in_state(Status.FAILED)
    claim = partial(store.posts.claim, ["discord"], [PostKind.CARD], most=1)
    for _ in range(9):
        (card,) = await claim(now=LATER, until=LATER + 60)
        await store.posts.put_off(card, due_at=LATER)
    failure = await store.post(job, PostKind.FAILURE)
    assert failure is not None
    await store.posts.sent(failure, "m2", "c1", now=LATER)
    (card,) = await claim(now=LATER, until=LATER + 60)
    assert card.attempts == 1


async def test_recording_a_sent_result_makes_an_earlier_failure_due_to_be_removed(
    store: Store,
) -> None:
    """The job was unconfirmed, and its video turned up after all."""
    job = await store.in_state(Status.UNCONFIRMED)
    failure = await store.post(job, PostKind.FAILURE)
    assert failure is not None
    await store.posts.sent(failure, "m1", "c1", now=NOON)
    job = await store.jobs.accept(job.id, "v1", now=NOON, due_at=NOON)
    job = await store.moved(
        job, moves.stored(moves.completed(job, now=NOON, sources=()), VIDEO), now=NOON
    )
    result = await store.post(job, PostKind.RESULT)
    assert result is not None
    await store.posts.sent(result, "m2", "c1", now=NOON + 9)
    assert (job.id, PostKind.FAILURE) in await store.due_posts(now=NOON + 9)


async def test_a_card_sent_after_its_claim_was_lost_is_due_again(
    store: Store,
) -> None:
    """Another worker may have given up this card, as its job was ending."""
    job = await store.admitted()
    lost = await store.claimed_post(now=LATER)
    await store.posts.put_off(await store.claimed_post(now=LATER + 60), due_at=None)
    await store.posts.sent(lost, "m1", "c1", now=LATER + 70)
    assert await store.due_posts(now=LATER + 70) == [(job.id, PostKind.CARD)]


async def test_an_answer_recorded_for_a_finished_job_makes_its_card_due(store: Store) -> None:
    job = await store.in_state(Status.FAILED)
    await store.posts.posted(job, "m1", "c1")
    assert (job.id, PostKind.CARD) in await store.due_posts(now=NOON)


async def test_recording_a_sent_result_clears_the_reason_undeliverable(store: Store) -> None:
    job = await _with_video(store)
    await store.moved(job, replace(job, reason=Reason.UNDELIVERABLE))
    post = await store.post(job, PostKind.RESULT)
    assert post is not None
    await store.posts.sent(post, "m2", "c1", now=NOON + 9)
    row = await store.jobs.get(job.id)
    assert row is not None
    assert (row.status, row.reason) == (Status.DELIVERED, None)


async def test_recording_a_sent_result_twice_changes_nothing_the_second_time(store: Store) -> None:
    job = await _with_video(store)
    post = await store.post(job, PostKind.RESULT)
    assert post is not None
    await store.posts.sent(post, "m2", "c1", now=NOON + 9)
    row = await store.jobs.get(job.id)
    await store.posts.sent(post, "m2", "c1", now=NOON + 99)
    assert await store.jobs.get(job.id) == row


async def test_a_delivered_job_cannot_be_changed_by_a_worker_that_read_it_before(
    store: Store,
) -> None:
    """Delivery raises the row's version, so a worker with the older row can't undo it."""
    job = await _with_video(store)
    post = await store.post(job, PostKind.RESULT)
    assert post is not None
    await store.posts.sent(post, "m2", "c1", now=NOON + 9)
    assert await store.jobs.save(job, replace(job, reason=Reason.UNDELIVERABLE), now=NOON) is None


async def _with_video(store: Store) -> Job:
    """Return a job whose video is stored."""
    job = await store.in_state(Status.COMPLETED)
    return await store.moved(job, moves.stored(job, VIDEO))


@pytest.mark.parametrize(
    ("platform", "chat", "number"),
    [("discord", "-5", "8"), ("discord", "-55", "7"), ("telegram", "-5", "7")],
)
async def test_a_job_is_found_by_the_message_of_one_of_its_posts(
    store: Store, platform: str, chat: str, number: str
) -> None:
    job = await store.admitted()
    await store.posts.posted(job, "7", "-5/12")
    for channel in ("-55/1", "-50"):
        await store.posts.posted(await store.admitted(), "8", channel)
    assert await store.posts.about("discord", "-5", "7") == job.id
    assert await store.posts.about(platform, chat, number) is None


async def ended(store: Store) -> tuple[Job, Post]:
    """Return a failed job, and its claimed failure post."""
    job = await store.in_state(Status.FAILED)
    failures = (PostKind.FAILURE,)
    (post,) = await store.posts.claim(["discord"], failures, now=NOON, until=LATER, most=1)
    return job, await begun(store, post, Form.TEXT, now=NOON)


async def test_recording_a_sent_failure_can_claim_the_card_for_its_removal(
    store: Store,
) -> None:
    job, failure = await ended(store)
    await store.posts.posted(job, "m1", "c1")
    card = await store.posts.sent(failure, "m2", "c1", now=LATER, until=LATER + CLAIM)
    assert card is not None
    assert card == await store.post(job, PostKind.CARD)
    assert (card.claimed_until, card.attempts) == (LATER + CLAIM, 1)
    assert await store.due_posts(now=LATER) == []
    await store.posts.put_off(card, due_at=None)
    assert (gone := await store.post(job, PostKind.CARD)) is not None
    assert gone.due_at is None, "the claim holds behind its fence"


async def test_a_card_that_is_claimed_or_still_waits_for_its_answer_is_not_claimed_for_removal(
    store: Store,
) -> None:
    _, failure = await ended(store)
    assert await store.posts.sent(failure, "m2", "c1", now=NOON, until=NOON + CLAIM) is None
    job, failure = await ended(store)
    await store.posts.posted(job, "m1", "c1")
    (mine,) = await store.posts.claim(
        ["discord"], [PostKind.CARD], now=NOON + 1, until=LATER, most=9
    )
    assert mine.job_id == job.id
    assert await store.posts.sent(failure, "m2", "c1", now=NOON + 2, until=NOON + CLAIM) is None
    assert (card := await store.post(job, PostKind.CARD)) is not None
    assert (card.version, card.due_at) == (mine.version, NOON + 2), "it has news"
