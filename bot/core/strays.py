"""Stray files: stored files that no row names.

A process that crashed after it wrote a file and before it wrote the row leaves one. After a restore
the files of the replaced rows look like strays: none is removed while the replaced rows are kept.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from bot.core.keeping import GRACE, FileStore, Ledger, Rules, Step, Stored, Wanted
from bot.core.ports import Clock
from bot.core.removal import Removal
from bot.log import get_logger

PAGE = 200
"""Most rows that are read at a time."""

log = get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Strays:
    """Finds and removes stray files."""

    ledger: Ledger
    file_store: FileStore
    rules: Rules
    clock: Clock

    async def sweep(self, removal: Removal) -> Step:
        """Remove the stray files that are too old to be still in the making. Return the extent."""
        gone = Step()
        await self.file_store.claim()
        before = self.clock.now() - GRACE
        gone += Step(files=await self.file_store.clear_scratch(before=before))
        for file in await self.stored():
            if await removal.remove(file.key):
                gone += Step(files=1, size=file.size)
        for file in await self.received():
            if await removal.remove(file.key, self.file_store.drop_received):
                gone += Step(files=1, size=file.size)
        return gone

    async def stored(self) -> list[Stored]:
        """Return the stray files in the storage.

        Empty if the storage also has files of another database. Files from before the storage
        belonged to this database are left out. The files are listed before the rows are read, so
        that a file whose row is written meanwhile is no stray.
        """
        ours_since = await self.file_store.claimed_at()
        if ours_since is None:
            log.warning("media.shared")
            return []
        if await self._spares():
            return []
        until = self.clock.now() - GRACE
        old = [
            file
            async for page in self.file_store.files()
            for file in page
            if ours_since <= file.changed_at <= until
        ]
        return await self._unneeded(old)

    async def received(self) -> list[Stored]:
        """Return received videos that were never stored and that no job needs any more.

        A received video is a video that a gateway sent in its response to the POST.
        """
        if await self._spares():
            return []
        until = self.clock.now() - GRACE
        old = [each for each in await self.file_store.received() if each.changed_at <= until]
        return await self._unneeded(old)

    async def _spares(self) -> bool:
        """Whether a restore happened so recently that the replaced rows are still kept."""
        restored_at = await self.ledger.restored_at()
        return restored_at is not None and self.clock.now() < restored_at + self.rules.former

    async def pages(self) -> AsyncIterator[Wanted]:
        """Yield the files that rows name, for one page of rows at a time."""
        after: str | None = ""
        ended_by = self.rules.unconfirmed_by(self.clock.now())
        while after is not None:
            page = await self.ledger.wanted(after=after, unconfirmed_by=ended_by, most=PAGE)
            yield page
            after = page.last

    async def _unneeded(self, files: list[Stored]) -> list[Stored]:
        """Return the files that no row needs."""
        if not files:
            return []
        keys: set[str] = set()
        async for page in self.pages():
            keys |= page.keys
            keys.update(map(self.file_store.video_key, page.open_jobs))
        return [file for file in files if file.key not in keys]
