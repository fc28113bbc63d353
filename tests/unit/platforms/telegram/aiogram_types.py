"""A program that builds all types and methods of aiogram, makes objects of them and prints them for
comparison. `python -m tests.unit.platforms.telegram.aiogram_types shipped|lazy`.
"""

import json
import re
import sys
from typing import Any

if sys.argv[1] == "lazy":
    import bot.platforms.telegram  # noqa: F401 (before aiogram)

import aiogram.methods
import aiogram.types
from aiogram.methods import EditMessageMedia, Response, SendMessage, SendVideo, TelegramMethod
from aiogram.types import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaVideo,
    MessageEntity,
    ReplyParameters,
    Update,
    URLInputFile,
)
from pydantic import BaseModel

CHAT = {"id": -100, "type": "supergroup", "title": "The workshop", "is_forum": True}
ANN = {"id": 7, "is_bot": False, "first_name": "Ann"}
MESSAGE = {"message_id": 5, "date": 1_700_000_000, "chat": CHAT, "from": ANN}
GONE = {"message_id": 5, "date": 0, "chat": CHAT}
FILE = {"file_id": "f", "file_unique_id": "u"}
PHOTO = [FILE | {"width": 90, "height": 60}]
ORIGINS: list[dict[str, Any]] = [
    {"type": "user", "date": 1, "sender_user": ANN},
    {"type": "hidden_user", "date": 1, "sender_user_name": "?"},
    {"type": "chat", "date": 1, "sender_chat": CHAT},
    {"type": "channel", "date": 1, "chat": CHAT, "message_id": 3},
]
PAID = {"star_count": 1, "paid_media": [{"type": "photo", "photo": PHOTO}, {"type": "preview"}]}
MEMBERS: list[dict[str, Any]] = [
    {"status": "left", "user": ANN},
    {"status": "member", "user": ANN},
    {"status": "kicked", "user": ANN, "until_date": 0},
]
REACTIONS = [{"type": "emoji", "emoji": "👍"}, {"type": "custom_emoji", "custom_emoji_id": "9"}]
KEYBOARD = InlineKeyboardMarkup(
    inline_keyboard=[[InlineKeyboardButton(text="Again", callback_data="again")]]
)
COMMAND = {"type": "bot_command", "offset": 0, "length": 6}
TOLD: list[dict[str, Any]] = [{"message": MESSAGE | {"text": "/video", "entities": [COMMAND]}}]
TOLD += [{"message": MESSAGE | {"text": "x", "forward_origin": each}} for each in ORIGINS]
TOLD += [
    {"message": MESSAGE | {"photo": PHOTO, "caption": "a cat", "reply_to_message": MESSAGE}},
    {"message": MESSAGE | {"paid_media": PAID}},
    {"callback_query": {"id": "1", "from": ANN, "chat_instance": "1", "message": GONE}},
    {"callback_query": {"id": "1", "from": ANN, "chat_instance": "1", "message": MESSAGE}},
    {
        "message_reaction": {
            "chat": CHAT,
            "message_id": 5,
            "date": 1,
            "user": ANN,
            "old_reaction": [],
            "new_reaction": REACTIONS,
        }
    },
]
TOLD += [
    {
        "my_chat_member": {
            "chat": CHAT,
            "from": ANN,
            "date": 1,
            "old_chat_member": MEMBERS[0],
            "new_chat_member": each,
        }
    }
    for each in MEMBERS
]
ASKED: list[TelegramMethod[Any]] = [
    SendMessage(chat_id=1, text="hello", entities=[MessageEntity(type="bold", offset=0, length=5)]),
    SendMessage(chat_id=1, text="x", reply_parameters=ReplyParameters(message_id=2)),
    SendVideo(chat_id=1, video=URLInputFile("https://example.org/a.mp4"), reply_markup=KEYBOARD),
    EditMessageMedia(media=InputMediaVideo(media="id", caption="a"), reply_markup=KEYBOARD),
]


def _built(name: str, kind: object) -> dict[str, str] | None:
    """Return a type's fields with all that their annotations mention; None if it is no type."""
    if not isinstance(kind, type) or not issubclass(kind, BaseModel):
        return None
    kind.model_rebuild()
    assert kind.__pydantic_complete__, name
    return {key: _shown(field) for key, field in kind.model_fields.items()}


def _answer(method: type[TelegramMethod[Any]]) -> str:
    kind: Any = Response[method.__returning__]  # type: ignore[name-defined]
    return _shown(kind.model_validate({"ok": True, "result": MESSAGE}).model_dump())


def _shown(it: object) -> str:
    """Return a representation that is the same in every process."""
    return re.sub(" at 0x[0-9a-f]+", "", repr(it))


if __name__ == "__main__":
    # First the types that are built while they are used, then all others.
    said = [_shown(Update.model_validate({"update_id": 1, **each}).model_dump()) for each in TOLD]
    said += [_shown(each.model_dump(warnings=False)) for each in ASKED]
    said += [_answer(type(each)) for each in ASKED]
    kinds = {
        name: _built(name, getattr(place, name))
        for place in (aiogram.types, aiogram.methods)
        for name in place.__all__
    }
    json.dump({"said": said, "kinds": kinds}, sys.stdout)
