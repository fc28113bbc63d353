"""Telegram's objects in our words: commands, flags, pictures, places."""

from typing import Any

import pytest
from aiogram.types import Message

from bot.core.errors import Refused
from bot.core.orders import Address, Person, Picture
from bot.platforms.telegram import reading
from bot.platforms.telegram.reading import Command

ANN = {"id": 7, "is_bot": False, "first_name": "Ann", "last_name": "Lee", "language_code": "de"}
GROUP = {"id": -100, "type": "supergroup", "title": "Club"}
PRIVATE = {"id": 7, "type": "private", "first_name": "Ann"}


def message(text: str | None = None, **more: Any) -> Message:
    plain: dict[str, Any] = {"message_id": 5, "date": 1_768_478_400, "chat": GROUP, "from": ANN}
    if text is not None:
        plain["text"] = text
        if text.startswith("/"):
            length = len(text.split()[0].encode("utf-16-le")) // 2
            plain["entities"] = [{"type": "bot_command", "offset": 0, "length": length}]
    return Message.model_validate(plain | more)


# --- commands -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/video a cat", Command(name="video", rest="a cat")),
        ("/video@Zoe_bot  a cat", Command(name="video", rest="a cat")),
        ("/VIDEO 🐱 𝒂 cat", Command(name="video", rest="🐱 𝒂 cat")),
        ("/animate", Command(name="animate", rest="")),
        ("/video@another_bot a cat", None),
        ("say /video a cat", None),
        ("", None),
    ],
)
def test_a_command_opens_a_message_and_is_meant_for_us(text: str, command: Command | None) -> None:
    assert reading.command_of(message(text), own_name="zoe_bot") == command


def test_a_command_under_a_picture_counts() -> None:
    value = message(
        caption="/animate wave",
        caption_entities=[{"type": "bot_command", "offset": 0, "length": 8}],
    )
    assert reading.command_of(value, own_name="zoe_bot") == Command(name="animate", rest="wave")


def test_a_command_in_the_middle_is_a_word() -> None:
    value = message("do /video", entities=[{"type": "bot_command", "offset": 3, "length": 6}])
    assert reading.command_of(value, own_name="zoe_bot") is None


# --- places and people ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "channel"),
    [
        ({}, "-100"),
        ({"message_thread_id": 12, "is_topic_message": True}, "-100/12"),
        ({"message_thread_id": 3}, "-100"),
    ],
)
def test_only_a_topic_is_a_topic(more: dict[str, Any], channel: str) -> None:
    """A reply in the general topic carries a thread that may not be asked for."""
    value = message("hi", **more)
    address = Address(platform="telegram", channel=channel, community="-100", message="5")
    assert reading.address_of(value) == address
    chat, topic = reading.chat_and_topic(channel)
    assert (chat, topic) == (-100, more["message_thread_id"] if "/" in channel else None)


def test_a_private_chat_is_no_community() -> None:
    assert reading.address_of(message("hi", chat=PRIVATE)).community is None


def test_an_anonymous_admin_is_the_group_itself() -> None:
    value = message(
        "hi",
        sender_chat=GROUP,
        **{"from": {"id": 1087968824, "is_bot": True, "first_name": "Group"}},
    )
    assert reading.is_faceless(value)
    assert not reading.is_for_nobody(value)
    assert reading.person_of(value) == Person(id="-100", name="Club")


@pytest.mark.parametrize(
    "more",
    [
        {"via_bot": {"id": 9, "is_bot": True, "first_name": "b"}},
        {"forward_origin": {"type": "hidden_user", "date": 1, "sender_user_name": "x"}},
        {"is_automatic_forward": True},
        {"from": {"id": 9, "is_bot": True, "first_name": "b"}},
    ],
)
def test_what_nobody_said_to_us_is_for_nobody(more: dict[str, Any]) -> None:
    assert reading.is_for_nobody(message("/video a cat", **more))


@pytest.mark.parametrize(
    "happened",
    [
        {"pinned_message": {"message_id": 4, "date": 1, "chat": PRIVATE, "text": "hi"}},
        {"new_chat_photo": []},
        {"message_auto_delete_timer_changed": {"message_auto_delete_time": 60}},
        {"forum_topic_created": {"name": "cats", "icon_color": 1}},
        {"something_of_next_year": {"text": "hi"}},
    ],
)
def test_what_happened_in_a_chat_is_for_nobody(happened: dict[str, Any]) -> None:
    assert reading.is_for_nobody(message(chat=PRIVATE, **happened))


@pytest.mark.parametrize(
    "said",
    [
        {"text": "hi"},
        {"voice": {"file_id": "v", "file_unique_id": "u", "duration": 1}},
        {"location": {"latitude": 0.0, "longitude": 0.0}},
        {"dice": {"emoji": "🎲", "value": 1}},
    ],
)
def test_what_people_send_is_said_to_us(said: dict[str, Any]) -> None:
    assert not reading.is_for_nobody(message(chat=PRIVATE, **said))


@pytest.mark.parametrize(
    ("code", "locale"), [("de", "de"), ("zh", "zh-hans"), ("pt-br", "pt-br"), (None, "en")]
)
def test_people_are_answered_in_their_language(code: str | None, locale: str) -> None:
    value = message("hi", **{"from": ANN | {"language_code": code}})
    assert reading.locale_of(value.from_user) == locale


def test_a_name_with_nothing_to_see_is_replaced() -> None:
    value = message("hi", **{"from": {"id": 7, "is_bot": False, "first_name": "\u200b\u202e"}})
    assert reading.person_of(value).name


# --- pictures -------------------------------------------------------------------------------------


def photo(side: int, size: int) -> dict[str, Any]:
    return {"file_id": f"p{side}", "file_unique_id": f"u{side}", "width": side, "height": side,
            "file_size": size}  # fmt: skip


def test_the_largest_photo_that_may_be_taken_is_taken() -> None:
    value = message(photo=[photo(90, 900), photo(1280, 90_000), photo(2560, 9_000_000)])
    assert reading.picture_of(value, author="7") == Picture(
        source="p1280", filename="photo.jpg", size=90_000, width=1280, height=1280, author="7"
    )


FILE = {"file_id": "f", "file_unique_id": "u"}
STICKER = FILE | {"type": "regular", "width": 512, "height": 512, "file_size": 9}


@pytest.mark.parametrize(
    ("more", "source"),
    [
        ({"document": FILE | {"mime_type": "image/png", "file_size": 9}}, "f"),
        ({"document": FILE | {"mime_type": "image/jpg"}}, "f"),
        ({"document": FILE | {"mime_type": "image/pjpeg", "file_name": "cat.jpg"}}, "f"),
        ({"document": FILE | {"mime_type": "image/heic", "file_name": "IMG_1.HEIC"}}, "f"),
        ({"document": FILE | {"file_name": "IMG_1.HEIC"}}, "f"),
        (
            {"document": FILE | {"mime_type": "application/octet-stream", "file_name": "a.JPG"}},
            "f",
        ),
        ({"document": FILE | {"mime_type": "application/octet-stream", "file_name": "IMG"}}, "f"),
        ({"document": FILE | {"file_name": "cat.jpg_large"}}, "f"),
        ({"document": FILE | {"mime_type": "application/ogg"}}, None),
        ({"document": FILE | {"mime_type": "video/3gpp", "file_name": "Voice 001.3gp"}}, None),
        ({"document": FILE | {"file_name": "radio.latm"}}, None),
        ({"document": FILE | {"file_name": "voice.opus"}}, None),
        ({"sticker": STICKER | {"is_animated": False, "is_video": False}}, "f"),
        ({}, None),
    ],
)
def test_pictures_come_as_files_and_stickers_too(more: dict[str, Any], source: str | None) -> None:
    picture = reading.picture_of(message(**more), author=None)
    assert (picture.source if picture else None) == source


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"sticker": STICKER | {"is_animated": True, "is_video": False}}, "moves_already"),
        ({"sticker": STICKER | {"is_animated": False, "is_video": True}}, "moves_already"),
        ({"document": FILE | {"mime_type": "application/pdf"}}, "picture_kind"),
        ({"document": FILE | {"mime_type": "audio/midi", "file_name": "a.mid"}}, "no_sound"),
        (
            {"document": FILE | {"mime_type": "image/png", "file_size": 9_000_000}},
            "picture_too_large",
        ),
        ({"video": FILE | {"width": 1, "height": 1, "duration": 1}}, "moves_already"),
        ({"photo": [photo(9000, 9)]}, "picture_too_many_pixels"),
    ],
)
def test_what_cannot_be_animated_is_refused(more: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as caught:
        reading.picture_of(message(**more), author=None)
    assert caught.value.code == code


def test_a_picture_belongs_to_whoever_posted_it_and_ours_to_nobody_known() -> None:
    bot: dict[str, Any] = {"from": {"id": 99, "is_bot": True, "first_name": "z"}}
    ours = message(photo=[photo(90, 9)], **bot)
    assert reading.author_of(ours, own_id=99) is None
    assert reading.author_of(message(photo=[photo(90, 9)]), own_id=99) == "7"
    channel = message(photo=[photo(90, 9)], sender_chat=GROUP | {"id": -200, "type": "channel"})
    assert reading.author_of(channel, own_id=99) == "-200"


BOB = {"id": 8, "is_bot": False, "first_name": "Bob"}
OURS = {"id": 99, "is_bot": True, "first_name": "z"}


@pytest.mark.parametrize(
    ("origin", "author"),
    [
        ({"type": "user", "sender_user": ANN}, "7"),
        ({"type": "user", "sender_user": BOB}, "8"),
        ({"type": "user", "sender_user": OURS}, None),
        ({"type": "hidden_user", "sender_user_name": "Ann"}, None),
        ({"type": "chat", "sender_chat": GROUP}, None),
        ({"type": "channel", "chat": GROUP, "message_id": 1}, None),
    ],
)
def test_to_forward_a_picture_makes_it_nobodys_own(
    origin: dict[str, Any], author: str | None
) -> None:
    """Ann hands it on, or replies to it where it stands: in another chat."""
    forwarded = message(photo=[photo(90, 9)], forward_origin=origin | {"date": 1})
    assert reading.author_of(forwarded, own_id=99) == author
    seen = message("/animate", external_reply={"origin": origin | {"date": 1}}).external_reply
    assert seen is not None
    assert reading.author_of(seen, own_id=99) == author
