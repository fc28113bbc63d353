"""How codes, messages and status words are compared: without what varies from one to the next.

A spelling of the table may have alternatives, as in `out of (credits|funds)`, of which one may be
nothing; a sentence may have gaps too: `*` is anything, `#` a number.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import product

_PREFIX = re.compile(r"^(?:(?:task|job|video|generation|operation)_?)?(?:status|state)_")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_TAIL = re.compile(r"(?:request|trace|req)[ _-]?id ?[:=]? ?[\w.-]*[ )\]]*[.。]?$")
"""The id of a request at the end of a message."""
_LONGEST_TAIL = 160
_TAILS = 3
"""Ids at most that are cut off: each gateway on the way adds its own."""
_HEAD = re.compile(r"^(?:status_code=\d+, ?|[\w.]*(?:error|exception) ?[:-] ?)+")
_QUOTES = dict.fromkeys(map(ord, "\"'“”‘’`\\"))
_CHOICE = re.compile(r"\(([^()]*\|[^()]*)\)")
_PIECE = re.compile(r"([*#]|\([^()]*\|[^()]*\))")
_LEAST = 2
"""Letters of a code, a word, a sentence or a phrase: "*" alone would mean every answer."""


def key_of(code: str) -> str:
    """A code or type without its case and its separators."""
    star = "*" if code.endswith("*") else ""
    return letters(code) + star


def letters(text: str) -> str:
    """Its letters and digits alone."""
    return "".join(char for char in text.casefold() if char.isalnum())


def word_of(word: str) -> str:
    """A status word as the table has it: `TaskStatus.InProgress` is `in_progress`."""
    parts = re.split(r"[^\w]|_", _HUMP.sub("_", word.strip()))
    return _PREFIX.sub("", "_".join(filter(None, parts)).casefold())


def plain(text: str) -> str:
    """A message without what varies: case, spacing, quotes, the id of the request."""
    text = unicodedata.normalize("NFKC", text).casefold().translate(_QUOTES)
    text = " ".join(text.split())  # Before any pattern: none of them has a run of blanks to try.
    for _ in range(_TAILS):
        if tail := _TAIL.search(text, max(0, len(text) - _LONGEST_TAIL)):
            text = text[: tail.start()].rstrip(" ,([")
    return _HEAD.sub("", text).rstrip(" .。!！")


def spelt_out(text: str) -> Iterator[str]:
    """All that a spelling with alternatives stands for."""
    pieces = _CHOICE.split(text)
    for chosen in product(*(piece.split("|") for piece in pieces[1::2])):
        parts = [*(part for pair in zip(pieces[::2], chosen, strict=False) for part in pair)]
        yield "".join((*parts, pieces[-1]))


def is_too_short(text: str) -> bool:
    """Whether some answer could be taken for it that has nothing to do with it."""
    return any(len(letters(each)) < _LEAST for each in spelt_out(text))


_MOST = 1500
"""Characters of a message that are compared: a hostile one may not keep us busy."""


class Sentence:
    """A whole message with alternatives and gaps.

    Its parts between the gaps are found one after the other, each at its first place: the work
    grows with the length of a message and no faster, whatever stands in it.
    """

    def __init__(self, spelt: str) -> None:
        pieces = [piece for piece in _PIECE.split(spelt) if piece.strip()]
        self.has_gaps = any(piece in "*#" for piece in pieces)
        fixed = bool(pieces) and not _PIECE.fullmatch(pieces[0])
        self._start = plain(pieces[0]).strip() if fixed else ""
        # "* not found" speaks of something: "Not Found" alone is another sentence.
        self._names = spelt.startswith("* ")
        self._rest = plain(pieces[1]).strip() if self._names else ""
        *before, last = _between_gaps(pieces)
        self._before = [re.compile(" ?" + " ?".join(map(_pattern, part))) for part in before]
        self._last = re.compile(" ?" + "".join(f"{_pattern(piece)} ?" for piece in last) + "$")

    def said_in(self, text: str) -> tuple[str, ...] | None:
        """The parts of it that a plain `text` spells out; None: it is another message."""
        text = text[:_MOST]
        if not text.startswith(self._start):
            return None
        if self._names and (not text.strip() or text.lstrip().startswith(self._rest)):
            return None
        said: list[str] = []
        end = 0
        for number, part in enumerate((*self._before, self._last)):
            match = part.search(text, end) if number else part.match(text)
            if match is None:
                return None
            said.extend(filter(None, match.groups()))
            end = match.end()
        return tuple(said)


def _between_gaps(pieces: list[str]) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for piece in pieces:
        if piece == "*":
            parts.append([])
        else:
            parts[-1].append(piece)
    return parts


class Phrase:
    """A part of a message with alternatives."""

    def __init__(self, spelt: str) -> None:
        pieces = [piece for piece in _PIECE.split(spelt) if piece.strip()]
        self._pattern = re.compile(" ?".join(map(_pattern, pieces)))

    def all_in(self, text: str) -> frozenset[str]:
        """All that stands in a plain `text` where it has this phrase."""
        return frozenset(match[0].strip() for match in self._pattern.finditer(text))


def _pattern(piece: str) -> str:
    if piece == "#":
        return r"(?:\d{1,6}|\#)"
    if choice := _CHOICE.fullmatch(piece):
        return f"({'|'.join(re.escape(plain(each)) for each in choice[1].split('|'))})"
    return f"({re.escape(plain(piece).strip())})"
