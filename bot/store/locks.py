"""The guard that one process has the database to itself, and sees when that is no longer true.

Two services on the same rows would take each other's live requests for those of a dead process.
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
"""Seconds between two looks at the guard."""


class FileLock:
    """Locks on the database file and on `<file>.lock`; the kernel frees both with the process."""

    def __init__(self, file: Path, number: int, *, is_new: bool) -> None:
        """`number`: the descriptor of the database file, open for as long as SQLite has it.

        `is_new`: it was not there before.
        """
        self.is_new = is_new
        self.file = file
        self._number = number
        self._journal: int | None = None
        self._is_emptied = False

    def close_to_others(self) -> None:
        """It holds prompts, and the key that links are signed with; its journal gets its mode."""
        if os.fstat(self._number).st_mode & 0o077:
            with suppress(PermissionError):  # a file that others own is theirs to guard
                os.fchmod(self._number, 0o600)

    async def check(self) -> str | None:
        """How the file that is open differs from the one on the disk; None if it is the same."""
        # Once it was cut it stays so: SQLite may write single pages behind the hole.
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
        """The file holds the last writing alone."""
        journal = journal_of(self.file)
        if self._journal is None:
            self._journal = journal
        return "journal deleted" if journal != self._journal else None


@contextmanager
def lock_file(file: Path) -> Iterator[FileLock]:
    """Hold both locks. `<file>.lock` names its holder; without it the file's own lock still holds.

    Raises `Broken("database_in_use")`. Nothing else may open and close the file meanwhile: every
    close takes SQLite's own locks away from this process.
    """
    with _noted(file) as note:
        is_new = not file.exists()
        number = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if sys.platform == "linux":  # elsewhere this lock would stand in SQLite's own way
                _lock(number, file, None)
            _sign(note)
            yield FileLock(file, number, is_new=is_new)
        except Broken:
            if is_new and os.fstat(number).st_size == 0:
                file.unlink(missing_ok=True)  # a start that is refused leaves nothing behind
            raise
        finally:
            os.close(number)


@contextmanager
def lock_name(file: Path) -> Iterator[None]:
    """Hold the first of both locks: no process of ours opens or makes the file meanwhile.

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
    """This process, as it is told to others that want the same database."""
    return f"{os.getpid()} @ {socket.gethostname()}"
