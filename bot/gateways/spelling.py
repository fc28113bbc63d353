"""Normalizes codes, messages and status words, so that the table of answers can match them.

A spelling in the table may have alternatives, as in `out of (credits|funds)`; an alternative may be
empty. A sentence may also have gaps: `*` matches anything, `#` a number.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import product

from bot.core.quoting import letters

_PREFIX = re.compile(r"^(?:(?:task|job|video|generation|operation)_?)?(?:status|state)_")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_TAIL = re.compile(r"(?:request|trace|req)[ _-]?id ?[:=]? ?[\w.-]*[ )\]]*[.。]?$")
"""A request id at the end of a message."""
_LONGEST_TAIL, _TAILS = 160, 3
"""Characters of one request id, and the most ids to cut off: each gateway on the way adds one."""
_HEAD = re.compile(r"^(?:status_code=\d+, ?|[\w.]*(?:error|exception) ?[:-] ?)+")
_QUOTES = dict.fromkeys(map(ord, "\"'“”‘’`\\"))
_PIECE = re.compile(r"(#|\([^()]*\|[^()]*\))")
_LEAST = 2
"""Least letters of a code, word, sentence or phrase: "*" alone would match every response."""
MOST = 1500
"""Characters of a message that are compared with a sentence, to bound work on hostile messages."""


def key_of(code: str) -> str:
    """Return a code or type in lower case without separators."""
    return letters(code) + ("*" if code.endswith("*") else "")


def word_of(word: str) -> str:
    """Return a status word in the table's spelling: `TaskStatus.InProgress` → `in_progress`."""
    parts = re.split(r"[^\w]|_", _HUMP.sub("_", word.strip()))
    return _PREFIX.sub("", "_".join(filter(None, parts)).casefold())


def plain(text: str) -> str:
    """Return a message without the parts that vary: case, spacing, quotes, the request id."""
    text = unicodedata.normalize("NFKC", text).casefold().translate(_QUOTES)
    text = " ".join(text.split())  # First: a long run of blanks would make the patterns slow.
    for _ in range(_TAILS):
        if tail := _TAIL.search(text, max(0, len(text) - _LONGEST_TAIL)):
            text = text[: tail.start()].rstrip(" ,([")
    return _HEAD.sub("", text).rstrip(" .。!！")


def spelt_out(text: str) -> Iterator[str]:
    """Yield every text that a spelling with alternatives stands for."""
    pieces = _PIECE.split(text)
    choices = [it[1:-1].split("|") if _PIECE.fullmatch(it) and it != "#" else [it] for it in pieces]
    return map("".join, product(*choices))


def is_too_short(text: str) -> bool:
    """Whether a spelling has too few letters, so that unrelated responses could match it."""
    return any(len(letters(each)) < _LEAST for each in spelt_out(text))


def sentence(spelt: str) -> re.Pattern[str]:
    """Return a pattern for a whole plain message; its groups are the parts that are spelt out.

    The parts between the gaps are matched one after the other, each at its first occurrence, so
    that matching takes time linear in the length of the message.
    """
    first, *parts = map(_pattern_of, spelt.split("*"))
    if not parts:
        return re.compile(f"{first} ?$")
    # "* not found" needs something before it: "Not Found" alone is another sentence.
    gaps = [".+?" if spelt.startswith("* ") else ".*?", *(".*?" for _ in parts)]
    *firm, last = (f"{gap} ?{part}" for gap, part in zip(gaps, parts, strict=False))
    return re.compile(first + "".join(f"(?>{part})" for part in firm) + f"{last} ?$")


def phrase(spelt: str) -> re.Pattern[str]:
    """Return a pattern for a part of a plain message."""
    return re.compile(_pattern_of(spelt))


def _pattern_of(spelt: str) -> str:
    return " ?".join(map(_pattern, filter(None, map(str.strip, _PIECE.split(spelt)))))


def _pattern(piece: str) -> str:
    if piece == "#":
        return r"(?:\d{1,6}|\#)"
    choices = piece[1:-1].split("|") if _PIECE.fullmatch(piece) else [piece]
    return f"({'|'.join(re.escape(plain(each).strip()) for each in choices)})"
