"""Parsing: what Telegram told becomes aiogram's objects, without the parts that those don't know.

Telegram grows faster than we do. One part of a message that nobody here can read must not make the
whole of it unheard: it is left out, and what depends on it is answered instead of done.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from aiogram import Bot
from aiogram.types import Update as Told
from pydantic import ValidationError

from bot.log import get_logger
from bot.platforms.telegram.reading import SAID

MOST_PRUNED = 100
"""Parts of one update that are left out."""
MEANT = frozenset({*SAID, "caption", "entities", "caption_entities"}) | {
    *("message", "reply_to_message", "external_reply", "quote", "chat", "from", "sender_chat")
}
"""Parts that say what was meant, and by whom: without one of them nothing may be ordered."""
ORIGINS = frozenset({"forward_origin", "origin"})
SKELETON = (
    *("message_id", "date", "chat", "from", "sender_chat", "message_thread_id"),
    *("is_topic_message", "text", "entities", "forward_origin", "via_bot", "direct_messages_topic"),
)
"""The parts of a message that are enough to answer it."""

Path = tuple[int | str, ...]

log = get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedUpdate:
    """Telegram's update, as far as it can be read."""

    told: Told
    is_whole: bool = True
    """Whether all that says what was meant is there."""


def parsed(data: dict[str, Any], bot: Bot) -> ParsedUpdate | None:
    """Read an update; None where not even its person can be made out."""
    raw, left_out = deepcopy(data), []
    for _ in range(MOST_PRUNED):
        try:
            told = Told.model_validate(raw, context={"bot": bot})
        except ValidationError as error:
            path = next(_unreadable(raw, error), None)
            if path is None:
                break
            _prune(raw, path)
            left_out.append(next(str(key) for key in reversed(path) if isinstance(key, str)))
        else:
            if told.message is None and "message" in data:
                break
            if left_out:
                log.warning("telegram.update_pruned", update=data["update_id"], parts=left_out)
            return ParsedUpdate(told=told, is_whole=not MEANT & set(left_out))
    return _skeleton(data, bot)


def _unreadable(raw: Any, error: ValidationError) -> Iterator[Path]:
    """Where the parts stand that can't be read, the least of them that is there."""
    for each in error.errors(include_url=False, include_input=False):
        path = _standing(raw, each["loc"])
        # The poorer form of a message that a button stands under is not the one that was told.
        if "InaccessibleMessage" not in each["loc"] and len(path) > 1:
            yield path


def _standing(raw: Any, loc: Path) -> Path:
    """The part of a place that is in `raw`: between its keys stand names of aiogram's classes."""
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
        # Without any, somebody else's words or picture would be their own.
        hidden = {"type": "hidden_user", "date": 0, "sender_user_name": "?"}
        if raw[last] != hidden:
            raw[last] = hidden
            return
    del raw[last]


def _skeleton(data: dict[str, Any], bot: Bot) -> ParsedUpdate | None:
    """Enough of it to answer."""
    bare: dict[str, Any] = {"update_id": data["update_id"]}
    match data:
        case {"message": dict(said)}:
            bare["message"] = {key: said[key] for key in SKELETON if key in said}
        case {"callback_query": dict(said)}:
            bare["callback_query"] = {key: it for key, it in said.items() if key != "message"}
    try:
        told = Told.model_validate(bare, context={"bot": bot})
    except ValidationError as error:
        faults = error.error_count()
        log.error("telegram.update_unreadable", update=data["update_id"], faults=faults)
        return None
    log.warning("telegram.update_pruned", update=data["update_id"])
    return ParsedUpdate(told=told, is_whole=False)
