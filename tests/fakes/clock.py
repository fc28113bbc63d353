"""A clock that only the test moves, so that no test waits in real time.

`advance` stops at every moment at which a task wakes, in order: a loop that sleeps ten times in an
hour wakes ten times, each time at the right moment.
"""

import asyncio
import heapq
from itertools import count

ROUNDS = 25
"""Turns of the event loop that woken tasks get before time goes on."""


class FakeClock:
    """An implementation of the core's `Clock` that a test controls."""

    def __init__(self, at: float = 1_768_478_400.0) -> None:
        self._now = at
        self._began = at
        self._set = 0.0
        """Seconds of all steps that were adopted."""
        self._step = 0.0
        self._settled_at = at
        self._numbers = count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._somebody_slept = asyncio.Condition()

    def now(self) -> float:
        """Return seconds since the epoch, UTC. The clock starts at noon of 15 January 2026."""
        return self._now + self._set

    def steady(self) -> float:
        """Return seconds since the clock was made."""
        return self._now - self._began

    def settled(self) -> float:
        """Return seconds since the clock was made or a step was last adopted."""
        return self._now - self._settled_at

    def step(self) -> float:
        """Return the seconds by which `set` has set the machine's clock and which are not adopted
        yet.
        """
        return self._step

    def adopt(self, seconds: float) -> None:
        """Count `seconds` of the step in `now` from now on."""
        self._set += seconds
        self._step -= seconds
        self._settled_at = self._now

    def set(self, seconds: float) -> None:
        """Set the machine's clock by so many seconds, as an operator would."""
        self._step += seconds

    async def sleep(self, seconds: float) -> None:
        """Return once `advance` has passed that much time."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._numbers), woken))
        async with self._somebody_slept:
            self._somebody_slept.notify_all()
        await woken

    async def advance(self, seconds: float) -> None:
        """Let time pass, wake sleepers in the order of their moments, and let them run."""
        end = self._now + seconds
        await _let_run()
        while self._sleepers and self._sleepers[0][0] <= end:
            hour, _, woken = heapq.heappop(self._sleepers)
            if woken.done():
                continue
            self._now = max(self._now, hour)
            woken.set_result(None)
            await _let_run()
        self._now = max(self._now, end)
        await _let_run()

    async def asleep(self, tasks: int = 1) -> None:
        """Return once at least `tasks` tasks are sleeping, so that their earlier work is done."""
        async with self._somebody_slept:
            await self._somebody_slept.wait_for(lambda: self.sleepers >= tasks)

    @property
    def sleepers(self) -> int:
        """The number of sleeping tasks."""
        return sum(not woken.done() for _, _, woken in self._sleepers)


async def _let_run() -> None:
    for _ in range(ROUNDS):
        await asyncio.sleep(0)
