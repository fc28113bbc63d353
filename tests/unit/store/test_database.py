"""The database connection: whole transactions, one process per file, and the tables of the code."""

import asyncio
import random
import signal
import sqlite3
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from bot.core.errors import Broken
from bot.store import migrations
from bot.store.database import Database, check_database, open_database
from bot.store.engines import Result, begun, engine_of
from bot.store.reading import open_reading, version_of
from bot.store.settings import StoredValues
from bot.store.tables import gateways, jobs, last_notices, metadata, settings
from tests.conftest import NewUrl
from tests.contract.rows import Store

# --- cancellation --------------------------------------------------------------------------------


class Unshielded(Database):
    """Negative control: a database whose transaction is cancelled together with its caller."""

    async def run(self, work: Callable[[Connection], Result]) -> Result:
        return await self._whole(work)


@pytest.mark.proof
async def test_cancelling_the_caller_of_a_transaction_leaves_the_transaction_whole(
    new_url: NewUrl,
) -> None:
    """A begun transaction ends whole: its caller may find it committed, never half committed."""
    async with open_database(await new_url()) as database:
        assert await _survivors(database) == [2] * 100


@pytest.mark.proof
async def test_negative_control_without_the_shield_a_cancelled_caller_breaks_its_transaction(
    new_url: NewUrl,
) -> None:
    async with open_database(await new_url()) as database:
        database.__class__ = Unshielded
        survivors = await _survivors(database)
    assert survivors != [2] * 100


async def _survivors(database: Database) -> list[int]:
    """Return how many rows of two each transaction wrote whose caller was cancelled at random."""
    fate = random.Random(7)
    for number in range(100):
        begun = asyncio.Event()
        task = asyncio.create_task(_write_two(database, f"{number}", begun))
        if number % 2:  # somewhere behind the first row, however long it takes to get there
            await begun.wait()
        for _ in range(fate.randrange(1, 200)):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    await database.finish()
    # A transaction that is still open would block this one for ever.
    async with asyncio.timeout(5):
        return [await _count(database, f"{number}") for number in range(100)]


async def _write_two(database: Database, name: str, begun: asyncio.Event) -> None:
    def work(connection: Connection) -> None:
        for half in ("a", "b"):
            connection.execute(sa.insert(settings).values(name=f"{name}{half}", value=name))
            begun.set()

    await database.run(work)


async def _count(database: Database, value: str) -> int:
    query = sa.select(sa.func.count()).where(settings.c.value == value)

    def work(connection: Connection) -> int:
        return int(connection.scalar(query) or 0)

    return await database.run(work)


# --- one process ---------------------------------------------------------------------------------

_HOLD = """
import asyncio, sys
from bot.store.database import open_database
async def main():
    async with open_database(sys.argv[1]):
        print("open", flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


@pytest.mark.parametrize("before", [None, 0o644])
async def test_no_other_account_of_the_machine_can_read_the_database_file(
    tmp_path: Path, before: int | None
) -> None:
    """This holds in a folder open to others, and for a file of an older version."""
    file = tmp_path / "open" / "zoetrope.db"
    file.parent.mkdir(mode=0o755)
    if before is not None:
        file.touch(mode=before)
    async with open_database(f"sqlite:///{file}") as database:
        await StoredValues(database).put("links.key", "secret")
        modes = {each.name: each.stat().st_mode & 0o077 for each in file.parent.glob("*.db*")}
    assert modes.pop("zoetrope.db.lock") in (0, 0o044), "it tells who runs, and nothing else"
    assert modes == {"zoetrope.db": 0, "zoetrope.db-wal": 0, "zoetrope.db-shm": 0}


@pytest.mark.proof
async def test_a_second_process_is_told_which_process_has_the_database(new_url: NewUrl) -> None:
    """The lock is free as soon as its holder was killed."""
    url = await new_url()
    holder = await asyncio.create_subprocess_exec(sys.executable, "-c", _HOLD, url, stdout=PIPE)
    try:
        assert holder.stdout is not None
        assert await holder.stdout.readline() == b"open\n"
        with pytest.raises(Broken) as refusal:
            async with open_database(url):
                pass
        assert refusal.value.code == "database_in_use"
        assert str(refusal.value.values["file"]) in url
        with pytest.raises(Broken, match="database_in_use"):
            await check_database(url)
        assert str(refusal.value.values["holder"]).startswith(f"{holder.pid} @ ")
    finally:
        holder.send_signal(signal.SIGKILL)
        await holder.wait()
    async with asyncio.timeout(5), _opened_soon(url) as database:
        assert await StoredValues(database).get("anything") is None


@asynccontextmanager
async def _opened_soon(url: str) -> AsyncIterator[Database]:
    """Open the database as soon as PostgreSQL has noticed the end of the other process."""
    while True:
        try:
            async with open_database(url) as database:
                yield database
                return
        except Broken as broken:
            assert broken.code == "database_in_use"  # noqa: PT017


async def test_the_lock_of_the_database_is_free_after_its_holder_closed_it(new_url: NewUrl) -> None:
    url = await new_url()
    for _ in range(2):
        async with open_database(url):
            with pytest.raises(Broken, match="database_in_use"):
                async with open_database(url):
                    pass


@pytest.mark.proof  # waiting for a lock takes two seconds
async def test_a_database_file_that_another_program_writes_to_is_refused(
    new_sqlite_url: NewUrl,
) -> None:
    """The other program knows nothing of our lock, like the sqlite3 shell."""
    url = await new_sqlite_url()
    async with open_database(url):
        pass
    file = _file(url)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(Broken, match="database_in_use"):
            async with open_database(url):
                pass


async def test_of_processes_that_start_at_the_same_time_one_gets_the_database(
    new_url: NewUrl,
) -> None:
    url = await new_url()
    opened, refused = asyncio.Event(), asyncio.Semaphore(0)

    async def start() -> str:
        try:
            async with open_database(url) as database:
                opened.set()
                await StoredValues(database).put("started", "yes")
                for _ in range(3):
                    await refused.acquire()
                return "open"
        except Broken as broken:
            refused.release()
            return broken.code

    ends = await asyncio.gather(*(start() for _ in range(4)))
    assert sorted(ends) == ["database_in_use"] * 3 + ["open"]


# --- damage --------------------------------------------------------------------------------------


@pytest.mark.parametrize("flips", [40, pytest.param(200, marks=pytest.mark.proof)])
async def test_a_database_file_with_flipped_bytes_is_refused_or_still_has_all_its_jobs(
    new_sqlite_url: NewUrl, flips: int
) -> None:
    whole = await _with_jobs(await new_sqlite_url(), 30)
    fate = random.Random(11)
    verdicts = set()
    for _ in range(flips):
        bytes_ = bytearray(whole)
        for _ in range(fate.choice([1, 8, 64])):
            bytes_[fate.randrange(len(bytes_))] ^= fate.randrange(1, 256)
        verdicts.add(await _opened(await new_sqlite_url(), bytes(bytes_)))
    assert verdicts <= {"fine", "database_damaged", "database_newer", "database_foreign"}
    assert len(verdicts) >= 2


@pytest.mark.proof
@pytest.mark.parametrize("left", [1, 15, 16, 100, 4096, 4097, 20_000])
async def test_a_truncated_database_file_is_refused(new_sqlite_url: NewUrl, left: int) -> None:
    whole = await _with_jobs(await new_sqlite_url(), 30)
    assert await _opened(await new_sqlite_url(), whole[:left]) == "database_damaged"


@pytest.mark.proof
async def test_a_damaged_index_is_refused_at_the_start_even_if_no_query_uses_it_yet(
    new_sqlite_url: NewUrl,
) -> None:
    """Neither the start nor the first queries use the damaged index."""
    url = await new_sqlite_url()
    whole = bytearray(await _with_jobs(url, 30))
    with closing(sqlite3.connect(_file(url))) as connection:
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'ix_jobs_made'"
        (page,) = connection.execute(query).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    whole[(page - 1) * size : page * size] = bytes(size)
    assert await _opened(await new_sqlite_url(), bytes(whole)) == "database_damaged"


async def test_a_file_that_is_no_database_is_refused(new_sqlite_url: NewUrl) -> None:
    assert await _opened(await new_sqlite_url(), b"Dear diary, " * 1000) == "database_damaged"


async def test_a_database_of_a_newer_version_is_refused(new_url: NewUrl) -> None:
    url = await new_url()
    async with open_database(url) as database:
        await database.run(_becomes_newer)
    with pytest.raises(Broken) as refusal:
        async with open_database(url):
            pass
    assert refusal.value.code == "database_newer"


def _becomes_newer(connection: Connection) -> None:
    connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))


async def _with_jobs(url: str, number: int) -> bytes:
    """Return the bytes of a database file with so many jobs."""
    async with open_database(url) as database:
        store = Store(database)
        for _ in range(number):
            await store.admitted()
    assert not _file(url).with_name(_file(url).name + "-wal").exists()
    return _file(url).read_bytes()


async def _opened(url: str, content: bytes) -> str:
    """Open a database with this content; return "fine" if its 30 jobs are there, else the code."""
    _file(url).write_bytes(content)
    try:
        async with open_database(url) as database:
            assert await database.run(_jobs) == 30
    except Broken as broken:
        return broken.code
    return "fine"


def _jobs(connection: Connection) -> int:
    return int(connection.scalar(sa.select(sa.func.count()).select_from(jobs)) or 0)


def _file(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


# --- the tables ----------------------------------------------------------------------------------


async def test_a_new_database_has_the_same_tables_as_an_upgraded_one(new_url: NewUrl) -> None:
    """Alembic makes the upgraded tables; those of a new database are made without it."""
    upgraded, new = await new_url(), await new_url()
    async with begun(engine_of(upgraded)) as rows:
        await rows.run(lambda it: migrations.upgrade(it, migrations.head()))
    async with open_database(new):
        pass
    assert await _described(upgraded) == await _described(new)
    for url in (upgraded, new):
        async with open_reading(url) as rows:
            assert await rows.run(version_of) == migrations.head()


def test_the_versions_of_the_migrations_are_those_that_alembic_finds() -> None:
    found = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert migrations.head() == found.get_current_head()
    assert migrations.known() == {each.revision for each in found.walk_revisions()}
    assert len(migrations.known()) > 1


async def test_alembic_finds_no_difference_between_the_tables_and_the_code(new_url: NewUrl) -> None:
    async with open_database(await new_url()) as database:

        def work(connection: Connection) -> object:
            return compare_metadata(MigrationContext.configure(connection), metadata)

        assert await database.run(work) == []


async def test_a_trouble_told_before_an_upgrade_is_still_known_as_told_after_it(
    new_url: NewUrl,
) -> None:
    """Version 5 deleted the trouble, and a told owner would not learn of its end."""
    url = await new_url()
    async with begun(engine_of(url)) as former:
        await former.run(lambda it: migrations.upgrade(it, "0005"))
        trouble = "INSERT INTO gateways VALUES ('main', 300, 'bad_key', false, 0, 9)"
        await former.run(lambda it: it.execute(sa.text(trouble)))
    async with open_database(url) as database:
        rows = await database.run(
            lambda connection: connection.execute(sa.select(last_notices)).all()
        )
        assert [tuple(row) for row in rows] == [("main", "bad_key", 9.0)]
        rows = await database.run(lambda connection: connection.execute(sa.select(gateways)).all())
        kept = ("main", 300.0, "bad_key", False, 0.0, None, None)
        assert [tuple(row) for row in rows] == [kept]


async def _described(url: str) -> list[tuple[object, ...]]:
    """Return columns, indexes and constraints in the database's words, without white space."""
    sqlite = (
        "SELECT type, name, tbl_name, replace(replace(replace(sql, char(10), ''), char(9), ''),"
        " ' ', '') FROM sqlite_master WHERE type <> 'trigger'"
    )
    postgresql = (
        "SELECT indexname, indexdef, NULL, NULL, NULL FROM pg_indexes WHERE schemaname = 'public'"
        " UNION ALL SELECT table_name, column_name, data_type, is_nullable,"
        " (row_number() OVER (PARTITION BY table_name ORDER BY ordinal_position))::text"
        " FROM information_schema.columns WHERE table_schema = 'public'"
        " UNION ALL SELECT conname, pg_get_constraintdef(oid), NULL, NULL, NULL"
        " FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
    )
    query = sa.text(sqlite if url.startswith("sqlite") else postgresql)
    async with begun(engine_of(url)) as transaction:
        rows = await transaction.run(lambda it: [tuple(row) for row in it.execute(query)])
    ours = [row for row in rows if not any("alembic" in str(word) for word in row)]
    return sorted(ours, key=repr)


async def test_sqlite_runs_with_the_pragmas_that_we_rely_on(new_sqlite_url: NewUrl) -> None:
    wanted = {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 2000,
        "secure_delete": 1,
        "trusted_schema": 0,
    }
    async with open_database(await new_sqlite_url()) as database:

        def work(connection: Connection) -> dict[str, object]:
            return {
                name: (connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one() for name in wanted
            }

        assert await database.run(work) == wanted
