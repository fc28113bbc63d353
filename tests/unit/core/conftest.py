"""A workshop over a fresh SQLite file."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store.database import open_database
from tests.unit.core.workshop import Workshop


@pytest.fixture
async def workshop(tmp_path: Path) -> AsyncIterator[Workshop]:
    """Steps, service and rows with a scripted world around them."""
    async with open_database(f"sqlite+aiosqlite:///{tmp_path}/rows.db") as database:
        yield Workshop(database, tmp_path)
