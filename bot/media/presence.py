"""Whether a bucket is there and takes files: asked beside the service, for `/readyz` to tell.

A look is one small request a minute, so it costs cents a year, and whoever asks `/readyz` gets the
last answer at once. A directory needs none of this: the system tells at any time.
"""

import asyncio

from bot.core.ports import Clock
from bot.log import get_logger
from bot.media.storage import Storage

EVERY = 60.0
"""Seconds between two looks."""
PATIENCE = 10.0
"""Seconds that a look may take: the client itself would try for minutes."""

log = get_logger()


class Presence:
    """Looks at one bucket, and keeps the answer."""

    def __init__(self, storage: Storage, clock: Clock, *, patience: float = PATIENCE) -> None:
        self._storage = storage
        self._clock = clock
        self._patience = patience
        self.trouble: str | None = None
        """How the bucket was not well at the last look; None if it was, and before the first."""

    async def watch(self) -> None:
        """Look until cancelled; at a directory never."""
        while self._storage.is_bucket:
            await self.check()
            await self._clock.sleep(EVERY)

    async def check(self) -> None:
        """Ask once."""
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
