"""Make a backup each night while the service runs, and make up for one missed while it was down."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.backups import archive, making, restoring
from bot.backups.remote import Remote
from bot.config import Config
from bot.core.context import SETTLED
from bot.core.errors import BotError, Broken
from bot.core.ports import Clock
from bot.core.replies import error as reply_of
from bot.i18n import DEFAULT, say
from bot.log import get_logger
from bot.media.storage import Storage
from bot.store import asides
from bot.store.database import Database
from bot.store.tables import jobs

QUIET = 4
"""The hour of the nightly backup, in the operator's time zone."""
FIRST = 60.0
"""Seconds after a start before the first backup: the service has more urgent work."""
CHECK_EVERY = 600.0
"""Seconds between two checks of the time: a clock may be set, and a machine may sleep."""
RETRY_EVERY = 3600.0
"""Seconds until a failed backup is retried."""

log = get_logger()


@dataclass
class Daily:
    """The loop of nightly backups. Its errors never reach the service."""

    config: Config
    _: KW_ONLY
    storage: Storage
    database: Database
    tell: Callable[[str | None], Awaitable[None]]
    """A function that takes why a backup failed, or None after a success."""
    clock: Clock
    _copied: str | None = field(init=False, default=None)
    """The name of the backup that was last copied to `copy_to`."""
    _has_more: bool = field(init=False, default=False)
    """True if a backup was made since old backups were last removed. Otherwise none is removed."""

    def __post_init__(self) -> None:
        self._began = self.clock.now()

    async def run(self) -> None:
        """Check regularly whether a backup is due, and make it."""
        await self.clock.sleep(FIRST)
        while True:
            try:
                if await self._due() <= self.clock.now():
                    await self._make()
                if url := self.config.settings.backup.copy_to:
                    await self._copy(url)
                if self._has_more and self.clock.settled() >= SETTLED:
                    await self._age_out()
                wait = CHECK_EVERY
                await self._report(None)
            except Exception as error:  # noqa: BLE001 - the rim: a backup stops no service
                await self._failed(error)
                wait = RETRY_EVERY
            await self.clock.sleep(wait)

    async def _due(self) -> float:
        """Return when the next backup is due: at the first `QUIET` hour after the last backup.

        Without a backup, the time of the first job counts instead.
        """
        now, folder = self.clock.now(), self.config.backup_folder
        last = await asyncio.to_thread(archive.last_made, folder, before=now)
        if last is None:
            last = await self.database.value(sa.select(sa.func.min(jobs.c.created_at)))
        if last is None or last > now:  # no job yet, or a time from a clock that was ahead
            last = self._began
        return quiet_after(last, ZoneInfo(self.config.settings.time_zone))

    async def _make(self) -> None:
        if why := self.database.trouble:
            raise Broken("backup_database_gone", why=why)
        now, folder = self.clock.now(), self.config.backup_folder
        await making.make(self.config, self.storage, folder, now=now)
        self._has_more = True

    async def _copy(self, url: str) -> None:
        """Copy the newest backup to `copy_to`."""
        now, folder = self.clock.now(), self.config.backup_folder
        backup = await asyncio.to_thread(archive.newest, folder, now=now)
        if backup is None or backup.folder.name == self._copied:
            return
        remote = await asyncio.to_thread(Remote, url)
        if backup.folder.name not in await remote.names():
            await remote.put(backup)
        self._copied = backup.folder.name
        log.info("backup.copied", name=self._copied)

    async def _age_out(self) -> None:
        """Remove old backups, in the folder and at `copy_to`, once there is a new one.

        Backups hold people's prompts, so they must not stay longer than configured. Only a steady
        clock counts, because a removal by a wrong clock can't be undone.
        """
        now, backup = self.clock.now(), self.config.settings.backup
        gone = await asyncio.to_thread(self._age_out_here, now, backup.keep)
        before = now - backup.keep * 86_400.0
        gone += await self.database.run(
            lambda it: asides.age_out(it, before=before, most=archive.AT_ONCE)
        )
        if backup.copy_to:
            remote = await asyncio.to_thread(Remote, backup.copy_to)
            gone += await remote.age_out(keep=backup.keep, now=now)
        self._has_more = False
        if gone:
            log.info("backup.aged_out", names=gone)

    def _age_out_here(self, now: float, keep: int) -> list[str]:
        folder = self.config.backup_folder
        gone = archive.age_out(folder, keep=keep, now=now)
        names = [each.name for each in archive.kept_in(folder)]
        if ahead := [name for name in names if archive.is_ahead(name, now=now)]:
            log.warning("backup.from_the_future", names=ahead)
        return gone + restoring.age_out(self.config, keep=keep, now=now)

    async def _failed(self, error: Exception) -> None:
        code = error.code if isinstance(error, BotError) else type(error).__name__
        log.error("backup.failed", code=code, folder=str(self.config.backup_folder))
        if code == "backup_under_way":
            return  # an operator makes one now; this is no failure
        await self._report(_why(error))

    async def _report(self, why: str | None) -> None:
        try:
            await self.tell(why)
        except Exception as failed:  # noqa: BLE001 - the same trouble, as a rule: a full disk
            log.warning("backup.untold", error=type(failed).__name__)


def quiet_after(at: float, zone: ZoneInfo) -> float:
    """Return the next time after `at` at which the `QUIET` hour begins in this zone."""
    local = datetime.fromtimestamp(at, zone)
    quiet = local.replace(hour=QUIET, minute=0, second=0, microsecond=0)
    if quiet <= local:
        quiet += timedelta(days=1)  # the next calendar day, also when clocks change
    return quiet.timestamp()


def _why(error: Exception) -> str:
    if isinstance(error, BotError):
        return say(reply_of(error).text, DEFAULT)
    if isinstance(error, OSError) and error.strerror:
        where = f" ({error.filename})" if error.filename else ""
        return f"{error.strerror}{where}."
    return f"{type(error).__name__}."
