"""Quotas: limits, usage, and the check whether one more video is within the limits.

The statements that move jobs also count usage. The transaction that admits a job checks it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.core.errors import OverLimit, Refused, Unwritten

TRIES_PER_VIDEO = 5
"""A person's daily limit of videos times this is the person's daily limit of orders.

The limit of orders also counts failed and cancelled jobs, which the limit of videos doesn't.
"""
IN_DOUBT = 2
"""Videos per day that a person may order again because their charge is uncertain.

For example, the response was lost. Without this limit, a gateway that loses every response would
cost money without end.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """The gateways that one daily budget pays for.

    If `gateway` is set, the purse pays only the orders at this gateway. If `gateway` is None, this
    is the operator's purse: it pays the orders at all gateways except `others`, also at gateways
    that are no longer configured.
    """

    gateway: str | None = None
    others: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most videos and money per day, and the most videos at once; None means no limit."""

    person_videos: int | None = 3
    person_at_once: int | None = 1
    community_videos: int | None = 20
    purse_videos: int | None = 50
    purse_money: int | None = None
    """Micro-units of the currency; needs a price for every enabled model."""
    time_zone: str = "UTC"
    purse: Purse = Purse()
    """Only orders that this purse pays count, also for the limits of persons and communities."""

    def day(self, now: float) -> tuple[float, float]:
        """Return the beginning and the end of the day of `now`, in seconds since the epoch."""
        zone = ZoneInfo(self.time_zone)
        midnight = datetime.fromtimestamp(now, zone).replace(
            hour=0, minute=0, second=0, microsecond=0, fold=0
        )
        # Wall-clock arithmetic: a day with a clock change is 23 or 25 hours long, as people see it.
        return midnight.timestamp(), (midnight + timedelta(days=1)).timestamp()


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """The amounts that an operator granted on top of the limits, for this day only."""

    person_videos: int = 0
    person_tries: int = 0
    person_paid: int = 0
    community_videos: int = 0
    purse_videos: int = 0
    purse_money: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Today's counts (`person_at_once`: the current count), and what was granted for today."""

    person_videos: int = 0
    person_tries: int = 0
    """All of today's jobs, also those that failed or were cancelled."""
    person_paid: int = 0
    """Today's jobs that are paid, may be paid, or will be: a job that waits to be sent counts."""
    person_at_once: int = 0
    community_videos: int | None = 0
    """Today's videos in the community; None outside a community, where this limit doesn't apply."""
    purse_videos: int = 0
    purse_money: int = 0
    granted: Granted = Granted()
    is_doubted: bool = False
    """Whether these counts were found to be wrong: see `counting.py`."""


def allowed(limits: Limits, granted: Granted) -> dict[str, int | None]:
    """Return today's maximum for each count of `Usage`; None means no limit."""
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
    """Return the error for the first limit that one more video would exceed, or None."""
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
            return OverLimit("limit_too_dear")  # also on any other day
        if most is not None and used + more > most:
            return OverLimit(f"limit_{name}", limit=most, used=used, resets_at=resets_at)
    return None


def left(usage: Usage, limits: Limits) -> int | None:
    """Return how many more videos this person may order today; None if no limit applies."""
    most = allowed(limits, usage.granted)
    each = ("person_videos", "person_paid", "community_videos", "purse_videos")
    known = ((getattr(usage, name), most[name]) for name in each)
    rest = [limit - used for used, limit in known if used is not None and limit is not None]
    return max(0, min(rest)) if rest else None
