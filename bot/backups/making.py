"""Make a backup, with or without a running service. Rows and storage are only read.

The backup is verified before it gets its name: its rows are restored into a scratch file, upgraded
and checked, and each of its files is read again.
"""

import asyncio
import fcntl
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy.engine import make_url

from bot import installed
from bot.backups import archive, prepared
from bot.backups.archive import FORMAT, MEDIA, ROWS, SPOOL, Backup, File, Manifest
from bot.backups.room import no_room, room_named
from bot.config import Config
from bot.core.errors import Broken
from bot.core.keeping import by
from bot.log import get_logger
from bot.media.storage import Storage, sync
from bot.store.copying import copy_database, mark_copy
from bot.store.files import file_of, size_of
from bot.store.spool import Spool

SPARE = 200_000_000
"""Bytes that a backup leaves free on its disk: the service may need them."""

log = get_logger()


async def make(config: Config, storage: Storage, folder: Path, *, now: float) -> Backup:
    """Make a backup in `folder`.

    Raises `Broken`: `backup_under_way`, `backup_no_room`, `backup_unsound`; and errors of reading
    the rows or the storage.
    """
    with _unfinished_folder(folder) as unfinished, room_named(folder):
        backup = await _make(config, storage, unfinished, now=now)
    log.info("backup.made", folder=str(backup.folder), bytes=backup.manifest.bytes)
    return backup


async def _make(config: Config, storage: Storage, unfinished: Path, *, now: float) -> Backup:
    folder = unfinished.parent
    _check_room(folder, size_of(file_of(config.database_url) or Path("/nowhere")) * 2)
    revision = await copy_database(config.database_url, unfinished / ROWS)
    await asyncio.to_thread(mark_copy, unfinished / ROWS, made_at=now)
    with tempfile.TemporaryDirectory(dir=unfinished) as scratch:
        rehearsed = Path(scratch) / ROWS
        await prepared.prepare(unfinished / ROWS, rehearsed, now=now)
        keys = await prepared.keys(rehearsed, since=by(config.kept.videos, now) or 0.0)
    rows, states, newest = await asyncio.to_thread(prepared.counted, unfinished / ROWS)
    files = [await asyncio.to_thread(_settled, unfinished, ROWS)]
    files += await asyncio.to_thread(_spooled, config.data_dir, unfinished)
    media, missing = await _with_media(storage, keys, unfinished, now=now)
    manifest = Manifest(
        format=FORMAT,
        app=await asyncio.to_thread(installed.version),
        made_at=now,
        revision=revision,
        database=make_url(config.database_url).get_backend_name(),
        rows=rows,
        jobs=states,
        newest_job=newest,
        files=(*files, *media),
        missing=tuple(missing),
    )
    return await asyncio.to_thread(archive.finish, unfinished, manifest)


async def _with_media(
    storage: Storage, keys: Sequence[str], unfinished: Path, *, now: float
) -> tuple[list[File], list[str]]:
    """Copy the media; return the copied files, and the keys of missing ones."""
    earlier = await asyncio.to_thread(archive.newest, unfinished.parent, now=now)
    had = earlier.manifest.media if earlier else {}
    files, missing = [], []
    for key in keys:
        known = had.get(key)
        if known and await _shared(earlier, known, unfinished):
            files.append(known)
            continue
        if not await archive.has(storage, key):
            missing.append(key)
            continue
        async with storage.file(key) as path:
            _check_room(unfinished.parent, (await asyncio.to_thread(path.stat)).st_size)
            add = asyncio.to_thread(archive.add, path, unfinished, f"{MEDIA}/{key}")
            files.append(await add)
    return files, missing


async def _shared(earlier: Backup | None, file: File, unfinished: Path) -> bool:
    return earlier is not None and await asyncio.to_thread(archive.share, earlier, file, unfinished)


def _settled(unfinished: Path, path: str) -> File:
    sync(unfinished / path)
    return archive.described(unfinished, path)


def _spooled(data: Path, unfinished: Path) -> list[File]:
    """Copy the file `pending-ids` into the backup, if there is one.

    The service may write to the file meanwhile. Entries have checksums, so a torn one is ignored.
    """
    source = Spool(data).file
    return [archive.add(source, unfinished, SPOOL)] if source.exists() else []


@contextmanager
def _unfinished_folder(folder: Path) -> Iterator[Path]:
    """Yield a folder for one backup at a time. The folder is removed if the backup fails."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with ExitStack() as stack:
        lock = stack.enter_context((folder / ".lock").open("a"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Broken("backup_under_way", folder=str(folder)) from None
        archive.clear(folder)
        unfinished = Path(tempfile.mkdtemp(dir=folder, prefix=archive.UNFINISHED))
        try:
            yield unfinished
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def _check_room(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < size + SPARE:
        raise no_room(folder)
