"""A row that is written regularly, to check that the database accepts writes.

Only a commit proves this: an empty transaction writes nothing, and does not detect a full disk.
"""

import sqlalchemy as sa

from bot.core.errors import Unwritten
from bot.core.ports import Clock
from bot.log import get_logger
from bot.store import troubles
from bot.store.database import Database
from bot.store.settings import StoredValues

EVERY = 5.0
"""Seconds for which a successful write counts: within them, no new row is written."""
NAME = "heartbeat"
"""The setting with the time of the last heartbeat."""
_WORDS = {
    troubles.FULL: "disk full",
    troubles.BUSY: "busy",
    troubles.AWAY: "not reachable",
    troubles.FAILING: "not writable",
}

log = get_logger()


class Heartbeat:
    """The heartbeat of a database, written when its state is asked for."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._settings = StoredValues(database)
        self._clock = clock
        self._beat_at = float("-inf")
        self._written_at: float | None = None
        self._said: str | None = None

    async def beats(self) -> bool | str:
        """Return True if rows written now will be there at the next start, else an error text."""
        why = self._database.trouble or await self._failure()
        if why and why != self._said:
            log.warning("database.unwritten", why=why, last_written=self._written_at)
        self._said = why
        return f"database: {why}" if why else True

    async def _failure(self) -> str | None:
        if self._clock.steady() - self._beat_at < EVERY:
            return None
        try:
            await self._settings.put(NAME, f"{self._clock.now():.0f}")
        except Unwritten as error:
            return _WORDS.get(error.code, error.code)
        except sa.exc.SQLAlchemyError as error:
            log.error("database.unknown_trouble", error=type(error).__name__)
            return "not writable"
        self._beat_at, self._written_at = self._clock.steady(), self._clock.now()
        return None
