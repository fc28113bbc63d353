"""One store per test, on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store.database import open_database
from tests.conftest import NewUrl
from tests.contract.loft import Loft
from tests.contract.rows import Store
from tests.databases import sync_nothing


@pytest.fixture
async def store(new_tables_url: NewUrl) -> AsyncIterator[Store]:
    # A hundred simultaneous calls may take their time here: the tests judge their results only.
    async with open_database(await new_tables_url(), patience=60.0) as database:
        await sync_nothing(database)
        yield Store(database)


@pytest.fixture
def loft(store: Store, tmp_path: Path) -> Loft:
    return Loft(store, tmp_path)
