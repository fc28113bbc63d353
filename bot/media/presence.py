"""Checks in the background whether a bucket can be reached and written, for `/readyz`.

A check is one small request a minute and costs cents a year. `/readyz` answers at once with the
latest result. A directory needs no such check: the operating system answers at any time.
"""

import asyncio

from bot.core.ports import Clock
from bot.log import get_logger
from bot.media.storage import Storage

EVERY = 60.0
"""Seconds between two checks."""
PATIENCE = 10.0
"""Seconds that a check may take: the client itself would retry for minutes."""

log = get_logger()


class Presence:
    """A repeated check of one bucket that keeps the latest result."""

    def __init__(self, storage: Storage, clock: Clock, *, patience: float = PATIENCE) -> None:
        self._storage = storage
        self._clock = clock
        self._patience = patience
        self.trouble: str | None = None
        """The problem found by the latest check; None if there was none, or no check yet."""

    async def watch(self) -> None:
        """Check the bucket until cancelled. Return at once for a directory."""
        while self._storage.is_bucket:
            await self.check()
            await self._clock.sleep(EVERY)

    async def check(self) -> None:
        """Check the bucket once, and log a change."""
        before = self.trouble
        try:
            async with asyncio.timeout(self._patience):
                self.trouble = await self._storage.ask()
        except TimeoutError:
            self.trouble = "no answer"
        if self.trouble != before:
            if self.trouble:
                log.warning("media.away", why=self.trouble)
            else:
                log.info("media.back")
