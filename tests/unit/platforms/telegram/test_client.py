"""Telegram's answers and their effect: the real aiogram against the fake Bot API."""

from dataclasses import replace

import pytest

from bot.core import replies
from bot.core.errors import Broken, Refused, Temporary
from bot.core.platforms import DirectMessage
from bot.core.posts import Post, PostKind
from bot.core.replies import Reply, Text
from bot.platforms.telegram.line import SHOWN
from tests.fakes.telegram import (
    Fault,
    accepted,
    bad_gateway,
    bad_request,
    blocked,
    conflict,
    deactivated,
    flood,
    garbled,
    internal,
    kicked,
    reset,
    too_large,
    unauthorized,
)
from tests.unit.core.orders import changed
from tests.unit.platforms.telegram.house import House


@pytest.mark.parametrize("direct", [True, False])
async def test_a_direct_message_is_no_reply_to_a_message_number_of_the_group(
    house: House, *, direct: bool
) -> None:
    club = house.fake.group("club", house.ann)
    chat = house.ann.private if direct else club
    said = await house.ann.says("x", chat=chat)
    about = house.job(club)
    asked = replace(about.order.call.address, message=str(said.id))
    about = replace(about, order=changed(about.order, address=asked))
    post = Post(id=1, job_id=about.id, kind=PostKind.FAILURE, due_at=None, direct=direct)
    await house.platform.send(post, about, replies.failure(about), video=None)
    (stands,) = house.fake.posts(chat)
    assert stands.reply_to == (None if direct else said.id)


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (blocked(), "forbidden"),
        (kicked(), "forbidden"),
        (deactivated(), "forbidden"),
        (bad_request("chat not found"), "forbidden"),
        (bad_request("not enough rights to send videos to the chat"), "files_forbidden"),
        (too_large(), "file_too_large"),
        (bad_request("something that nobody foresaw"), "message_refused"),
    ],
)
async def test_a_definite_refusal_by_telegram_raises_refused_with_an_error_code(
    house: House, fault: Fault, code: str
) -> None:
    house.fake.faults.add("sendVideo", fault)
    trouble = await house.trouble()
    assert isinstance(trouble, Refused)
    assert trouble.code == code
    assert house.posts() == []


@pytest.mark.parametrize(
    "fault",
    [internal(), bad_gateway(), reset(), garbled(), accepted(internal()), accepted(reset())],
)
async def test_a_send_without_a_clear_answer_has_an_unknown_outcome(
    house: House, fault: Fault
) -> None:
    house.fake.faults.add("sendVideo", fault)
    trouble = await house.trouble()
    assert isinstance(trouble, Temporary)
    assert not trouble.unsent


@pytest.mark.parametrize(("fault", "wait"), [(flood(7), 8.0), (conflict(), 30.0)])
async def test_an_answer_that_asks_to_wait_means_that_nothing_was_sent(
    house: House, fault: Fault, wait: float
) -> None:
    house.fake.faults.add("sendVideo", fault)
    trouble = await house.trouble()
    assert isinstance(trouble, Temporary)
    assert (trouble.unsent, trouble.retry_after) == (True, wait)


async def test_an_unreachable_telegram_server_means_that_nothing_was_sent(house: House) -> None:
    await house.fake.__aexit__(None, None, None)
    trouble = await house.trouble()
    assert isinstance(trouble, Temporary)
    assert trouble.unsent
    assert trouble.away, "no fault of the video's"


async def test_a_revoked_telegram_token_raises_telegram_token_bad(house: House) -> None:
    house.fake.faults.add("sendVideo", unauthorized())
    trouble = await house.trouble()
    assert isinstance(trouble, Broken)
    assert trouble.code == "telegram_token_bad"


async def test_a_notice_with_an_unknown_outcome_is_sent_again_on_telegram(house: House) -> None:
    words = Reply(text=Text(id="notice.works", values={"gateway": "main"}))
    message = DirectMessage(person_id=str(house.ann.id), reply=words, nonce="n1")
    house.fake.faults.add("sendMessage", reset())
    with pytest.raises(Temporary):
        await house.platform.tell(message)
    await house.platform.tell(message)
    assert {each.text for each in house.posts()} == {"“main” works again."}
    house.fake.faults.add("sendMessage", blocked())
    with pytest.raises(Refused, match="forbidden"):
        await house.platform.tell(message)


async def test_no_telegram_error_contains_the_token(house: House) -> None:
    for fault in (reset(), internal(), blocked(), garbled()):
        house.fake.faults.add("sendVideo", fault)
        trouble: BaseException | None = await house.trouble()
        assert trouble is not None
        assert not house.fake.leaks(repr(trouble) + str(trouble))
        assert trouble.__cause__ is None, "the foreign one holds it"
        assert trouble.__suppress_context__


@pytest.mark.proof
async def test_after_a_429_the_chat_gets_no_call_until_the_wait_is_over(house: House) -> None:
    house.fake.faults.add("sendVideo", flood(30))
    await house.trouble()
    with pytest.raises(Temporary):
        house.platform.line.pace.progress(house.ann.id)
    assert house.fake.faults.impatient == []


async def test_a_429_for_a_reaction_pauses_all_sending_to_the_chat(house: House) -> None:
    house.fake.faults.add("setMessageReaction", flood(30))
    await house.platform.line.react(house.ann.id, 1, "👀")
    trouble = await house.trouble()
    assert isinstance(trouble, Temporary)
    assert (trouble.unsent, trouble.retry_after) == (True, 31.0)
    assert house.fake.calls_of("sendVideo") == []


async def test_no_reaction_is_sent_to_a_paused_chat(house: House) -> None:
    house.platform.line.pace.pause(house.ann.id, 30.0)
    await house.platform.line.react(house.ann.id, 1, "👀")
    assert house.fake.calls_of("setMessageReaction") == []


async def test_during_a_pause_an_upload_sends_no_chat_action(house: House) -> None:
    line = house.platform.line
    async with line.uploading(house.ann.id, None):
        await house.clock.asleep()
        line.pace.pause(house.ann.id, 30.0)
        await house.clock.advance(SHOWN)
        await line.bot.get_me()
    assert len(house.fake.calls_of("sendChatAction")) == 1


# --- topics and replies ---------------------------------------------------------------------------


async def test_a_post_for_a_closed_topic_goes_to_the_general_topic(house: House) -> None:
    club = house.fake.supergroup("club", house.ann, is_forum=True)
    topic = house.fake.topic(club, "videos")
    topic.is_closed = True
    await house.send(house.job(club, topic=topic.id))
    (post,) = house.fake.posts(club)
    assert post.topic is None


async def test_a_group_that_became_a_supergroup_has_its_new_id_recorded(house: House) -> None:
    group = house.fake.group("club", house.ann)
    club = house.fake.migrate(group)
    trouble = await house.trouble(house.job(group))
    assert isinstance(trouble, Temporary)
    assert trouble.unsent
    assert house.rows.moves == [(str(group.id), str(club.id))]
