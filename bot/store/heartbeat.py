"""A row that is written now and then: what was committed a moment ago says that rows can be.

A transaction that is only begun writes nothing to the disk, and sees nothing of a full one.
"""

import sqlalchemy as sa

from bot.core.errors import Unwritten
from bot.core.ports import Clock
from bot.log import get_logger
from bot.store import troubles
from bot.store.database import Database
from bot.store.settings import StoredValues

EVERY = 5.0
"""Seconds for which a beat counts: whoever asks more often has nothing written."""
NAME = "heartbeat"
"""The setting with the time of the last one."""
_WORDS = {
    troubles.FULL: "disk full",
    troubles.BUSY: "busy",
    troubles.AWAY: "not reachable",
    troubles.FAILING: "not writable",
}

log = get_logger()


class Heartbeat:
    """Beats when it is asked for."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._settings = StoredValues(database)
        self._clock = clock
        self._beat_at = float("-inf")
        self._written_at: float | None = None
        self._said: str | None = None

    async def beats(self) -> bool | str:
        """Whether a row written now is there at the next start; if not, a line that says why."""
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
