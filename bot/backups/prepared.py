"""The rows of a backup in a file of their own: up to date, made safe, and looked through."""

import asyncio
import json
import shutil
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection

from bot.backups.archive import NewestJob
from bot.core.errors import Broken
from bot.log import get_logger
from bot.store.database import open_database
from bot.store.deletions import Deletion
from bot.store.identity import Home
from bot.store.jobs import Jobs
from bot.store.restored import Known, Settled, settle
from bot.store.spool import Spooled
from bot.store.verifying import Verdict, verify
from bot.store.wanted import page_of

log = get_logger()


async def prepare(
    source: Path,
    into: Path,
    *,
    now: float,
    deletions: Sequence[Deletion] = (),
    known: Known | None = None,
    stopped: bool = False,
    spooled: Iterable[Spooled] = (),
    home: Home | None = None,
) -> Settled:
    """Make `into` of the rows in `source`.

    Raises `Broken`: `backup_unsound` where something is wrong in the rows, and whatever keeps
    them from being opened.
    """
    await asyncio.to_thread(shutil.copyfile, source, into)
    async with open_database(f"sqlite:///{into}") as database:

        def work(connection: Connection) -> Settled:
            if home:
                home.adopt(connection)
            return settle(connection, deletions, known, now=now, stopped=stopped)

        settled = await database.run(work)
        for each in spooled:
            await _record(Jobs(database), each, now=now)
        check(await database.run(verify))
    into.with_name(into.name + ".lock").unlink(missing_ok=True)
    return settled


async def _record(jobs: Jobs, spooled: Spooled, *, now: float) -> None:
    """An id that the backup had beside its rows: its job is known to have been taken."""
    job_id, gateway_id, sources = spooled
    try:
        await jobs.accept(job_id, gateway_id, sources=sources, now=now, due_at=now)
    except Broken as broken:
        log.info("backup.id_passed", job=job_id, code=broken.code)


def check(verdicts: Iterable[Verdict]) -> None:
    """Raise `Broken("backup_unsound")` with the first thing that is wrong."""
    for verdict in verdicts:
        # A row that is odd was odd before, and is no reason to have none at all.
        if verdict.trouble and verdict.check in ("integrity", "references", "revision"):
            raise Broken("backup_unsound", check=verdict.check, what=", ".join(verdict.trouble))


def counted(file: Path) -> tuple[dict[str, int], dict[str, int], NewestJob | None]:
    """Rows by table, jobs by state, and the newest job, of tables of whatever version.

    The file is not touched; nobody else may have it open.
    """
    address = f"file:{quote(str(file.absolute()))}?immutable=1"
    with closing(sqlite3.connect(address, uri=True)) as rows:
        names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'alembic_version'"
        tables = {
            name: rows.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608
            for (name,) in rows.execute(names).fetchall()
            if not name.startswith("sqlite_")
        }
        states = dict(rows.execute("SELECT status, count(*) FROM jobs GROUP BY status"))
        newest = "SELECT id, created_at FROM jobs ORDER BY created_at DESC LIMIT 1"
        latest = rows.execute(newest).fetchone()
    return tables, states, NewestJob(id=latest[0], ordered_at=latest[1]) if latest else None


def held_in(file: Path, ids: Sequence[str]) -> set[str]:
    """Those of these jobs that are in a backup's rows; the file is not touched."""
    address = f"file:{quote(str(file.absolute()))}?immutable=1"
    with closing(sqlite3.connect(address, uri=True)) as rows:
        query = "SELECT id FROM jobs WHERE id IN (SELECT value FROM json_each(?))"
        return {id_ for (id_,) in rows.execute(query, (json.dumps(ids),))}


async def keys(file: Path, *, since: float) -> list[str]:
    """The files that the rows of `file`, as `prepare` made it, need."""
    found: set[str] = set()
    after: str | None = ""
    async with open_database(f"sqlite:///{file}") as database:
        while after is not None:
            page, after = await database.read(partial(page_of, since=since, after=after))
            found |= page.keys()
    file.with_name(file.name + ".lock").unlink(missing_ok=True)
    return sorted(found)
