"""Where causes are looked for in the rows: orders of which nobody knows, jobs that stand still, and
limits that come near. Each answers all causes of its kind that hold now.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from bot.core.accounts import Accounts, Terms
from bot.core.causes import MOST_IDS, MOST_SHOWN, Cause, Facts, Kind
from bot.core.context import SETTLED
from bot.core.jobs import SOFT_DEADLINE, Job, Status
from bot.core.keeping import Rules
from bot.core.learned import Key, Learned
from bot.core.orders import Address
from bot.core.ports import Clock, Jobs
from bot.core.prices import money
from bot.core.prompts import clean
from bot.core.quotas import allowed

LEVELS = (50, 80, 95)
"""Percent of a day's limit at which owners are told."""
QUEUED = 3600.0
"""Seconds in the queue, without a reason that owners know, after which an order stands still."""
DONE = 3600.0
"""Seconds after which a finished video should have been fetched."""
SLOWER = 2.0
"""Times the longest of its model that a video takes before it stands still."""


class Outlook(Protocol):
    """The rows that are looked at."""

    async def unconfirmed(self, *, since: float, most: int) -> tuple[int, Sequence[Job]]:
        """How many orders may have been charged or not, and the latest of them."""

    async def slow(self, *, queued: float, made: float, done: float, most: int) -> Sequence[Job]:
        """Jobs that go on by themselves and wait since before these times, the oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Looks at the rows."""

    outlook: Outlook
    jobs: Jobs
    learned: Learned
    accounts: Accounts
    rules: Rules
    currency: str
    clock: Clock

    async def unconfirmed(self) -> list[Cause]:
        """All of them in one: a gateway that loses every answer makes one notice."""
        since = self.rules.unconfirmed_by(self.clock.now())
        count, latest = await self.outlook.unconfirmed(since=since, most=MOST_IDS)
        if not count:
            return []
        facts = {**_facts(latest, count), "newest": latest[0].ended_at}
        return [Cause(kind=Kind.UNCONFIRMED, facts=facts)]

    async def stuck(self) -> list[Cause] | None:
        """Jobs that take longer than any of their model before.

        None soon after a start: while nothing ran, they all stood still.
        """
        if self.clock.settled() < SETTLED:
            return None
        now = self.clock.now()
        times = {"queued": now - QUEUED, "made": now - SOFT_DEADLINE, "done": now - DONE}
        found = await self.outlook.slow(**times, most=MOST_IDS)
        still = []
        for job in found:
            if job.status is Status.IN_PROGRESS:
                pace = await self.learned.pace(Key.of(job))
                if now - (job.submitted_at or now) < SLOWER * pace.longest:
                    continue
            still.append(job)
        return [Cause(kind=Kind.STUCK, facts=_facts(still, len(still)))] if still else []

    async def limits(self) -> list[Cause]:
        """Each limit of a day that is half used, or more."""
        return [cause for each in await self.used() if (cause := self._near(each))]

    async def used(self) -> list["Used"]:
        """Each limit of a day that is configured, and how much of it is used."""
        now = self.clock.now()
        return [used for whose in self._whose() for used in await self._used(whose, now)]

    async def _used(self, whose: "Whose", now: float) -> list["Used"]:
        limits = whose.terms.limits
        address = Address(platform=whose.platform, channel="", community=whose.community)
        usage = await self.jobs.usage(address, "", limits, now=now)
        most = allowed(limits, usage.granted)
        found = []
        for figure in whose.figures:
            used, limit, plain = getattr(usage, figure), most[figure], getattr(limits, figure)
            if limit and plain and used is not None:
                more = -(-plain // 2)
                found.append(
                    Used(whose=whose, figure=figure, used=used, limit=limit, more=more, now=now)
                )
        return found

    def _near(self, used: "Used") -> Cause | None:
        reached = [each for each in LEVELS if used.used * 100 >= each * used.limit]
        if not reached:
            return None
        facts = {
            "figure": used.figure,
            "of": used.of,
            "level": reached[-1],
            "limit": used.limit,
            "more": used.more,
            "shown": self.amount(used.figure, used.limit),
            "more_shown": self.amount(used.figure, used.more),
            "day": used.day,
        }
        return Cause(kind=Kind.LIMIT, about=used.about, facts=facts)

    def amount(self, figure: str, number: int) -> str:
        """A number of videos, or a sum of money."""
        return money(number, self.currency) if figure == "purse_money" else str(number)

    def _whose(self) -> Iterator["Whose"]:
        """Every purse, and every community with limits of its own."""
        purses = ("purse_videos", "purse_money")
        yield Whose(terms=self.accounts.general, figures=purses)
        seen: set[str | None] = {None}
        for (platform, community), terms in sorted(self.accounts.own.items()):
            gateway = terms.limits.purse.gateway
            own = () if gateway in seen else purses
            seen.add(gateway)
            yield Whose(
                terms=terms,
                figures=(*own, "community_videos"),
                platform=platform,
                community=community,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """A purse, or a community."""

    terms: Terms
    figures: tuple[str, ...]
    platform: str = ""
    community: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """A limit of a day, and how much of it is used."""

    whose: Whose
    figure: str
    """The name of the limit, as `purse_videos`."""
    used: int
    limit: int
    more: int
    """How much one press lets them have besides."""
    now: float

    @property
    def kind(self) -> str:
        """As `quota` has it: `purse` or `community`."""
        return "community" if self.figure == "community_videos" else "purse"

    @property
    def of(self) -> str:
        """As `quota` has it: a gateway with a purse of its own, a community, or nothing."""
        if self.kind == "community":
            return f"{self.whose.platform}:{self.whose.community}"
        return self.whose.terms.limits.purse.gateway or ""

    @property
    def about(self) -> str:
        """A name of this limit among all."""
        return f"{self.figure} {self.of}".strip()

    @property
    def day(self) -> str:
        """The day that it is for."""
        zone = ZoneInfo(self.whose.terms.limits.time_zone)
        return datetime.fromtimestamp(self.now, zone).date().isoformat()


def _facts(jobs: Sequence[Job], count: int) -> Facts:
    return {
        "count": count,
        "ids": [job.id for job in jobs],
        "jobs": [shown(job) for job in jobs[:MOST_SHOWN]],
    }


def shown(job: Job) -> Mapping[str, object]:
    """A job in a notice: never what its person wrote."""
    return {
        "job": job.id,
        "status": job.status.value,
        "gateway": job.gateway,
        "model": job.request.label,
        "name": clean(job.order.call.person.name) or job.order.call.person.id,
        "at": job.submitted_at or job.created_at,
    }
