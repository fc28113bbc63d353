"""Translate all errors of a full disk into one error that names the folder."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EDQUOT, EFBIG, ENOSPC
from pathlib import Path

import sqlalchemy as sa

from bot.core.errors import Broken, DatabaseFull, Unwritten
from bot.store import troubles

_FULL = (ENOSPC, EDQUOT, EFBIG)


@contextmanager
def room_named(folder: Path, code: str = "backup_no_room") -> Iterator[None]:
    """Raise `Broken(code)` if the disk is full while this folder is written to."""
    try:
        yield
    except (OSError, sqlite3.Error, sa.exc.DBAPIError, Unwritten) as error:
        if is_full(error):
            raise no_room(folder, code) from error
        raise


def is_full(error: Exception) -> bool:
    """Whether the error means a full disk."""
    if isinstance(error, OSError):
        return error.errno in _FULL
    return isinstance(error, DatabaseFull) or troubles.code_of(error) == troubles.FULL


def no_room(folder: Path, code: str = "backup_no_room") -> Broken:
    """Return the error for a full disk, with the folder and its free space."""
    free = 0
    with suppress(OSError):
        free = shutil.disk_usage(folder).free
    return Broken(code, folder=str(folder), megabytes=free / 1e6)
