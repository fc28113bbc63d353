"""Read times that operators type: a duration, or a date and time in this machine's time zone."""

import re
from datetime import datetime, timedelta

from bot.core.errors import Refused

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def ago(text: str, *, now: float) -> float:
    """Return a past time as seconds since the epoch. `text`: a duration before `now`, or a time.

    Raises `Refused("since_unreadable")`.
    """
    return _read(text, now, -1, "since_unreadable")


def ahead(text: str, *, now: float) -> float:
    """Return a future time as seconds since the epoch. `text`: a duration after `now`, or a time.

    Raises `Refused`: `until_unreadable`, or `until_past`.
    """
    at = _read(text, now, 1, "until_unreadable")
    if at <= now:
        raise Refused("until_past")
    return at


def _read(text: str, now: float, sign: int, unreadable: str) -> float:
    length = re.fullmatch(r"(\d{1,6})\s*([smhdw])", text.strip(), re.ASCII)
    if length:
        return now + sign * timedelta(**{_UNITS[length[2]]: int(length[1])}).total_seconds()
    try:
        return datetime.fromisoformat(text.strip()).astimezone().timestamp()
    except (ValueError, OverflowError, OSError):
        raise Refused(unreadable, given=text) from None
