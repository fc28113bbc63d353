"""The parts that keep and sweep the media, put together: for the service, and for commands."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import sqlalchemy as sa

from bot.config import Config
from bot.core.acts import Act, UseCase, Values
from bot.core.clock import SystemClock
from bot.core.errors import Broken
from bot.core.inspection import Inspection
from bot.core.ports import Clock
from bot.core.retention import Retention
from bot.media.shelf import Shelf
from bot.media.storage import Storage, folder_of
from bot.rows import Rows
from bot.store.identity import NAME
from bot.store.listing import open_listing
from bot.store.sweeps import Sweeps
from bot.store.tables import settings


async def sweeps_of(config: Config, rows: Rows, storage: Storage, clock: Clock) -> Retention:
    """The sweeps of a service."""
    shelf = await _shelf(config, rows, storage)
    return Retention(ledger=rows.sweeps, shelf=shelf, rules=config.kept, clock=clock)


def media_use_cases(
    config: Config, rows: Rows, sweeps: Retention | None, clock: Clock
) -> Mapping[str, UseCase]:
    """The operators' use cases. `sweeps`: the service's own; without them, others are put together
    once somebody asks."""

    async def sweep(*, actor: str, dry_run: bool = False, sure: bool = False) -> Values:
        if dry_run:
            return await (await _inspection(config, rows, clock)).due()
        swept = await (sweeps or await _sweeps_alone(config, rows, clock)).asked(sure=sure)
        await rows.acts.add(Act(at=clock.now(), actor=actor, action="media.sweep"))
        return swept

    return {"media.sweep": sweep}


async def _inspection(config: Config, rows: Rows, clock: Clock) -> Inspection:
    shelf = await _shelf(config, rows, _storage(config))
    return Inspection(ledger=rows.sweeps, shelf=shelf, rules=config.kept, clock=clock)


async def _sweeps_alone(config: Config, rows: Rows, clock: Clock) -> Retention:
    (config.data_dir / "scratch").mkdir(mode=0o700, exist_ok=True)
    shelf = await _shelf(config, rows, _storage(config))
    return Retention(ledger=rows.sweeps, shelf=shelf, rules=config.kept, clock=clock)


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
