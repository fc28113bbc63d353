"""Refusals, by us or by Telegram, and how their person learns of them."""

from copy import deepcopy

import pytest

from bot.core.updates import Update
from bot.platforms.telegram.intake import DONE, MOST_ANSWERS, UNSAID
from tests.fakes.telegram import Message, bad_request
from tests.unit.platforms.telegram.conftest import Lobby


def signs(lobby: Lobby, said: Message) -> tuple[str, ...]:
    """The bot's reactions to a message."""
    return said.chat.messages[said.id].reactions.get(lobby.fake.bot, ())


async def test_a_draft_that_telegram_refuses_is_answered_in_words(lobby: Lobby) -> None:
    lobby.fake.faults.add("sendMessage", bad_request("BUTTON_DATA_INVALID"))
    said = await lobby.ann.says("a cat")
    await lobby.hear(said)
    assert lobby.answer(said).text.startswith("This chat did not accept my answer")


async def test_a_menu_whose_message_is_gone_says_so(lobby: Lobby) -> None:
    said = await lobby.ann.says("a cat")
    await lobby.hear(said)
    lobby.fake.faults.add("editMessageText", bad_request("MESSAGE_ID_INVALID"))
    pressed = await lobby.ann.presses(lobby.answer(said), "Length")
    await lobby.hear(pressed)
    assert [each.text for each in pressed.answers] == [
        "That message is gone, or too old for me to change."
    ]


@pytest.mark.parametrize("wish", ["a cat --seconds 99", "a cat --speed 3", ""])
async def test_a_refusal_for_which_a_group_has_no_room_gets_a_sign(lobby: Lobby, wish: str) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    for _ in range(MOST_ANSWERS):
        await lobby.hear(await lobby.ann.says("/help@zoetrope_bot", chat=club))
    said = await lobby.ann.says(f"/video@zoetrope_bot {wish}".strip(), chat=club)
    await lobby.hear(said)
    assert len(lobby.fake.posts(club)) == MOST_ANSWERS
    assert signs(lobby, said) == (UNSAID,)


async def test_what_was_done_in_silence_gets_another_sign(lobby: Lobby) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    await lobby.ordered(chat=club)
    for _ in range(MOST_ANSWERS):
        await lobby.hear(await lobby.ann.says("/help@zoetrope_bot", chat=club))
    said = await lobby.ann.says("/cancel@zoetrope_bot", chat=club)
    await lobby.hear(said)
    assert signs(lobby, said) == (DONE,)


async def test_where_the_bot_may_not_write_it_gives_a_sign(lobby: Lobby) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    lobby.fake.faults.add("sendMessage", bad_request("have no rights to send a message"))
    said = await lobby.ann.says("/video@zoetrope_bot a cat --speed 3", chat=club)
    await lobby.hear(said)
    assert signs(lobby, said) == (UNSAID,)


@pytest.mark.parametrize("text", ["/video a cat", "/video", "/animate", "/cancel", "/models"])
async def test_in_the_direct_messages_of_a_channel_nothing_is_ordered(
    lobby: Lobby, text: str
) -> None:
    """A video would be paid for and reach nobody: there every message has to name its topic."""
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


async def test_who_sends_what_moves_is_not_told_that_it_works(lobby: Lobby) -> None:
    """Telegram makes a video of a GIF: it is told apart from a picture that can't be read."""
    for sent in (
        await lobby.ann.sends_animation(b"video", caption="/animate wave"),
        await lobby.ann.sends_video(b"video", caption="/animate wave"),
        await lobby.ann.sends_sticker(b"video", kind="animated"),
    ):
        await lobby.hear(sent)
        assert lobby.answer(sent).text.startswith("That picture already moves")


@pytest.mark.parametrize("text", ["/animate wave", "/video wave", "/video"])
async def test_a_hidden_picture_is_hinted_at_and_no_video_of_words_alone(
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
