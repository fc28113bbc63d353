"""Saying things: once, down the ladder after a definite no, never a second time after silence."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from bot.core import posting
from bot.core.accounts import Terms
from bot.core.catalog import Catalog
from bot.core.errors import (
    BotError,
    Broken,
    FileMissing,
    FilesForbidden,
    FileTooLarge,
    Forbidden,
    MessageGone,
    Refused,
    StorageAway,
    Temporary,
)
from bot.core.jobs import Job, Reason, Status
from bot.core.orders import Call
from bot.core.outcomes import Busy, Failed, Running, Uncertain
from bot.core.posting import AWAY, MOST_FILES, Link
from bot.core.posts import CARD_GRACE, EDIT_PACE, NONCE_WINDOW, Form, Post, PostKind
from bot.core.preferences import Preferences
from bot.core.replies import Action, Reply, Text
from bot.core.service import Actor
from bot.core.wishes import AUTO
from tests.unit.core.orders import ANN, BOB, HALL, SORA, order
from tests.unit.core.workshop import FREE, Workshop

LINK = Link("https://bot.test/v/x", 2_000_000.0)
TIME = 210
"""Seconds by which every promise has passed."""
SILENCE = Temporary("no_answer")
UNSENT = Temporary("busy", unsent=True)


def said(workshop: Workshop) -> list[tuple[str, bool, bool]]:
    """The attempts in order: the sentence, whether a file came along, whether directly."""
    return [
        (reply.text.id, with_file, nonce.endswith("d"))
        for nonce, reply, with_file in workshop.chat.said
    ]


async def test_a_result_that_stands_delivers_its_job(workshop: Workshop) -> None:
    job = await workshop.made(order())
    await workshop.speak()
    assert (await workshop.job(job.id)).status is Status.DELIVERED
    assert said(workshop) == [("result.ready", True, False)]
    assert workshop.chat.removed == ["card"]


async def test_after_silence_the_same_message_goes_out_under_the_same_nonce(
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
async def test_whoever_may_have_said_it_already_is_told_so(
    workshop: Workshop, ends: list[BotError | None], again: list[bool]
) -> None:
    """Where nothing is remembered by a nonce, that makes all the difference."""
    workshop.chat.sends = ends
    job = await workshop.made(order())
    await workshop.speak(60)
    assert workshop.chat.again == again
    assert (await workshop.job(job.id)).status is Status.DELIVERED


async def test_when_the_nonce_is_forgotten_the_channel_is_read_before_anything_is_said(
    workshop: Workshop,
) -> None:
    workshop.chat.sends = [Temporary("no_answer", retry_after=NONCE_WINDOW + 1)]
    job = await workshop.made(order())
    await workshop.speak(NONCE_WINDOW)
    workshop.chat.history["result"] = ("m7", "hall")
    await workshop.speak()
    assert len(workshop.chat.said) == 1, "it was there, so it is not said again"
    assert (await workshop.job(job.id)).status is Status.DELIVERED


# --- rows that came out of a backup ---------------------------------------------------------------


async def _restored(workshop: Workshop) -> Job:
    """A job that was made before its rows came out of a backup, and its result is due."""
    job = await workshop.made(order())
    workshop.posting.restored = {job.id: job.created_at - 7}
    return job


async def test_a_result_that_a_backup_does_not_know_of_is_found_and_not_said_again(
    workshop: Workshop,
) -> None:
    job = await _restored(workshop)
    workshop.chat.history["result"] = ("m7", "hall")
    await workshop.speak()
    assert workshop.chat.said == []
    assert (await workshop.job(job.id)).status is Status.DELIVERED
    assert workshop.chat.searched_since["result"] == job.created_at - 7


async def test_one_that_is_not_there_is_said(workshop: Workshop) -> None:
    job = await _restored(workshop)
    await workshop.speak()
    assert said(workshop) == [("result.ready", True, False)]
    assert (await workshop.job(job.id)).status is Status.DELIVERED


async def test_where_nobody_can_see_whether_it_stands_it_is_kept(workshop: Workshop) -> None:
    """Telegram shows a bot no history."""
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


async def test_what_is_ordered_after_a_restore_is_said_as_ever(workshop: Workshop) -> None:
    await _restored(workshop)
    workshop.chat.is_readable = False
    await workshop.made(order())
    await workshop.speak()
    assert said(workshop) == [("result.ready", True, False)]


async def test_a_nonce_that_is_forgotten_holds_up_nothing_where_nobody_can_see(
    workshop: Workshop,
) -> None:
    """Only a backup is in doubt for good: else the end of a send is known sooner or later."""
    workshop.chat.is_readable = False
    workshop.chat.sends = [Temporary("no_answer", retry_after=NONCE_WINDOW + 1), None]
    job = await workshop.made(order())
    await workshop.speak(2 * NONCE_WINDOW)
    assert len(workshop.chat.said) == 2
    assert (await workshop.job(job.id)).status is Status.DELIVERED


async def test_a_file_that_is_refused_becomes_a_link(workshop: Workshop) -> None:
    workshop.link = LINK
    workshop.chat.sends = [FileTooLarge(), None]
    await workshop.made(order())
    await workshop.speak()
    assert said(workshop) == [("result.ready", True, False), ("result.ready", False, False)]
    assert workshop.chat.said[-1][1].link == LINK.url


async def test_without_a_public_address_the_plain_sentence_is_said_and_the_file_kept(
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
async def test_a_channel_that_refuses_is_followed_by_the_persons_own_messages(
    workshop: Workshop,
) -> None:
    workshop.chat.sends = [Forbidden(), None]
    job = await workshop.made(order())
    await workshop.speak()
    assert said(workshop) == [("result.ready", True, False), ("result.ready", True, True)]
    assert (await workshop.job(job.id)).status is Status.DELIVERED


async def test_where_nobody_can_be_reached_the_result_is_kept_and_listed(
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


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> int:
    """So many tries are the most, in place of a day of them."""
    monkeypatch.setattr("bot.core.posting.MOST_TRIES", 20)
    return 20


@pytest.mark.proof
async def test_silence_for_ever_ends_in_a_kept_result(workshop: Workshop, few: int) -> None:
    workshop.chat.sends = [SILENCE]
    job = await workshop.made(order())
    await workshop.speak(90 * 86_400.0)
    assert (await workshop.job(job.id)).reason is Reason.UNDELIVERABLE
    assert len(workshop.chat.said) == few


async def test_a_failure_is_said_once_with_its_reason(workshop: Workshop) -> None:
    workshop.gateway.polls = [Failed(Reason.MODERATED, "policy")]
    await workshop.made(order())
    await workshop.speak()
    assert said(workshop) == [("failure.moderated", False, False)]
    reply: Reply = workshop.chat.said[0][1]
    assert [fact.id for fact in reply.facts] == ["fact.not_counted"]
    assert reply.ping == "ann"


async def test_what_failed_before_its_card_began_is_said_in_one_message(workshop: Workshop) -> None:
    workshop.without_answers()
    workshop.gateway.polls = [Failed(Reason.MODERATED, "policy")]
    await workshop.submit(order())
    await workshop.work(60)
    await workshop.speak(60)
    assert said(workshop) == [("failure.moderated", False, False)]


async def test_a_card_that_the_command_could_not_answer_with_is_posted_by_its_row(
    workshop: Workshop,
) -> None:
    workshop.gateway.polls = [Running()]
    job = await workshop.submit(order())
    await workshop.speak(CARD_GRACE - 1)
    assert said(workshop) == []
    await workshop.speak(2)
    assert said(workshop) == [("card.queued", False, False)]
    card = await workshop.posts.get(job.id, "card")
    assert card is not None
    assert card.message_id == "m1"


async def test_a_card_that_stands_unknown_to_us_is_found_and_brought_up_to_date(
    workshop: Workshop,
) -> None:
    workshop.chat.history["card"] = ("m7", "hall")
    await workshop.submit(order())
    await workshop.speak(CARD_GRACE + 1)
    assert said(workshop) == []
    assert [reply.text.id for reply in workshop.chat.edited] == ["card.queued"]


async def test_a_job_withdrawn_before_its_card_stood_says_nothing(workshop: Workshop) -> None:
    job = await workshop.submit(order())
    await workshop.service.unanswered(job)
    await workshop.speak()
    assert said(workshop) == []
    withdrawn = await workshop.job(job.id)
    assert (withdrawn.status, withdrawn.reason) == (Status.CANCELLED, Reason.UNANSWERED)


@pytest.mark.parametrize("sends", [[None], [Forbidden()]], ids=["said", "undeliverable"])
async def test_who_draws_cards_is_woken_when_a_result_has_had_its_end(
    workshop: Workshop, sends: list[BotError | None]
) -> None:
    workshop.chat.sends = sends
    await workshop.made(order())
    async with asyncio.timeout(1):
        await workshop.wake_posts.heard()
        await workshop.speak(0.1)
        await workshop.wake_posts.heard()


async def test_a_change_while_the_card_is_being_made_ready_is_not_forgotten(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gateway takes the job after its card was drawn and before it is sent."""
    workshop.without_answers()
    workshop.gateway.polls = [Running()]
    sending = workshop.posts.sending

    async def meanwhile(post: Post, form: Form, *, now: float) -> Post | None:
        await workshop.work(0.1)
        return await sending(post, form, now=now)

    monkeypatch.setattr(workshop.posts, "sending", meanwhile)
    await workshop.submit(order())
    await workshop.speak(1)
    assert said(workshop) == [("card.queued", False, False)]
    await workshop.speak(EDIT_PACE + 1)
    assert [reply.text.id for reply in workshop.chat.edited] == ["card.in_progress"]


@pytest.mark.parametrize("trouble", [RuntimeError("bug"), asyncio.CancelledError()])
async def test_a_claim_does_not_outlast_a_send_that_ended_oddly(
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


async def test_what_stands_is_written_down_however_long_the_database_is_away(
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
async def test_a_send_that_never_ends_is_ended_before_its_claim(
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


async def test_where_commands_have_no_answer_the_card_is_posted_at_once(
    workshop: Workshop,
) -> None:
    workshop.without_answers()
    await workshop.submit(order())
    await workshop.speak(0.1)
    assert said(workshop) == [("card.queued", False, False)]


async def test_what_nobody_can_be_told_of_is_withdrawn_and_counts_for_nobody(
    workshop: Workshop,
) -> None:
    workshop.without_answers()
    workshop.chat.sends = [Forbidden()]
    job = await workshop.submit(order())
    await workshop.speak(60)
    withdrawn = await workshop.job(job.id)
    assert (withdrawn.status, withdrawn.reason) == (Status.CANCELLED, Reason.UNANSWERED)
    assert (withdrawn.quota_cost, withdrawn.spend_cost) == (0, 0)


async def test_a_refused_card_withdraws_nothing_that_a_gateway_may_have(
    workshop: Workshop,
) -> None:
    workshop.without_answers()
    workshop.gateway.polls = [Running()]
    workshop.chat.sends = [Forbidden()]
    job = await workshop.submit(order())
    await workshop.work(1)
    await workshop.speak(60)
    assert (await workshop.job(job.id)).status is Status.IN_PROGRESS


async def test_where_the_command_was_answered_a_refused_card_withdraws_nothing(
    workshop: Workshop,
) -> None:
    workshop.chat.sends = [Forbidden()]
    job = await workshop.submit(order())
    await workshop.speak(60)
    assert (await workshop.job(job.id)).status is Status.QUEUED


@pytest.mark.proof
async def test_to_be_told_to_wait_is_no_failed_try(workshop: Workshop, few: int) -> None:
    wait = Temporary("chat_busy", retry_after=3.0, unsent=True)
    workshop.chat.sends = [*([wait] * (2 * few)), None]
    job = await workshop.made(order())
    begun = workshop.clock.time
    await workshop.speak(6 * few + 1)
    assert (await workshop.job(job.id)).delivered_at == begun + 6 * few


@pytest.mark.proof
async def test_a_network_that_is_away_costs_no_try_and_is_back_within_seconds(
    workshop: Workshop, few: int
) -> None:
    away = Temporary("chat_unreachable", away=True)
    workshop.chat.sends = [*([away] * (2 * few)), None]
    job = await workshop.made(order())
    begun = workshop.clock.time
    await workshop.speak(2 * few * AWAY + 1)
    assert (await workshop.job(job.id)).delivered_at == begun + 2 * few * AWAY


async def test_a_deleted_card_is_let_go_and_the_result_still_comes(workshop: Workshop) -> None:
    workshop.chat.edits = [MessageGone()]
    job = await workshop.made(order())
    await workshop.speak()
    assert (await workshop.job(job.id)).status is Status.DELIVERED


async def test_a_change_during_an_edit_is_not_forgotten(workshop: Workshop) -> None:
    workshop.gateway.polls = [Running()]
    job = await workshop.submit(order())
    await workshop.posts.posted(job, "card", "hall")
    await workshop.work(EDIT_PACE)
    now = workshop.clock.time
    (post,) = await workshop.posts.claim(["chat"], now=now, until=now + 60, most=1)
    workshop.clock.time += 1
    await workshop.service.silence(job.id, Actor(person=ANN))
    await workshop.posting.take(replace(post))
    workshop.chat.edited.clear()
    await workshop.speak(60)
    assert [reply.text.id for reply in workshop.chat.edited] == ["card.in_progress_silent"]


@pytest.mark.parametrize("trouble", [FileMissing(), StorageAway()])
async def test_trouble_with_our_own_file_is_tried_again_and_never_said_otherwise(
    workshop: Workshop, trouble: Broken | Temporary
) -> None:
    workshop.chat.sends = [trouble, None]
    job = await workshop.made(order())
    await workshop.speak()
    assert (await workshop.job(job.id)).status is Status.DELIVERED


async def test_a_shrunk_video_stays_a_file_after_silence(workshop: Workshop) -> None:
    workshop.chat.limit = 1
    workshop.studio.shrinks = True
    workshop.chat.sends = [SILENCE, None]
    await workshop.made(order())
    await workshop.speak()
    assert said(workshop) == [("result.ready", True, False)] * 2
    assert len({nonce for nonce, _, _ in workshop.chat.said}) == 1


@pytest.mark.proof
async def test_a_video_that_waits_to_be_shrunk_has_not_been_tried(workshop: Workshop) -> None:
    workshop.chat.limit = 1
    workshop.studio.shrinks = True
    workshop.studio.shrinking = [Temporary("shrinking", retry_after=20.0, unsent=True)] * 60
    job = await workshop.made(order())
    await workshop.speak()
    assert (await workshop.job(job.id)).status is Status.DELIVERED
    assert said(workshop) == [("result.ready", True, False)]


async def test_files_that_stay_too_large_come_to_an_end_in_words(workshop: Workshop) -> None:
    """A server that refuses every size is not sent one file after another for ever."""
    workshop.chat.limit = 1
    workshop.studio.shrinks = True
    workshop.chat.sends = [FileTooLarge()] * MOST_FILES + [None]
    await workshop.made(order())
    await workshop.speak()
    files = [("result.ready", True, False)] * MOST_FILES
    assert said(workshop) == [*files, ("result.too_large", False, False)]


async def test_a_limit_learned_in_between_does_not_change_a_send_with_an_unknown_end(
    workshop: Workshop,
) -> None:
    workshop.link = LINK
    workshop.chat.sends = [SILENCE, None]
    await workshop.made(order())
    await workshop.speak(0.5)
    workshop.chat.limit = 1
    await workshop.speak()
    assert said(workshop) == [("result.ready", True, False)] * 2


async def test_where_files_are_forbidden_and_no_link_can_be_given_it_goes_to_the_person(
    workshop: Workshop,
) -> None:
    workshop.chat.sends = [FilesForbidden(), FilesForbidden(), None]
    await workshop.made(order())
    await workshop.speak()
    assert said(workshop) == [
        ("result.ready", True, False),
        ("result.ready", True, True),
        ("result.not_attachable", False, True),
    ]


async def test_a_failure_whose_job_turned_up_is_not_said(workshop: Workshop) -> None:
    workshop.gateway.creations = [Uncertain("reset")]
    job = await workshop.made(order())
    await workshop.jobs.accept(job.id, "v1", now=workshop.clock.time, due_at=workshop.clock.time)
    await workshop.speak()
    assert said(workshop) == []


async def test_a_job_that_turned_up_and_failed_then_says_so(workshop: Workshop) -> None:
    workshop.gateway.creations = [Uncertain("reset")]
    job = await workshop.made(order())
    await workshop.speak(60)
    workshop.gateway.polls = [Failed(Reason.MODERATED, "policy")]
    await workshop.jobs.accept(job.id, "v1", now=workshop.clock.time, due_at=workshop.clock.time)
    await workshop.work(60)
    await workshop.speak(60)
    assert said(workshop) == [("failure.unconfirmed", False, False)]
    assert "failure.moderated" in [reply.text.id for reply in workshop.chat.edited]


@pytest.mark.proof
async def test_a_card_whose_time_has_passed_promises_no_other(workshop: Workshop) -> None:
    workshop.gateway.polls = [Running()]
    await workshop.made(order())
    await workshop.speak(120)
    facts = [fact.id for fact in workshop.chat.edited[-1].facts]
    assert "fact.ready" not in facts
    await workshop.speak(3600)
    assert "fact.late" in [fact.id for fact in workshop.chat.edited[-1].facts]


async def watched(workshop: Workshop, seconds: int) -> Job:
    """A job whose card stands, over so many seconds in which both loops go on."""
    job = await workshop.submit(order())
    await workshop.posts.posted(job, "card", "hall")
    for _ in range(seconds // 6):
        await workshop.work(3)
        await workshop.speak(3)
    return await workshop.job(job.id)


def promises(reply: Reply) -> bool:
    return any(fact.id in ("fact.ready", "fact.soon") for fact in reply.facts)


@pytest.mark.proof
@pytest.mark.parametrize("progress", [0, 50, 99, 100])
async def test_progress_that_stands_still_edits_no_card(workshop: Workshop, progress: int) -> None:
    """Else "ready in a second" goes on for ever, one edit every other second."""
    workshop.gateway.polls = [Running(progress)]
    assert (await watched(workshop, TIME)).status is Status.IN_PROGRESS
    said = [(reply.progress, promises(reply)) for reply in workshop.chat.edited]
    shown = min(progress, 99)
    assert said[-1] == (shown, False)
    assert set(said[:-1]) <= {(0, True), (shown, True)}
    assert len(said) <= 4


@pytest.mark.proof
async def test_a_time_that_has_passed_is_not_followed_by_another(workshop: Workshop) -> None:
    """However fast it gets on then: what was untrue once is not said again."""
    workshop.gateway.polls = [Running(each) for each in range(10, 99, 2)]
    await watched(workshop, TIME)
    promised = [promises(reply) for reply in workshop.chat.edited]
    assert promised == sorted(promised, reverse=True)
    assert not promised[-1]


@pytest.mark.proof
async def test_a_card_that_waits_for_its_turn_is_not_edited_meanwhile(workshop: Workshop) -> None:
    workshop.gateway.creations = [Busy(60.0)]
    assert (await watched(workshop, TIME)).status is Status.QUEUED
    assert {reply.text.id for reply in workshop.chat.edited} == {"card.waiting_for_gateway"}
    assert not any(promises(reply) for reply in workshop.chat.edited)
    assert len(workshop.chat.edited) == workshop.gateway.posts


async def test_a_card_says_that_its_video_went_to_its_person_alone(workshop: Workshop) -> None:
    workshop.chat.sends = [FilesForbidden(), FilesForbidden(), None]
    await workshop.made(order())
    await workshop.speak(60)
    assert workshop.chat.edited[-1].text.id == "card.delivered_direct"


@pytest.mark.proof
async def test_a_running_card_never_names_a_time_that_may_have_passed(workshop: Workshop) -> None:
    """Apps count the time down by themselves: it would say that it was ready a second ago."""
    workshop.gateway.polls = [Running()]
    await workshop.made(order())
    timing = []
    for _ in range(150):
        await workshop.speak(1)
        facts = workshop.chat.edited[-1].facts if workshop.chat.edited else ()
        timing += [each for each in facts if each.id in ("fact.ready", "fact.soon")]
        for each in timing[-1:]:
            at = each.values.get("at")
            assert at is None or float(str(at)) > workshop.clock.time, each
    assert {each.id for each in timing} == {"fact.ready", "fact.soon"}


@pytest.mark.parametrize(
    ("ordered_at", "cost"), [({"720p": 100_000}, ["0.40 USD"]), ({}, [])], ids=["priced", "free"]
)
async def test_a_card_keeps_the_price_at_which_it_was_ordered(
    workshop: Workshop, ordered_at: dict[str, int], cost: list[str]
) -> None:
    _price(workshop, ordered_at)
    job = await workshop.submit(order())
    _price(workshop, {"720p": 900_000})
    assert await _costs(workshop, job) == cost


async def test_a_card_names_no_price_of_what_is_not_paid(workshop: Workshop) -> None:
    _price(workshop, {"720p": 100_000})
    job = await workshop.submit(order())
    over = await workshop.service.cancel(job.id, Actor(person=ANN))
    assert await _costs(workshop, over) == []


async def test_of_a_length_that_the_model_chooses_the_card_tells_the_most(
    workshop: Workshop,
) -> None:
    _price(workshop, {"720p": 100_000}, auto=True)
    job = await workshop.submit(order(seconds=AUTO))
    facts = (await workshop.cards.card(job)).facts
    assert Text(id="fact.cost_most", values={"cost": "0.80 USD"}) in facts


def _price(workshop: Workshop, prices: dict[str, int], *, auto: bool = False) -> None:
    catalog = Catalog(models=(replace(SORA, prices=prices, auto=auto),))
    workshop.own["chat", "club"] = Terms(catalog=catalog, limits=FREE)


async def _costs(workshop: Workshop, job: Job) -> list[object]:
    facts = (await workshop.cards.card(job)).facts
    return [fact.values["cost"] for fact in facts if fact.id == "fact.cost"]


@pytest.mark.proof
async def test_a_video_that_was_kept_for_its_time_is_neither_posted_nor_removed(
    workshop: Workshop,
) -> None:
    job = await workshop.made(order())
    gone = replace(job, video=None, video_gone_at=workshop.clock.time)
    assert await workshop.jobs.save(job, gone, now=workshop.clock.time) is not None
    said = len(workshop.chat.said)
    await workshop.speak()
    assert (len(workshop.chat.said), workshop.chat.removed) == (said, [])
    post = await workshop.posts.get(job.id, PostKind.RESULT)
    assert post is not None
    assert post.due_at is None


# --- results for one person alone -----------------------------------------------------------------


async def privately(workshop: Workshop) -> None:
    await workshop.preferences.put("chat", "ann", Preferences(private=True))


async def test_a_private_result_goes_to_its_person_at_once_and_the_card_says_so(
    workshop: Workshop,
) -> None:
    await privately(workshop)
    await workshop.made(order())
    await workshop.speak(60)
    assert said(workshop) == [("result.ready", True, True)]
    assert workshop.chat.edited[-1].text.id == "card.delivered_private"


async def test_a_private_failure_goes_to_its_person_too(workshop: Workshop) -> None:
    await privately(workshop)
    workshop.gateway.polls = [Failed(Reason.MODERATED, "policy")]
    await workshop.made(order())
    await workshop.speak(60)
    assert [direct for _, _, direct in said(workshop)] == [True]
    assert workshop.chat.edited[-1].text.id == "card.failed"


@pytest.mark.parametrize(
    "refusals",
    [
        [Refused("person_unreachable")],
        [FileTooLarge(), Refused("person_unreachable")],
        [FilesForbidden(), Refused("person_unreachable")],
        [Forbidden()],
    ],
)
async def test_a_private_result_that_its_person_does_not_take_is_kept_and_never_posted(
    workshop: Workshop, refusals: list[BotError | None]
) -> None:
    await privately(workshop)
    workshop.chat.sends = [*refusals]
    job = await workshop.made(order())
    await workshop.speak(3600)
    assert {direct for _, _, direct in said(workshop)} == {True}
    assert workshop.chat.edited[-1].text.id == "card.undeliverable_private"
    kept = await workshop.job(job.id)
    assert (kept.reason, kept.video is not None) == (Reason.UNDELIVERABLE, True)


async def test_where_a_failure_is_told_in_private_the_channel_still_gets_a_card(
    workshop: Workshop,
) -> None:
    """Without an answer to its command nobody there would learn that it is over."""
    await privately(workshop)
    workshop.without_answers()
    workshop.gateway.polls = [Failed(Reason.MODERATED, "policy")]
    await workshop.submit(order())
    await workshop.work(60)
    await workshop.speak(60)
    assert sorted(said(workshop)) == [
        ("card.failed", False, False),
        ("failure.moderated", False, True),
    ]


async def test_in_a_private_chat_there_is_nothing_to_hide(workshop: Workshop) -> None:
    await privately(workshop)
    alone = order(address=replace(HALL, community=None))
    job = await workshop.made(alone)
    await workshop.speak()
    assert not job.private
    assert said(workshop) == [("result.ready", True, False)]


async def test_others_can_not_go_on_from_a_private_result(workshop: Workshop) -> None:
    await privately(workshop)
    job = await workshop.made(order())
    await workshop.speak(60)
    call = Call(event_id="e9", address=HALL, person=BOB, locale="en")
    with pytest.raises(Refused, match="not_yours"):
        await workshop.service.again(job.id, Action.REMIX, call, prompt="a dog")
