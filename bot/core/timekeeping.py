"""Notice that the machine's clock was set, and correct the times in the rows.

While the process runs, our clock goes on evenly until the rows are corrected. After a restart only
a clock that was set back can be noticed: a clock that was set ahead looks like time that passed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from bot.core.ports import Clock
from bot.log import get_logger

CHECK_EVERY = 1.0
"""Seconds between two checks of the clock."""
NOTED = 30.0
"""Seconds between two saved notes of the time. The next start compares its clock with the last."""
BACK = 5.0
"""Most seconds that the clock may be behind the last note before it counts as set back."""
RIGHT_AFTER = 3600.0
"""Seconds after the start in which a step back counts as the repair of a clock that was ahead."""
AFTERWARDS = 5.0
"""Seconds after a step in which rows that were read before the step may still be written."""

log = get_logger()


class SettableClock(Clock, Protocol):
    """The machine's clock, which may be set while the process runs."""

    def step(self) -> float:
        """Return by how many seconds the machine's clock was set ahead since the last `adopt`.

        Until `adopt` is called, `now` goes on as if the clock had not been set. The result is
        negative for a clock that was set back, and 0.0 if the clock was not set.
        """

    def adopt(self, seconds: float) -> None:
        """Shift `now` by the seconds by which the machine's clock was set."""


class Times(Protocol):
    """The times in all rows. Each method is one transaction."""

    async def seen(self) -> float | None:
        """Return the last time that was noted; None if none was."""

    async def note(self, now: float) -> None:
        """Save `now` as the last noted time."""

    async def shift(self, seconds: float, *, now: float, since: float = 0.0) -> None:
        """Add `seconds` to the times in the rows, because the clock was set; it now shows `now`.

        Times before `since` stay, because the clock was right then.
        """

    async def settle(self, *, now: float) -> None:
        """Correct times of rows that were read before a step and written after it."""


@dataclass
class Timekeeper:
    """Watches the clock and corrects the rows after each step. There is one per process."""

    clock: SettableClock
    times: Times
    changed: Callable[[], None] = lambda: None
    """A function that is called when rows may have become due."""
    _owed: float = field(init=False, default=0.0)
    """Seconds of a step that our clock shows and the rows don't yet."""
    _settle_at: float | None = field(init=False, default=None)
    _started: float = field(init=False, default=0.0)
    """The time at the start, by our clock."""
    _gap: float = field(init=False, default=0.0)
    """Seconds from the last note of the previous process to the start of this one."""

    def __post_init__(self) -> None:
        self._noted_at = self._began_at = self.clock.steady()

    async def begin(self) -> None:
        """Correct the rows if the clock was set back since the last run. Call before any claim."""
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
        """Check the clock until cancelled."""
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
        """Shift rows and clock, in the order that makes jobs look younger in between, not older.

        A job that looks too old would be given up.
        """
        if step > 0:
            await self.times.shift(step, now=self.clock.now() + step)
            self.clock.adopt(step)
            self._afterwards()
        else:
            self.clock.adopt(step)
            await self._shift(self._owed + step)

    def _since(self, step: float) -> float:
        """Return the time from which on the rows' times are wrong; 0.0 if all are.

        A clock that is set back soon after the start was ahead only since the start, if the gap
        between the two processes was long enough for that.
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
