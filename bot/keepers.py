"""The parts that keep and sweep the media, put together: for the service, and for commands."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.config import Config
from bot.core.clock import SystemClock
from bot.core.inspection import Inspection
from bot.core.ports import Clock
from bot.core.retention import Retention
from bot.media.shelf import Shelf
from bot.media.storage import Storage
from bot.rows import Rows, open_rows
from bot.store.identity import NAME, Home
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
async def inspection_alone(config: Config) -> AsyncIterator[Inspection]:
    """The same in this process, which has the database to itself meanwhile."""
    clock, scratch = SystemClock(), config.data_dir / "scratch"
    async with open_rows(config, Home(config.data_dir), clock, changed=lambda: None) as rows:
        for folder in (scratch, config.data_dir / "received"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        storage = Storage(config.storage_url, scratch=scratch)
        yield await inspection(config, rows, storage, clock)


async def _shelf(config: Config, rows: Rows, storage: Storage) -> Shelf:
    owner = await rows.settings.get(NAME)
    assert owner is not None  # whoever opens the database gives it one
    return Shelf(storage, config.data_dir, owner=owner)
