"""Replace the present rows with those of a backup, so that nothing is paid or posted twice.

First the backup's rows are upgraded and made safe in a new file, and missing media are copied to
the storage. Then the new file replaces the former rows in one move. If anything fails, the move is
undone, after a crash by the next start. The former rows are kept.
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
"""The prefix of folders that keep former rows."""
_AT_ONCE = 5000
"""The most jobs that are looked up in a backup with one query."""

log = get_logger()


@dataclass(frozen=True, slots=True)
class Later:
    """A job that was ordered after the backup, so the restore loses it."""

    id: str
    status: str
    gateway_id: str | None
    ordered_at: float


@dataclass(frozen=True, slots=True)
class Restored:
    """The outcome of a restore."""

    settled: Settled
    files: int
    """The number of media files copied into the storage."""
    missing: tuple[str, ...]
    """Keys of files that neither the storage nor the backup has."""
    aside: Path | None
    """The folder of the former rows; None if there were none, or they are in `schema`."""
    schema: str | None = None
    """The PostgreSQL schema of the former tables, if this program can't read them."""


async def later_jobs(config: Config, backup: Backup) -> list[Later] | None:
    """Return the jobs that the backup lacks; None if the present rows can't be read.

    Jobs are compared by id, because times of files and clocks are not reliable.
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
    """Raise `Broken("backup_newer")` if a newer program made the backup's tables."""
    revision = backup.manifest.revision
    if revision not in migrations.known():
        raise Broken("backup_newer", found=revision, known=str(migrations.head()))


async def check_stopped(config: Config) -> None:
    """Raise `Broken("database_in_use")` if the service holds its lock. Nothing is changed."""
    file = file_of(config.database_url)
    if file is None:
        from bot.store.server_lock import lock_server

        async with lock_server(config.database_url):
            pass
    elif file.exists():
        with lock_file(file):
            pass


async def restore(config: Config, storage: Storage, backup: Backup, *, now: float) -> Restored:
    """Restore the backup, under the service's lock.

    Raises `Broken`: `database_in_use`, `backup_damaged`, `backup_newer`, `backup_unsound`,
    `restore_no_room`. After an error the present rows are unchanged.
    """
    check_known(backup)
    damaged = await asyncio.to_thread(backup.check)
    file = file_of(config.database_url)
    async with _to_ourselves(config.database_url, file):
        beside = _folder_beside(config)
        beside.mkdir(parents=True, exist_ok=True, mode=0o700)
        await asyncio.to_thread(archive.clear, beside, but=backup.folder)
        with (
            room_named(beside, "restore_no_room"),
            tempfile.TemporaryDirectory(dir=beside, prefix=archive.UNFINISHED) as scratch,
        ):
            fresh = Path(scratch) / ROWS
            settled = await _prepare(config, backup, fresh, now=now)
            needed = await prepared.keys(fresh, since=0.0)
            files, missing = await _fill(storage, backup, needed, damaged)
            aside, schema = _aside_in(beside, now), None
            if file:
                had_rows = size_of(file) > 0
                await _exchange(file, fresh, aside, home=Home(config.data_dir))
            else:
                had_rows, schema = await _load(config.database_url, fresh, aside, now=now)
    log.warning("database.restored", made_at=backup.manifest.made_at, held=settled.held)
    return Restored(settled, files, tuple(missing), aside if had_rows else None, schema)


def age_out(config: Config, *, keep: int, now: float) -> list[str]:
    """Remove former rows older than `keep` days, at most `AT_ONCE`; return the folders' names."""
    made = sorted((each.stat().st_mtime, each) for each in _folder_beside(config).glob(f"{ASIDE}*"))
    gone = [each for at, each in made if at < now - keep * 86_400.0][: archive.AT_ONCE]
    for folder in gone:
        shutil.rmtree(folder, ignore_errors=True)
    return [folder.name for folder in gone]


def clear(config: Config) -> None:
    """Remove leftovers of a killed restore: copies of all rows, with people's prompts.

    Needs the service's lock. The folder of backups is left alone: a backup may be in progress.
    """
    beside = _folder_beside(config)
    if beside.absolute() != config.backup_folder.absolute():
        archive.clear(beside)


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
    """Return the facts in the present rows, or None; and whether there were unreadable rows."""
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
    """Copy missing media into the storage; existing files are not changed."""
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
    """Replace the database file with the restored one, and check that the new file can be opened.

    On an error or a cancellation, put the former file back. The files are moved in the event loop's
    thread: in another thread the move would go on after a cancellation, while it is being undone.
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
    """Put the former rows back. Remove the folder if it is empty."""
    swap.undo(file)
    with suppress(OSError):
        aside.rmdir()


async def _check_health(file: Path, home: Home) -> None:
    """Check the rows as a start of the service does."""
    engine = file_engine(file)
    try:
        await check(engine, file)
        async with engine.begun() as rows:
            await rows.run(lambda connection: home.check(connection, file))
            prepared.check(await rows.run(verify))
    finally:
        await engine.dispose()


async def _load(url: str, fresh: Path, aside: Path, *, now: float) -> tuple[bool, str | None]:
    """Replace the rows on a PostgreSQL server in one transaction, which the server can roll back.

    Return whether the former rows are in `aside`, and the schema they are in, if any.
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
    """Copy the present rows. False if there are none, or if this program can't read them."""
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
    """Hold the service's lock, and first undo an earlier restore that did not finish."""
    async with AsyncExitStack() as stack:
        if file is None:
            from bot.store.server_lock import lock_server

            await stack.enter_async_context(lock_server(url))
        else:
            with lock_name(file):
                swap.undo(file)
            stack.enter_context(lock_file(file))
        yield


def _folder_beside(config: Config) -> Path:
    """Return the database file's folder, or `data_dir` for a database on a server.

    A restore works in a temporary subfolder there, and keeps the former rows in another subfolder.
    """
    file = file_of(config.database_url)
    return file.parent if file else config.data_dir


def _aside_in(beside: Path, now: float) -> Path:
    """Return a new folder name for the former rows."""
    times = (datetime.fromtimestamp(second, UTC) for second in count(int(now)))
    names = (beside / time.strftime(f"{ASIDE}%Y%m%dT%H%M%SZ") for time in times)
    return next(name for name in names if not name.exists())
