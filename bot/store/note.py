"""A file beside an SQLite database with the ids of the jobs that the process is polling.

The note is read only after the process died. It is not synced to the disk, because a job may crash
the process but not the machine. If the note can't be written, polls go on without it.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from bot.log import get_logger

log = get_logger()


class Note:
    """The ids of claimed jobs in a file, one id a line. In a truncated file, whole lines count."""

    def __init__(self, database: Path | None) -> None:
        """`database`: the database file, or None for a server, which needs no note."""
        self._file = database.with_name(f"{database.name}.looks") if database else None
        self._is_told = False

    def write(self, ids: Iterable[str]) -> None:
        """Replace the note by these ids. An error is only logged."""
        if self._file is None:
            return
        try:
            with open(self._file, "w", encoding="ascii", opener=_for_us_alone) as note:
                note.writelines(f"{id_}\n" for id_ in ids)
        except OSError as error:
            if not self._is_told:
                log.warning("looks.not_noted", file=str(self._file), why=error.strerror)
            self._is_told = True
        else:
            self._is_told = False

    def read(self) -> list[str]:
        """Return the ids in the note."""
        if self._file is None:
            return []
        try:
            return self._file.read_text("ascii", errors="replace").split()
        except FileNotFoundError:
            return []
        except OSError as error:
            log.warning("looks.note_unread", file=str(self._file), why=error.strerror)
            return []

    def remove(self) -> None:
        """Remove the note, as no job is claimed."""
        if self._file is not None:
            with suppress(OSError):
                self._file.unlink()


def _for_us_alone(file: str, flags: int) -> int:
    return os.open(file, flags, 0o600)
