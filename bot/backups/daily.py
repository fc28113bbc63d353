"""A backup each night while the service runs, and the one that was missed after it was down."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.backups import archive, making, restoring
from bot.backups.remote import Remote
from bot.config import Config
from bot.core.desk import SETTLED
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
"""The hour of the operator's day at which it is made."""
FIRST = 60.0
"""Seconds after a start in which the service has more urgent things to do."""
CHECK_EVERY = 600.0
"""Seconds between two looks at the time: a clock may be set, and a machine may sleep."""
AGAIN = 3600.0
"""Seconds after which one that failed is tried again."""

log = get_logger()


@dataclass
class Daily:
    """Makes them until it is cancelled. Nothing that goes wrong here reaches the service."""

    config: Config
    _: KW_ONLY
    storage: Storage
    database: Database
    tell: Callable[[str | None], Awaitable[None]]
    """It is told why there is none, or None: they are where they should be."""
    clock: Clock
    _copied: str | None = field(init=False, default=None)
    """The name of the one that was last seen in the second place."""
    _has_more: bool = field(init=False, default=False)
    """Whether one was made since the old ones went: once there is a new one, they may."""

    def __post_init__(self) -> None:
        self._began = self.clock.now()

    async def run(self) -> None:
        """Look now and then whether one is due."""
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
                await self._told(None)
            except Exception as error:  # noqa: BLE001 - the rim: a backup stops no service
                await self._failed(error)
                wait = AGAIN
            await self.clock.sleep(wait)

    async def _due(self) -> float:
        """The first quiet hour after the last one, or after the first job ever."""
        now, folder = self.clock.now(), self.config.backup_folder
        last = await asyncio.to_thread(archive.last_made, folder, before=now)
        if last is None:
            last = await self.database.value(sa.select(sa.func.min(jobs.c.created_at)))
        if last is None or last > now:  # nothing to lose yet, or read off a clock that was ahead
            last = self._began
        return quiet_after(last, ZoneInfo(self.config.settings.time_zone))

    async def _make(self) -> None:
        if why := self.database.trouble:
            raise Broken("backup_database_gone", why=why)
        now, folder = self.clock.now(), self.config.backup_folder
        await making.make(self.config, self.storage, folder, now=now)
        self._has_more = True

    async def _copy(self, url: str) -> None:
        """Put the newest one into the second place."""
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
        """The old ones go once there is a new one, here and there: rows hold what people wrote.

        By a clock that goes on evenly: what went by a wrong one would not come back.
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
            return  # by somebody's hand, and no reason to worry anybody
        await self._told(_why(error))

    async def _told(self, why: str | None) -> None:
        try:
            await self.tell(why)
        except Exception as untold:  # noqa: BLE001 - the same trouble, as a rule: a full disk
            log.warning("backup.untold", error=type(untold).__name__)


def quiet_after(at: float, zone: ZoneInfo) -> float:
    """The next time after `at` that it is the quiet hour there."""
    local = datetime.fromtimestamp(at, zone)
    quiet = local.replace(hour=QUIET, minute=0, second=0, microsecond=0)
    if quiet <= local:
        quiet += timedelta(days=1)  # by the calendar, however long that day is
    return quiet.timestamp()


def _why(error: Exception) -> str:
    if isinstance(error, BotError):
        return say(reply_of(error).text, DEFAULT)
    if isinstance(error, OSError) and error.strerror:
        where = f" ({error.filename})" if error.filename else ""
        return f"{error.strerror}{where}."
    return f"{type(error).__name__}."
