"""A bell between tasks of one process: "look at the rows now instead of later"."""

import asyncio


class Wake:
    """Rung by whoever wrote a due row, heard by the loop that claims them."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        """Wake the listener; ringing twice before it hears is one ring."""
        self._event.set()

    async def heard(self) -> None:
        """Return at the next ring (or at once, if it rang meanwhile)."""
        await self._event.wait()
        self._event.clear()
