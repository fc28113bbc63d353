"""The operators' use case on sums: made, failed, unconfirmed and spent, by whatever is asked."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from bot.core.acts import UseCase, Values
from bot.core.errors import Refused
from bot.core.jobs import ACTIVE, Status
from bot.core.ports import Clock

QUARTER = 900.0
"""Seconds: midnight is at the beginning of one in every time zone."""
DAYS = 30 * 86_400.0
"""Seconds that are looked back where nobody says how long."""
MOST_ROWS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Jobs alike that were ordered in the same quarter of an hour."""

    at: float
    status: Status
    model: str
    gateway: str
    platform: str
    person: str
    community: str | None
    name: str
    """The person's, to be shown."""
    count: int
    spent: int
    """Micro-units of money."""


class Sums(Protocol):
    """Sums over the rows."""

    async def bins(self, *, since: float) -> list[Bin]:
        """The jobs that were ordered since then, added up."""


class Statistics:
    """Adds up."""

    def __init__(self, *, sums: Sums, time_zone: str, currency: str, clock: Clock) -> None:
        self._sums = sums
        self._zone = ZoneInfo(time_zone)
        self._currency = currency
        self._clock = clock

    @property
    def use_cases(self) -> Mapping[str, UseCase]:
        """By the name that a command asks for."""
        return {"stats": self.stats}

    async def stats(self, *, by: str = "day", since: float | None = None) -> Values:
        """A row each by `day`, `model`, `gateway`, `person` or `community`, and their total."""
        if by not in _KEYS and by != "day":
            raise Refused("stats_by_unknown", given=by, can=", ".join(["day", *_KEYS]))
        since = self._clock.now() - DAYS if since is None else since
        bins = await self._sums.bins(since=since)
        key = self._day if by == "day" else _KEYS[by]
        groups: dict[str, list[Bin]] = defaultdict(list)
        for each in bins:
            groups[key(each)].append(each)
        rows = [_sums(name, each) for name, each in groups.items()]
        if by == "day":
            rows.sort(key=lambda row: str(row["name"]))
        else:
            rows.sort(key=lambda row: (-int(str(row["spent"])), -int(str(row["made"]))))
        return {
            "by": by,
            "since": since,
            "currency": self._currency,
            "rows": rows[-MOST_ROWS:] if by == "day" else rows[:MOST_ROWS],
            "total": _sums("", bins),
        }

    def _day(self, each: Bin) -> str:
        return datetime.fromtimestamp(each.at, self._zone).date().isoformat()


_KEYS: Mapping[str, Callable[[Bin], str]] = {
    "model": lambda it: it.model,
    "gateway": lambda it: it.gateway,
    "person": lambda it: f"{it.platform}:{it.person}",
    "community": lambda it: f"{it.platform}:{it.community or '@'}",
}


def _sums(name: str, bins: Iterable[Bin]) -> dict[str, object]:
    counts, spent, called = dict.fromkeys(Status, 0), 0, ""
    for each in bins:
        counts[each.status] += each.count
        spent += each.spent
        called = each.name
    return {
        "name": name,
        "called": called,
        "made": counts[Status.COMPLETED] + counts[Status.DELIVERED],
        "failed": counts[Status.FAILED],
        "cancelled": counts[Status.CANCELLED],
        "unconfirmed": counts[Status.UNCONFIRMED],
        "under_way": sum(counts[status] for status in ACTIVE),
        "spent": spent,
    }
