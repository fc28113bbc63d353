"""The digest: once a day owners hear what was made, what it cost, and what is left to decide.

It is a cause that is said once, under the date of its day: neither a restart nor a clock that is
set says it again. A day without anything to tell has none, nor has the day of the first start.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.core.access import Facts as Settings
from bot.core.causes import Cause, Causes, Facts, Kind
from bot.core.errors import named
from bot.core.jobs import IN_FLIGHT, MADE, Status
from bot.core.ports import Clock
from bot.core.prices import money
from bot.core.sources import Used
from bot.log import get_logger

CHECK_EVERY = 60.0
"""Seconds between two looks at the time: a clock may be set, and a machine may sleep."""
LATE = 3600.0
"""Seconds for which a digest is due at least: also over midnight, if its time is just before."""
DAY = 86_400.0
APART = 12 * 3600.0
"""Seconds between two digests at least, whatever the calendar says."""
FURTHEST = 2 * DAY
"""Seconds by which the last one may lie ahead of a clock that was set back; else it was wrong."""
TOLD = "digest.day"
"""The setting with the date of the last day that was looked at."""
MOST_REASONS = 5

log = get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """Jobs of a day that are alike."""

    status: Status
    reason: str | None
    count: int
    spent: int
    """Micro-units of money."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Where the figures of a day come from."""

    day: Callable[[float], Awaitable[Sequence[Sum]]]
    """The jobs that were ordered since then."""
    used: Callable[[], Awaitable[Sequence[Used]]]
    """Each limit of a day."""
    amount: Callable[[str, int], str]
    """A figure of a limit, to be shown."""
    room: Callable[[], Awaitable[Mapping[str, object]]]
    """Gigabytes that are `free`, those of the `media`, and when the last `backup` was made."""
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """Tells the news of a day."""

    at: time
    """The time of day."""
    time_zone: str
    causes: Causes
    settings: Settings
    news: News
    rooms: Collection[str]
    clock: Clock
    changed: Callable[[], None]
    """It is called when there is something to say."""
    checked: Callable[[], Awaitable[None]]
    """It ends when the causes are no longer those of an earlier run."""

    async def run(self) -> None:
        """Look until cancelled."""
        await self.checked()
        is_well = True
        while True:
            try:
                await self.check()
            except Exception as error:  # noqa: BLE001 - full or away: it comes back, we go on
                if is_well:
                    log.warning("digest.failed", why=named(error))
                is_well = False
            else:
                is_well = True
            await self.clock.sleep(CHECK_EVERY)

    async def check(self) -> None:
        """Tell it, if its time has come and it was not told."""
        now = self.clock.now()
        day, told = self._day(now), await self.settings.get(TOLD)
        if told is None:  # A new service has no day behind it.
            await self.settings.put(TOLD, day or "")
            return
        if day is None or told == day:
            return
        last = await self.causes.last(Kind.DIGEST)
        if last is not None and -FURTHEST < now - last < APART:
            return
        facts = await self._facts(now)
        if facts is not None:
            cause = Cause(kind=Kind.DIGEST, about=day, facts=facts)
            if await self.causes.once(cause, rooms=self.rooms, now=now):
                log.info("digest.written", day=day)
                self.changed()
        await self.settings.put(TOLD, day)

    def _day(self, now: float) -> str | None:
        """The date of the digest that is due; None: there is none."""
        today = datetime.fromtimestamp(now, ZoneInfo(self.time_zone)).date()
        if now >= self._time(today):
            return today.isoformat()
        yesterday = today - timedelta(days=1)
        return yesterday.isoformat() if now < self._time(yesterday) + LATE else None

    def _time(self, day: date) -> float:
        return datetime.combine(day, self.at, ZoneInfo(self.time_zone)).timestamp()

    async def _facts(self, now: float) -> Facts | None:
        """All that it says; None: there is nothing to tell."""
        sums, open_ = await self.news.day(now - DAY), await self.causes.open()
        if not sums and not open_:
            return None
        failed: dict[str, int] = {}
        for each in sums:
            if each.status is Status.FAILED:
                reason = each.reason or "refused"
                failed[reason] = failed.get(reason, 0) + each.count
        worst = sorted(failed.items(), key=lambda it: (-it[1], it[0]))[:MOST_REASONS]
        return {
            "made": _count(sums, MADE),
            "failed": sum(failed.values()),
            "reasons": [list(each) for each in worst],
            "unconfirmed": _count(sums, (Status.UNCONFIRMED,)),
            "waiting": _count(sums, (Status.QUEUED,)),
            "at_work": _count(sums, IN_FLIGHT),
            "spent": money(sum(each.spent for each in sums), self.news.currency),
            "limits": [self._left(used) for used in await self.news.used()],
            **await self.news.room(),
            "open": [{"kind": it.kind.value, "facts": dict(it.facts)} for it in open_],
        }

    def _left(self, used: Used) -> Facts:
        left = max(0, used.limit - used.used)
        amount = self.news.amount
        return {
            "figure": used.figure,
            "of": used.of,
            "left": amount(used.figure, left),
            "limit": amount(used.figure, used.limit),
        }


def _count(sums: Sequence[Sum], statuses: Collection[Status]) -> int:
    return sum(each.count for each in sums if each.status in statuses)
