"""The fixture of a workshop over a fresh SQLite file."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.databases import open_rows
from tests.unit.core.workshop import Workshop


@pytest.fixture
async def workshop(tmp_path: Path) -> AsyncIterator[Workshop]:
    """Steps, service and rows with a scripted gateway, chat and studio around them."""
    async with open_rows(tmp_path) as database:
        yield Workshop(database, tmp_path)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> int:
    """Allow only a few tries instead of a day of them, and return their number."""
    monkeypatch.setattr("bot.core.posting.MOST_TRIES", 20)
    return 20
