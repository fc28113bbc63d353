"""SQLite gets only the statements it needs, and a transaction enters its thread once."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from contextvars import ContextVar
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from bot.store.database import Database, open_database
from bot.store.engines import begun, engine_of, file_engine
from bot.store.statements import once
from bot.store.tables import handles, settings
from tests.conftest import NewUrl
from tests.databases import on_driver, open_rows

Heard = list[str]
_NAMES = sa.select(settings.c.name).order_by(settings.c.name)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with open_rows(tmp_path) as database:
        yield database


@pytest.fixture
async def heard(database: Database) -> Heard:
    """Collect the first word of each statement that SQLite executes."""
    words: Heard = []
    await on_driver(
        database, lambda it: it.set_trace_callback(lambda said: words.append(said.split()[0]))
    )
    return words


def _nothing(_connection: Connection) -> None:
    return None


def _two(connection: Connection) -> None:
    for name in ("one", "two"):
        connection.execute(sa.insert(settings).values(name=name, value=""))


async def test_a_query_begins_no_transaction_in_sqlite(database: Database, heard: Heard) -> None:
    assert await database.values(_NAMES) == []
    assert heard == ["SELECT"]


async def test_a_change_of_two_rows_is_one_transaction(database: Database, heard: Heard) -> None:
    await database.run(_two)
    assert heard == ["BEGIN", "INSERT", "INSERT", "COMMIT"]


async def test_work_without_any_statement_begins_no_transaction(
    database: Database, heard: Heard
) -> None:
    await database.run(_nothing)
    assert heard == []


async def test_work_that_raises_is_rolled_back(database: Database, heard: Heard) -> None:
    await database.run(_two)
    with pytest.raises(IntegrityError):
        await database.run(_two)
    assert heard[4:] == ["BEGIN", "INSERT", "ROLLBACK"]
    assert await database.values(_NAMES) == ["one", "two"]


async def test_hundreds_of_rows_are_written_and_read_back_whole(database: Database) -> None:
    rows = [{"source": "here", "key": f"{n:03}", "handle": "x"} for n in range(500)]

    def work(connection: Connection) -> int:
        connection.execute(sa.insert(handles), rows)
        return connection.execute(sa.delete(handles).where(handles.c.key < "100")).rowcount

    assert await database.run(work) == 100
    keys = await database.values(sa.select(handles.c.key).order_by(handles.c.key))
    assert keys == [f"{n:03}" for n in range(100, 500)]


async def test_the_event_loop_runs_on_while_a_transaction_works_in_its_thread(
    database: Database,
) -> None:
    """The transaction has a thread of its own, and the same thread each time."""
    goes_on, threads = threading.Event(), set()

    def work(_: Connection) -> None:
        threads.add(threading.current_thread())
        assert goes_on.wait(60)

    working = asyncio.create_task(database.run(work))
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_soon(goes_on.set)
    await working
    await database.run(work)
    assert len(threads) == 1
    assert threading.main_thread() not in threads


async def test_a_transaction_commits_even_if_its_caller_was_cancelled(database: Database) -> None:
    begins, goes_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def work(connection: Connection) -> None:
        loop.call_soon_threadsafe(begins.set)
        assert goes_on.wait(60)
        _two(connection)

    caller = asyncio.create_task(database.run(work))
    await begins.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    goes_on.set()
    assert await database.values(_NAMES) == ["one", "two"]


_who: ContextVar[str] = ContextVar("who")


async def test_a_transaction_sees_the_context_variables_of_its_caller(database: Database) -> None:
    """Logs of the transaction have the context fields of the calling task."""
    _who.set("ada")
    assert await database.run(lambda _: _who.get()) == "ada"


async def test_several_functions_in_one_begun_block_are_one_transaction(new_url: NewUrl) -> None:
    """The functions are committed together or rolled back together."""
    url = await new_url()
    async with begun(engine_of(url)) as rows:
        await rows.run(lambda it: it.execute(sa.text("CREATE TABLE things (name TEXT)")))
    await _add(url, "kept", "too")
    with pytest.raises(KeyError):
        await _add(url, "taken back", "")
    async with begun(engine_of(url)) as rows:
        assert await rows.run(lambda it: it.scalars(sa.select(_things.c.name)).all()) == [
            "kept",
            "too",
        ]


_things = sa.table("things", sa.column("name"))


async def _add(url: str, *names: str) -> None:
    """Add rows in one transaction, a function each; an empty name raises."""

    def add(name: str, connection: Connection) -> None:
        if not name:
            raise KeyError
        connection.execute(sa.insert(_things).values(name=name))

    async with begun(engine_of(url)) as rows:
        for name in names:
            await rows.run(partial(add, name))


async def test_after_a_read_several_functions_are_still_one_transaction(
    tmp_path: Path,
) -> None:
    engine = file_engine(tmp_path / "rows.db")
    await engine.run(lambda it: it.execute(sa.text("CREATE TABLE things (name TEXT)")))
    assert await engine.run(lambda it: it.scalars(_things.select()).all(), reads=True) == []
    async with begun(engine) as rows:
        await rows.run(lambda it: it.scalars(_things.select()).all())
        with (
            closing(sqlite3.connect(tmp_path / "rows.db", timeout=0)) as other,
            pytest.raises(sqlite3.OperationalError, match="locked"),
        ):
            other.execute("BEGIN IMMEDIATE")


async def test_a_short_lock_timeout_applies_to_one_transaction_only(new_url: NewUrl) -> None:
    """This holds however short the timeout is; PostgreSQL reads 0 as no limit."""
    engine = engine_of(await new_url())
    how = "PRAGMA busy_timeout" if engine.is_sqlite else "SHOW lock_timeout"

    def limit(connection: Connection) -> str:
        return str(connection.exec_driver_sql(how).scalar_one())

    try:
        usual = await engine.run(limit)
        short = await engine.run(limit, patience=0.0001)
        assert usual == await engine.run(limit) == ("2000" if engine.is_sqlite else "2s")
        assert short == ("2000" if engine.is_sqlite else "1ms"), "SQLite's has begun by then"
    finally:
        await engine.dispose()


async def test_a_database_error_does_not_quote_the_values_of_its_statement(new_url: NewUrl) -> None:
    """A value may be a prompt, and errors are logged."""
    async with open_database(await new_url()) as database:
        prompt = sa.insert(settings).values(name="one", value="a tabby")
        await database.run(lambda it: it.execute(prompt))
        with pytest.raises(IntegrityError) as error:
            await database.run(lambda it: it.execute(prompt))
    assert "tabby" not in str(error.value)


async def test_a_database_file_may_have_special_characters_in_its_name(tmp_path: Path) -> None:
    file = tmp_path / "a ?b#%20.db"
    async with begun(file_engine(file)) as rows:
        await rows.run(lambda it: it.exec_driver_sql("CREATE TABLE things (name TEXT)"))
    assert [it.name for it in tmp_path.iterdir()] == [file.name]


# --- cached statements ---------------------------------------------------------------------------

_made: list[str] = []


@once
def _value(name: str, *, column: str) -> sa.Select[str]:
    _made.append(column)
    return sa.select(settings.c[column]).where(settings.c.name == name)


async def test_a_cached_statement_is_built_once_for_each_of_its_forms(database: Database) -> None:
    await database.run(_two)
    _made.clear()
    for name in ("one", "two", "three"):
        found = await database.value(_value(name, column="name"))
        assert found == (None if name == "three" else name)
        assert await database.value(_value(name, column="value")) == (found and "")
    assert _made == ["name", "value"]
