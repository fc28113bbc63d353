r"""Telegram's MarkdownV2: a reserved character that is not escaped is an error.

The error texts are tdlib's (`td/telegram/MessageEntity.cpp`, `do_parse_markdown_v2`). Not
supported: expandable quotes, links to users, custom emoji.
"""

from dataclasses import dataclass

from .model import Json

RESERVED = "_*[]()~`>#+-=|{}.!\n"
CODE = ("code", "pre")

MARKS = {
    "*": "bold",
    "_": "italic",
    "__": "underline",
    "~": "strikethrough",
    "||": "spoiler",
    "`": "code",
    "```": "pre",
    "[": "text_link",
}
ENDS = {kind: mark for mark, kind in MARKS.items()} | {"text_link": "]"}
NAMES = {kind: kind.title() for kind in ENDS} | {"pre": "Pre", "text_link": "TextUrl"}


@dataclass(slots=True)
class _Open:
    kind: str
    offset: int
    place: int
    language: str = ""


def parse_markdown(source: str) -> tuple[str, list[Json]]:
    """Return text and entities. Raises ValueError with the reason."""
    return _Parser(source).run()


class _Parser:
    def __init__(self, source: str) -> None:
        self._source = source
        self._text = ""
        self._open: list[_Open] = []
        self._entities: list[Json] = []
        self._quote: int | None = None
        """The offset in the text at which the quote begins."""
        self._may_quote = True

    def run(self) -> tuple[str, list[Json]]:
        place = 0
        while place < len(self._source):
            place = self._step(place)
        if self._open:
            raise ValueError(self._no_end())
        self._end_quote()
        return self._text, sorted(self._entities, key=lambda it: (it["offset"], -it["length"]))

    def _step(self, place: int) -> int:
        letter, following = self._source[place], self._source[place + 1 : place + 2]
        if letter == "\\" and following.isascii() and following:
            return self._keep(following, place + 2)
        in_code = bool(self._open) and self._open[-1].kind in CODE
        if letter not in ("`" if in_code else RESERVED):
            return self._keep(letter, place + 1)
        if self._open and self._ends(self._open[-1].kind, place):
            return self._close(place)
        if letter == "\n":
            return self._new_line(place)
        if letter == ">" and self._may_quote:
            self._quote = _units(self._text) if self._quote is None else self._quote
            return place + 1
        return self._begin(place)

    def _keep(self, letter: str, place: int) -> int:
        self._text += letter
        self._may_quote = False
        return place

    def _new_line(self, place: int) -> int:
        if self._quote is not None and not self._source.startswith(">", place + 1):
            if self._open:
                raise ValueError(self._no_end())
            self._end_quote()
        self._text += "\n"
        self._may_quote = True
        return place + 1

    def _end_quote(self) -> None:
        if self._quote is not None:
            self._add("blockquote", self._quote)
        self._quote = None

    def _begin(self, place: int) -> int:
        for mark in sorted(MARKS, key=len, reverse=True):
            if self._source.startswith(mark, place):
                break
        else:
            letter = self._source[place]
            raise ValueError(
                f"Character '{letter}' is reserved and must be escaped with the preceding '\\'"
            )
        opened = _Open(MARKS[mark], _units(self._text), place)
        end = place + len(mark)
        if mark == "```":
            line, _, _ = self._source[end:].partition("\n")
            if "\n" in self._source[end:] and "`" not in line and " " not in line:
                opened.language = line
                end += len(line) + 1
        self._open.append(opened)
        self._may_quote = False
        return end

    def _ends(self, kind: str, place: int) -> bool:
        underline = kind == "italic" and self._source.startswith("__", place)
        return self._source.startswith(ENDS[kind], place) and not underline

    def _close(self, place: int) -> int:
        opened = self._open.pop()
        end = place + len(ENDS[opened.kind])
        if opened.kind != "text_link":
            more = {"language": opened.language} if opened.language else {}
            self._add(opened.kind, opened.offset, **more)
            return end
        if not self._source.startswith("(", end):
            return end
        url, end = self._address(end + 1)
        if url:
            self._add("text_link", opened.offset, url=url)
        return end

    def _address(self, place: int) -> tuple[str, int]:
        start, url = place, ""
        while place < len(self._source) and self._source[place] != ")":
            place += self._source[place] == "\\"
            url += self._source[place : place + 1]
            place += 1
        if place >= len(self._source):
            raise ValueError(f"Can't find end of a URL at byte offset {self._bytes(start)}")
        return url, place + 1

    def _add(self, kind: str, offset: int, **more: str) -> None:
        length = _units(self._text) - offset
        if length:
            self._entities.append({"type": kind, "offset": offset, "length": length, **more})

    def _no_end(self) -> str:
        opened = self._open[-1]
        where = self._bytes(opened.place)
        return f"Can't find end of {NAMES[opened.kind]} entity at byte offset {where}"

    def _bytes(self, place: int) -> int:
        return len(self._source[:place].encode())


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
