"""Notices that the machine's clock was set, and puts the times in the rows right.

Within a process the clock goes on evenly until the rows have moved with it. Over a restart only a
clock that was set back can be told from time that passed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from bot.core.ports import Clock
from bot.log import get_logger

CHECK_EVERY = 1.0
"""Seconds between two looks at the clock."""
NOTED = 30.0
"""Seconds between two notes of the time: by them the next start sees a clock that was set back."""
BACK = 5.0
"""Seconds by which a clock may be behind its last note."""
RIGHT_AFTER = 3600.0
"""Seconds after the start in which a time server sets a clock back that was ahead at the start."""
AFTERWARDS = 5.0
"""Seconds after which whatever was read before a step has been written."""

log = get_logger()


class SettableClock(Clock, Protocol):
    """A clock of a machine, which may be set while we run."""

    def step(self) -> float:
        """Seconds by which it was set and `now` is not; 0.0 as a rule."""

    def adopt(self, seconds: float) -> None:
        """Take a step over."""


class Times(Protocol):
    """The times in all rows. Each method is one whole transaction."""

    async def seen(self) -> float | None:
        """The latest time that was noted; None if none was."""

    async def note(self, now: float) -> None:
        """This is the time."""

    async def shift(self, seconds: float, *, now: float, since: float = 0.0) -> None:
        """The clock was set by so many seconds, and says `now`: times in the rows move with it.

        Only those from `since` on: what is older was written by a clock that was right.
        """

    async def settle(self, *, now: float) -> None:
        """Put right what was read before a step and written after it."""


@dataclass
class Timekeeper:
    """One per process."""

    clock: SettableClock
    times: Times
    changed: Callable[[], None] = lambda: None
    """It is called when rows may have become due."""
    _owed: float = field(init=False, default=0.0)
    """Seconds of a step that the clock has taken over and the rows have not."""
    _settle_at: float | None = field(init=False, default=None)
    _started: float = field(init=False, default=0.0)
    """The time by our clock at the start."""
    _gap: float = field(init=False, default=0.0)
    """Seconds between the last note of the former process and that."""

    def __post_init__(self) -> None:
        self._noted_at = self._began_at = self.clock.steady()

    async def begin(self) -> None:
        """Before anything is claimed: see whether the clock was set back since the last run."""
        now, seen = self.clock.now(), await self.times.seen()
        self._started = now
        self._gap = now - seen if seen is not None else 0.0
        if seen is not None and now < seen - BACK:
            log.warning("clock.set_back", seconds=round(seen - now))
            await self.times.shift(now - seen, now=now)
        else:
            await self.times.note(now)
        await self.times.settle(now=now)

    async def run(self) -> None:
        """Look at the clock until cancelled."""
        is_kept = True
        while True:
            await self.clock.sleep(CHECK_EVERY)
            try:
                await self._check()
            except Exception as error:  # noqa: BLE001 - the database is away: next time
                if is_kept:
                    log.warning("clock.not_kept", error=type(error).__name__)
                is_kept = False
            else:
                if not is_kept:
                    log.info("clock.kept_again")
                is_kept = True

    async def _check(self) -> None:
        if step := self.clock.step():
            log.warning("clock.stepped", seconds=round(step))
            await self._put_right(step)
        elif self._owed:
            await self._shift(self._owed)
        elif self._settle_at is not None and self.clock.steady() >= self._settle_at:
            await self.times.settle(now=self.clock.now())
            self._settle_at = None
            self.changed()
        elif self.clock.steady() - self._noted_at >= NOTED:
            await self.times.note(self.clock.now())
            self._noted_at = self.clock.steady()

    async def _put_right(self, step: float) -> None:
        """In the order in which jobs look younger meanwhile, never older: none is given up."""
        if step > 0:
            await self.times.shift(step, now=self.clock.now() + step)
            self.clock.adopt(step)
            self._afterwards()
        else:
            self.clock.adopt(step)
            await self._shift(self._owed + step)

    def _since(self, step: float) -> float:
        """From when on the rows have times of a clock that was wrong.

        A clock that was ahead at the start, and is set back soon after, was right before: so far
        as the time between the two processes allows for it.
        """
        soon = self.clock.steady() - self._began_at < RIGHT_AFTER
        return self._started if step < 0 and soon and self._gap + BACK >= -step else 0.0

    async def _shift(self, seconds: float) -> None:
        self._owed = seconds
        since = self._since(seconds)
        await self.times.shift(seconds, now=self.clock.now(), since=since)
        self._owed = 0.0
        self._afterwards()

    def _afterwards(self) -> None:
        self._settle_at = self.clock.steady() + AFTERWARDS
        self.changed()
