"""Our half of Discord at work on the fake one, over real rows and the real service."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.accounts import Accounts, Terms
from bot.core.catalog import Catalog
from tests.databases import open_rows
from tests.fakes.clock import FakeClock
from tests.fakes.discord import (
    FakeDiscord,
)
from tests.fakes.discord import Person as Member
from tests.unit.core.orders import (
    CATALOG,
)
from tests.unit.platforms.discord.bot import UNLIMITED, Bot
from tests.unit.platforms.discord.desk import VIDEO, StepContext


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def fake(clock: FakeClock) -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord(clock=clock.now) as fake:
        with fake.redirect_dpy():
            yield fake
        assert fake.unknown_routes == []


@pytest.fixture
async def idle(fake: FakeDiscord, clock: FakeClock, tmp_path: Path) -> AsyncIterator[Bot]:
    """Built, but not running."""
    async with open_rows(tmp_path) as database:
        yield Bot(fake, clock, database)


@pytest.fixture
async def bot(idle: Bot) -> AsyncIterator[Bot]:
    """Running."""
    async with idle.running():
        yield idle


@pytest.fixture
def club(fake: FakeDiscord, bot: Bot) -> None:
    """The community that everybody here is in has one model."""
    (own,) = (model for model in CATALOG.models if model.family == "sora")
    terms = Terms(catalog=Catalog(models=(own,)), limits=UNLIMITED)
    bot.service.accounts = Accounts(
        bot.service.accounts.general, {("discord", str(fake.guild.id)): terms}
    )


@pytest.fixture
def ann(fake: FakeDiscord) -> Member:
    return fake.person("ann")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "video.mp4"
    path.write_bytes(b"0" * VIDEO.size)
    return path


@pytest.fixture
def desk(bot: Bot, ann: Member) -> StepContext:
    return StepContext(bot, ann)
