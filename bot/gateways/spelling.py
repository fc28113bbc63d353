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
_TAIL = re.compile(
    r"[\s,，]*[(（\[]?\s*(?:request|trace|req)[ _-]?id\s*[:：=]?\s*[\w.-]*\s*[)）\]]?[.。]?\s*$",
    re.IGNORECASE,
)
_HEAD = re.compile(r"^(?:status_code=\d+,\s*|(?:[\w.]*(?:error|exception))\s*[:-]\s*)+")
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
    text = unicodedata.normalize("NFKC", text).casefold()
    text = " ".join(re.sub(r"[\"'“”‘’`\\]", "", _TAIL.sub("", text)).split())
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
    """A whole message with alternatives and gaps."""

    def __init__(self, spelt: str) -> None:
        pieces = [piece for piece in _PIECE.split(spelt) if piece.strip()]
        self.has_gaps = any(piece in "*#" for piece in pieces)
        fixed = bool(pieces) and not _PIECE.fullmatch(pieces[0])
        self._start = plain(pieces[0]).strip() if fixed else ""
        pattern = r"\s*".join(_pattern(piece) for piece in pieces)
        # "* not found" speaks of something: "Not Found" alone is another sentence.
        rest = re.escape(plain(pieces[1]).strip()) if spelt.startswith("* ") else ""
        named = rf"(?=\s*\S)(?!\s*{rest})" if rest else ""
        self._pattern = re.compile(rf"{named}\s*{pattern}\s*", re.DOTALL)

    def said_in(self, text: str) -> tuple[str, ...] | None:
        """The parts of it that a plain `text` spells out; None: it is another message."""
        if not text.startswith(self._start):
            return None
        match = self._pattern.fullmatch(text[:_MOST])
        return tuple(filter(None, match.groups())) if match else None


class Phrase:
    """A part of a message with alternatives."""

    def __init__(self, spelt: str) -> None:
        pieces = [piece for piece in _PIECE.split(spelt) if piece.strip()]
        self._pattern = re.compile(r"\s*".join(_pattern(piece) for piece in pieces))

    def all_in(self, text: str) -> Iterator[str]:
        """Each place where a plain `text` has it, as it stands there."""
        return (match[0].strip() for match in self._pattern.finditer(text))


def _pattern(piece: str) -> str:
    if piece == "*":
        return ".*?"
    if piece == "#":
        return r"(?:\d{1,6}|\#)"
    if choice := _CHOICE.fullmatch(piece):
        return f"({'|'.join(re.escape(plain(each)) for each in choice[1].split('|'))})"
    return f"({re.escape(plain(piece).strip())})"
