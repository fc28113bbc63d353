"""Remove files for the sweeps. A file that can't be removed doesn't stop the others."""

from collections.abc import Awaitable, Callable

from bot.core.errors import BotError, Temporary
from bot.core.keeping import FileStore
from bot.log import get_logger

log = get_logger()


class Removal:
    """Removes files for the sweeps. Each sweep retries files that the last one could not remove."""

    def __init__(self, file_store: FileStore) -> None:
        self._file_store = file_store
        self._named: set[str] = set()
        """Keys that the log has named."""
        self.left: set[str] = set()
        """Keys of files that this sweep could not remove."""

    def begin(self) -> None:
        """Begin a new sweep."""
        self._named &= self.left
        self.left = set()

    async def remove(self, key: str, by: Callable[[str], Awaitable[None]] | None = None) -> bool:
        """Remove a file, and return True if it is gone.

        `by` deletes the file; by default it is deleted from the storage.
        Raises `Temporary` while the whole storage can't be reached.
        """
        if key in self.left:
            return False
        try:
            await (by or self._file_store.delete)(key)
        except BotError as error:
            if isinstance(error, Temporary) and await self._file_store.is_away():
                raise
            self.left.add(key)
            if key not in self._named:
                log.warning("media.not_removed", key=key, why=error.code)
            self._named.add(key)
            return False
        return True
