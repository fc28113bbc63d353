"""A bell between tasks of one process: "look at the rows now instead of later"."""

import asyncio
from collections.abc import Awaitable


class Wake:
    """Rung by whoever wrote a due row, heard by the loop that claims them, and by `also`."""

    def __init__(self, *also: "Wake") -> None:
        self._event = asyncio.Event()
        self._also = also

    def ring(self) -> None:
        """Wake the listener; ringing twice before it hears is one ring."""
        self._event.set()
        for bell in self._also:
            bell.ring()

    async def heard(self) -> None:
        """Return at the next ring (or at once, if it rang meanwhile)."""
        await self._event.wait()
        self._event.clear()

    async def heard_within(self, nap: Awaitable[None]) -> None:
        """Return at the next ring, or at the end of `nap`."""
        tasks = asyncio.ensure_future(self.heard()), asyncio.ensure_future(nap)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
