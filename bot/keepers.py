"""The parts that keep and sweep the media, put together: for the service, and for commands."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import sqlalchemy as sa

from bot.config import Config
from bot.core.clock import SystemClock
from bot.core.errors import Broken
from bot.core.inspection import Inspection
from bot.core.ports import Clock
from bot.core.retention import Retention
from bot.media.shelf import Shelf
from bot.media.storage import Storage, folder_of
from bot.rows import Rows, open_rows
from bot.store.identity import NAME, Home
from bot.store.listing import open_listing
from bot.store.sweeps import Sweeps
from bot.store.tables import settings
from bot.workers import running


@asynccontextmanager
async def sweeping(
    config: Config, rows: Rows, storage: Storage, clock: Clock
) -> AsyncIterator[None]:
    """The sweeps of a service, for as long as the context lasts."""
    shelf = await _shelf(config, rows, storage)
    sweeps = Retention(ledger=rows.sweeps, shelf=shelf, rules=config.kept, clock=clock)
    async with running(sweeps.run()):
        yield


async def inspection(config: Config, rows: Rows, storage: Storage, clock: Clock) -> Inspection:
    """Operators' use cases."""
    shelf = await _shelf(config, rows, storage)
    return Inspection(ledger=rows.sweeps, shelf=shelf, rules=config.kept, clock=clock)


@asynccontextmanager
async def inspection_beside(config: Config) -> AsyncIterator[Inspection]:
    """To look, beside a running service or without it: nothing is changed."""
    storage = _storage(config)
    async with open_listing(config.database_url) as listing:
        query = sa.select(settings.c.value).where(settings.c.name == NAME)
        owner = await listing.run(lambda connection: connection.scalar(query))
        yield Inspection(
            ledger=Sweeps(listing),
            shelf=Shelf(storage, config.data_dir, owner=str(owner)),
            rules=config.kept,
            clock=SystemClock(),
        )


@asynccontextmanager
async def inspection_alone(config: Config) -> AsyncIterator[Inspection]:
    """To sweep in this process, which has the database to itself meanwhile."""
    clock, storage = SystemClock(), _storage(config)
    async with open_rows(config, Home(config.data_dir), clock, changed=lambda: None) as rows:
        (config.data_dir / "scratch").mkdir(mode=0o700, exist_ok=True)
        yield await inspection(config, rows, storage, clock)


def _storage(config: Config) -> Storage:
    """Raises `Broken("media_absent")`: an empty folder that we made would look like lost media."""
    folder = folder_of(config.storage_url)
    if folder and not folder.is_dir():
        raise Broken("media_absent", folder=str(folder))
    return Storage(config.storage_url, scratch=config.data_dir / "scratch")


async def _shelf(config: Config, rows: Rows, storage: Storage) -> Shelf:
    owner = await rows.settings.get(NAME)
    assert owner is not None  # whoever opens the database gives it one
    return Shelf(storage, config.data_dir, owner=owner)
