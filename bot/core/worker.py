"""The loop: claim due rows, take ONE step of each, repeat. It holds no state worth keeping.

Both halves of the service run on it: jobs (gateway and media) and posts (chat).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from bot.core.ports import Clock
from bot.core.wake import Wake
from bot.log import get_logger

Row = TypeVar("Row")
log = get_logger()


class Worker(Generic[Row]):
    """Keeps up to `slots` steps under way until it is cancelled.

    `claim(most)` takes due rows, `step(row)` does one and writes it down, `next_due()` says when
    the next is due. A step that raises has put its row off itself, as far as the rows could be
    reached; else the claim runs out, and that counts as a crash.
    """

    def __init__(
        self,
        *,
        name: str,
        claim: Callable[[int], Awaitable[list[Row]]],
        step: Callable[[Row], Awaitable[None]],
        next_due: Callable[[], Awaitable[float | None]],
        clock: Clock,
        wake: Wake,
        slots: int = 16,
        look: float = 30.0,
        grace: float = 30.0,
    ) -> None:
        self._name = name
        self._claim = claim
        self._step = step
        self._next_due = next_due
        self._clock = clock
        self._wake = wake
        self._slots = slots
        self._look = look
        """Seconds after which the rows are looked at even if nobody rang."""
        self._grace = grace
        self._steps: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Work until cancelled; then give steps under way `grace` seconds to end well."""
        try:
            while True:
                free = self._slots - len(self._steps)
                rows = await self._claimed(free) if free > 0 else []
                for row in rows:
                    self._begin(row)
                if not rows:
                    await self._rest()
        finally:
            await self._wind_down()

    async def _claimed(self, most: int) -> list[Row]:
        try:
            return await self._claim(most)
        except Exception:  # the database may be full or away: it comes back, we go on
            log.exception("claim.failed", worker=self._name)
            await self._clock.sleep(1.0)
            return []

    def _begin(self, row: Row) -> None:
        task = asyncio.create_task(self._one(row))
        self._steps.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._steps.discard(task)
        # A free slot, and perhaps the same row's next step.
        self._wake.ring()

    async def _one(self, row: Row) -> None:
        try:
            await self._step(row)
        except Exception:
            log.exception("step.failed", worker=self._name)

    async def _rest(self) -> None:
        """Until somebody rings, the next row is due, or it is time for a look."""
        wait = self._look
        if len(self._steps) < self._slots:
            wait = min(wait, await self._until_due())
        ring = asyncio.create_task(self._wake.heard())
        nap = asyncio.create_task(self._clock.sleep(wait))
        try:
            await asyncio.wait({ring, nap}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (ring, nap):
                task.cancel()
            await asyncio.gather(ring, nap, return_exceptions=True)

    async def _until_due(self) -> float:
        try:
            due = await self._next_due()
        except Exception:  # as with the claim: it comes back
            log.exception("claim.failed", worker=self._name)
            return 1.0
        return self._look if due is None else max(0.0, due - self._clock.now())

    async def _wind_down(self) -> None:
        if not self._steps:
            return
        _, late = await asyncio.wait(self._steps, timeout=self._grace)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
