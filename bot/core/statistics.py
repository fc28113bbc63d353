"""The operators' statistics: videos made, failed and unconfirmed, and money spent.

They are grouped by day, model, gateway, person or community.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.core.acts import UseCase, Values
from bot.core.errors import Refused
from bot.core.jobs import ACTIVE, MADE, Status
from bot.core.ports import Clock

QUARTER = 900.0
"""Seconds of a quarter of an hour. In every time zone, midnight is at the start of a quarter."""
DAYS = 30 * 86_400.0
"""Seconds that statistics cover by default."""
MOST_ROWS = 1000
BY = ("day", "model", "gateway", "person", "community")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """The number and the cost of the jobs with one key and in one state."""

    key: str
    """The id of a model, gateway, person or community. When grouped by day: the number of the
    quarter of an hour since the epoch."""
    status: Status
    name: str
    """The name of a person, to be shown; else empty."""
    count: int
    spent: int
    """Micro-units of money."""


Sums = Callable[[str, float], Awaitable[list[Sum]]]
"""A function that sums up the jobs ordered since a time, by state and by the key of this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Computes the statistics."""

    sums: Sums
    time_zone: str
    currency: str
    clock: Clock

    @property
    def use_cases(self) -> Mapping[str, UseCase]:
        """The use cases, by the name that a command asks for."""
        return {"stats": self.stats}

    async def stats(self, *, by: str = "day", since: float | None = None) -> Values:
        """Return a row for each `day`, `model`, `gateway`, `person` or `community`, and the total.

        Only jobs ordered at or after `since` count; by default, those of the last `DAYS` seconds.
        """
        if by not in BY:
            raise Refused("stats_by_unknown", given=by, can=", ".join(BY))
        since = self.clock.now() - DAYS if since is None else since
        found = await self.sums(by, since)
        groups: dict[str, list[Sum]] = defaultdict(list)
        for each in found:
            groups[self._day(each) if by == "day" else each.key].append(each)
        rows = [_sums(name, groups[name]) for name in sorted(groups)]
        if by != "day":
            rows.sort(key=lambda row: (-int(str(row["spent"])), -int(str(row["made"]))))
        return {
            "by": by,
            "since": since,
            "currency": self.currency,
            "rows": rows[-MOST_ROWS:] if by == "day" else rows[:MOST_ROWS],
            "total": {**_sums("", found), "called": ""},
        }

    def _day(self, each: Sum) -> str:
        begun = int(each.key) * QUARTER
        return datetime.fromtimestamp(begun, ZoneInfo(self.time_zone)).date().isoformat()


def _sums(name: str, parts: Iterable[Sum]) -> dict[str, object]:
    counts, spent, called = dict.fromkeys(Status, 0), 0, ""
    for each in parts:
        counts[each.status] += each.count
        spent += each.spent
        called = each.name
    return {
        "name": name,
        "called": called,
        "made": sum(counts[status] for status in MADE),
        "failed": counts[Status.FAILED],
        "cancelled": counts[Status.CANCELLED],
        "unconfirmed": counts[Status.UNCONFIRMED],
        "under_way": sum(counts[status] for status in ACTIVE),
        "spent": spent,
    }
