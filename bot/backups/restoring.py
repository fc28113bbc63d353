"""Puts a backup in the place of what is there, so that nothing is paid for or said twice.

All is prepared beside: the rows are brought up to date and made safe in a file of their own, and
the storage gets what it lacks. Then they take the place of the former rows in one move, which is
undone if anything fails, also by the next start after a crash. The former rows are kept.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from bot.backups import archive, prepared
from bot.backups.archive import MEDIA, ROWS, SPOOL, Backup
from bot.backups.room import room_named
from bot.config import Config
from bot.core.errors import BotError, Broken, DatabaseAbsent
from bot.log import get_logger
from bot.media.storage import Storage
from bot.store import asides, migrations, swap
from bot.store.copying import copy_database, load_server
from bot.store.deletions import Deletions
from bot.store.engines import begun, file_engine
from bot.store.files import check, file_of, size_of
from bot.store.identity import Home
from bot.store.locks import lock_file, lock_name
from bot.store.reading import open_reading, pages
from bot.store.restored import Known, Settled, known_to
from bot.store.spool import Spool, Spooled
from bot.store.verifying import verify

ASIDE = "before-restore-"
"""How the folders begin in which the former rows are kept."""
_AT_ONCE = 5000
"""Jobs that are looked for in a backup at once."""

log = get_logger()


@dataclass(frozen=True, slots=True)
class Later:
    """A job that was ordered after the backup: no restore brings it back."""

    id: str
    status: str
    gateway_id: str | None
    ordered_at: float


@dataclass(frozen=True, slots=True)
class Restored:
    """The outcome of a restore."""

    settled: Settled
    files: int
    """Files that the storage lacked and got."""
    missing: tuple[str, ...]
    """Keys of files that neither the storage nor the backup has."""
    aside: Path | None
    """Where the former rows are; None if there were none, or they are in a schema."""
    schema: str | None = None
    """Where PostgreSQL has the former tables, if this version can't read them."""


async def later_jobs(config: Config, backup: Backup) -> list[Later] | None:
    """The jobs that the backup does not have; None where the present rows can't be read.

    By their ids: no time of a file or a clock says so much.
    """
    query = sa.text("SELECT id, status, gateway_id, created_at FROM jobs")
    later: list[Later] = []
    try:
        async with open_reading(config.database_url) as rows:
            async for page in pages(rows, query, _AT_ONCE):
                found = [Later(*row.values()) for row in page]
                ids = [each.id for each in found]
                had = await asyncio.to_thread(prepared.held_in, backup.folder / ROWS, ids)
                later += [each for each in found if each.id not in had]
    except (Broken, OSError, sa.exc.SQLAlchemyError):
        return None
    return sorted(later, key=lambda it: -it.ordered_at)


def check_known(backup: Backup) -> None:
    """Raise `Broken("backup_newer")` for the tables of a newer program."""
    revision = backup.manifest.revision
    if revision not in migrations.known():
        raise Broken("backup_newer", found=revision, known=str(migrations.head()))


async def restore(config: Config, storage: Storage, backup: Backup, *, now: float) -> Restored:
    """Do it, under the service's lock.

    Raises `Broken`: `database_in_use`, `backup_damaged`, `backup_newer`, `backup_unsound`,
    `restore_no_room`; what was there is there then.
    """
    check_known(backup)
    damaged = await asyncio.to_thread(backup.check)
    file = file_of(config.database_url)
    async with _to_ourselves(config.database_url, file):
        place = _place_of(config)
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        await asyncio.to_thread(archive.clear, place, but=backup.folder)
        with (
            room_named(place, "restore_no_room"),
            tempfile.TemporaryDirectory(dir=place, prefix=archive.UNFINISHED) as scratch,
        ):
            fresh = Path(scratch) / ROWS
            settled = await _prepare(config, backup, fresh, now=now)
            needed = await prepared.keys(fresh, since=0.0)
            files, missing = await _fill(storage, backup, needed, damaged)
            aside, schema = _aside_in(place, now), None
            if file:
                had_rows = size_of(file) > 0
                await _exchange(file, fresh, aside, home=Home(config.data_dir))
            else:
                had_rows, schema = await _load(config.database_url, fresh, aside, now=now)
    log.warning("database.restored", made_at=backup.manifest.made_at, held=settled.held)
    return Restored(settled, files, tuple(missing), aside if had_rows else None, schema)


def age_out(config: Config, *, keep: int, now: float) -> list[str]:
    """Remove the former rows of restores that are so many days old; answers their names.

    Some at a time.
    """
    made = sorted((each.stat().st_mtime, each) for each in _place_of(config).glob(f"{ASIDE}*"))
    gone = [each for at, each in made if at < now - keep * 86_400.0][: archive.AT_ONCE]
    for folder in gone:
        shutil.rmtree(folder, ignore_errors=True)
    return [folder.name for folder in gone]


def clear(config: Config) -> None:
    """Remove what a restore that was killed has left: all rows, with all that people wrote.

    Under the service's lock. In the folder of backups somebody may just be making one.
    """
    place = _place_of(config)
    if place.absolute() != config.backup_folder.absolute():
        archive.clear(place)


async def _prepare(config: Config, backup: Backup, fresh: Path, *, now: float) -> Settled:
    spool = Spool(backup.folder)
    spooled: list[Spooled] = list(spool.read()) if (backup.folder / SPOOL).exists() else []
    known, is_lost = await _known(config)
    return await prepared.prepare(
        backup.folder / ROWS,
        fresh,
        now=now,
        deletions=list(Deletions(config.data_dir).read()),
        known=known,
        stopped=is_lost,
        spooled=spooled,
        home=Home(config.data_dir),
    )


async def _known(config: Config) -> tuple[Known | None, bool]:
    """The facts in the present rows; or None, and whether there were rows that can't be read."""
    try:
        async with open_reading(config.database_url) as rows:
            return await rows.run(known_to), False
    except DatabaseAbsent:
        return None, Home(config.data_dir).marker.exists()
    except (Broken, OSError, sa.exc.SQLAlchemyError):
        return None, True


async def _fill(
    storage: Storage, backup: Backup, needed: list[str], damaged: list[str]
) -> tuple[int, list[str]]:
    """Give the storage what it lacks; nothing that is there is touched."""
    had, files, missing = backup.manifest.media, 0, []
    for key in needed:
        if await archive.has(storage, key):
            continue
        if key not in had or key in damaged:
            missing.append(key)
            continue
        await storage.put(key, backup.folder / MEDIA / key)
        files += 1
    return files, missing


async def _exchange(file: Path, fresh: Path, aside: Path, *, home: Home) -> None:
    """Let the new rows take the place of the file, see that they can be used, or undo it.

    Not beside the event loop: cancelled there, an exchange would go on while it is undone.
    """
    try:
        swap.exchange(file, fresh, aside)
        await _check_health(file, home)
    except BaseException as error:
        _undo(file, aside)
        code = error.code if isinstance(error, BotError) else type(error).__name__
        log.error("database.not_restored", code=code)
        raise
    swap.settle(file)


def _undo(file: Path, aside: Path) -> None:
    """Put the former rows back; the folder goes only without rows in it."""
    swap.undo(file)
    with suppress(OSError):
        aside.rmdir()


async def _check_health(file: Path, home: Home) -> None:
    """As a start would look at it."""
    engine = file_engine(file)
    try:
        await check(engine, file)
        async with engine.begun() as rows:
            await rows.run(lambda connection: home.check(connection, file))
            prepared.check(await rows.run(verify))
    finally:
        await engine.dispose()


async def _load(url: str, fresh: Path, aside: Path, *, now: float) -> tuple[bool, str | None]:
    """The same for a server: one transaction, which it undoes by itself.

    Answers whether the former rows are in `aside`, or in which schema.
    """
    is_copied, schema, is_ending = await _keep_rows(url, aside), None, False
    from bot.store.server import ServerEngine

    engine = ServerEngine(make_url(url), poolclass=NullPool)
    try:
        async with begun(engine) as rows:
            if not is_copied:
                schema = await rows.run(partial(asides.put_aside, now=now))
            await load_server(rows, fresh)
            prepared.check(await rows.run(verify))
            is_ending = True
    except BaseException:
        if is_ending:  # it may have come through: the former rows may be nowhere else
            log.error("database.maybe_restored", former_rows=schema or str(aside))
        else:
            shutil.rmtree(aside, ignore_errors=True)
        raise
    return is_copied, schema


async def _keep_rows(url: str, aside: Path) -> bool:
    """Copy the present rows; False if there are none, or none that this version can read."""
    await asyncio.to_thread(aside.mkdir, parents=True, exist_ok=True, mode=0o700)
    try:
        await copy_database(url, aside / ROWS)
    except BaseException as error:
        shutil.rmtree(aside, ignore_errors=True)
        if isinstance(error, Broken | sa.exc.ProgrammingError):
            return False
        raise
    return True


@asynccontextmanager
async def _to_ourselves(url: str, file: Path | None) -> AsyncIterator[None]:
    """Hold the service's lock, and undo first what an earlier restore has left half done."""
    async with AsyncExitStack() as stack:
        if file is None:
            from bot.store.server_lock import lock_server

            await stack.enter_async_context(lock_server(url))
        else:
            with lock_name(file):
                swap.undo(file)
            stack.enter_context(lock_file(file))
        yield


def _place_of(config: Config) -> Path:
    """The folder in which restores work, and leave the former rows."""
    file = file_of(config.database_url)
    return file.parent if file else config.data_dir


def _aside_in(place: Path, now: float) -> Path:
    """A folder that is not there yet."""
    times = (datetime.fromtimestamp(second, UTC) for second in count(int(now)))
    names = (place / time.strftime(f"{ASIDE}%Y%m%dT%H%M%SZ") for time in times)
    return next(name for name in names if not name.exists())
