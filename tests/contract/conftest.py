"""One store per test, on SQLite and on PostgreSQL; one whole service per test on each network."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from bot.simulator.render import Renderer
from bot.store.database import open_database
from tests.conftest import NewUrl
from tests.contract.loft import Loft
from tests.contract.rows import Store
from tests.contract.scenes import DiscordScene, Opens, PlaygroundScene, Scene
from tests.contract.telegram import TelegramScene
from tests.databases import sync_nothing

SCENES: Mapping[str, Opens] = {
    "discord": DiscordScene.open,
    "playground": PlaygroundScene.open,
    "telegram": TelegramScene.open,
}


@pytest.fixture
async def store(new_tables_url: NewUrl) -> AsyncIterator[Store]:
    # A hundred simultaneous calls may take their time here: the tests judge their results only.
    async with open_database(await new_tables_url(), patience=60.0) as database:
        await sync_nothing(database)
        yield Store(database)


@pytest.fixture
def loft(store: Store, tmp_path: Path) -> Loft:
    return Loft(store, tmp_path)


@pytest.fixture(params=SCENES)
async def scene(
    request: pytest.FixtureRequest, tmp_path: Path, renderer: Renderer
) -> AsyncIterator[Scene]:
    async with SCENES[request.param](tmp_path, renderer) as scene:
        yield scene
