"""Cleaning of what people type: the text they see is the text that is sent."""

import unicodedata


def clean(prompt: str) -> str:
    """The prompt in NFC, without control, bidi-override and other invisible characters.

    Line breaks and tabs become spaces; joiners stay, because emoji and several scripts need them.
    """
    spaced = "".join(" " if char.isspace() else char for char in prompt)
    kept = "".join(char for char in spaced if char in "\u200c\u200d" or not _is_invisible(char))
    return " ".join(unicodedata.normalize("NFC", kept).split())


def shortened(text: str, most: int) -> str:
    """At most `most` characters, the last an ellipsis if something was cut."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _is_invisible(char: str) -> bool:
    # Cc control, Cf format (bidi overrides, zero width), Cs surrogates, Co private use, Cn none.
    return unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn"}
