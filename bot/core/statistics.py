"""The operators' statistics: videos made, failed and unconfirmed, money spent, and costs told.

They are grouped by day, model, gateway, person or community.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from bot.core.acts import UseCase, Values
from bot.core.errors import Refused
from bot.core.jobs import IN_FLIGHT, MADE, Status
from bot.core.ports import Clock
from bot.core.told import Told, compared, others

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
    """Micro-units of money: our estimates."""


class Sums(Protocol):
    """The sums over the rows of jobs, by the key named `by`, of those ordered since a time."""

    async def sums(self, by: str, since: float) -> list[Sum]:
        """Return the number and the cost of jobs, also by their state."""

    async def told(self, by: str, since: float) -> list[Told]:
        """Return the costs that gateways told."""


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
        A job that waits for its gateway is not spent: its money is `reserved`.
        """
        if by not in BY:
            raise Refused("stats_by_unknown", given=by, can=", ".join(BY))
        since = self.clock.now() - DAYS if since is None else since
        found, told = await self.sums.sums(by, since), await self.sums.told(by, since)
        groups: dict[str, list[Sum]] = defaultdict(list)
        costs: dict[str, list[Told]] = defaultdict(list)
        for each in found:
            groups[self._name(each.key, by)].append(each)
        for cost in told:
            costs[self._name(cost.keys[0], by)].append(cost)
        rows = [_sums(it, groups[it]) | self._costs(costs[it]) for it in sorted(groups)]
        if by != "day":
            rows.sort(key=lambda row: (-int(str(row["spent"])), -int(str(row["made"]))))
        return {
            "by": by,
            "since": since,
            "currency": self.currency,
            "rows": rows[-MOST_ROWS:] if by == "day" else rows[:MOST_ROWS],
            "total": {**_sums("", found), **self._costs(told), "called": ""},
            "other_costs": others(told, self.currency),
        }

    def _costs(self, found: Sequence[Told]) -> dict[str, object]:
        both = compared(found, self.currency)
        return {
            "told_videos": sum(each.count for each in found if each.is_in(self.currency)),
            "compared_videos": both.videos,
            "estimated": both.estimate,
            "told": both.told,
        }

    def _name(self, key: str, by: str) -> str:
        if by != "day":
            return key
        begun = int(key) * QUARTER
        return datetime.fromtimestamp(begun, ZoneInfo(self.time_zone)).date().isoformat()


def _sums(name: str, parts: Iterable[Sum]) -> dict[str, object]:
    counts, money, called = dict.fromkeys(Status, 0), dict.fromkeys(Status, 0), ""
    for each in parts:
        counts[each.status] += each.count
        money[each.status] += each.spent
        called = each.name
    reserved = money.pop(Status.QUEUED)
    return {
        "name": name,
        "called": called,
        "made": sum(counts[status] for status in MADE),
        "failed": counts[Status.FAILED],
        "cancelled": counts[Status.CANCELLED],
        "unconfirmed": counts[Status.UNCONFIRMED],
        "waiting": counts[Status.QUEUED],
        "under_way": sum(counts[status] for status in IN_FLIGHT),
        "spent": sum(money.values()),
        "reserved": reserved,
    }
