"""Refusals, by us or by Telegram, and how they are told to the person."""

from copy import deepcopy

import pytest

from bot.core.updates import Update
from bot.platforms.telegram.intake import DONE, MOST_ANSWERS, UNSAID
from tests.fakes.telegram import Message, bad_request
from tests.unit.platforms.telegram.conftest import Lobby


def signs(lobby: Lobby, said: Message) -> tuple[str, ...]:
    """Return the bot's reactions to a message."""
    return said.chat.messages[said.id].reactions.get(lobby.fake.bot, ())


async def test_a_proposal_that_telegram_refuses_is_answered_with_a_sentence(lobby: Lobby) -> None:
    lobby.fake.faults.add("sendMessage", bad_request("BUTTON_DATA_INVALID"))
    said = await lobby.ann.says("a cat")
    await lobby.hear(said)
    assert lobby.answer(said).text.startswith("This chat did not accept my answer")


async def test_a_menu_whose_message_is_gone_says_so_in_an_alert(lobby: Lobby) -> None:
    said = await lobby.ann.says("a cat")
    await lobby.hear(said)
    lobby.fake.faults.add("editMessageText", bad_request("MESSAGE_ID_INVALID"))
    pressed = await lobby.ann.presses(lobby.answer(said), "Length")
    await lobby.hear(pressed)
    assert [each.text for each in pressed.answers] == [
        "That message is gone, or too old for me to change."
    ]


@pytest.mark.parametrize("wish", ["a cat --seconds 99", "a cat --speed 3", ""])
async def test_a_refusal_beyond_the_limit_of_answers_in_a_group_gets_a_reaction(
    lobby: Lobby, wish: str
) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    for _ in range(MOST_ANSWERS):
        await lobby.hear(await lobby.ann.says("/help@zoetrope_bot", chat=club))
    said = await lobby.ann.says(f"/video@zoetrope_bot {wish}".strip(), chat=club)
    await lobby.hear(said)
    assert len(lobby.fake.posts(club)) == MOST_ANSWERS
    assert signs(lobby, said) == (UNSAID,)


async def test_a_cancel_beyond_the_limit_of_answers_in_a_group_gets_the_done_reaction(
    lobby: Lobby,
) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    await lobby.ordered(chat=club)
    for _ in range(MOST_ANSWERS):
        await lobby.hear(await lobby.ann.says("/help@zoetrope_bot", chat=club))
    said = await lobby.ann.says("/cancel@zoetrope_bot", chat=club)
    await lobby.hear(said)
    assert signs(lobby, said) == (DONE,)


async def test_a_refusal_in_a_group_where_the_bot_may_not_write_gets_a_reaction(
    lobby: Lobby,
) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    lobby.fake.faults.add("sendMessage", bad_request("have no rights to send a message"))
    said = await lobby.ann.says("/video@zoetrope_bot a cat --speed 3", chat=club)
    await lobby.hear(said)
    assert signs(lobby, said) == (UNSAID,)


@pytest.mark.parametrize("text", ["/video a cat", "/video", "/animate", "/cancel", "/models"])
async def test_in_the_direct_messages_of_a_channel_no_order_is_taken(
    lobby: Lobby, text: str
) -> None:
    """The video would be paid for and reach nobody, because every message there must name its
    topic.
    """
    desk = lobby.fake.supergroup("news", lobby.ann)
    desk.is_direct_messages = True
    command, _, rest = text.partition(" ")
    said = await lobby.ann.says(f"{command}@zoetrope_bot {rest}".strip(), chat=desk)
    await lobby.hear(said)
    assert await lobby.jobs() == []
    assert lobby.answer(said).text
    if text == "/video a cat":
        assert "Please write to me in private" in lobby.answer(said).text
    (call,) = lobby.fake.calls_of("sendMessage")
    assert call.integer("direct_messages_topic_id") == lobby.ann.id


async def test_animate_on_a_video_or_animated_sticker_says_that_it_moves_already(
    lobby: Lobby,
) -> None:
    """Telegram makes a video of a GIF, so the answer is not that the picture can't be read."""
    for sent in (
        await lobby.ann.sends_animation(b"video", caption="/animate wave"),
        await lobby.ann.sends_video(b"video", caption="/animate wave"),
        await lobby.ann.sends_sticker(b"video", kind="animated"),
    ):
        await lobby.hear(sent)
        assert lobby.answer(sent).text.startswith("That picture already moves")


@pytest.mark.parametrize("text", ["/animate wave", "/video wave", "/video"])
async def test_an_order_in_reply_to_a_hidden_picture_is_refused_with_a_hint(
    lobby: Lobby, text: str
) -> None:
    said = await lobby.ann.says(text)
    data = deepcopy(lobby.fake.updates.of(said).json)
    who = {"id": 99, "is_bot": False, "first_name": "Bob"}
    bare = {"message_id": 3, "date": 1, "chat": data["message"]["chat"], "from": who}
    data["message"]["reply_to_message"] = bare
    now = lobby.clock.now()
    await lobby.commands.handle(Update(id=1, lane="", data=data, received_at=now))
    assert await lobby.jobs() == []
    assert lobby.answer(said).text.startswith("I can't see a picture.")
