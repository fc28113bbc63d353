"""SQLite hears what there is to do, and nothing besides."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import Database
from bot.store.tables import handles, settings
from tests.databases import open_rows

Heard = list[str]


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with open_rows(tmp_path) as database:
        yield database


@pytest.fixture
async def heard(database: Database) -> Heard:
    """The first word of each statement that SQLite runs."""
    words: Heard = []
    async with database._engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        await driver.set_trace_callback(lambda statement: words.append(statement.split()[0]))
    return words


async def _nothing(_connection: AsyncConnection) -> None:
    return None


async def _two(connection: AsyncConnection) -> None:
    for name in ("one", "two"):
        await connection.execute(sa.insert(settings).values(name=name, value=""))


async def test_a_question_takes_no_lock(database: Database, heard: Heard) -> None:
    assert await database.values(sa.select(settings.c.name)) == []
    assert heard == ["SELECT"]


async def test_a_change_is_one_transaction(database: Database, heard: Heard) -> None:
    await database.run(_two)
    assert heard == ["BEGIN", "INSERT", "INSERT", "COMMIT"]


async def test_work_that_asks_nothing_begins_nothing(database: Database, heard: Heard) -> None:
    await database.run(_nothing)
    assert heard == []


async def test_work_that_fails_leaves_no_row(database: Database, heard: Heard) -> None:
    await database.run(_two)
    with pytest.raises(IntegrityError):
        await database.run(_two)
    assert heard[4:] == ["BEGIN", "INSERT", "ROLLBACK"]
    assert await database.values(sa.select(settings.c.name)) == ["one", "two"]


async def test_many_rows_are_one_visit_and_come_back_whole(database: Database) -> None:
    rows = [{"source": "here", "key": f"{n:03}", "handle": "x"} for n in range(500)]

    async def work(connection: AsyncConnection) -> int:
        await connection.execute(sa.insert(handles), rows)
        return (await connection.execute(sa.delete(handles).where(handles.c.key < "100"))).rowcount

    assert await database.run(work) == 100
    keys = await database.values(sa.select(handles.c.key).order_by(handles.c.key))
    assert keys == [f"{n:03}" for n in range(100, 500)]
