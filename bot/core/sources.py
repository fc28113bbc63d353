"""The sources of causes that are found in the rows: unconfirmed jobs, stuck jobs and used limits.

A source returns all causes of its kind that exist now.
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
"""Seconds in the queue, without a reason that owners know, after which a job is stuck."""
DONE = 3600.0
"""Seconds after which a job is stuck if its finished video was not downloaded."""
SLOWER = 2.0
"""A job is stuck if its video takes this many times as long as its model's slowest video."""


class Outlook(Protocol):
    """The rows that the sources read."""

    async def unconfirmed(self, *, since: float, most: int) -> tuple[int, Sequence[Job]]:
        """Return the number of unconfirmed jobs since a time, and the latest of them."""

    async def slow(self, *, queued: float, made: float, done: float, most: int) -> Sequence[Job]:
        """Return jobs that wait since before these times, the oldest first.

        `queued`, `made` and `done` are for jobs in the queue, being made, and made. Jobs that wait
        for a person are left out.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Finds causes in the rows."""

    outlook: Outlook
    jobs: Jobs
    learned: Learned
    accounts: Accounts
    rules: Rules
    currency: str
    clock: Clock

    async def unconfirmed(self) -> list[Cause]:
        """Return one cause for all unconfirmed jobs.

        So a gateway that loses every answer leads to a single report.
        """
        since = self.rules.unconfirmed_by(self.clock.now())
        count, latest = await self.outlook.unconfirmed(since=since, most=MOST_IDS)
        if not count:
            return []
        facts = {**_facts(latest, count), "newest": latest[0].ended_at}
        return [Cause(kind=Kind.UNCONFIRMED, facts=facts)]

    async def stuck(self) -> list[Cause] | None:
        """Return one cause for all stuck jobs: those that wait far longer than usual.

        None soon after a start, because no job moves while the bot is stopped.
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
        """Return a cause for each daily limit that is used by at least 50 percent."""
        return [cause for each in await self.used() if (cause := self._near(each))]

    async def used(self) -> list["Used"]:
        """Return each configured daily limit, and how much of it is used."""
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
        """Format a limit for people: a number of videos, or money in micro-units."""
        return money(number, self.currency) if figure == "purse_money" else str(number)

    def _whose(self) -> Iterator["Whose"]:
        """Yield each purse, and each community with limits of its own."""
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
    """A purse or a community that has daily limits."""

    terms: Terms
    figures: tuple[str, ...]
    platform: str = ""
    community: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """A daily limit, and how much of it is used."""

    whose: Whose
    figure: str
    """The name of the limit: `purse_videos`, `purse_money` or `community_videos`."""
    used: int
    limit: int
    more: int
    """How much one press of the owner's button adds to the limit for the day."""
    now: float

    @property
    def kind(self) -> str:
        """`purse` or `community`, as in the command `quota`."""
        return "community" if self.figure == "community_videos" else "purse"

    @property
    def of(self) -> str:
        """A gateway with a purse of its own, a community, or "", as in the command `quota`."""
        if self.kind == "community":
            return f"{self.whose.platform}:{self.whose.community}"
        return self.whose.terms.limits.purse.gateway or ""

    @property
    def about(self) -> str:
        """The unique name of this limit."""
        return f"{self.figure} {self.of}".strip()

    @property
    def day(self) -> str:
        """The current day in the limit's time zone, as an ISO date."""
        zone = ZoneInfo(self.whose.terms.limits.time_zone)
        return datetime.fromtimestamp(self.now, zone).date().isoformat()


def _facts(jobs: Sequence[Job], count: int) -> Facts:
    return {
        "count": count,
        "ids": [job.id for job in jobs],
        "jobs": [shown(job) for job in jobs[:MOST_SHOWN]],
    }


def shown(job: Job) -> Mapping[str, object]:
    """Return what a report tells of a job: never what its person wrote."""
    return {
        "job": job.id,
        "status": job.status.value,
        "gateway": job.gateway,
        "model": job.request.label,
        "name": clean(job.order.call.person.name) or job.order.call.person.id,
        "at": job.submitted_at or job.created_at,
    }
