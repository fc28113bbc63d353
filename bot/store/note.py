"""A note of what the only process on a database file has in hand, in a file beside that one.

It is read after the death of the process alone, and no job turns a machine off: so nothing waits
until the disk has it. Looks go on where it can't be written.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from bot.log import get_logger

log = get_logger()


class Note:
    """Ids, one a line: of a note that was cut short the whole lines hold."""

    def __init__(self, database: Path | None) -> None:
        """`database`: the file; a server has none, and no note."""
        self._file = database.with_name(f"{database.name}.looks") if database else None
        self._is_told = False

    def write(self, ids: Iterable[str]) -> None:
        """Note these, and no others any more."""
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
        """The ids that were noted last."""
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
        """Nothing is in hand."""
        if self._file is not None:
            with suppress(OSError):
                self._file.unlink()


def _for_us_alone(file: str, flags: int) -> int:
    return os.open(file, flags, 0o600)
