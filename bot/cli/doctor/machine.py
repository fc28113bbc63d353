"""Check this machine: disk space, writable folders, database, backups, open files."""

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from bot.backups.archive import is_ahead, kept_in, last_made
from bot.cli.doctor.findings import Finding, Mark
from bot.cli.errors import reached, translated
from bot.cli.storage import storage_at
from bot.cli.words import listed
from bot.config import Config
from bot.core.clock import SystemClock
from bot.core.errors import BotError, DatabaseInUse
from bot.media.presence import Presence
from bot.media.storage import folder_of
from bot.store.database import check_database
from bot.store.files import file_of, size_of
from bot.store.identity import Home
from bot.store.spool import Spool
from bot.web.descriptors import WANTED, connections, highest

LEAST_FREE = 1_000_000_000
"""Bytes that should be free: for a day's videos and the database's growth."""
BACKUP_AGE = 2 * 86_400.0
"""The age in seconds beyond which the newest backup is a problem."""
PROBE = b"\0" * 65_536


async def check(config: Config) -> AsyncIterator[Finding]:
    """Yield the findings, in the order in which the service would meet the problems."""
    yield folder(config.data_dir)
    yield await _database(config)
    yield files(highest())
    if waiting := _waiting(Spool(config.data_dir)):
        yield waiting
    for inner, setting in _folders(config):
        found = folder(inner, setting)
        if found.mark is Mark.PROBLEM or setting != "data_dir":
            yield found
    for url in (config.storage_url, config.settings.backup.copy_to):
        if url and folder_of(url) is None:
            yield await bucket(url)
    now = time.time()
    made_at = last_made(config.backup_folder, before=now)
    if config.settings.backup.daily and made_at is not None:
        yield backup(config.backup_folder, age=now - made_at)
    if ahead := [it.name for it in kept_in(config.backup_folder) if is_ahead(it.name, now=now)]:
        names, where = listed(ahead), str(config.backup_folder)
        yield Finding.problem("doctor.backup_ahead", names=names, folder=where)
    yield Finding.note("doctor.sqlite", version=sqlite3.sqlite_version)


def _folders(config: Config) -> Iterator[tuple[Path, str]]:
    """Yield more folders that the service writes to, each with its setting.

    Each must be checked, because folders can belong to different users of the machine.
    """
    for name in ("scratch", "received"):
        yield config.data_dir / name, "data_dir"
    if config.settings.storage_url is None:  # a configured one is checked by `obstacles`
        yield config.data_dir / "media", "data_dir"
    backups = config.settings.backup
    yield config.backup_folder, "backup.folder" if backups.folder else "data_dir"
    if backups.copy_to and (copies := folder_of(backups.copy_to)):
        yield copies, "backup.copy_to"


def folder(path: Path, setting: str = "data_dir") -> Finding:
    """Check by writing whether a folder, or its nearest existing parent, is writable."""
    there = next(each for each in (path, *path.absolute().parents) if os.path.lexists(each))
    try:
        with tempfile.TemporaryFile(dir=there) as probe:
            probe.write(PROBE)
            probe.flush()
            os.fsync(probe.fileno())
        free = shutil.disk_usage(there).free
    except OSError as error:
        why = error.strerror or type(error).__name__
        return Finding.problem(
            "doctor.folder_unwritable", folder=str(there), why=why, setting=setting
        )
    return room(str(there), free=free)


def room(where: str, *, free: int) -> Finding:
    """Check whether enough bytes are free."""
    if free < LEAST_FREE:
        wanted = LEAST_FREE / 1e9
        return Finding.problem("doctor.disk_low", folder=where, gigabytes=free / 1e9, wanted=wanted)
    return Finding.ok("doctor.disk", folder=where, gigabytes=free / 1e9)


async def bucket(url: str) -> Finding:
    """Check whether a bucket answers and stores a file."""
    with storage_at(url) as storage:
        presence = Presence(storage, SystemClock())
        await presence.check()
    shown = url.partition("?")[0]
    if presence.trouble:
        return Finding.problem("doctor.bucket_away", url=shown, why=presence.trouble)
    return Finding.ok("doctor.bucket", url=shown)


def backup(where: Path, *, age: float) -> Finding:
    """Check whether the newest backup is recent enough."""
    if age > BACKUP_AGE:
        return Finding.problem("doctor.backup_old", folder=str(where), days=age / 86_400)
    if age < 3600:
        return Finding.ok("doctor.backup_new", folder=str(where))
    return Finding.ok("doctor.backup", folder=str(where), count=int(age // 3600))


def _waiting(spool: Spool) -> Finding | None:
    """Return a finding of gateway ids without a row, or None.

    A running service has already tried to match such ids.
    """
    ids = [each.gateway_id for each in spool.read()]
    if not ids:
        return None
    return Finding.problem(
        "doctor.ids_waiting", count=len(ids), ids=listed(ids), file=str(spool.file)
    )


def files(allowed: int) -> Finding:
    """Check whether the limit of open files is high enough."""
    if allowed < WANTED:
        most = connections(allowed)
        return Finding.problem("doctor.files_few", allowed=allowed, wanted=WANTED, most=most)
    return Finding.ok("doctor.files", allowed=allowed)


async def is_running(config: Config) -> bool:
    """Whether a service holds the database right now."""
    return isinstance(await _trouble(config), DatabaseInUse)


async def _database(config: Config) -> Finding:
    trouble = await _trouble(config)
    if trouble is None:
        file = file_of(config.database_url)
        is_new = file is not None and size_of(file) == 0
        return Finding.note("doctor.database_new") if is_new else Finding.ok("doctor.database")
    if isinstance(trouble, DatabaseInUse):
        return Finding.note("doctor.running", holder=trouble.values["holder"])
    return Finding.of(trouble)


async def _trouble(config: Config) -> BotError | None:
    """Return the error that the service would get from the database, or None."""
    try:
        with reached(config.database_url):
            await check_database(config.database_url, home=Home(config.data_dir))
    except Exception as error:
        known = translated(error)
        if known is None:
            raise
        return known
    return None
