"""The rule for what people point at: a thing that can't be animated is refused, not passed over.

Somebody who points at a link, a sticker or a story means that, and would get, and pay for, a video
of the words alone. Words, a poll, a voice are talk: in reply to them an order is one of words.
"""

import re
from collections.abc import Iterable
from enum import StrEnum

from bot.core.errors import Refused

_LINK = re.compile(r"https?://\S", re.IGNORECASE)


class Shown(StrEnum):
    """A thing that a message shows besides words, and that is no picture for us."""

    LINK = "link"
    PREVIEW = "preview"
    """Of a page, or whatever another bot put together."""
    STICKER = "sticker"
    EMOJI = "emoji"
    """Nothing but pictures of somebody's own among the letters."""
    STORY = "story"
    PAID = "paid"
    """Media that are to be bought: we are not shown them."""
    GAME = "game"
    PLACE = "place"
    OTHER = "other"


def links_in(text: str) -> Iterable[Shown]:
    """The link that stands anywhere in the text: no address of a person's is ever fetched."""
    return (Shown.LINK,) if _LINK.search(text) else ()


def check(shown: Iterable[Shown]) -> None:
    """Raise `Refused` for the first of what a message shows, if there is anything.

    Call it where no picture was found.
    """
    for each in shown:
        raise Refused(f"shows_{each}")
