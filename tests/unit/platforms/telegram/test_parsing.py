"""Parts of updates that our types can't read yet: they are left out, and the person is always
answered.
"""

from copy import deepcopy
from typing import Any

import pytest
from aiogram.types import MessageOriginHiddenUser

from bot.core.updates import Update
from bot.platforms.telegram.parsing import parsed
from tests.e2e.world import png
from tests.fakes.telegram import Message
from tests.unit.platforms.telegram.conftest import Lobby

UNREADABLE = "I can't read all of that message yet, so I have done nothing."
NEW = {"type": "guild", "date": 1, "guild": {"id": 1}}
HOLOGRAM = {"star_count": 1, "paid_media": [{"type": "hologram"}]}


async def hear(lobby: Lobby, subject: object, kind: str = "message", **more: Any) -> None:
    """Handle the update about `subject`, with these parts added."""
    value = lobby.fake.updates.of(subject)
    data = deepcopy(value.json)
    data[kind] |= more
    now = lobby.clock.now()
    await lobby.commands.handle(Update(id=value.id, lane="", data=data, received_at=now))


def said(lobby: Lobby, asked: Message) -> list[str]:
    return [each.text for each in lobby.fake.posts(asked.chat)]


@pytest.mark.parametrize(
    "part",
    [
        {"reply_markup": {"inline_keyboard": "none"}},
        {"link_preview_options": {"is_disabled": "perhaps"}},
        {"effect_id": {"new": "shape"}},
        {"suggested_post_info": {"state": 7}},
        {"entities": [{"type": "bot_command", "offset": 0, "length": 6, "user": {"id": "x"}}]},
    ],
)
async def test_an_unreadable_part_of_an_update_that_does_not_matter_is_left_out(
    lobby: Lobby, part: dict[str, Any]
) -> None:
    await hear(lobby, await lobby.ann.says("/video a cat"), **part)
    (job,) = await lobby.jobs()
    assert job.order.wish.prompt == "a cat"


@pytest.mark.parametrize(
    "part",
    [
        {"paid_media": HOLOGRAM},
        {"photo": [{"file_id": "x"}]},
        {"document": {"file_id": 5}},
        {"reply_to_message": {"message_id": 4}},
        {"external_reply": {"origin": {"type": "user", "date": 1}, "photo": "x"}},
        {"entities": "bold"},
        {"date": "yesterday and"},
    ],
)
async def test_an_update_whose_content_cannot_be_read_whole_orders_nothing(
    lobby: Lobby, part: dict[str, Any]
) -> None:
    asked = await lobby.ann.says("/video a cat")
    await hear(lobby, asked, **part)
    assert await lobby.jobs() == []
    if "date" not in part:  # without a date there is no message to answer
        assert said(lobby, asked) == [f"{UNREADABLE} Please send plain text or a picture."]


async def test_a_forward_of_an_unknown_kind_counts_as_a_forward(lobby: Lobby) -> None:
    """If not, somebody else's command would be an order, and somebody else's picture the person's
    own.
    """
    asked = await lobby.ann.says("/video a cat")
    await hear(lobby, asked, forward_origin=NEW)
    assert await lobby.jobs() == []
    photo = await lobby.ann.sends_photo(png("red"), caption="wave")
    await hear(lobby, photo, forward_origin=NEW)
    assert "I can't tell whose picture that is" in lobby.answer(photo).text
    heard = parsed(
        {"update_id": 1, **_body(lobby, photo, forward_origin=NEW)}, lobby.platform.line.bot
    )
    assert heard is not None
    assert heard.value.message is not None
    assert isinstance(heard.value.message.forward_origin, MessageOriginHiddenUser)


def _body(lobby: Lobby, asked: Message, **more: Any) -> dict[str, Any]:
    return {"message": lobby.fake.updates.of(asked).json["message"] | more}


async def test_an_unreadable_message_in_a_group_is_answered_only_if_it_addresses_the_bot(
    lobby: Lobby,
) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    await lobby.ann.adds_bot(club, as_admin=True)
    chat = await lobby.ann.says("good morning", chat=club)
    await hear(lobby, chat, paid_media=HOLOGRAM)
    assert said(lobby, chat) == []
    asked = await lobby.ann.says("/video@zoetrope_bot a cat", chat=club)
    await hear(lobby, asked, paid_media=HOLOGRAM)
    assert said(lobby, asked) != []


async def test_a_button_under_a_message_that_cannot_be_read_works(lobby: Lobby) -> None:
    asked = await lobby.ann.says("a cat")
    await lobby.hear(asked)
    pressed = await lobby.ann.presses(lobby.answer(asked), "Go")
    message = lobby.fake.updates.of(pressed).json["callback_query"]["message"]
    await hear(lobby, pressed, "callback_query", message=message | {"paid_media": HOLOGRAM})
    assert len(await lobby.jobs()) == 1


async def test_a_press_that_cannot_be_read_is_answered(lobby: Lobby) -> None:
    asked = await lobby.ann.says("a cat")
    await lobby.hear(asked)
    pressed = await lobby.ann.presses(lobby.answer(asked), "Go")
    await hear(lobby, pressed, "callback_query", message={"chat": 5})
    assert [each.text for each in pressed.answers] == [
        "I don't know that button any more. Please order again; /history shows your videos."
    ]


async def test_a_message_of_formatted_text_is_answered_as_unreadable(lobby: Lobby) -> None:
    asked = await lobby.ann.says("x")
    body = _body(lobby, asked)["message"]
    del body["text"]
    rich = {"blocks": [{"type": "paragraph", "text": {"type": "plain", "text": "a cat"}}]}
    data = {"update_id": 1, "message": body | {"rich_message": rich}}
    now = lobby.clock.now()
    await lobby.commands.handle(Update(id=1, lane="", data=data, received_at=now))
    assert said(lobby, asked) == [f"{UNREADABLE} Please send plain text or a picture."]
