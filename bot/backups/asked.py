"""Backups that the service makes: each night, and when an operator asks for one."""

from collections.abc import Awaitable, Callable, Iterator, Mapping

from bot.backups import making, restoring
from bot.backups.daily import Daily
from bot.core.acts import Act, UseCase, Values
from bot.media.storage import Storage
from bot.parts import Basis
from bot.workers import Loop

ReportOutcome = Callable[[str | None], Awaitable[None]]
"""A function that takes why a backup failed, or None after a success."""


def nightly(basis: Basis, storage: Storage, *, report_outcome: ReportOutcome) -> Iterator[Loop]:
    """Yield the loop of nightly backups, if configured. First clear up after a killed restore."""
    config, database, clock = basis.config, basis.store.database, basis.clock
    restoring.clear(config)
    if config.settings.backup.daily:
        yield Daily(
            config, storage=storage, database=database, tell=report_outcome, clock=clock
        ).run()


def backup_use_cases(
    basis: Basis, storage: Storage, *, report_outcome: ReportOutcome
) -> Mapping[str, UseCase]:
    """Return the use cases of backups, by the name that a command sends."""
    config = basis.config

    async def back_up(*, actor: str) -> Values:
        now = basis.clock.now()
        backup = await making.make(config, storage, config.backup_folder, now=now)
        await basis.store.acts.add(Act(at=now, actor=actor, action="db.backup"))
        if config.settings.backup.copy_to is None:  # else the nightly one knows of its copy
            await report_outcome(None)
        return {"folder": str(backup.folder)}

    return {"db.backup": back_up}
