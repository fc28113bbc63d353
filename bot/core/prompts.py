"""Cleaning of what people type: the text they see is the text that is sent."""

import json
import re
import unicodedata
from functools import lru_cache

DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2e3a\u2e3b\ufe58\ufe63\uff0d-"
"""All that keyboards make where somebody types a dash; the plain one last, for use in a pattern."""

_BLANKS = "\u2800\u3164\uffa0\U0001d159"
"""Letters and signs of which nothing is seen: people type them for spaces, or for a blank text."""
_JOINERS = "\u200c\u200d"
_SELECTORS = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\U00016fe4" + "".join(
    map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
)
"""They only change how the letter beside them looks; emoji need some."""
_UNSEEN = _JOINERS + _SELECTORS + " "
_EMOJI = range(0x1F000, 0x1FB00)
"""Blocks of pictographs: ones newer than this Python's tables are no less visible for it."""
_MOST_MARKS = 4
"""Combining marks on one letter; no script needs more, and "zalgo" is made of them."""

_LONG_WORD = 20
"""Characters; several scripts put no spaces between words."""
_QUOTED = 6
"""Characters in a row that are no accident."""
_LINK = re.compile(r"[a-z][a-z0-9+.-]*:(?://|\\/\\/|data:|[a-z]+/)\S+", re.IGNORECASE)
_CUT = re.compile("\0+")
_GAP = re.compile(rf"[\s_{DASHES}]+")


def clean(prompt: str) -> str:
    """The prompt in NFC, without control, bidi-override and other invisible characters.

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
    """At most `most` characters, the last an ellipsis if something was cut.

    The cut is between words, unless the word there is so long that little would be left of it.
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
    """A name as it is compared: people and phones put spaces, dashes and capitals as they like."""
    return _GAP.sub("", name.casefold())


def unquoted(text: str, prompt: str) -> str:
    """`text` without what it quotes of `prompt`, in whole or in part, and without links.

    For logs: what a gateway says is for the operator, what a person said to it is not.
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
