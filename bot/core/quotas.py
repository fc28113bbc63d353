"""Quotas: limits, usage, and the one question asked of them.

Usage is counted in the very statements that move jobs, and asked in the transaction that admits the
next one.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.core.errors import OverLimit, Refused, Unwritten

TRIES_PER_VIDEO = 5
"""Jobs a day for each video a day: failures and cancellations are free, but not without end."""
IN_DOUBT = 2
"""Videos a day that a person is given again because nobody knows whether they were paid for.

Their answers were lost, say. A gateway that loses every answer would else be paid without end.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """The money for orders at `gateway`, or else anywhere but at those of `others`.

    A row is of the purse that pays its gateway; so is one whose gateway nobody has any more, which
    is the operator's.
    """

    gateway: str | None = None
    others: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The allowance per day and at once; None means no limit."""

    person_videos: int | None = 3
    person_at_once: int | None = 1
    community_videos: int | None = 20
    purse_videos: int | None = 50
    purse_money: int | None = None
    """Micro-units of the currency; needs a price for every enabled model."""
    time_zone: str = "UTC"
    purse: Purse = Purse()
    """Nothing else counts, for nobody: what another purse pays is no part of a person's day."""

    def day(self, now: float) -> tuple[float, float]:
        """Beginning and end of the day that `now` lies in, in seconds since the epoch."""
        zone = ZoneInfo(self.time_zone)
        midnight = datetime.fromtimestamp(now, zone).replace(
            hour=0, minute=0, second=0, microsecond=0, fold=0
        )
        # Wall-clock arithmetic: a day with a clock change is 23 or 25 hours long, as people see it.
        return midnight.timestamp(), (midnight + timedelta(days=1)).timestamp()


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """More than the limits say, by an operator and for this day alone."""

    person_videos: int = 0
    person_tries: int = 0
    person_paid: int = 0
    community_videos: int = 0
    purse_videos: int = 0
    purse_money: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Today's counts (for `person_at_once`, of right now), and what was granted beyond limits."""

    person_videos: int = 0
    person_tries: int = 0
    """All of today's jobs, also those that failed or were cancelled."""
    person_paid: int = 0
    """Those that are paid for, may be, or are about to be: what waits to be sent is one, too."""
    person_at_once: int = 0
    community_videos: int | None = 0
    """None where there is no community, whose limit then says nothing."""
    purse_videos: int = 0
    purse_money: int = 0
    granted: Granted = Granted()
    is_doubted: bool = False
    """These counts were found to be wrong: see `counting.py`."""


def allowed(limits: Limits, granted: Granted) -> dict[str, int | None]:
    """The most of each figure of a usage today; None where there is no limit."""
    videos = limits.person_videos
    most = {
        "person_at_once": limits.person_at_once,
        "person_videos": videos,
        "person_paid": None if videos is None else videos + IN_DOUBT,
        "person_tries": None if videos is None else videos * TRIES_PER_VIDEO,
        "community_videos": limits.community_videos,
        "purse_videos": limits.purse_videos,
        "purse_money": limits.purse_money,
    }
    return {
        name: None if limit is None else limit + getattr(granted, name, 0)
        for name, limit in most.items()
    }


def refusal(
    usage: Usage, limits: Limits, *, quota_cost: int, spend_cost: int, resets_at: float
) -> Refused | Unwritten | None:
    """The first limit that one more video would pass, in words for the person; None if none."""
    if usage.is_doubted:
        return Unwritten("usage_doubted")
    more_of = {
        "person_videos": quota_cost,
        "community_videos": quota_cost,
        "purse_money": spend_cost,
    }
    for name, most in allowed(limits, usage.granted).items():
        used, more = getattr(usage, name), more_of.get(name, 1)
        if used is None:
            continue
        if most == 0:
            return OverLimit("limit_zero")
        if most is not None and more > most:
            return OverLimit("limit_too_dear")  # tomorrow as well
        if most is not None and used + more > most:
            return OverLimit(f"limit_{name}", limit=most, used=used, resets_at=resets_at)
    return None


def left(usage: Usage, limits: Limits) -> int | None:
    """How many more videos this person may have today, whichever limit is nearest."""
    most = allowed(limits, usage.granted)
    each = ("person_videos", "person_paid", "community_videos", "purse_videos")
    known = ((getattr(usage, name), most[name]) for name in each)
    rest = [limit - used for used, limit in known if used is not None and limit is not None]
    return max(0, min(rest)) if rest else None
