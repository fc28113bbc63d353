"""Upgrades: the database of every earlier version is brought up to date with all its rows."""

import asyncio
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core.errors import Broken
from bot.core.quotas import Limits
from bot.store import migrations
from bot.store.database import Database, check_database, open_database
from bot.store.engines import engine_of
from bot.store.jobs import Jobs
from bot.store.reading import open_reading, version_of
from bot.store.rows import order_of
from bot.store.tables import metadata
from bot.store.verifying import verify
from tests.conftest import NewUrl
from tests.contract.rows import NOON, PRICE, a_job
from tests.unit.core.orders import changed
from tests.unit.store import former

ORDER = a_job().order.call
FORGOTTEN = {"gateways": "0005"}
"""Tables that a version made anew without their rows, because pauses last only minutes."""

_UPGRADE = """
import asyncio, os, signal, sys
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from bot.store.database import open_database
left = int(sys.argv[2])
@sa.event.listens_for(Engine, "before_cursor_execute")
def count(connection, cursor, statement, *_):
    global left
    if statement.split()[0].upper() in ("CREATE", "DROP", "ALTER", "INSERT", "UPDATE", "DELETE"):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
async def main():
    async with open_database(sys.argv[1]):
        pass
asyncio.run(main())
"""


@pytest.mark.parametrize("revision", former.REVISIONS)
async def test_a_database_of_every_earlier_version_is_upgraded_with_its_rows(
    new_url: NewUrl, revision: str
) -> None:
    url = await new_url()
    written = await former.write(url, revision)
    async with open_database(url) as database:
        found = await database.run(_all)
        used = await Jobs(database).usage(ORDER.address, ORDER.person.id, Limits(), now=NOON)
        verdicts = await database.run(verify)
        read = [await Jobs(database).get(job.id) for job in former.jobs_in_each_state()]
    assert read == former.jobs_in_each_state()
    assert [verdict for verdict in verdicts if verdict.trouble] == []
    # Cancelled, failed and unconfirmed jobs gave their quota back, and one gave its money back.
    assert (used.person_videos, used.person_tries, used.person_paid) == (5, 8, 7)
    assert (used.person_at_once, used.purse_money) == (3, 7 * PRICE)
    for table, rows in written.items():
        for row in rows:
            if "order_data" in row:  # the reading is exact; jobs are compared above
                row["order_data"] = former.whole(table, row)
        if revision >= FORGOTTEN.get(table, "0000"):
            assert _common(found[table], rows) == sorted(rows, key=repr), table


async def test_a_thousand_stored_proposals_are_upgraded(new_url: NewUrl) -> None:
    """Stored proposals that lack later options too; missing options are left open."""
    url, many = await new_url(), 1_001
    await former.write(url, "0014")
    order = former.flat(former.PROPOSAL) | {"seed": 7}
    for name in ("fit", "audio", "prompt_extend", "watermark", "preset", "sound"):
        del order[name]
    drafts = sa.table(
        "drafts",
        *(sa.column(name) for name in ("id", "created_at")),
        sa.column("order_data", sa.JSON),
    )
    engine = engine_of(url)
    old = [{"id": f"old-{n}", "order_data": order, "created_at": 1.0} for n in range(many)]
    await engine.run(lambda connection: connection.execute(sa.insert(drafts), old))
    await engine.dispose()
    async with open_database(url) as database:
        found = (await database.run(_all))["proposals"]
    read = [order_of(row["order_data"]) for row in found if row["created_at"] == 1.0]
    assert read == [changed(order_of(former.PROPOSAL), seed=7)] * many


@pytest.mark.proof
@pytest.mark.parametrize("statement", [3, 11])
async def test_an_upgrade_killed_at_a_statement_leaves_the_rows_to_the_next_upgrade(
    new_sqlite_url: NewUrl, statement: int
) -> None:
    assert await _killed_at(await new_sqlite_url(), statement) == -signal.SIGKILL


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    "step",
    [pytest.param(6, marks=pytest.mark.proof), pytest.param(1, marks=pytest.mark.long)],
    ids=["every sixth", "each"],
)
async def test_an_upgrade_may_be_killed_at_any_statement(new_sqlite_url: NewUrl, step: int) -> None:
    """The loop goes on until an upgrade is not killed, so it was killed at each such statement."""
    statement = 1
    while await _killed_at(await new_sqlite_url(), statement):
        statement += step
    assert statement > 15


@pytest.mark.parametrize("statement", [3, pytest.param(11, marks=pytest.mark.proof)])
async def test_an_upgrade_killed_on_postgresql_at_a_statement_is_rolled_back(
    new_postgres_url: NewUrl, statement: int
) -> None:
    assert await _killed_at(await new_postgres_url(), statement) == -signal.SIGKILL


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "step",
    [pytest.param(15, marks=pytest.mark.proof), pytest.param(5, marks=pytest.mark.long)],
    ids=["every fifteenth", "every fifth"],
)
async def test_an_upgrade_killed_on_postgresql_at_any_statement_is_rolled_back(
    new_postgres_url: NewUrl, step: int
) -> None:
    statement = 1
    while await _killed_at(await new_postgres_url(), statement):
        statement += step
    assert statement > 15


async def _killed_at(url: str, statement: int) -> int | None:
    """Kill an upgrade at this statement, upgrade again, and return the exit code of the first.

    The database is either as it was or upgraded, and then comes up to date.
    """
    await former.write(url, "0001")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _UPGRADE, url, str(statement)
    )
    code = await process.wait()
    version, names = await _tables(url)
    assert version == ("0001" if code else migrations.head())
    assert ("owners" in names) == (code == 0), "half of the tables"
    async with _freed(url) as database:
        read = [await Jobs(database).get(job.id) for job in former.jobs_in_each_state()]
    assert read == former.jobs_in_each_state()
    return code


async def _tables(url: str) -> tuple[str, set[str]]:
    """Return the version that the tables name and the names of the tables, before any upgrade."""
    if not url.startswith("sqlite"):
        async with open_reading(url) as rows:
            there = await rows.run(lambda connection: sa.inspect(connection).get_table_names())
            return await rows.run(version_of), set(there)
    file = Path(url.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(file)) as rows:
        (version,) = rows.execute("SELECT version_num FROM alembic_version").fetchone()
        return version, {name for (name,) in rows.execute("SELECT name FROM sqlite_master")}


@asynccontextmanager
async def _freed(url: str) -> AsyncIterator[Database]:
    """Open the database, once its server has noticed that the other process is dead."""
    async with AsyncExitStack() as stack:
        async with asyncio.timeout(60):
            while True:
                try:
                    database = await stack.enter_async_context(open_database(url))
                    break
                except Broken as broken:
                    if broken.code != "database_in_use":
                        raise
        yield database


async def test_a_database_of_a_newer_version_is_refused_by_run_and_by_doctor(
    new_url: NewUrl,
) -> None:
    url = await new_url()
    await former.write(url, migrations.head() or "")
    async with open_database(url) as database:
        await database.run(_becomes_newer)
    for poll in (_opened, check_database):
        with pytest.raises(Broken) as refusal:
            await poll(url)
        assert refusal.value.code == "database_newer"
        assert refusal.value.values["found"] == "9999"
    async with open_reading(url) as rows:
        assert await rows.run(version_of) == "9999", "nothing was changed"


async def _opened(url: str) -> None:
    async with open_database(url):
        pass


def _becomes_newer(connection: Connection) -> None:
    connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))


def _all(connection: Connection) -> dict[str, list[dict[str, object]]]:
    return {table.name: former.read(connection, table) for table in metadata.sorted_tables}


def _common(found: list[dict[str, object]], rows: list[dict[str, object]]) -> list[object]:
    """Return the columns of today's rows that existed before."""
    names = [name for name in rows[0] if not found or name in found[0]]
    for row in rows:
        for name in [name for name in row if name not in names]:
            del row[name]  # a column that a later version dropped
    return sorted(({name: row[name] for name in rows[0]} for row in found), key=repr)
