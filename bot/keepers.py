"""Build the parts that keep and sweep media, for the service and for commands without one."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from bot.config import Config
from bot.core.acts import Act, UseCase, Values
from bot.core.clock import SystemClock
from bot.core.errors import Broken
from bot.core.inspection import Inspection
from bot.core.retention import Retention
from bot.media.file_store import FileStore
from bot.media.storage import Storage, folder_of
from bot.parts import Basis
from bot.store.identity import NAME
from bot.store.listing import open_listing
from bot.store.sweeps import Sweeps
from bot.store.tables import settings


@dataclass(frozen=True, slots=True)
class Keepers:
    """The parts that sweep and inspect the media."""

    sweeps: Retention
    inspection: Inspection


async def keepers_of(basis: Basis, storage: Storage) -> Keepers:
    """Return the keepers of this database's rows and this storage's files."""
    store, rules, clock = basis.store, basis.config.kept, basis.clock
    owner = await store.settings.get(NAME)
    assert owner is not None  # opening the database sets it
    file_store = FileStore(storage, basis.config.data_dir, owner=owner)
    return Keepers(
        Retention(ledger=store.sweeps, file_store=file_store, rules=rules, clock=clock),
        Inspection(ledger=store.sweeps, file_store=file_store, rules=rules, clock=clock),
    )


def media_use_cases(basis: Basis, keepers: Keepers | None) -> Mapping[str, UseCase]:
    """Return the operators' use cases for media.

    `keepers`: the running service's keepers, or None if no service runs.
    """

    async def found() -> Keepers:
        if keepers is not None:
            return keepers
        config = basis.config
        (config.data_dir / "scratch").mkdir(mode=0o700, exist_ok=True)
        return await keepers_of(basis, _storage(config))

    async def due() -> Values:
        return await (await found()).inspection.due()

    async def sweep(*, actor: str, sure: bool = False) -> Values:
        swept = await (await found()).sweeps.asked(sure=sure)
        act = Act(at=basis.clock.now(), actor=actor, action="media.sweep")
        await basis.store.acts.add(act)
        return swept

    return {"media.due": due, "media.sweep": sweep}


@asynccontextmanager
async def inspection_beside(config: Config) -> AsyncIterator[Inspection]:
    """Yield an inspection that only reads. It works with or without a running service."""
    storage = _storage(config)
    async with open_listing(config.database_url) as listing:
        query = sa.select(settings.c.value).where(settings.c.name == NAME)
        owner = await listing.run(lambda connection: connection.scalar(query))
        yield Inspection(
            ledger=Sweeps(listing),
            file_store=FileStore(storage, config.data_dir, owner=str(owner)),
            rules=config.kept,
            clock=SystemClock(),
        )


def _storage(config: Config) -> Storage:
    """Return the storage. Raises `Broken("media_absent")` if its folder does not exist.

    The folder is not created: an empty new folder would look as if all media were lost.
    """
    folder = folder_of(config.storage_url)
    if folder and not folder.is_dir():
        raise Broken("media_absent", folder=str(folder))
    return Storage(config.storage_url, scratch=config.data_dir / "scratch")
