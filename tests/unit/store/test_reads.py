"""Questions that every job asks, and that write nothing, wait for no writer of an SQLite file."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

import pytest

from bot.core.errors import Unwritten
from bot.core.jobs import CLAIM, Status
from bot.core.orders import Address
from tests.contract.rows import FREE, NOON, Store
from tests.databases import open_rows

HERE = Address(platform="discord", channel="lounge", community="club")
UNTIL = NOON + CLAIM


@contextmanager
def written_by_another(folder: Path) -> Iterator[None]:
    """Somebody else's transaction is under way in the rows of `open_rows`."""
    with closing(sqlite3.connect(folder / "rows.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@asynccontextmanager
async def begun(folder: Path) -> AsyncIterator[Store]:
    async with open_rows(folder) as database:
        database._patience = 0.2
        yield Store(database)


async def test_how_much_is_used_today(tmp_path: Path) -> None:
    async with begun(tmp_path) as store:
        before = await store.jobs.usage(HERE, "ada", FREE, now=NOON)
        with written_by_another(tmp_path):
            assert await store.jobs.usage(HERE, "ada", FREE, now=NOON + 1) == before


async def test_but_the_first_question_of_a_day_counts_it(tmp_path: Path) -> None:
    async with begun(tmp_path) as store:
        with written_by_another(tmp_path), pytest.raises(Unwritten):
            await store.jobs.usage(HERE, "ada", FREE, now=NOON)


async def test_whether_a_pause_or_a_hold_keeps_an_order_back(tmp_path: Path) -> None:
    async with begun(tmp_path) as store:
        with written_by_another(tmp_path):
            assert await store.pauses.held("main", now=NOON) is None


async def test_whether_the_queue_has_anything_due(tmp_path: Path) -> None:
    async with begun(tmp_path) as store:
        with written_by_another(tmp_path):
            assert await store.jobs.claim([Status.QUEUED], now=NOON, until=UNTIL, most=9) == []
