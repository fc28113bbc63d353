"""Parse an update of Telegram into aiogram's objects.

New versions of the Bot API bring parts that our aiogram can't read. Such a part is removed, so that
the rest of the update is still handled. If a removed part says what the person meant, the message
orders nothing, and its sender is told so.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from aiogram import Bot
from aiogram.types import Update as TelegramUpdate
from pydantic import ValidationError

from bot.log import get_logger
from bot.platforms.telegram.reading import SAID

MOST_PRUNED = 100
"""Most parts that are removed from one update."""
MEANT = frozenset({*SAID, "caption", "entities", "caption_entities"}) | {
    *("message", "reply_to_message", "external_reply", "quote", "chat", "from", "sender_chat")
}
"""The parts that say what a message means and who sent it. If one of them was removed, the message
must not order anything."""
ORIGINS = frozenset({"forward_origin", "origin"})
SKELETON = (
    *("message_id", "date", "chat", "from", "sender_chat", "message_thread_id"),
    *("is_topic_message", "text", "entities", "forward_origin", "via_bot", "direct_messages_topic"),
)
"""The parts of a message that are needed to answer it."""

Path = tuple[int | str, ...]

log = get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedUpdate:
    """An update of Telegram, without the parts that can't be read."""

    value: TelegramUpdate
    is_whole: bool = True
    """False if a part in `MEANT` was removed, or only the skeleton could be read."""


def parsed(data: dict[str, Any], bot: Bot) -> ParsedUpdate | None:
    """Parse an update. Return None if it can't be read well enough to answer it."""
    raw, left_out = deepcopy(data), []
    for _ in range(MOST_PRUNED):
        try:
            value = TelegramUpdate.model_validate(raw, context={"bot": bot})
        except ValidationError as error:
            path = next(_unreadable(raw, error), None)
            if path is None:
                break
            _prune(raw, path)
            left_out.append(next(str(key) for key in reversed(path) if isinstance(key, str)))
        else:
            if value.message is None and "message" in data:
                break
            if left_out:
                log.warning("telegram.update_pruned", update=data["update_id"], parts=left_out)
            return ParsedUpdate(value=value, is_whole=not MEANT & set(left_out))
    return _skeleton(data, bot)


def _unreadable(raw: Any, error: ValidationError) -> Iterator[Path]:
    """Yield the path of the innermost existing part for each validation error."""
    for each in error.errors(include_url=False, include_input=False):
        path = _standing(raw, each["loc"])
        # pydantic also reports errors for `InaccessibleMessage`, the other type that a button's
        # message can have; Telegram didn't send that one.
        if "InaccessibleMessage" not in each["loc"] and len(path) > 1:
            yield path


def _standing(raw: Any, loc: Path) -> Path:
    """Return the keys of an error's location that exist in `raw`. The location also contains names
    of aiogram's classes, which are left out."""
    path: list[int | str] = []
    for key in loc:
        if isinstance(raw, dict):
            is_there = key in raw
        else:
            is_there = isinstance(raw, list) and key in range(len(raw))
        if is_there:
            path.append(key)
            raw = raw[key]
    return tuple(path)


def _prune(raw: Any, path: Path) -> None:
    *above, last = path
    for key in above:
        raw = raw[key]
    if last in ORIGINS:
        # Without an origin, a forwarded message would count as the sender's own.
        hidden = {"type": "hidden_user", "date": 0, "sender_user_name": "?"}
        if raw[last] != hidden:
            raw[last] = hidden
            return
    del raw[last]


def _skeleton(data: dict[str, Any], bot: Bot) -> ParsedUpdate | None:
    """Parse only the parts of an update that are needed to answer it."""
    bare: dict[str, Any] = {"update_id": data["update_id"]}
    match data:
        case {"message": dict(said)}:
            bare["message"] = {key: said[key] for key in SKELETON if key in said}
        case {"callback_query": dict(said)}:
            bare["callback_query"] = {key: it for key, it in said.items() if key != "message"}
    try:
        value = TelegramUpdate.model_validate(bare, context={"bot": bot})
    except ValidationError as error:
        faults = error.error_count()
        log.error("telegram.update_unreadable", update=data["update_id"], faults=faults)
        return None
    log.warning("telegram.update_pruned", update=data["update_id"])
    return ParsedUpdate(value=value, is_whole=False)
