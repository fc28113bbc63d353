"""The file of an SQLite database on the disk, and its journal."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from bot.core.errors import DatabaseDamaged, DatabaseInUse
from bot.store.engines import Engine

SMALLEST = 512
"""Bytes of SQLite's smallest page. A smaller file is damaged, but SQLite may take it for new."""


def file_of(url: str | URL) -> Path | None:
    """Return the file that `url` names, or None for a server or a database in memory."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        return None
    return Path(str(parsed.database))


async def check(engine: Engine, file: Path | None) -> None:
    """Let SQLite check its file. Raises `Broken("database_damaged")`."""
    if file is None:
        return
    if 0 < size_of(file) < SMALLEST:
        raise DatabaseDamaged(file=str(file), verdict="truncated")
    with sound(file):
        verdict = await engine.run(
            lambda it: it.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
        )
    if verdict != "ok":
        raise DatabaseDamaged(file=str(file), verdict=str(verdict))


def size_of(file: Path) -> int:
    """Return the size of the file in bytes, or 0 if there is no file."""
    return file.stat().st_size if file.exists() else 0


def journal_of(file: Path | None) -> int | None:
    """Return the inode of the journal (`-wal`), which holds the latest writes, or None."""
    try:
        return file.with_name(f"{file.name}-wal").stat().st_ino if file else None
    except FileNotFoundError:
        return None


def set_aside(file: Path, journal: int | None) -> None:
    """Rename the journal (`-wal`) of a database file that was deleted.

    Otherwise SQLite would apply the journal to a new file of the same name. `journal` is the inode
    of the deleted file's journal: a journal with another inode stays.
    """
    if journal is None or journal_of(file) != journal:
        return
    for name in (f"{file.name}-wal", f"{file.name}-shm"):
        with suppress(FileNotFoundError):
            file.with_name(name).replace(file.with_name(f"{name}.stray"))


@contextmanager
def sound(file: Path | None) -> Iterator[None]:
    """Translate SQLite's errors in the context into `DatabaseDamaged` or `DatabaseInUse`.

    If `file` is None, the errors are raised unchanged.
    """
    try:
        yield
    # The driver can't decode an error message that quotes damaged text.
    except (sa.exc.DatabaseError, UnicodeDecodeError) as error:
        if file is None:
            raise
        complaint = str(error.orig) if isinstance(error, sa.exc.DatabaseError) else str(error)
        if "locked" in complaint:
            raise DatabaseInUse(file=str(file), holder="?") from error
        raise DatabaseDamaged(file=str(file), verdict=complaint) from error


def sync(path: Path) -> None:
    """Sync a file, or the names in a folder, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
