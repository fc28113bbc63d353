"""The rule for messages that an order replies to: a thing that can't be animated is refused.

A person who replies to a link, a sticker or a story wants a video of it. Without a refusal the
person would pay for a video made from the prompt alone. A text, a poll or a voice message is only
talk: an order in reply to it is made from its prompt alone.
"""

import re
from collections.abc import Iterable
from enum import StrEnum

from bot.core.errors import Refused

_LINK = re.compile(r"https?://\S", re.IGNORECASE)


class Shown(StrEnum):
    """A thing in a message, other than text, that the bot can't use as a picture."""

    LINK = "link"
    PREVIEW = "preview"
    """A preview of a web page, or an embed that another bot made."""
    STICKER = "sticker"
    EMOJI = "emoji"
    """A text of custom emoji only."""
    STORY = "story"
    PAID = "paid"
    """Media that must be bought before they can be seen."""
    GAME = "game"
    PLACE = "place"
    OTHER = "other"


def links_in(text: str) -> Iterable[Shown]:
    """Return `LINK` if the text contains a link. The bot fetches no address that a person typed."""
    return (Shown.LINK,) if _LINK.search(text) else ()


def check(shown: Iterable[Shown]) -> None:
    """Raise `Refused` for the first thing that a message shows, if there is any.

    Call this function only if the message has no picture.
    """
    for each in shown:
        raise Refused(f"shows_{each}")
