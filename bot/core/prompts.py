"""Clean the text that people type, so that the text they see is the text that is sent."""

import json
import re
import unicodedata
from functools import lru_cache

DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2e3a\u2e3b\ufe58\ufe63\uff0d-"
"""The characters that keyboards insert for a dash. `-` is last, for use in a regex class."""

_BLANKS = "\u2800\u3164\uffa0\U0001d159"
"""Visible characters by category that look blank. People type them for spaces or empty texts."""
_JOINERS = "\u200c\u200d"
_SELECTORS = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\U00016fe4" + "".join(
    map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
)
"""Characters that only change how the letter beside them looks. Emoji need some of them."""
_UNSEEN = _JOINERS + _SELECTORS + " "
_EMOJI = range(0x1F000, 0x1FB00)
"""The blocks of pictographs. Those that this Python's tables don't know yet are visible, too."""
_MOST_MARKS = 4
"""Most combining marks on one letter. No script needs more; "zalgo" text has many."""

_LONG_WORD = 20
"""Characters of a word that may be cut in the middle: several scripts have no spaces."""
_QUOTED = 6
"""Least characters in a row that count as a quotation."""
_LINK = re.compile(r"[a-z][a-z0-9+.-]*:(?://|\\/\\/|data:|[a-z]+/)\S+", re.IGNORECASE)
_CUT = re.compile("\0+")
_GAP = re.compile(rf"[\s_{DASHES}]+")


def clean(prompt: str) -> str:
    """Return the prompt in NFC, without control, bidi-override and other invisible characters.

    Line breaks, tabs and blank letters become spaces; joiners and selectors stay, because emoji and
    several scripts need them.
    A text with nothing to see in it is empty.
    """
    spaced = "".join(" " if char.isspace() or char in _BLANKS else char for char in prompt)
    kept = "".join(char for char in spaced if char in _JOINERS or not _is_invisible(char))
    calm = _with_few_marks(unicodedata.normalize("NFC", kept))
    text = " ".join(calm.split())
    return text if text.strip(_UNSEEN) else ""


def shortened(text: str, most: int) -> str:
    """Return at most `most` characters of the text, with an ellipsis at the end if it was cut.

    The cut is between words, unless the word at the cut is too long.
    """
    if len(text) <= most:
        return text
    cut = text[: most - 1]
    end = cut.rfind(" ")
    if text[most - 1] != " " and end > max(most - _LONG_WORD, most // 2):
        cut = cut[:end]
    return cut.rstrip() + "…"


@lru_cache(maxsize=1000)
def spelt(name: str) -> str:
    """Return a name as names are compared: in lower case, without spaces, dashes or underscores."""
    return _GAP.sub("", name.casefold())


def unquoted(text: str, prompt: str) -> str:
    """Return `text` with links and all quotations of `prompt` replaced by "…".

    For logs: the operator may read a gateway's text, but not a person's prompt that it quotes.
    """
    kept = list(_LINK.sub("…", text))
    text = "".join(kept)
    for source in (prompt, json.dumps(prompt)[1:-1]):
        length = min(_QUOTED, len(source))
        quotable = {source[at : at + length] for at in range(len(source) - length + 1)}
        for at in range(len(text) - length + 1):
            if length and text[at : at + length] in quotable:
                kept[at : at + length] = "\0" * length
    return _CUT.sub("…", "".join(kept))


def _is_invisible(char: str) -> bool:
    # Cc control, Cf format (bidi overrides, zero width), Cs surrogates, Co private use, Cn none.
    category = unicodedata.category(char)
    if category == "Cn":
        return ord(char) not in _EMOJI
    return category in {"Cc", "Cf", "Cs", "Co"}


def _with_few_marks(text: str) -> str:
    kept, marks = [], 0
    for char in text:
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks <= _MOST_MARKS:
            kept.append(char)
    return "".join(kept)
