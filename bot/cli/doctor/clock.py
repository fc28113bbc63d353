"""Whether this machine's clock is right, by what other people's clocks say."""

from datetime import UTC
from email.utils import parsedate_to_datetime

from bot.cli.doctor.findings import Finding

MOST = 60.0
"""Seconds: the way takes a few, and HTTP tells whole ones."""


def compared(whose: str, date: str, *, now: float) -> Finding | None:
    """Our clock at `now` against their `Date` header; None if that says nothing."""
    try:
        theirs = parsedate_to_datetime(date)
    except ValueError:
        return None
    # HTTP dates are in UTC, also where they forget to say so.
    seconds = now - theirs.replace(tzinfo=theirs.tzinfo or UTC).timestamp()
    if abs(seconds) <= MOST:
        return Finding.ok("doctor.clock", whose=whose)
    return Finding.problem("doctor.clock_wrong", whose=whose, seconds=seconds)
