"""The state of this machine: room on the disk, a folder to write into, a sound database."""

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from bot.backups.archive import is_ahead, kept_in, last_made
from bot.cli.doctor.findings import Finding, Mark
from bot.cli.rim import reached, translated
from bot.cli.storage import storage_at
from bot.cli.words import listed
from bot.config import Config
from bot.core.clock import SystemClock
from bot.core.errors import BotError, DatabaseInUse
from bot.media.presence import Presence
from bot.media.storage import folder_of
from bot.store.database import check_database
from bot.store.identity import Home
from bot.store.spool import Spool
from bot.web.descriptors import WANTED, connections, highest

LEAST_FREE = 1_000_000_000
"""Bytes: room for a day's videos and for the database to grow."""
BACKUP_AGE = 2 * 86_400.0
"""Seconds: an older backup shows that something is wrong."""
PROBE = b"\0" * 65_536


async def check(config: Config) -> AsyncIterator[Finding]:
    """The findings, in the order in which the service would stumble."""
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
    """The others that are written into, and the setting of each: one may be somebody else's."""
    for name in ("scratch", "received"):
        yield config.data_dir / name, "data_dir"
    if config.settings.storage_url is None:  # one that is set is an obstacle by itself
        yield config.data_dir / "media", "data_dir"
    backups = config.settings.backup
    yield config.backup_folder, "backup.folder" if backups.folder else "data_dir"
    if backups.copy_to and (copies := folder_of(backups.copy_to)):
        yield copies, "backup.copy_to"


def folder(path: Path, setting: str = "data_dir") -> Finding:
    """Written into as the service will; where it is not there yet, the folder that will have it."""
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
    """Whether that many bytes are enough."""
    if free < LEAST_FREE:
        wanted = LEAST_FREE / 1e9
        return Finding.problem("doctor.disk_low", folder=where, gigabytes=free / 1e9, wanted=wanted)
    return Finding.ok("doctor.disk", folder=where, gigabytes=free / 1e9)


async def bucket(url: str) -> Finding:
    """Whether it answers, and takes a file."""
    with storage_at(url) as storage:
        presence = Presence(storage, SystemClock())
        await presence.check()
    shown = url.partition("?")[0]
    if presence.trouble:
        return Finding.problem("doctor.bucket_away", url=shown, why=presence.trouble)
    return Finding.ok("doctor.bucket", url=shown)


def backup(where: Path, *, age: float) -> Finding:
    """Whether one that old is one of the last two nights."""
    if age > BACKUP_AGE:
        return Finding.problem("doctor.backup_old", folder=str(where), days=age / 86_400)
    return Finding.ok("doctor.backup", folder=str(where), hours=age / 3600)


def _waiting(spool: Spool) -> Finding | None:
    """Gateway ids that no row has; a running service has looked for theirs already."""
    ids = [each.gateway_id for each in spool.read()]
    if not ids:
        return None
    return Finding.problem(
        "doctor.ids_waiting", count=len(ids), ids=listed(ids), file=str(spool.file)
    )


def files(allowed: int) -> Finding:
    """Whether so many open files and connections are enough."""
    if allowed < WANTED:
        most = connections(allowed)
        return Finding.problem("doctor.files_few", allowed=allowed, wanted=WANTED, most=most)
    return Finding.ok("doctor.files", allowed=allowed)


async def is_running(config: Config) -> bool:
    """Whether a service has the database right now."""
    return isinstance(await _trouble(config), DatabaseInUse)


async def _database(config: Config) -> Finding:
    trouble = await _trouble(config)
    if trouble is None:
        return Finding.ok("doctor.database")
    if isinstance(trouble, DatabaseInUse):
        return Finding.note("doctor.running", holder=trouble.values["holder"])
    return Finding.of(trouble)


async def _trouble(config: Config) -> BotError | None:
    """The trouble that the service would have with the database; None if it has none."""
    try:
        with reached(config.database_url):
            await check_database(config.database_url, home=Home(config.data_dir))
    except Exception as error:
        known = translated(error)
        if known is None:
            raise
        return known
    return None
