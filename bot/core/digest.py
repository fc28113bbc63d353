"""The digest: a daily report to owners of the videos made, their cost, and open decisions.

A digest is a cause that is reported once under the date of its day, so neither a restart nor a
clock that is set repeats it. A day without news has no digest, nor has the day of the first start.
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
from bot.core.told import Price, Told
from bot.core.told import facts as told_facts
from bot.log import get_logger

CHECK_EVERY = 60.0
"""Seconds between two reads of the clock, which may be set while the machine may sleep."""
LATE = 3600.0
"""The least seconds for which a digest stays due, also past midnight."""
DAY = 86_400.0
APART = 12 * 3600.0
"""The least seconds between two digests, even if the date has changed."""
FURTHEST = 2 * DAY
"""The most seconds by which the last digest may be ahead of a clock that was set back.

If it is further ahead, its time was wrong and is ignored.
"""
LAST_DAY = "digest.day"
"""The setting with the date of the last day that was handled."""
MOST_REASONS = 5

log = get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """The jobs of a day with the same state and reason."""

    status: Status
    reason: str | None
    count: int
    spent: int
    """Micro-units of money."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """The sources of a day's figures."""

    day: Callable[[float], Awaitable[Sequence[Sum]]]
    """Returns the sums of the jobs ordered since a time."""
    told: Callable[[float], Awaitable[Sequence[Told]]]
    """Returns the told costs of these jobs, by the keys of a price."""
    price: Price
    used: Callable[[], Awaitable[Sequence[Used]]]
    """Returns each daily limit with its use."""
    amount: Callable[[str, int], str]
    """Returns a limit's amount as text."""
    room: Callable[[], Awaitable[Mapping[str, object]]]
    """Returns the gigabytes `free` and of `media`, and the time of the last `backup`."""
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """Writes the digest of each day."""

    at: time
    """The time of day at which a digest is due."""
    time_zone: str
    causes: Causes
    settings: Settings
    news: News
    rooms: Collection[str]
    clock: Clock
    changed: Callable[[], None]
    """Called when a digest was written."""
    checked: Callable[[], Awaitable[None]]
    """Returns once the causes of this run have been found."""

    async def run(self) -> None:
        """Write the digests until cancelled."""
        await self.checked()
        is_well = True
        while True:
            try:
                await self.check()
            except Exception as error:  # noqa: BLE001 - the database may come back
                if is_well:
                    log.warning("digest.failed", why=named(error))
                is_well = False
            else:
                is_well = True
            await self.clock.sleep(CHECK_EVERY)

    async def check(self) -> None:
        """Write the digest if it is due and was not written."""
        now = self.clock.now()
        day, last_day = self._day(now), await self.settings.get(LAST_DAY)
        if last_day is None:  # A new service has no earlier day.
            await self.settings.put(LAST_DAY, day or "")
            return
        if day is None or last_day == day:
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
        await self.settings.put(LAST_DAY, day)

    def _day(self, now: float) -> str | None:
        """Return the date of the digest that is due; None if none is due."""
        today = datetime.fromtimestamp(now, ZoneInfo(self.time_zone)).date()
        if now >= self._time(today):
            return today.isoformat()
        yesterday = today - timedelta(days=1)
        return yesterday.isoformat() if now < self._time(yesterday) + LATE else None

    def _time(self, day: date) -> float:
        return datetime.combine(day, self.at, ZoneInfo(self.time_zone)).timestamp()

    async def _facts(self, now: float) -> Facts | None:
        """Return the digest's facts; None if there is no news."""
        sums, open_ = await self.news.day(now - DAY), await self.causes.open()
        if not sums and not open_:
            return None
        told = await self.news.told(now - DAY)
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
            # No gateway has a waiting order yet.
            "spent": money(
                sum(each.spent for each in sums if each.status is not Status.QUEUED),
                self.news.currency,
            ),
            **told_facts(told, self.news.currency, made=_count(sums, MADE), price=self.news.price),
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
