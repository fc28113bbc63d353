"""The machine's clock without its jumps, as used in production.

A machine's clock may be set by hours while the service runs: by hand, by a time server, after a
sleep. `SystemClock` goes on evenly and ignores such a step until `adopt` is called, after the times
in the rows were corrected. So a clock that is set neither passes deadlines nor blocks anything.
"""

import asyncio
import time
from collections.abc import Callable

STEP = 5.0
"""Seconds of the least step. A smaller difference is a normal correction of a running clock."""


class SystemClock:
    """The machine's clock without its steps. Implements `timekeeping.SettableClock`."""

    def __init__(
        self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall = wall
        self.steady = steady
        self._ahead = wall() - steady()
        self._settled_at = steady()

    def now(self) -> float:
        """Return the seconds since the epoch, UTC, without a step that is not adopted yet."""
        return self.steady() + self._ahead

    def settled(self) -> float:
        """Return the seconds since the process began, or since a step was adopted."""
        return self.steady() - self._settled_at

    def step(self) -> float:
        """Return the seconds by which the machine's clock was set; 0.0 if it was not set."""
        drift = self._wall() - self.now()
        if abs(drift) < STEP:
            self._ahead += drift
            return 0.0
        return drift

    def adopt(self, seconds: float) -> None:
        """Add a step of the machine's clock to this clock."""
        self._ahead += seconds
        self._settled_at = self.steady()

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""
        await asyncio.sleep(seconds)
