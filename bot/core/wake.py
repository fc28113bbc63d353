"""A bell between tasks of one process: it tells a loop to read the rows now instead of later."""

import asyncio
import math
from collections.abc import Awaitable

UNKNOWN = -math.inf
"""A time of a ring: something may be due, and the time is unknown."""


class Wake:
    """A bell: the code that wrote a due row rings it; the claiming loop and `also` hear it."""

    def __init__(self, *also: "Wake") -> None:
        self._event = asyncio.Event()
        self._also = also
        self._due = math.inf
        self._until: float | None = None

    def ring(self, at: float = UNKNOWN) -> None:
        """Wake the listener, unless it wakes by itself at `at` or earlier.

        `at`: when something is due, in seconds since the epoch. Until the listener wakes, the
        earliest time of several rings is kept.
        """
        if self._until is None or at < self._until:
            self._due = min(self._due, at)
            self._event.set()
        for bell in self._also:
            bell.ring(at)

    def call(self) -> None:
        """Wake the listener for something that is not in the rows."""
        self._event.set()

    def due(self) -> float:
        """Return the earliest time rung since the last `due()`; infinite if there was no ring."""
        due, self._due = self._due, math.inf
        return due

    async def heard(self) -> None:
        """Wait for the next ring. Return at once if the bell rang since the last wait."""
        await self._event.wait()
        self._event.clear()

    async def heard_within(self, nap: Awaitable[None], *, until: float | None = None) -> None:
        """Wait for the next ring or the end of `nap`.

        `until`: when the nap ends, if it ends for a due row. A ring for that time or later does not
        end the nap.
        """
        napping = asyncio.ensure_future(nap)
        napping.add_done_callback(self._woken)
        self._until = until
        try:
            await self.heard()
        finally:
            self._until = None
            napping.remove_done_callback(self._woken)
            napping.cancel()

    def _woken(self, _: asyncio.Future[None]) -> None:
        self.call()
