"""Files that no row names: left behind by a process that died between a file and its row.

After a restore they may be those of rows that went with it, and may come back: for as long as the
former rows are kept, no file goes.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from bot.core.keeping import GRACE, FileStore, Ledger, Rules, Step, Stored, Wanted
from bot.core.ports import Clock
from bot.core.removal import Removal
from bot.log import get_logger

PAGE = 200
"""Rows that are read at a time."""

log = get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Strays:
    """Finds and removes them."""

    ledger: Ledger
    file_store: FileStore
    rules: Rules
    clock: Clock

    async def sweep(self, removal: Removal) -> Step:
        """Remove those that are older than a file can be that is just being made."""
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
        """Those in the storage.

        Empty where the storage has files of another database too; without those from before it was
        ours.
        Files are listed first: one that a row begins to name meanwhile is found in the row.
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
        """Videos that came as an answer and were never stored, of jobs that need them no more."""
        if await self._spares():
            return []
        until = self.clock.now() - GRACE
        old = [each for each in await self.file_store.received() if each.changed_at <= until]
        return await self._unneeded(old)

    async def _spares(self) -> bool:
        """Whether somebody may go back to the rows from before a restore."""
        restored_at = await self.ledger.restored_at()
        return restored_at is not None and self.clock.now() < restored_at + self.rules.former

    async def pages(self) -> AsyncIterator[Wanted]:
        """The files that rows name, a page of rows at a time."""
        after: str | None = ""
        ended_by = self.rules.unconfirmed_by(self.clock.now())
        while after is not None:
            page = await self.ledger.wanted(after=after, unconfirmed_by=ended_by, most=PAGE)
            yield page
            after = page.last

    async def _unneeded(self, files: list[Stored]) -> list[Stored]:
        """Those that no row needs."""
        if not files:
            return []
        keys: set[str] = set()
        async for page in self.pages():
            keys |= page.keys
            keys.update(map(self.file_store.video_key, page.open_jobs))
        return [file for file in files if file.key not in keys]
