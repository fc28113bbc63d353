"""How codes, messages and status words are compared: without what varies from one to the next.

A spelling of the table may have alternatives, as in `out of (credits|funds)`, of which one may be
nothing; a sentence may have gaps too: `*` is anything, `#` a number.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import product

from bot.core.quoting import letters

_PREFIX = re.compile(r"^(?:(?:task|job|video|generation|operation)_?)?(?:status|state)_")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_TAIL = re.compile(r"(?:request|trace|req)[ _-]?id ?[:=]? ?[\w.-]*[ )\]]*[.。]?$")
"""The id of a request at the end of a message."""
_LONGEST_TAIL, _TAILS = 160, 3
"""Ids at most that are cut off: each gateway on the way adds its own."""
_HEAD = re.compile(r"^(?:status_code=\d+, ?|[\w.]*(?:error|exception) ?[:-] ?)+")
_QUOTES = dict.fromkeys(map(ord, "\"'“”‘’`\\"))
_PIECE = re.compile(r"(#|\([^()]*\|[^()]*\))")
_LEAST = 2
"""Letters of a code, a word, a sentence or a phrase: "*" alone would mean every answer."""
MOST = 1500
"""Characters of a message that are compared to a sentence: a hostile one may not keep us busy."""


def key_of(code: str) -> str:
    """A code or type without its case and its separators."""
    return letters(code) + ("*" if code.endswith("*") else "")


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
    pieces = _PIECE.split(text)
    choices = [it[1:-1].split("|") if _PIECE.fullmatch(it) and it != "#" else [it] for it in pieces]
    return map("".join, product(*choices))


def is_too_short(text: str) -> bool:
    """Whether some answer could be taken for it that has nothing to do with it."""
    return any(len(letters(each)) < _LEAST for each in spelt_out(text))


def sentence(spelt: str) -> re.Pattern[str]:
    """Matches a whole plain message; its groups are what the spelling says itself.

    Its parts between the gaps are found one after the other, each at its first place: the work
    grows with the length of a message and no faster, whatever stands in it.
    """
    first, *parts = map(_pattern_of, spelt.split("*"))
    if not parts:
        return re.compile(f"{first} ?$")
    # "* not found" speaks of something: "Not Found" alone is another sentence.
    gaps = [".+?" if spelt.startswith("* ") else ".*?", *(".*?" for _ in parts)]
    *firm, last = (f"{gap} ?{part}" for gap, part in zip(gaps, parts, strict=False))
    return re.compile(first + "".join(f"(?>{part})" for part in firm) + f"{last} ?$")


def phrase(spelt: str) -> re.Pattern[str]:
    """Finds a part of a plain message."""
    return re.compile(_pattern_of(spelt))


def _pattern_of(spelt: str) -> str:
    return " ?".join(map(_pattern, filter(None, map(str.strip, _PIECE.split(spelt)))))


def _pattern(piece: str) -> str:
    if piece == "#":
        return r"(?:\d{1,6}|\#)"
    choices = piece[1:-1].split("|") if _PIECE.fullmatch(piece) else [piece]
    return f"({'|'.join(re.escape(plain(each).strip()) for each in choices)})"
