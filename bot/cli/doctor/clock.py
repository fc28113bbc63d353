"""Check this machine's clock against the clocks of other servers."""

from datetime import UTC
from email.utils import parsedate_to_datetime

from bot.cli.doctor.findings import Finding

MOST = 60.0
"""The largest difference in seconds that is fine: a response takes time, and HTTP rounds."""


def compared(whose: str, date: str, *, now: float) -> Finding | None:
    """Compare our clock at `now` with a `Date` header; None if the header is unreadable."""
    try:
        theirs = parsedate_to_datetime(date)
    except ValueError:
        return None
    # HTTP dates are in UTC, even if the zone is missing.
    seconds = now - theirs.replace(tzinfo=theirs.tzinfo or UTC).timestamp()
    if abs(seconds) <= MOST:
        return Finding.ok("doctor.clock", whose=whose)
    return Finding.problem("doctor.clock_wrong", whose=whose, seconds=seconds)
