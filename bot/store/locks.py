"""The lock that lets only one process use an SQLite file, and detects when the file is replaced.

Two services on the same rows would each treat the other's open requests as those of a dead process.
"""

import fcntl
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from bot.core.errors import Broken, DatabaseInUse
from bot.store.files import SMALLEST, journal_of

BEAT = 2.0
"""Seconds between two checks of the lock."""


class FileLock:
    """Locks on the database file and on `<file>.lock`; the kernel frees both with the process."""

    def __init__(self, file: Path, number: int, *, is_new: bool) -> None:
        """`number`: the descriptor of the database file, open as long as SQLite uses the file.

        `is_new`: the file did not exist before.
        """
        self.is_new = is_new
        self.file = file
        self._number = number
        self._journal: int | None = None
        self._is_emptied = False

    def close_to_others(self) -> None:
        """Remove permissions of other users: the file holds prompts and the key that signs links.

        SQLite gives its journal the same mode.
        """
        if os.fstat(self._number).st_mode & 0o077:
            with suppress(PermissionError):  # another user owns the file
                os.fchmod(self._number, 0o600)

    async def check(self) -> str | None:
        """Return how the open file differs from the file on disk, or None if they are the same."""
        # A truncated file stays marked: SQLite may write pages after the hole, and the size grows.
        self._is_emptied |= os.fstat(self._number).st_size < SMALLEST
        try:
            there = self.file.stat()
        except OSError:
            return "deleted"
        mine = os.fstat(self._number)
        if (there.st_dev, there.st_ino) != (mine.st_dev, mine.st_ino):
            return "replaced"
        if self._is_emptied:
            return "emptied"
        return self._check_journal()

    def _check_journal(self) -> str | None:
        """Check the journal: only the journal holds the latest writes."""
        journal = journal_of(self.file)
        if self._journal is None:
            self._journal = journal
        return "journal deleted" if journal != self._journal else None


@contextmanager
def lock_file(file: Path) -> Iterator[FileLock]:
    """Hold both locks until the context ends. `<file>.lock` contains the name of its holder.

    If somebody deletes `<file>.lock`, the lock on the database file still holds. Raises
    `Broken("database_in_use")`. Nothing else in this process may open and close the file meanwhile:
    each close releases SQLite's own locks of the process.
    """
    with _noted(file) as note:
        is_new = not file.exists()
        number = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if sys.platform == "linux":  # on other systems this lock would block SQLite's own locks
                _lock(number, file, None)
            _sign(note)
            yield FileLock(file, number, is_new=is_new)
        except Broken:
            if is_new and os.fstat(number).st_size == 0:
                file.unlink(missing_ok=True)  # a refused start leaves no empty file
            raise
        finally:
            os.close(number)


@contextmanager
def lock_name(file: Path) -> Iterator[None]:
    """Hold only the lock on `<file>.lock`, so no other service opens or makes the file meanwhile.

    Raises `Broken("database_in_use")`.
    """
    with _noted(file):
        yield


@contextmanager
def _noted(file: Path) -> Iterator[IO[str]]:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with file.with_name(file.name + ".lock").open("a+") as note:
        _lock(note.fileno(), file, note)
        yield note


def _lock(number: int, file: Path, note: IO[str] | None) -> None:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if note is not None:
            note.seek(0)
        holder = (note.read().strip() if note else "") or "?"
        raise DatabaseInUse(file=str(file), holder=holder) from None


def _sign(note: IO[str]) -> None:
    note.seek(0)
    note.truncate()
    note.write(f"{name_of_process()}\n")
    note.flush()


def name_of_process() -> str:
    """Return the name that `database_in_use` gives this process: its process id and its host."""
    return f"{os.getpid()} @ {socket.gethostname()}"
