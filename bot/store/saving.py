"""The copy of a database whose file is gone: what was written lives only in the open file."""

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
"""A copy takes this part of the time at most: a large one is renewed less often."""

log = get_logger()


class SavedCopy:
    """Beside the file; renewed when something was written since, and whole at any moment."""

    def __init__(
        self,
        engine: Engine,
        turn: asyncio.Semaphore,
        *,
        clock: Callable[[], float] = time.monotonic,
        sync: Callable[[Path], None] = sync,
    ) -> None:
        """`turn`: held by the transaction under way. `clock`: seconds."""
        self._engine = engine
        self._turn = turn
        self._clock = clock
        self._sync = sync
        self._stands = False
        """This process has put a copy there, of whatever age."""
        self._copied: int | None = None
        """How many rows the connection had ever written when the copy was made."""
        self._rest = 0
        """How many looks to pass over."""
        self._told: str | None = None

    @property
    def file(self) -> Path:
        """Where it stands."""
        return saved_copy(Path(str(self._engine.url.database)))

    async def check(self) -> None:
        """Renew it, unless it is new enough for its size."""
        if self._rest:
            self._rest -= 1
            return
        begun = self._clock()
        await self.renew()
        self._rest = left_out(self._clock() - begun)

    async def renew(self) -> None:
        """Write every committed row to it, unless it has them."""
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
                fresh.unlink(missing_ok=True)  # half of it would only take the room
            self._tell("database.unsaved", type(error).__name__)
        else:
            self._tell("database.saved")

    def retire(self) -> None:
        """The file is back, and goes on from here: its copy falls behind."""
        if self._stands and self.file.exists():
            self._stands, self._copied, self._told, self._rest = False, None, None, 0
            put_away(self.file)

    async def _written(self, fresh: Path) -> int | None:
        """How many rows had ever been written when it was copied; None if the copy has them."""
        # Other transactions wait meanwhile, and are told "busy" if that takes longer than their
        # patience. A second connection can't copy it: it would open what lies at its path now.

        def work(connection: Connection) -> int | None:
            raw = connection.connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)
            if raw.total_changes == self._copied and self.file.exists():
                return None
            raw.execute("VACUUM INTO ?", (str(fresh),))
            return raw.total_changes

        async with self._turn:  # it works outside of transactions alone
            return await self._engine.run(work, reads=True)

    def _tell(self, event: str, error: str | None = None) -> None:
        """Once, and again when it changes."""
        if self._told != event:
            log.critical(event, file=str(self.file), **({"error": error} if error else {}))
        self._told = event


def left_out(seconds: float) -> int:
    """How many looks pass without a copy after one that took so long."""
    return max(0, ceil(seconds * _SHARE / BEAT) - 1)


def unfinished(copy: Path) -> Path:
    """Where a copy is written before it is whole."""
    return copy.with_name(copy.name + ".new")
