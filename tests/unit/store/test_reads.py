"""Frequent queries that write nothing do not wait for a writer of an SQLite file."""

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
    """Keep a transaction of another program open in the rows of `open_rows`."""
    with closing(sqlite3.connect(folder / "rows.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@asynccontextmanager
async def begun(folder: Path) -> AsyncIterator[Store]:
    async with open_rows(folder) as database:
        database._patience = 0.2
        yield Store(database)


async def test_the_usage_of_the_day_is_read_while_another_transaction_writes(
    tmp_path: Path,
) -> None:
    async with begun(tmp_path) as store:
        before = await store.jobs.usage(HERE, "ada", FREE, now=NOON)
        with written_by_another(tmp_path):
            assert await store.jobs.usage(HERE, "ada", FREE, now=NOON + 1) == before


async def test_the_first_reading_of_the_usage_of_a_day_must_write_and_fails_behind_a_writer(
    tmp_path: Path,
) -> None:
    async with begun(tmp_path) as store:
        with written_by_another(tmp_path), pytest.raises(Unwritten):
            await store.jobs.usage(HERE, "ada", FREE, now=NOON)


async def test_pauses_and_holds_are_read_while_another_transaction_writes(tmp_path: Path) -> None:
    async with begun(tmp_path) as store:
        with written_by_another(tmp_path):
            assert await store.pauses.held("main", now=NOON) is None


async def test_an_empty_queue_is_claimed_while_another_transaction_writes(tmp_path: Path) -> None:
    async with begun(tmp_path) as store:
        with written_by_another(tmp_path):
            assert await store.jobs.claim([Status.QUEUED], now=NOON, until=UNTIL, most=9) == []
