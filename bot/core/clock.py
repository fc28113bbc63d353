"""The machine's own clock, without its jumps: the one that production runs on.

A machine's clock may be set by hours while we run: by hand, by a late time server, after a sleep.
Our time goes on evenly and leaves such a step out until `adopt` is called, by whoever has put the
times in the rows right. So no deadline passes, and nothing freezes, because a clock was set.
"""

import asyncio
import time
from collections.abc import Callable

STEP = 5.0
"""Seconds: a smaller difference is what a clock is corrected by as it runs."""


class SystemClock:
    """Implements `timekeeping.SettableClock`."""

    def __init__(
        self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall = wall
        self.steady = steady
        self._ahead = wall() - steady()
        self._settled_at = steady()

    def now(self) -> float:
        """Seconds since the epoch, UTC, without a step that was not adopted yet."""
        return self.steady() + self._ahead

    def settled(self) -> float:
        """Seconds since the process began, or since a step was adopted."""
        return self.steady() - self._settled_at

    def step(self) -> float:
        """Seconds by which the machine's clock was set since; 0.0 if it was not."""
        drift = self._wall() - self.now()
        if abs(drift) < STEP:
            self._ahead += drift
            return 0.0
        return drift

    def adopt(self, seconds: float) -> None:
        """Take a step over: from now on it counts."""
        self._ahead += seconds
        self._settled_at = self.steady()

    async def sleep(self, seconds: float) -> None:
        """Return once that much time has passed."""
        await asyncio.sleep(seconds)
