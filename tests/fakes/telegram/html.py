"""Telegram's HTML: an unknown tag or a tag left open is an error.

The error texts are tdlib's (`td/telegram/MessageEntity.cpp`, `do_parse_html`).
"""

import re
from dataclasses import dataclass

from .model import Json

TYPES = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "a": "text_link",
    "tg-emoji": "custom_emoji",
}

CHARACTERS = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}

_CHARACTER = re.compile(r"&(?:#(\d+)|#x([0-9a-f]+)|(lt|gt|amp|quot));?", re.IGNORECASE)
_START = re.compile(r"<([^\s>]*)")
_END = re.compile(r"</([^\s>]*)\s*")
_ATTRIBUTE = re.compile(r"\s*([^\s=>/\"']+)(?:\s*=\s*(\"[^\"]*\"|'[^']*'|[\w.-]+(?=[\s>])))?")
_ENOUGH = re.compile(r"\s*>")


@dataclass(slots=True)
class _Tag:
    name: str
    attributes: dict[str, str]
    offset: int


def parse_html(source: str) -> tuple[str, list[Json]]:
    """Return text and entities. Raises ValueError with the reason."""
    return _Parser(source).run()


class _Parser:
    def __init__(self, source: str) -> None:
        self._source = source
        self._text = ""
        self._open: list[_Tag] = []
        self._entities: list[Json] = []

    def run(self) -> tuple[str, list[Json]]:
        place = 0
        while place < len(self._source):
            if self._source.startswith("</", place):
                place = self._end(place)
            elif self._source[place] == "<":
                place = self._start(place)
            else:
                place = self._letter(place)
        if self._open:
            name = self._open[-1].name
            raise ValueError(f'Can\'t find end tag corresponding to start tag "{name}"')
        return self._text, self._entities

    def _letter(self, place: int) -> int:
        match = _CHARACTER.match(self._source, place)
        if match is None:
            self._text += self._source[place]
            return place + 1
        self._text += _decoded(match)
        return match.end()

    def _start(self, place: int) -> int:
        where = f"at byte offset {self._bytes(place)}"
        match = _START.match(self._source, place)
        assert match is not None
        name = match.group(1).lower()
        if match.end() == len(self._source):
            raise ValueError(f"Unclosed start tag {where}")
        if name not in TYPES:
            raise ValueError(f'Unsupported start tag "{name}" {where}')
        end, attributes = match.end(), {}
        while (enough := _ENOUGH.match(self._source, end)) is None:
            found = _ATTRIBUTE.match(self._source, end)
            if found is None:
                raise ValueError(f'Unclosed start tag "{name}" {where}')
            value = (found.group(2) or "").strip("\"'")
            attributes[found.group(1).lower()] = _CHARACTER.sub(_decoded, value)
            end = found.end()
        if name == "span" and attributes.get("class") != "tg-spoiler":
            raise ValueError(f'Tag "span" must have class "tg-spoiler" {where}')
        self._open.append(_Tag(name, attributes, _units(self._text)))
        return enough.end()

    def _end(self, place: int) -> int:
        where = f"at byte offset {self._bytes(place)}"
        if not self._open:
            raise ValueError(f"Unexpected end tag {where}")
        match = _END.match(self._source, place)
        assert match is not None
        if not self._source.startswith(">", match.end()):
            raise ValueError(f"Unclosed end tag {where}")
        tag, name = self._open.pop(), match.group(1).lower()
        if name not in ("", tag.name):
            raise ValueError(
                f'Unmatched end tag {where}, expected "</{tag.name}>", found "</{name}>"'
            )
        length = _units(self._text) - tag.offset
        if length:
            self._add(tag, length)
        return match.end() + 1

    def _add(self, tag: _Tag, length: int) -> None:
        entity: Json = {"type": TYPES[tag.name], "offset": tag.offset, "length": length}
        match tag.name:
            case "a" if not tag.attributes.get("href"):
                return
            case "a":
                entity["url"] = tag.attributes["href"]
            case "tg-emoji" if not tag.attributes.get("emoji-id", "").isdigit():
                raise ValueError("Invalid custom emoji identifier specified")
            case "tg-emoji":
                entity["custom_emoji_id"] = tag.attributes["emoji-id"]
            case "blockquote" if "expandable" in tag.attributes:
                entity["type"] = "expandable_blockquote"
        self._entities.append(entity)

    def _bytes(self, place: int) -> int:
        return len(self._source[:place].encode())


def _decoded(match: re.Match[str]) -> str:
    decimal, hexadecimal, name = match.groups()
    if name:
        return CHARACTERS[name.lower()]
    return chr(int(decimal) if decimal else int(hexadecimal, 16))


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
