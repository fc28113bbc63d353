"""One process has the database; a removed file or lost connection lets no second one in."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from bot.core import moves
from bot.core.errors import Broken, Unwritten
from bot.core.jobs import Status
from bot.store.database import Database, open_database
from bot.store.identity import saved_copy
from bot.store.locks import lock_file
from bot.store.settings import StoredValues
from tests.conftest import NewUrl
from tests.contract.rows import NOON, Store

_HOLD = """
import asyncio, sys
from bot.store.database import open_database
from bot.store.settings import StoredValues
async def main():
    async with open_database(sys.argv[1]) as database:
        await StoredValues(database).put("holder", "the other one")
        print("open", flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


@asynccontextmanager
async def _holder(url: str) -> AsyncIterator[Process]:
    """Run another process that has the database, until it is killed."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", _HOLD, url, stdout=PIPE)
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"open\n"
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()


def _file(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


# --- SQLite --------------------------------------------------------------------------------------


@pytest.mark.proof
async def test_removing_the_lock_file_does_not_let_a_second_process_in(
    new_sqlite_url: NewUrl,
) -> None:
    """A refused process has not taken SQLite's own locks from anybody."""
    url = await new_sqlite_url()
    lock = Path(f"{_file(url)}.lock")
    async with _holder(url):
        for _ in range(2):
            lock.unlink()
            with pytest.raises(Broken, match="database_in_use"):
                async with open_database(url):
                    pass
    async with open_database(url) as database:
        assert await StoredValues(database).get("holder") == "the other one"


async def test_a_second_process_does_not_touch_the_journal_of_the_first(
    new_sqlite_url: NewUrl,
) -> None:
    """The first process has just made the file, and its rows are in the journal only."""
    url = await new_sqlite_url()
    journal = Path(f"{_file(url)}-wal")
    with lock_file(_file(url)):
        journal.write_bytes(b"rows")
        with pytest.raises(Broken, match="database_in_use"):
            async with open_database(url):
                pass
        assert journal.read_bytes() == b"rows"


@pytest.mark.parametrize("how", ["deleted", "deleted with its journal", "replaced", "emptied"])
async def test_a_lost_database_file_is_noticed_and_its_rows_are_saved_as_a_copy(
    new_sqlite_url: NewUrl, how: str
) -> None:
    """No new order goes into a file that nobody will open again; running jobs go on."""
    url = await new_sqlite_url()
    file = _file(url)
    async with open_database(url) as database:
        store = Store(database)
        job = await store.admitted()
        assert database.trouble is None
        _lose(file, how)
        assert await database.check() == how.split()[0]
        with pytest.raises(Unwritten, match="database_gone"):
            await store.admitted()
        await StoredValues(database).put("later", "kept")
    assert not file.with_name(f"{file.name}-wal").exists(), "SQLite would read it into the copy"
    saved_copy(file).rename(file)
    async with open_database(url) as database:
        assert await StoredValues(database).get("later") == "kept"
        assert await Store(database).claimed() == [job.id]


def _lose(file: Path, how: str) -> None:
    """Make the database file unusable in this way."""
    match how:
        case "deleted":
            file.unlink()
        case "deleted with its journal":
            for each in file.parent.glob(f"{file.name}*"):
                each.unlink()
        case "replaced":
            other = file.with_name("other")
            other.write_bytes(file.read_bytes())
            other.rename(file)
        case _:
            file.write_bytes(b"")


async def test_the_file_is_checked_regularly_and_its_rows_are_saved_once_it_is_lost(
    new_sqlite_url: NewUrl,
) -> None:
    """A process that is killed afterwards has already saved the rows."""
    url = await new_sqlite_url()
    async with open_database(url) as database:
        file, looks = _file(url), 0

        async def beat(_: float) -> None:
            nonlocal looks
            looks += 1
            if looks == 2:
                file.unlink()
            if looks > 3:
                raise asyncio.CancelledError

        with pytest.raises(asyncio.CancelledError):
            await database.watch(beat)
        assert saved_copy(file).exists()


async def test_a_database_file_that_is_moved_back_is_used_again(new_sqlite_url: NewUrl) -> None:
    url = await new_sqlite_url()
    async with open_database(url) as database:
        file = _file(url)
        file.rename(file.with_name("elsewhere"))
        assert await database.check() == "deleted"
        file.with_name("elsewhere").rename(file)
        assert await database.check() is None
        await Store(database).admitted()


# --- PostgreSQL ----------------------------------------------------------------------------------


async def test_a_lock_lost_with_its_connection_is_taken_again(new_postgres_url: NewUrl) -> None:
    url = await new_postgres_url()
    async with open_database(url) as database:
        await _cut(url)
        assert await _checked(database) is None
        with pytest.raises(Broken, match="database_in_use"):
            async with open_database(url):
                pass


@pytest.mark.proof
async def test_a_process_whose_lock_was_taken_by_another_process_stops(
    new_postgres_url: NewUrl,
) -> None:
    url = await new_postgres_url()
    async with open_database(url) as database:
        await _cut(url)
        async with _holder(url) as other:
            with pytest.raises(Broken) as end:
                await database.watch(lambda _: asyncio.sleep(0))
    assert end.value.code == "database_taken"
    assert str(end.value.values["holder"]).startswith(f"{other.pid} @ ")


async def test_two_schemas_of_one_server_have_separate_locks(new_postgres_url: NewUrl) -> None:
    url = await new_postgres_url()
    name = sa.engine.make_url(url).database
    async with open_database(url) as first:
        await StoredValues(first).put("name", "first")
        await _say(url, "CREATE SCHEMA second", f"ALTER DATABASE {name} SET search_path = second")
        try:
            async with open_database(url) as second:
                assert await StoredValues(second).get("name") is None
        finally:
            await _say(
                url, f"ALTER DATABASE {name} RESET search_path", "DROP SCHEMA second CASCADE"
            )


async def _checked(database: Database) -> str | None:
    """Return the result of a check, once the server has noticed that the old connection is gone."""
    async with asyncio.timeout(5):
        while trouble := await database.check():
            assert trouble == "lost"
    return None


async def _cut(url: str) -> None:
    """Let the server end our connections."""
    await _say(
        url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name LIKE 'zoetrope %' AND datname = current_database()",
    )


async def _say(url: str, *statements: str) -> None:
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for statement in statements:
            await connection.exec_driver_sql(statement)
    await engine.dispose()


async def test_no_order_is_sent_whose_row_is_in_a_lost_file(tmp_path: Path) -> None:
    """The saved copy may be older than the POST, and the next start would send the order again."""
    file = tmp_path / "zoetrope.db"
    async with open_database(f"sqlite:///{file}") as database:
        store = Store(database)
        plain, counted = [await store.admitted() for _ in range(2)]
        file.unlink()
        assert await database.check() == "deleted"
        for attempt in (
            store.jobs.save(plain, moves.submitting(plain, now=NOON), now=NOON),
            store.jobs.begin(counted, now=NOON, at_once=9),
        ):
            with pytest.raises(Unwritten, match="database_gone"):
                await attempt
        running = await store.jobs.get(plain.id)
        assert running is not None
        assert running.status is Status.QUEUED
