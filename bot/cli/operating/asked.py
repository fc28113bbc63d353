"""Times as operators type them."""

import re
from datetime import datetime

from bot.core.errors import Refused

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}


def ahead(text: str, *, now: float) -> float:
    """Seconds since the epoch: in so long, or at that day or minute in this machine's time zone.

    Raises `Refused`: `until_unreadable`, or `until_past`.
    """
    length = re.fullmatch(r"(\d{1,6})\s*([smhdw])", text.strip(), re.ASCII)
    try:
        if length:
            at = now + int(length[1]) * _UNITS[length[2]]
        else:
            at = datetime.fromisoformat(text.strip()).astimezone().timestamp()
    except (ValueError, OverflowError, OSError):
        raise Refused("until_unreadable", given=text) from None
    if at <= now:
        raise Refused("until_past")
    return at
