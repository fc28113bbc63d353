"""Open a backup from its folder, a tar file of it, or a bare database file."""

import asyncio
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bot import installed
from bot.backups import archive, prepared, remote
from bot.backups.archive import FORMAT, MANIFEST, ROWS, Backup, Manifest
from bot.backups.remote import Remote
from bot.backups.room import is_full, room_named
from bot.core.errors import Broken
from bot.store.copying import copy_file
from bot.store.times import SEEN

_SQLITE = b"SQLite format 3\0"


@contextmanager
def named(source: str, *, now: float) -> Iterator[Backup]:
    """Yield the backup that an operator named, by a path or by the address of a remote copy.

    Raises `Broken` as `archive.read` does.
    """
    if "://" not in source:
        with opened(Path(source)) as backup:
            yield backup
        return
    with TemporaryDirectory(prefix=archive.UNFINISHED) as scratch:
        with room_named(Path(scratch).parent, "restore_no_room"):
            backup = asyncio.run(_fetched(source.rstrip("/"), Path(scratch), now=now))
        yield backup


async def _fetched(url: str, scratch: Path, *, now: float) -> Backup:
    """Download the backup at this address, or the newest one in this remote place."""
    source, _, name = url.rpartition("/")
    if archive.made_at(name) is None:
        return await remote.newest(Remote(url), scratch, now=now)
    return await Remote(source).fetch(name, scratch)


@contextmanager
def opened(source: Path) -> Iterator[Backup]:
    """Yield the backup at this path."""
    if source.name == MANIFEST:
        source = source.parent
    if not source.is_file():
        yield archive.read(source)
        return
    with TemporaryDirectory(dir=source.parent, prefix=archive.UNFINISHED) as scratch:
        with source.open("rb") as file:
            is_database = file.read(len(_SQLITE)) == _SQLITE
        with room_named(source.parent, "restore_no_room"):
            backup = (_wrapped if is_database else _unpacked)(source, Path(scratch))
        yield backup


def _unpacked(source: Path, scratch: Path) -> Backup:
    try:
        with tarfile.open(source) as packed:
            packed.extractall(scratch, filter="data")
    except (tarfile.TarError, OSError, EOFError) as error:
        if is_full(error):
            raise
        raise Broken("backup_absent", folder=str(source)) from error
    lists = sorted(scratch.rglob(MANIFEST), key=lambda it: len(it.parts))
    if not lists:
        raise Broken("backup_absent", folder=str(source))
    return archive.read(lists[0].parent)


def _wrapped(source: Path, scratch: Path) -> Backup:
    """Return a bare database file as a backup without media."""
    try:
        copy_file(source, scratch / ROWS)
        tables, states, newest = prepared.counted(scratch / ROWS)
        with closing(sqlite3.connect(scratch / ROWS)) as rows:
            (revision,) = rows.execute("SELECT version_num FROM alembic_version").fetchone()
            # The file's own time may be later than its rows: prefer the time in the rows.
            times = rows.execute("SELECT value FROM settings WHERE name = ?", (SEEN,)).fetchone()
        made_at = float(times[0]) if times else source.stat().st_mtime
    except sqlite3.Error as error:
        if is_full(error):
            raise
        raise Broken("backup_damaged", file=str(source), why=str(error)) from error
    manifest = Manifest(
        format=FORMAT,
        app=installed.version(),
        made_at=made_at,
        revision=revision,
        database="sqlite",
        rows=tables,
        jobs=states,
        newest_job=newest,
        files=(archive.described(scratch, ROWS),),
        missing=(),
    )
    return Backup(scratch, manifest)
