"""Copy a backup's rows into a new file, upgrade them, make them safe to restore, check them."""

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
    """Prepare the rows of `source` in the file `into`.

    Raises `Broken`: `backup_unsound` if the rows are damaged, and errors of opening them.
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
    """Record a gateway id that was not in the backup's rows: the gateway accepted this job."""
    job_id, gateway_id, sources = spooled
    try:
        await jobs.accept(job_id, gateway_id, sources=sources, now=now, due_at=now)
    except Broken as broken:
        log.info("backup.id_passed", job=job_id, code=broken.code)


def check(verdicts: Iterable[Verdict]) -> None:
    """Raise `Broken("backup_unsound")` for the first serious problem."""
    for verdict in verdicts:
        # A row that was odd before the backup must not prevent the restore of all rows.
        if verdict.trouble and verdict.check in ("integrity", "references", "revision"):
            raise Broken("backup_unsound", check=verdict.check, what=", ".join(verdict.trouble))


def counted(file: Path) -> tuple[dict[str, int], dict[str, int], NewestJob | None]:
    """Return the rows by table, the jobs by state, and the newest job, for any table version.

    The file is only read. No other process may have it open.
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
    """Return those of `ids` whose jobs are in a backup's rows. The file is only read."""
    address = f"file:{quote(str(file.absolute()))}?immutable=1"
    with closing(sqlite3.connect(address, uri=True)) as rows:
        query = "SELECT id FROM jobs WHERE id IN (SELECT value FROM json_each(?))"
        return {id_ for (id_,) in rows.execute(query, (json.dumps(ids),))}


async def keys(file: Path, *, since: float) -> list[str]:
    """Return the keys of the files that the rows of `file` need; `prepare` made `file`."""
    found: set[str] = set()
    after: str | None = ""
    async with open_database(f"sqlite:///{file}") as database:
        while after is not None:
            page, after = await database.read(partial(page_of, since=since, after=after))
            found |= page.keys()
    file.with_name(file.name + ".lock").unlink(missing_ok=True)
    return sorted(found)
