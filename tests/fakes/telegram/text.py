"""Text and its entities, counted in UTF-16 code units as at Telegram.

The error texts are tdlib's (`td/telegram/MessageEntity.cpp`).
"""

import re
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

from .calls import bad
from .html import parse_html
from .markdown import parse_markdown
from .model import Json

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
MOST_BYTES = 1 << 15

BOT_COMMAND = "bot_command"

TYPES = {
    "mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number", "bold",
    "italic", "underline", "strikethrough", "spoiler", "blockquote", "expandable_blockquote",
    "code", "pre", "text_link", "text_mention", "custom_emoji", "date_time",
}  # fmt: skip

FOUND = {
    "url": re.compile(r"https?://[^\s<>\"]*[^\s<>\".,;:!?)]"),
    BOT_COMMAND: re.compile(r"(?<![\w/<>@])/\w{1,64}(?:@\w{3,32})?(?![\w/<>@])", re.ASCII),
    "mention": re.compile(r"(?<![\w/@])@\w{4,32}(?!\w)", re.ASCII),
    "hashtag": re.compile(r"(?<!\w)#\w+"),
}
"""The entities that Telegram finds by itself, the more important first."""

Formatted = tuple[str, tuple[Json, ...]]


def units(text: str) -> int:
    """Return the length of a text in UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, entity: Json) -> str:
    """Return the part of a text that an entity covers."""
    raw = text.encode("utf-16-le")
    start = 2 * entity["offset"]
    return raw[start : start + 2 * entity["length"]].decode("utf-16-le")


def find_entities(text: str) -> tuple[Json, ...]:
    """Return the entities that Telegram finds in a text by itself."""
    found: list[Json] = []
    for kind, pattern in FOUND.items():
        for match in pattern.finditer(text):
            offset = units(text[: match.start()])
            entity = {"type": kind, "offset": offset, "length": units(match.group())}
            if not any(_overlap(entity, other) for other in found):
                found.append(entity)
    return tuple(sorted(found, key=_place))


def format_text(text: str, parse_mode: str, entities: Any, *, limit: int) -> Formatted:
    """Return the visible text with its entities, parsed or checked, and trimmed.

    Refuse what Telegram refuses.
    """
    if len(text.encode()) > MOST_BYTES:
        raise bad("Text is too long")
    given: list[Json]
    match parse_mode.lower():
        case _ if not text:
            given = []
        case "" | "none":
            given = [_checked(entity) for entity in entities or []]
            _check_bounds(text, given)
        case "html":
            text, given = _parsed(parse_html, text)
        case "markdownv2":
            text, given = _parsed(parse_markdown, text)
        case "markdown":
            raise NotImplementedError("this fake knows no legacy Markdown")
        case _:
            raise bad("Unsupported parse_mode")
    text, given = _trim(text, given)
    if units(text) > limit:
        words = "Message is too long" if limit == TEXT_LIMIT else "Message caption is too long"
        raise bad(words)
    marked = [it for it in find_entities(text) if not any(_overlap(it, other) for other in given)]
    return text, tuple(sorted([*given, *marked], key=_place))


def _parsed(parse: Any, text: str) -> tuple[str, list[Json]]:
    try:
        parsed: tuple[str, list[Json]] = parse(text)
    except ValueError as wrong:
        raise bad(f"Can't parse entities: {wrong}") from None
    return parsed


def _checked(entity: Any) -> Json:
    if not isinstance(entity, dict):
        raise bad("Can't parse MessageEntity: expected an Object")
    for name in ("offset", "length"):
        if not isinstance(entity.get(name), int):
            raise bad(f"Can't parse MessageEntity: Can't find field \"{name}\"")
    if entity.get("type") not in TYPES:
        raise bad("Can't parse MessageEntity: Unsupported type specified")
    needed = {"text_link": "url", "text_mention": "user", "custom_emoji": "custom_emoji_id"}
    name = needed.get(entity["type"], "type")
    if not entity.get(name):
        raise bad(f"Can't parse MessageEntity: Can't find field \"{name}\"")
    return entity


def _check_bounds(text: str, entities: list[Json]) -> None:
    edges = {0, *accumulate(units(letter) for letter in text)}
    end = units(text)
    for entity in entities:
        offset, length = entity["offset"], entity["length"]
        if offset < 0:
            raise bad(f"Receive an entity with incorrect offset {offset}")
        if length < 0:
            raise bad(f"Receive an entity with incorrect length {length}")
        if offset > end:
            raise bad(f"Entity begins after the end of the text at UTF-16 offset {offset}")
        named = f"Entity beginning at UTF-16 offset {offset}"
        if offset + length > end:
            past = f"ends after the end of the text at UTF-16 offset {offset + length}"
            raise bad(f"{named} {past}")
        if offset not in edges:
            raise bad(f"Entity begins in a middle of a UTF-16 symbol at UTF-16 offset {offset}")
        if offset + length not in edges:
            raise bad(f"{named} ends in a middle of a UTF-16 symbol")


def _trim(text: str, entities: list[Json]) -> tuple[str, list[Json]]:
    """Remove white space around the text; move entities along, and drop empty ones."""
    left = units(text) - units(text.lstrip())
    trimmed = text.strip()
    return trimmed, list(_moved(entities, left, units(trimmed)))


def _moved(entities: list[Json], left: int, end: int) -> Iterator[Json]:
    for entity in entities:
        start = max(0, entity["offset"] - left)
        stop = min(end, entity["offset"] + entity["length"] - left)
        if stop > start:
            yield {**entity, "offset": start, "length": stop - start}


def _overlap(one: Json, other: Json) -> bool:
    before = one["offset"] + one["length"] <= other["offset"]
    after = other["offset"] + other["length"] <= one["offset"]
    return not before and not after


def _place(entity: Json) -> tuple[int, int]:
    return entity["offset"], -entity["length"]
