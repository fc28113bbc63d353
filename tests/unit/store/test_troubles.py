"""A database that takes no writes is reported in time and in our own words."""

import asyncio
import gc
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from functools import partial

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection
from structlog.testing import capture_logs

from bot.core.asking import Asking
from bot.core.errors import Unwritten
from bot.store import troubles
from bot.store.database import Database, open_database
from bot.store.engines import PATIENCE, begun, engine_of
from bot.store.files import file_of
from bot.store.server import ServerEngine
from bot.store.settings import StoredValues
from tests.conftest import NewUrl
from tests.contract.rows import Store
from tests.databases import hold, on_driver

SHORT = 0.2
"""Seconds of the lock timeout in tests that wait for its end."""

WAIT = 30.0


def test_the_usual_lock_timeout_is_two_seconds() -> None:
    assert PATIENCE == 2.0


@asynccontextmanager
async def _locked(url: str, how: str = "BEGIN IMMEDIATE") -> AsyncIterator[None]:
    """Let another program, such as a shell or a backup, block every admission."""
    if file := file_of(url):
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute(how)
            yield
            other.execute("ROLLBACK")
        return
    async with begun(engine_of(url)) as rows:
        lock = sa.select(sa.func.pg_advisory_xact_lock(1515144532))
        await rows.run(lambda connection: connection.execute(lock))
        yield


async def test_an_order_blocked_by_another_programs_lock_is_refused_and_not_admitted_later(
    new_url: NewUrl,
) -> None:
    url = await new_url()
    async with open_database(url, patience=SHORT) as database:
        store = Store(database)
        async with _locked(url):
            async with asyncio.timeout(5):
                with pytest.raises(Unwritten, match="database_busy"):
                    await store.admitted()
        await database.finish()
        assert await store.claimed() == []
        await store.admitted()
        assert len(await store.claimed()) == 1


async def test_an_order_whose_person_was_refused_while_it_waited_is_not_admitted(
    new_url: NewUrl,
) -> None:
    url, asking = await new_url(), Asking()
    async with open_database(url, patience=WAIT) as database, asyncio.timeout(WAIT):
        store = Store(database)
        async with _locked(url):
            waits = await _waiting(database)
            with asking.begun():
                order = asyncio.create_task(store.admitted())
            await waits.wait()
            asking.is_over = True
        with pytest.raises(Unwritten, match="database_busy"):
            await order
        assert await store.claimed() == []


async def _waiting(database: Database) -> asyncio.Event:
    """Return an event that is set as soon as an admission asks for its turn."""
    waits, loop = asyncio.Event(), asyncio.get_running_loop()

    def said(statement: str) -> None:
        if statement.startswith("BEGIN") or "pg_advisory_xact_lock" in statement:
            loop.call_soon_threadsafe(waits.set)

    if isinstance(database._engine, ServerEngine):
        server = database._engine._engine.sync_engine
        sa.event.listen(server, "before_cursor_execute", lambda *given: said(given[2]))
    else:
        await on_driver(database, lambda it: it.set_trace_callback(said))
    return waits


@pytest.mark.proof
async def test_a_transaction_that_fails_after_its_caller_left_causes_no_complaint_of_the_loop(
    new_sqlite_url: NewUrl,
) -> None:
    """No unretrieved exception is left for the event loop to complain about."""
    url = await new_sqlite_url()
    complaints: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context["message"]))
    async with open_database(url, patience=SHORT) as database, _locked(url, "BEGIN EXCLUSIVE"):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(SHORT / 4):
                await StoredValues(database).put("name", "value")
        with capture_logs() as logs:
            await database.finish()
        gc.collect()
        await asyncio.sleep(0)
    assert complaints == []
    assert [(each["event"], each["error"]) for each in logs] == [
        ("database.unheard", "database_busy")
    ]


async def test_orders_that_wait_together_for_a_lock_are_refused_together(new_url: NewUrl) -> None:
    """Waiting for one's own turn counts too, so the timeouts of many do not add up."""
    url = await new_url()
    async with open_database(url, patience=SHORT) as database, _locked(url):
        store = Store(database)
        begun = asyncio.get_running_loop().time()
        ends = await asyncio.gather(*(store.admitted() for _ in range(20)), return_exceptions=True)
        took = asyncio.get_running_loop().time() - begun
    assert [str(end) for end in ends] == ["database_busy()"] * 20
    assert took < 20 * SHORT


async def test_a_transaction_of_ours_that_never_ends_does_not_block_other_transactions_for_ever(
    new_url: NewUrl,
) -> None:
    """Our own transactions block SQLite's only connection, or the whole pool."""
    hangs, never = asyncio.Event(), asyncio.Event()

    async with open_database(await new_url(), patience=SHORT) as database:
        hang = partial(hold, database, lambda _: None, begun=hangs, may_end=never)
        hanging = [asyncio.create_task(hang()) for _ in range(16)]
        await hangs.wait()
        with pytest.raises(Unwritten, match="database_busy"):
            await StoredValues(database).put("name", "value")
        never.set()
        await asyncio.gather(*hanging, return_exceptions=True)


async def test_a_full_disk_is_reported_and_writes_succeed_once_there_is_room(
    new_sqlite_url: NewUrl,
) -> None:
    async with open_database(await new_sqlite_url()) as database:
        await _pages(database, 1)
        with pytest.raises(Unwritten, match="database_full"):
            await StoredValues(database).put("long", "x" * 100_000)
        assert not await _takes(database)
        await _pages(database, 1_000_000)
        await StoredValues(database).put("long", "x" * 100_000)
        assert await _takes(database)


async def _pages(database: Database, most: int) -> None:
    """Limit the pages of the database file."""
    await database.run(lambda it: it.exec_driver_sql(f"PRAGMA max_page_count={most}"))


async def _takes(database: Database) -> bool:
    """Whether the database takes a row that needs room."""
    try:
        await StoredValues(database).put("more", "x" * 100_000)
    except Unwritten:
        return False
    return True


async def test_a_read_only_server_is_reported_as_failing(new_postgres_url: NewUrl) -> None:
    """The server is a standby, or its operator has made it read-only."""
    async with open_database(await new_postgres_url()) as database:

        def freeze(connection: Connection) -> None:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
            connection.execute(sa.text("DELETE FROM settings"))

        with pytest.raises(Unwritten, match="database_failing"):
            await database.run(freeze)


async def test_a_lost_connection_to_the_server_is_reported_and_replaced(
    new_postgres_url: NewUrl,
) -> None:
    url = await new_postgres_url()
    async with open_database(url) as database:

        def fall(connection: Connection) -> None:
            connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")

        with pytest.raises(Unwritten, match="database_away"):
            await database.run(fall)
        await StoredValues(database).put("name", "value")


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("53100", "database_full"),
        ("53200", "database_failing"),
        ("53300", "database_away"),
        ("25006", "database_failing"),
        ("57P01", "database_away"),
        ("57P03", "database_away"),
        ("08006", "database_away"),
        ("58030", "database_failing"),
        ("55P03", "database_busy"),
        ("40P01", "database_busy"),
        ("23505", None),
        ("42P01", None),
        ("28P01", None),
    ],
)
def test_each_error_state_of_postgresql_has_one_code_of_ours(state: str, code: str | None) -> None:
    said = Exception("words that mean nothing")
    said.sqlstate = state  # type: ignore[attr-defined]
    assert troubles.code_of(sa.exc.DBAPIError("INSERT", {}, said)) == code


def test_each_error_of_sqlite_has_one_code_of_ours() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE a (b UNIQUE)")
        connection.execute("INSERT INTO a VALUES (1)")
        with pytest.raises(sqlite3.IntegrityError) as ours:
            connection.execute("INSERT INTO a VALUES (1)")
        connection.execute("PRAGMA query_only = ON")
        with pytest.raises(sqlite3.OperationalError) as frozen:
            connection.execute("INSERT INTO a VALUES (2)")
    assert troubles.code_of(ours.value) is None
    assert troubles.code_of(frozen.value) == "database_failing"
