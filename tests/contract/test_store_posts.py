"""Posts: what is owed is said once, in falling order, and what stands is known."""

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
    """A send under way, by the one who has the post."""
    held = await store.posts.sending(post, form, now=now)
    assert held is not None
    return held


async def test_no_post_goes_to_two_takers(store: Store) -> None:
    for _ in range(30):
        await store.admitted()
    hands = await asyncio.gather(
        *(store.posts.claim(["discord"], now=LATER, until=LATER + 60, most=4) for _ in range(10))
    )
    handed = Counter(post.job_id for hand in hands for post in hand)
    assert max(len(hand) for hand in hands) <= 4
    assert max(handed.values()) == 1


async def test_a_claim_of_a_post_counts_its_try_before_the_work(store: Store) -> None:
    job = await store.admitted()
    card = await store.post(job, PostKind.CARD)
    assert card is not None
    claimed = await store.claimed_post(now=LATER)
    assert claimed == replace(card, claimed_until=LATER + 60, version=1, attempts=1)
    assert await store.due_posts(now=LATER + 59) == []
    assert await store.claimed_post(now=LATER + 60) == replace(
        card, claimed_until=LATER + 120, version=2, attempts=2
    )


async def test_posts_go_to_their_platform_only(store: Store) -> None:
    job = await store.admitted(a_job(platform="telegram"))
    assert await store.due_posts(now=LATER) == []
    assert await store.posts.next_due(["discord"]) is None
    assert await store.posts.next_due(["discord", "telegram"]) == LATER
    assert (await store.claimed_post(now=LATER, platform="telegram")).job_id == job.id


async def test_posts_go_to_whoever_says_their_kind(store: Store) -> None:
    await store.admitted()
    results, words = (PostKind.RESULT,), (PostKind.CARD, PostKind.FAILURE)
    assert await store.posts.next_due(["discord"], results) is None
    assert await store.posts.next_due(["discord"], words) == LATER
    assert await store.posts.claim(["discord"], results, now=LATER, until=LATER, most=9) == []
    assert len(await store.posts.claim(["discord"], words, now=LATER, until=LATER, most=9)) == 1


@pytest.mark.parametrize("due_at", [LATER + 60, None])
async def test_what_became_due_meanwhile_is_not_put_off(store: Store, due_at: float | None) -> None:
    job = await store.admitted()
    post = await store.claimed_post(now=LATER)
    await store.moved(job, moves.submitting(job, now=LATER + 1), now=LATER + 1)
    await store.posts.put_off(post, due_at=due_at)
    assert await store.due_posts(now=LATER + 1 + EDIT_PACE) == [(job.id, PostKind.CARD)]


async def test_what_became_due_meanwhile_is_not_lost_if_it_is_due_in_the_same_instant(
    store: Store,
) -> None:
    job = await store.admitted()
    post = await store.claimed_post(now=LATER)
    then = LATER - EDIT_PACE
    await store.moved(job, moves.submitting(job, now=then), now=then)
    await store.posts.put_off(post, due_at=None)
    assert await store.due_posts(now=LATER + 1) == [(job.id, PostKind.CARD)]


async def test_a_post_that_was_told_to_wait_was_not_tried(store: Store) -> None:
    await store.admitted()
    first = await store.claimed_post(now=LATER)
    await store.posts.put_off(first, due_at=LATER + 5, tried=False)
    again = await store.claimed_post(now=LATER + 5)
    assert (first.attempts, again.attempts) == (1, 1)


async def test_posts_come_in_the_order_they_are_due(store: Store) -> None:
    jobs = [await store.admitted(a_job(now=NOON - at)) for at in range(3)]
    posts = await store.posts.claim(["discord"], now=LATER, until=LATER, most=9)
    assert [post.job_id for post in posts] == [job.id for job in reversed(jobs)]


async def test_the_next_post_is_due_when_it_is_due_and_free(store: Store) -> None:
    assert await store.posts.next_due(["discord"]) is None
    await store.admitted()
    assert await store.posts.next_due(["discord"]) == LATER
    post = await store.claimed_post(now=LATER)
    assert await store.posts.next_due(["discord"]) == LATER + 60
    await store.posts.put_off(post, due_at=None)
    assert await store.posts.next_due(["discord"]) is None


async def test_claims_of_the_dead_can_be_ended_early(store: Store) -> None:
    job = await store.admitted()
    await store.claimed_post(now=LATER)
    assert await store.posts.expire_claims(now=LATER + 1) == 1
    assert await store.due_posts(now=LATER + 1) == [(job.id, PostKind.CARD)]


async def test_the_commands_answer_becomes_the_card(store: Store) -> None:
    job = await store.admitted()
    await store.posts.posted(job, "m1", "c1")
    card = await store.post(job, PostKind.CARD)
    assert card is not None
    assert (card.message_id, card.channel_id, card.due_at) == ("m1", "c1", None)


async def test_a_card_that_shows_an_older_state_is_edited_at_once(store: Store) -> None:
    """The job moved on while the command's answer, which shows it queued, was on its way."""
    shown = await store.admitted()
    await store.moved(shown, moves.submitting(shown, now=NOON), now=NOON)
    await store.posts.posted(shown, "m1", "c1")
    assert await store.due_posts(now=NOON) == [(shown.id, PostKind.CARD)]


async def test_a_card_that_stands_already_is_not_replaced(store: Store) -> None:
    job = await store.admitted()
    await store.posts.posted(job, "m1", "c1")
    await store.posts.posted(job, "m2", "c1")
    card = await store.post(job, PostKind.CARD)
    assert card is not None
    assert card.message_id == "m1"


async def test_an_answer_for_no_job_is_said_to_be_so(store: Store) -> None:
    with pytest.raises(Broken, match="job_unknown"):
        await store.posts.posted(a_job(), "m1", "c1")


async def test_cards_and_moves_at_once_never_leave_a_stale_card(store: Store) -> None:
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


async def test_a_send_is_remembered_before_its_first_byte(store: Store) -> None:
    await store.admitted()
    claimed = await store.claimed_post(now=LATER)
    sending = await begun(store, claimed, Form.FILE, now=LATER + 1)
    assert sending == replace(claimed, form=Form.FILE, sending_at=LATER + 1)


async def test_whoever_lost_the_claim_says_nothing_and_changes_nothing(store: Store) -> None:
    """A slow taker wakes up after the post went to somebody else."""
    job = await store.admitted()
    slow = await store.claimed_post(now=LATER)
    quick = await store.claimed_post(now=LATER + 60)
    assert await store.posts.sending(slow, Form.TEXT, now=LATER + 61) is None
    await store.posts.put_off(slow, due_at=None)
    await store.posts.fall(slow, Form.LINK, direct=True)
    assert await store.post(job, PostKind.CARD) == quick


async def test_the_same_form_again_keeps_the_hour_of_the_first_send(store: Store) -> None:
    """The nonce's window begins with the first try, whatever became of it."""
    await store.admitted()
    post = await begun(store, await store.claimed_post(now=LATER), Form.FILE, now=LATER)
    again = await begun(store, post, Form.FILE, now=LATER + 9)
    assert again.sending_at == LATER
    other = await begun(store, again, Form.LINK, now=LATER + 9)
    assert (other.form, other.sending_at) == (Form.LINK, LATER + 9)


async def test_a_fallen_post_starts_over_one_rung_lower(store: Store) -> None:
    job = await store.admitted()
    post = await store.claimed_post(now=LATER)
    post = await begun(store, post, Form.FILE, now=LATER)
    await store.posts.fall(post, Form.LINK, direct=True)
    assert await store.post(job, PostKind.CARD) == replace(
        post, form=Form.LINK, direct=True, sending_at=None, attempts=0, claimed_until=None
    )
    assert len(await store.due_posts(now=LATER)) == 1


async def test_a_post_that_falls_to_its_own_rung_keeps_its_tries(store: Store) -> None:
    """A file, then a smaller one: however often, it comes to an end."""
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


async def test_a_post_put_off_keeps_what_was_under_way(store: Store) -> None:
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


async def test_a_card_can_be_due_again_by_time_alone(store: Store) -> None:
    job = await store.admitted()
    post = await store.claimed_post(now=LATER)
    await store.posts.sent(post, "m1", "c1", now=LATER, again_at=LATER + 90)
    assert await store.due_posts(now=LATER + 89) == []
    assert await store.due_posts(now=LATER + 90) == [(job.id, PostKind.CARD)]


async def test_a_card_that_was_sent_owes_nothing_until_the_next_change(store: Store) -> None:
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


@pytest.mark.parametrize("changed_at", [LATER - 1, LATER, LATER + 1], ids=["-", "=", "+"])
async def test_what_changed_while_a_card_was_being_sent_is_still_owed(
    store: Store, changed_at: float
) -> None:
    """The message shows the state that was read before; whatever the clock says, it is stale."""
    job = await store.admitted()
    post = await store.claimed_post(now=LATER)
    await store.moved(job, moves.submitting(job, now=changed_at), now=changed_at)
    await store.posts.sent(post, "m1", "c1", now=LATER + 2)
    assert await store.due_posts(now=LATER + 2 + EDIT_PACE) == [(job.id, PostKind.CARD)]


@pytest.mark.parametrize("changed_at", [LATER - 1, LATER, LATER + 1], ids=["-", "=", "+"])
async def test_what_changed_while_a_card_was_being_edited_is_still_owed(
    store: Store, changed_at: float
) -> None:
    shown = await store.admitted()
    job = await store.moved(shown, moves.submitting(shown, now=LATER), now=LATER)
    await store.posts.posted(shown, "m1", "c1")
    post = await store.claimed_post(now=LATER)
    await store.moved(job, moves.unconfirmed(job, detail=None), now=changed_at)
    await store.posts.sent(post, "m1", "c1", now=LATER + 2)
    assert (job.id, PostKind.CARD) in await store.due_posts(now=LATER + 2)


async def test_a_result_that_stands_delivers_its_job(store: Store) -> None:
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


async def test_a_failure_that_stands_makes_its_card_due(store: Store) -> None:
    """Then nobody has to remember to take it away."""
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


async def test_an_edit_that_failed_for_long_is_no_try_of_taking_its_card_away(
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


async def test_a_result_that_stands_makes_an_earlier_failure_due(store: Store) -> None:
    """Its job turned up after all."""
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


async def test_a_card_that_stands_although_its_claim_was_lost_is_looked_at_again(
    store: Store,
) -> None:
    """The one who took it meanwhile may have given it up, as the end of its job is told."""
    job = await store.admitted()
    lost = await store.claimed_post(now=LATER)
    await store.posts.put_off(await store.claimed_post(now=LATER + 60), due_at=None)
    await store.posts.sent(lost, "m1", "c1", now=LATER + 70)
    assert await store.due_posts(now=LATER + 70) == [(job.id, PostKind.CARD)]


async def test_an_answer_to_what_is_over_is_looked_at_again(store: Store) -> None:
    job = await store.in_state(Status.FAILED)
    await store.posts.posted(job, "m1", "c1")
    assert (job.id, PostKind.CARD) in await store.due_posts(now=NOON)


async def test_a_result_that_stands_undoes_that_it_could_not_be_posted(store: Store) -> None:
    job = await _with_video(store)
    await store.moved(job, replace(job, reason=Reason.UNDELIVERABLE))
    post = await store.post(job, PostKind.RESULT)
    assert post is not None
    await store.posts.sent(post, "m2", "c1", now=NOON + 9)
    row = await store.jobs.get(job.id)
    assert row is not None
    assert (row.status, row.reason) == (Status.DELIVERED, None)


async def test_delivered_twice_is_delivered_once(store: Store) -> None:
    job = await _with_video(store)
    post = await store.post(job, PostKind.RESULT)
    assert post is not None
    await store.posts.sent(post, "m2", "c1", now=NOON + 9)
    row = await store.jobs.get(job.id)
    await store.posts.sent(post, "m2", "c1", now=NOON + 99)
    assert await store.jobs.get(job.id) == row


async def test_a_claimed_job_can_be_delivered(store: Store) -> None:
    """The fence of whoever holds it goes up, so nothing they save undoes the delivery."""
    job = await _with_video(store)
    post = await store.post(job, PostKind.RESULT)
    assert post is not None
    await store.posts.sent(post, "m2", "c1", now=NOON + 9)
    assert await store.jobs.save(job, replace(job, reason=Reason.UNDELIVERABLE), now=NOON) is None


async def _with_video(store: Store) -> Job:
    job = await store.in_state(Status.COMPLETED)
    return await store.moved(job, moves.stored(job, VIDEO))


@pytest.mark.parametrize(
    ("platform", "chat", "number"),
    [("discord", "-5", "8"), ("discord", "-55", "7"), ("telegram", "-5", "7")],
)
async def test_a_job_is_found_by_a_message_about_it(
    store: Store, platform: str, chat: str, number: str
) -> None:
    job = await store.admitted()
    await store.posts.posted(job, "7", "-5/12")
    for channel in ("-55/1", "-50"):
        await store.posts.posted(await store.admitted(), "8", channel)
    assert await store.posts.about("discord", "-5", "7") == job.id
    assert await store.posts.about(platform, chat, number) is None


async def ended(store: Store) -> tuple[Job, Post]:
    """A failed job, and the claimed post that says so."""
    job = await store.in_state(Status.FAILED)
    failures = (PostKind.FAILURE,)
    (post,) = await store.posts.claim(["discord"], failures, now=NOON, until=LATER, most=1)
    return job, await begun(store, post, Form.TEXT, now=NOON)


async def test_the_card_is_claimed_as_it_becomes_due_where_it_is_taken_away_now(
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


async def test_a_card_that_somebody_has_or_that_waits_for_its_answer_is_not_claimed(
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
