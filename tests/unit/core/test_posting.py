"""Posts are sent once: a refusal leads to the next form, an unknown end to a repetition."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from bot.core import posting
from bot.core.errors import (
    BotError,
    FileTooLarge,
    Forbidden,
    Temporary,
)
from bot.core.jobs import Job, Reason, Status
from bot.core.outcomes import Failed, Running
from bot.core.posts import CARD_GRACE, EDIT_PACE, NONCE_WINDOW, Form, Post, PostKind
from bot.core.replies import Reply
from tests.unit.core.orders import order
from tests.unit.core.said import LINK, SILENCE, said
from tests.unit.core.workshop import Workshop

UNSENT = Temporary("busy", unsent=True)


async def test_a_job_is_delivered_once_its_result_is_posted(workshop: Workshop) -> None:
    job = await workshop.made(order())
    await workshop.speak()
    assert (await workshop.job(job.id)).status is Status.DELIVERED
    assert said(workshop) == [("result.ready", True, False)]
    assert workshop.chat.removed == ["card"]


async def test_a_send_with_an_unknown_end_is_repeated_under_the_same_nonce(
    workshop: Workshop,
) -> None:
    workshop.chat.sends = [SILENCE, SILENCE, None]
    await workshop.made(order())
    await workshop.speak(NONCE_WINDOW)
    nonces = {nonce for nonce, _, _ in workshop.chat.said}
    assert (len(workshop.chat.said), len(nonces)) == (3, 1)


@pytest.mark.parametrize(
    ("ends", "again"),
    [
        ([SILENCE, None], [False, True]),
        ([UNSENT, UNSENT, None], [False, False, False]),
        ([SILENCE, UNSENT, None], [False, True, True]),
    ],
)
async def test_the_platform_is_told_if_an_earlier_send_had_an_unknown_end(
    workshop: Workshop, ends: list[BotError | None], again: list[bool]
) -> None:
    """On networks without nonces this decides how the post is repeated."""
    workshop.chat.sends = ends
    job = await workshop.made(order())
    await workshop.speak(60)
    assert workshop.chat.again == again
    assert (await workshop.job(job.id)).status is Status.DELIVERED


async def test_after_the_nonce_expired_the_history_is_read_before_the_post_is_repeated(
    workshop: Workshop,
) -> None:
    workshop.chat.sends = [Temporary("no_answer", retry_after=NONCE_WINDOW + 1)]
    job = await workshop.made(order())
    await workshop.speak(NONCE_WINDOW)
    workshop.chat.history["result"] = ("m7", "hall")
    await workshop.speak()
    assert len(workshop.chat.said) == 1, "it was there, so it is not said again"
    assert (await workshop.job(job.id)).status is Status.DELIVERED


# --- rows that came from a backup -----------------------------------------------------------------


async def _restored(workshop: Workshop) -> Job:
    """Return a job that was made before its rows were restored, with its result due."""
    job = await workshop.made(order())
    workshop.posting.restored = {job.id: job.created_at - 7}
    return job


async def test_after_a_restore_a_result_found_in_the_history_is_not_posted_again(
    workshop: Workshop,
) -> None:
    job = await _restored(workshop)
    workshop.chat.history["result"] = ("m7", "hall")
    await workshop.speak()
    assert workshop.chat.said == []
    assert (await workshop.job(job.id)).status is Status.DELIVERED
    assert workshop.chat.searched_since["result"] == job.created_at - 7


async def test_after_a_restore_a_result_missing_in_the_history_is_posted(
    workshop: Workshop,
) -> None:
    job = await _restored(workshop)
    await workshop.speak()
    assert said(workshop) == [("result.ready", True, False)]
    assert (await workshop.job(job.id)).status is Status.DELIVERED


async def test_after_a_restore_a_result_on_a_network_without_history_is_kept_unposted(
    workshop: Workshop,
) -> None:
    """Telegram shows its history to no bot."""
    job = await _restored(workshop)
    workshop.chat.is_readable = False
    await workshop.speak()
    assert workshop.chat.said == []
    end = await workshop.job(job.id)
    assert (end.status, end.reason, end.quota_cost) == (
        Status.COMPLETED,
        Reason.UNDELIVERABLE,
        1,
    )


async def test_an_order_made_after_a_restore_is_posted_as_usual(workshop: Workshop) -> None:
    await _restored(workshop)
    workshop.chat.is_readable = False
    await workshop.made(order())
    await workshop.speak()
    assert said(workshop) == [("result.ready", True, False)]


async def test_an_expired_nonce_on_a_network_without_history_does_not_stop_the_post(
    workshop: Workshop,
) -> None:
    """Only a restore leaves a doubt for good; the end of an ordinary send becomes known."""
    workshop.chat.is_readable = False
    workshop.chat.sends = [Temporary("no_answer", retry_after=NONCE_WINDOW + 1), None]
    job = await workshop.made(order())
    await workshop.speak(2 * NONCE_WINDOW)
    assert len(workshop.chat.said) == 2
    assert (await workshop.job(job.id)).status is Status.DELIVERED


async def test_a_file_that_is_refused_as_too_large_becomes_a_link(workshop: Workshop) -> None:
    workshop.link = LINK
    workshop.chat.sends = [FileTooLarge(), None]
    await workshop.made(order())
    await workshop.speak()
    assert said(workshop) == [("result.ready", True, False), ("result.ready", False, False)]
    assert workshop.chat.said[-1][1].link == LINK.url


async def test_a_file_too_large_without_public_links_gives_a_plain_message_and_is_kept(
    workshop: Workshop,
) -> None:
    workshop.chat.limit = 1
    job = await workshop.made(order())
    await workshop.speak()
    assert said(workshop) == [("result.too_large", False, False)]
    end = await workshop.job(job.id)
    assert end.status is Status.DELIVERED
    assert end.video is not None
    assert end.video.key in workshop.studio.kept


@pytest.mark.proof
async def test_a_result_forbidden_in_the_channel_is_sent_to_the_person_directly(
    workshop: Workshop,
) -> None:
    workshop.chat.sends = [Forbidden(), None]
    job = await workshop.made(order())
    await workshop.speak()
    assert said(workshop) == [("result.ready", True, False), ("result.ready", True, True)]
    assert (await workshop.job(job.id)).status is Status.DELIVERED


async def test_a_result_that_cannot_be_sent_anywhere_is_kept_as_undeliverable(
    workshop: Workshop,
) -> None:
    workshop.chat.sends = [Forbidden()]
    job = await workshop.made(order())
    await workshop.speak()
    end = await workshop.job(job.id)
    assert (end.status, end.reason) == (Status.COMPLETED, Reason.UNDELIVERABLE)
    assert end.quota_cost == 1
    assert len(workshop.chat.said) == 2
    assert workshop.chat.edited[-1].text.id == "card.undeliverable"


@pytest.mark.proof
async def test_a_result_whose_sends_never_have_a_known_end_is_kept_as_undeliverable(
    workshop: Workshop, few: int
) -> None:
    workshop.chat.sends = [SILENCE]
    job = await workshop.made(order())
    await workshop.speak(90 * 86_400.0)
    assert (await workshop.job(job.id)).reason is Reason.UNDELIVERABLE
    assert len(workshop.chat.said) == few


async def test_a_failure_is_posted_once_with_its_reason(workshop: Workshop) -> None:
    workshop.gateway.polls = [Failed(Reason.MODERATED, "policy")]
    await workshop.made(order())
    await workshop.speak()
    assert said(workshop) == [("failure.moderated", False, False)]
    reply: Reply = workshop.chat.said[0][1]
    assert [fact.id for fact in reply.facts] == ["fact.not_counted"]
    assert reply.ping == "ann"


async def test_a_job_that_failed_before_its_card_was_posted_has_one_message(
    workshop: Workshop,
) -> None:
    workshop.without_answers()
    workshop.gateway.polls = [Failed(Reason.MODERATED, "policy")]
    await workshop.submit(order())
    await workshop.work(60)
    await workshop.speak(60)
    assert said(workshop) == [("failure.moderated", False, False)]


async def test_a_card_that_was_not_posted_as_the_commands_answer_is_posted_by_its_row(
    workshop: Workshop,
) -> None:
    workshop.gateway.polls = [Running()]
    job = await workshop.submit(order())
    await workshop.speak(CARD_GRACE - 1)
    assert said(workshop) == []
    await workshop.speak(2)
    assert said(workshop) == [("card.taken", False, False)]
    card = await workshop.posts.get(job.id, "card")
    assert card is not None
    assert card.message_id == "m1"


async def test_a_card_in_the_history_that_the_row_does_not_know_is_found_and_edited(
    workshop: Workshop,
) -> None:
    workshop.chat.history["card"] = ("m7", "hall")
    await workshop.submit(order())
    await workshop.speak(CARD_GRACE + 1)
    assert said(workshop) == []
    assert [reply.text.id for reply in workshop.chat.edited] == ["card.taken"]


async def test_a_job_withdrawn_before_its_card_was_posted_has_no_message(
    workshop: Workshop,
) -> None:
    job = await workshop.submit(order())
    await workshop.service.unanswered(job)
    await workshop.speak()
    assert said(workshop) == []
    withdrawn = await workshop.job(job.id)
    assert (withdrawn.status, withdrawn.reason) == (Status.CANCELLED, Reason.UNANSWERED)


@pytest.mark.parametrize("sends", [[None], [Forbidden()]], ids=["said", "undeliverable"])
async def test_the_worker_of_cards_is_woken_when_a_result_was_posted_or_given_up(
    workshop: Workshop, sends: list[BotError | None]
) -> None:
    workshop.chat.sends = sends
    await workshop.made(order())
    async with asyncio.timeout(1):
        await workshop.wake_posts.heard()
        await workshop.speak(0.1)
        await workshop.wake_posts.heard()


async def test_a_change_between_drawing_and_sending_the_card_makes_the_card_due_again(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gateway accepts the job after its card was drawn and before the card is sent."""
    workshop.without_answers()
    workshop.gateway.polls = [Running()]
    sending = workshop.posts.sending

    async def meanwhile(post: Post, form: Form, *, now: float) -> Post | None:
        await workshop.work(0.1)
        return await sending(post, form, now=now)

    monkeypatch.setattr(workshop.posts, "sending", meanwhile)
    await workshop.submit(order())
    await workshop.speak(1)
    assert said(workshop) == [("card.taken", False, False)]
    await workshop.speak(EDIT_PACE + 1)
    assert [reply.text.id for reply in workshop.chat.edited] == ["card.in_progress"]


@pytest.mark.parametrize("trouble", [RuntimeError("bug"), asyncio.CancelledError()])
async def test_a_post_is_released_when_its_send_raises_or_is_cancelled(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, trouble: BaseException
) -> None:
    async def send(*_: object, **__: object) -> tuple[str, str]:
        raise trouble

    monkeypatch.setattr(workshop.chat, "send", send)
    await workshop.made(order())
    now = workshop.clock.time
    kinds = [PostKind.RESULT]
    (post,) = await workshop.posts.claim(["chat"], kinds, now=now, until=now + 60, most=1)
    with suppress(asyncio.CancelledError):
        await workshop.posting.take(post)
    left = await workshop.posts.get(post.job_id, "result")
    assert left is not None
    assert (left.claimed_until, left.sending_at) == (None, now)


async def test_a_sent_post_is_recorded_however_often_the_database_fails(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await workshop.made(order())
    sent, troubles = workshop.posts.sent, [OSError("disk full")] * 3

    async def write(*args: Any, **more: Any) -> None:
        if troubles:
            raise troubles.pop()
        await sent(*args, **more)

    monkeypatch.setattr(workshop.posts, "sent", write)
    await workshop.speak()
    assert (await workshop.job(job.id)).status is Status.DELIVERED
    assert said(workshop) == [("result.ready", True, False)]


@pytest.mark.proof
async def test_a_send_that_never_ends_is_cut_off_before_its_claim_runs_out(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "SEND_TIME", 0.05)
    send, slow = workshop.chat.send, [asyncio.Event()]

    async def hang(*args: Any, **more: Any) -> tuple[str, str]:
        if slow:
            await slow.pop().wait()
        return await send(*args, **more)

    monkeypatch.setattr(workshop.chat, "send", hang)
    job = await workshop.made(order())
    await workshop.speak(60)
    assert (await workshop.job(job.id)).status is Status.DELIVERED
    assert workshop.chat.again == [True]
