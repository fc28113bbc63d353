"""Steps beside each other, and now and then one that has nobody beside it.

If the process dies while a step runs alone, it is known which step it died of.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Alone:
    """One for all steps that may be suspected."""

    def __init__(self) -> None:
        self._door = asyncio.Lock()
        self._inside = 0
        self._empty = asyncio.Event()
        self._empty.set()

    @asynccontextmanager
    async def beside(self) -> AsyncIterator[None]:
        """With any number of others; comes in once nobody is alone, or waits for that."""
        async with self._door:
            self._inside += 1
            self._empty.clear()
        try:
            yield
        finally:
            self._inside -= 1
            if not self._inside:
                self._empty.set()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """With nobody else: those inside go first, those who come wait outside."""
        async with self._door:
            await self._empty.wait()
            yield
