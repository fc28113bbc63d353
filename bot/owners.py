"""Build the reports to owners: the sources of causes, the watch, the alarm and the daily digest."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bot.config import Config
from bot.core.acts import UseCase
from bot.core.alarm import Alarm
from bot.core.causes import Cause, Kind
from bot.core.counting import Counting
from bot.core.decisions import Decisions
from bot.core.digest import Digest, News
from bot.core.retention import Retention
from bot.core.sources import Sources
from bot.core.wake import Wake
from bot.core.watch import Watch
from bot.media.storage import folder_of
from bot.parts import Parts
from bot.store.heartbeat import Heartbeat
from bot.workers import Loop, running

LOW = 1_000_000_000
"""A disk with fewer free bytes is low. `zoetrope doctor` uses the same limit."""
RECOVERY = 1.2
"""A low disk counts as recovered once it has this many times `LOW` bytes free."""


LastBackup = Callable[[Path, float], float | None]
"""Return when a folder's newest backup up to the given time was made; None if there is none."""


@dataclass(slots=True)
class Backups:
    """The result of the last backup that this process made."""

    watch: Wake
    is_known: bool = False
    why: str | None = None
    """Why the last backup failed; None if it succeeded."""

    async def heard(self, why: str | None) -> None:
        """Record the result of a backup: `why` is the reason of a failure, or None for a success.

        If the result differs from the last one, wake `watch`, the loop that looks for causes.
        """
        is_news = (self.is_known, self.why) != (True, why)
        self.is_known, self.why = True, why
        if is_news:
            self.watch.ring()

    async def causes(self) -> Sequence[Cause] | None:
        """Return a cause if the last backup failed, or None if no result is known yet."""
        if not self.is_known:
            return None
        return [Cause(kind=Kind.BACKUP, facts={"detail": self.why})] if self.why else []


@asynccontextmanager
async def watching(
    parts: Parts, retention: Retention, backups: Backups, last_backup: LastBackup
) -> AsyncIterator[None]:
    """Run the watch, the alarm and the digest of a service while the context lasts."""
    config, store, found = parts.config, parts.store, _sources(parts)
    counting = Counting(counters=store.counters, clock=parts.clock, decided=parts.bells.watch.ring)
    watch = Watch(
        settle=store.causes.settle,
        sources={
            Kind.UNCONFIRMED: found.unconfirmed,
            Kind.STUCK: found.stuck,
            Kind.LIMIT: found.limits,
            Kind.USAGE: counting.causes,
            Kind.DISK: Disks(config).causes,
            Kind.MEDIA: partial(_media, retention, config.kept.most_bytes),
            Kind.BACKUP: backups.causes,
        },
        rooms=parts.private,
        clock=parts.clock,
        wake=parts.bells.watch,
        changed=parts.bells.reports.ring,
    )
    alarm = Alarm(
        beats=Heartbeat(store.database, parts.clock).beats,
        people=partial(store.causes.people, parts.private),
        platforms=parts.telling,
        clock=parts.clock,
    )
    digests = _digests(parts, found, retention, last_backup, watch)
    async with running(watch.run(), alarm.run(), *digests):
        yield


def _digests(
    parts: Parts, found: Sources, retention: Retention, last_backup: LastBackup, watch: Watch
) -> Iterator[Loop]:
    """Yield the loop of the daily digest, if the configuration asks for one."""
    config, store, clock = parts.config, parts.store, parts.clock
    disks = Disks(config)

    async def room() -> Mapping[str, object]:
        free, size = await asyncio.to_thread(disks.least_free), await retention.size()
        made = await asyncio.to_thread(last_backup, config.backup_folder, clock.now())
        return {"free": round(free / 1e9, 1), "media": round(size / 1e9, 1), "backup": made}

    news = News(
        day=store.outlook.day,
        told=store.sums.told_by_model,
        price=parts.accounts.price,
        used=found.used,
        amount=found.amount,
        room=room,
        currency=config.settings.currency,
    )
    if (at := config.digest_at) is not None:
        yield Digest(
            at=at,
            time_zone=config.settings.time_zone,
            causes=store.causes,
            settings=store.settings,
            news=news,
            rooms=parts.private,
            clock=clock,
            changed=parts.bells.reports.ring,
            checked=watch.checked,
        ).run()


def decisions(parts: Parts, asked: Mapping[str, UseCase]) -> Decisions:
    """Return the handler of the buttons under reports. `asked`: the operators' use cases."""
    return Decisions(
        use_cases=asked,
        is_owner=parts.store.places.is_owner,
        rooms=parts.private,
        limits=_sources(parts).used,
        gateways=list(parts.config.settings.gateways),
        currency=parts.config.settings.currency,
        decided=parts.bells.watch.ring,
    )


def _sources(parts: Parts) -> Sources:
    return Sources(
        outlook=parts.store.outlook,
        jobs=parts.store.jobs,
        learned=parts.learned,
        accounts=parts.accounts,
        rules=parts.config.kept,
        currency=parts.config.settings.currency,
        clock=parts.clock,
    )


class Disks:
    """The disks that we write to. A low disk stays low until `RECOVERY` times the limit is free."""

    def __init__(self, config: Config, *, low: int = LOW) -> None:
        media = folder_of(config.storage_url)
        named = (config.data_dir, media, config.backup_folder)
        self._folders = [folder for folder in named if folder is not None]
        self._low = low
        self._is_low: set[Path] = set()

    async def causes(self) -> Sequence[Cause]:
        """Return one cause for each low disk, even if several of our folders are on it."""
        return await asyncio.to_thread(self._check)

    def least_free(self) -> int:
        """Return the bytes free on the fullest disk."""
        return min(shutil.disk_usage(_there(folder)).free for folder in self._folders)

    def _check(self) -> list[Cause]:
        found: dict[int, Cause] = {}
        for folder in self._folders:
            there = _there(folder)
            free = shutil.disk_usage(there).free
            if free < self._low * (RECOVERY if folder in self._is_low else 1.0):
                self._is_low.add(folder)
                facts = {"folder": str(folder), "gigabytes": round(free / 1e9, 1)}
                cause = Cause(kind=Kind.DISK, about=str(folder), facts=facts)
                found.setdefault(there.stat().st_dev, cause)
            else:
                self._is_low.discard(folder)
        return list(found.values())


def _there(folder: Path) -> Path:
    """Return the folder, or its nearest parent that exists."""
    return next(each for each in (folder, *folder.absolute().parents) if each.exists())


async def _media(retention: Retention, most: int | None) -> Sequence[Cause] | None:
    """Return a cause if the media exceed their cap after a sweep; None if no sweep has run yet."""
    over = retention.bytes_over
    if most is None:
        return []
    if over is None:
        return None
    facts = {"gigabytes": round(over / 1e9, 1), "most": round(most / 1e9, 1)}
    return [Cause(kind=Kind.MEDIA, facts=facts)] if over > 0 else []
