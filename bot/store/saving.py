"""Copies of a database whose file was deleted: its rows exist only in the open file."""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from math import ceil
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection

from bot.log import get_logger
from bot.store.engines import Engine
from bot.store.files import sync
from bot.store.identity import put_away, saved_copy
from bot.store.locks import BEAT

_SHARE = 10
"""Copying takes at most this fraction (1/10) of the time: a large copy is renewed less often."""

log = get_logger()


class SavedCopy:
    """A copy beside the file, renewed after writes. The copy is complete at any moment."""

    def __init__(
        self,
        engine: Engine,
        turn: asyncio.Semaphore,
        *,
        clock: Callable[[], float] = time.monotonic,
        sync: Callable[[Path], None] = sync,
    ) -> None:
        """`turn`: the semaphore of transactions. `clock`: returns seconds."""
        self._engine = engine
        self._turn = turn
        self._clock = clock
        self._sync = sync
        self._stands = False
        """True if this process has saved a copy."""
        self._copied: int | None = None
        """How many rows the connection had written in all when the copy was made."""
        self._rest = 0
        """How many calls of `check` are skipped."""
        self._logged: str | None = None

    @property
    def file(self) -> Path:
        """The path of the copy."""
        return saved_copy(Path(str(self._engine.url.database)))

    async def check(self) -> None:
        """Renew the copy. If the last copy took long, the next calls do nothing: see `left_out`."""
        if self._rest:
            self._rest -= 1
            return
        begun = self._clock()
        await self.renew()
        self._rest = left_out(self._clock() - begun)

    async def renew(self) -> None:
        """Copy all committed rows, unless the copy is up to date."""
        fresh = unfinished(self.file)
        try:
            fresh.unlink(missing_ok=True)
            written = await self._written(fresh)
            if written is None:
                return
            fresh.chmod(0o600)
            await asyncio.to_thread(self._sync, fresh)
            fresh.replace(self.file)
            self._stands = True
            await asyncio.to_thread(self._sync, self.file.parent)
            self._copied = written
        except (sa.exc.SQLAlchemyError, sqlite3.Error, OSError) as error:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)  # an unfinished copy only takes disk space
            self._tell("database.unsaved", type(error).__name__)
        else:
            self._tell("database.saved")

    def retire(self) -> None:
        """Rename the copy, because the file is back and the copy would become outdated."""
        if self._stands and self.file.exists():
            self._stands, self._copied, self._logged, self._rest = False, None, None, 0
            put_away(self.file)

    async def _written(self, fresh: Path) -> int | None:
        """Copy the rows to `fresh`. Return the count of writes so far, or None if unchanged."""
        # Other transactions wait meanwhile, and fail as "busy" after their patience. A second
        # connection can't make the copy: it would open the file that is at the path now.

        def work(connection: Connection) -> int | None:
            raw = connection.connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)
            if raw.total_changes == self._copied and self.file.exists():
                return None
            raw.execute("VACUUM INTO ?", (str(fresh),))
            return raw.total_changes

        async with self._turn:  # VACUUM does not work inside a transaction
            return await self._engine.run(work, reads=True)

    def _tell(self, event: str, error: str | None = None) -> None:
        """Log an event, but not twice in a row."""
        if self._logged != event:
            log.critical(event, file=str(self.file), **({"error": error} if error else {}))
        self._logged = event


def left_out(seconds: float) -> int:
    """Return how many calls of `check` are skipped after a copy that took these seconds."""
    return max(0, ceil(seconds * _SHARE / BEAT) - 1)


def unfinished(copy: Path) -> Path:
    """Return the path where a copy is written until it is complete."""
    return copy.with_name(copy.name + ".new")
