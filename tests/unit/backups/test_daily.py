"""The nightly backup: when it is made, and what follows when it fails."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.backups import archive
from bot.backups.daily import CHECK_EVERY, FIRST, RETRY_EVERY, Daily, quiet_after
from bot.backups.restoring import ASIDE
from bot.core.context import SETTLED
from bot.store.database import open_database
from bot.store.identity import Home
from tests.fakes.clock import FakeClock
from tests.unit.backups.site import Site

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 3600.0
DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("at", "due"),
    [
        ("2026-01-15T12:00", "2026-01-16T04:00"),
        ("2026-01-16T03:59", "2026-01-16T04:00"),
        ("2026-01-16T04:00", "2026-01-17T04:00"),
        ("2026-03-28T12:00", "2026-03-29T04:00"),  # a night of 23 hours
        ("2026-10-24T12:00", "2026-10-25T04:00"),  # a night of 25 hours
    ],
)
def test_the_nightly_backup_is_due_at_four_in_the_operators_time_zone(at: str, due: str) -> None:
    found = quiet_after(datetime.fromisoformat(at).replace(tzinfo=BERLIN).timestamp(), BERLIN)
    assert datetime.fromtimestamp(found, BERLIN).strftime("%Y-%m-%dT%H:%M") == due


class Night:
    """A running service whose clock the test moves."""

    def __init__(self, site: Site, daily: Daily, clock: FakeClock, told: list[str]) -> None:
        self.site = site
        self.daily = daily
        self.clock = clock
        self.told = told

    @property
    def backups(self) -> list[str]:
        """The names of the backups in the backup folder."""
        folder = self.site.config.backup_folder
        return sorted(it.name for it in folder.glob("zoetrope-*"))

    async def until(self, seconds: float) -> None:
        """Let so much time pass in small steps, each with all its effects."""
        end = self.clock.now() + seconds
        while self.clock.now() < end:
            await self.clock.asleep()
            await self.clock.advance(min(RETRY_EVERY / 6, end - self.clock.now()))
        await self.clock.asleep()


@asynccontextmanager
async def running(
    site: Site, *, at: str = "2026-01-15T12:00", **changes: object
) -> AsyncIterator[Night]:
    """Run the backup loop of a service in Berlin, started at this time."""
    settings = site.config.settings
    backup = settings.backup.model_copy(update=changes)
    site.config = replace(
        site.config,
        settings=settings.model_copy(update={"time_zone": "Europe/Berlin", "backup": backup}),
    )
    clock = FakeClock(datetime.fromisoformat(at).replace(tzinfo=BERLIN).timestamp())
    told: list[str] = []

    async def tell(why: str | None) -> None:
        if why is not None:
            told.append(why)

    async with open_database(site.url, home=Home(site.data)) as database:
        daily = Daily(site.config, storage=site.storage, database=database, tell=tell, clock=clock)
        task = asyncio.create_task(daily.run())
        try:
            yield Night(site, daily, clock, told)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def site(tmp_path: Path) -> Site:
    """Return a site whose first jobs were ordered at noon (UTC) of 15 January."""
    site = Site(tmp_path)
    await site.furnish()
    return site


@pytest.mark.proof
async def test_a_backup_is_made_each_night(site: Site) -> None:
    async with running(site, at="2026-01-15T13:30") as night:
        await night.until(14 * HOUR)
        assert night.backups == []
        await night.until(HOUR)
        assert [name[:17] for name in night.backups] == ["zoetrope-20260116"]
        await night.until(2 * DAY)
        assert len(night.backups) == 3
    assert night.told == []


@pytest.mark.proof
async def test_a_nightly_backup_that_was_missed_is_made_soon_after_the_start(site: Site) -> None:
    """The service was down at night: its first job is a day old, and there is no backup."""
    async with running(site, at="2026-01-16T14:00") as night:
        await night.clock.asleep()
        await night.clock.advance(FIRST - 1)
        assert night.backups == []
        await night.until(2)
        assert len(night.backups) == 1
        await night.until(12 * HOUR)
        assert len(night.backups) == 1, "the next one is for the next night"


async def test_a_new_installation_makes_no_backup_before_the_first_night(tmp_path: Path) -> None:
    async with running(Site(tmp_path)) as night:
        await night.until(15 * HOUR)
        assert night.backups == []


@pytest.mark.proof
async def test_only_the_latest_nightly_backups_are_kept(site: Site) -> None:
    async with running(site, keep=3) as night:
        old = site.data / f"{ASIDE}20260101T000000Z"
        old.mkdir()
        os.utime(old, (0, 0))
        await night.until(5 * DAY)
        assert [name[9:17] for name in night.backups] == ["20260118", "20260119", "20260120"]
        assert not old.exists(), "the rows from before a restore hold what people wrote, too"


async def test_rows_kept_by_a_restore_are_removed_when_they_are_old(tmp_path: Path) -> None:
    """The kept rows lie beside the database, which may be outside the data folder."""
    elsewhere = tmp_path / "rows"
    elsewhere.mkdir()
    site = Site(tmp_path, f"sqlite:///{elsewhere}/zoetrope.db")
    await site.furnish()
    old = elsewhere / f"{ASIDE}20260101T000000Z"
    old.mkdir()
    os.utime(old, (0, 0))
    async with running(site) as night:
        await night.until(2 * DAY)
        assert not old.exists()


@pytest.mark.proof
async def test_the_owners_are_told_why_a_nightly_backup_failed_and_it_is_retried(
    site: Site,
) -> None:
    folder = site.config.backup_folder
    folder.write_text("a file where a folder should be")
    async with running(site) as night:
        await night.until(17 * HOUR)
        assert len(night.told) == 2
        assert str(folder) in night.told[0]
        folder.unlink()
        await night.until(HOUR)
        assert len(night.backups) == 1


async def test_a_nightly_backup_waits_without_a_report_while_another_backup_is_made(
    site: Site,
) -> None:
    folder = site.config.backup_folder
    folder.mkdir(parents=True)
    with (folder / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        async with running(site, at="2026-01-16T03:55") as night:
            await night.until(RETRY_EVERY / 2)
            assert (night.backups, night.told) == ([], [])
            fcntl.flock(lock, fcntl.LOCK_UN)
            await night.until(RETRY_EVERY)
            assert len(night.backups) == 1


@pytest.mark.proof
async def test_no_nightly_backup_is_made_of_a_database_whose_file_is_gone(site: Site) -> None:
    async with running(site) as night:
        site.file.rename(site.folder / "elsewhere")
        await night.daily.database.check()
        await night.until(17 * HOUR)
        assert night.backups == []
        assert "no longer the one on the disk (deleted)" in night.told[0]


@pytest.mark.proof
async def test_a_backup_dated_in_the_future_does_not_stop_nightly_backups(site: Site) -> None:
    await site.back_up(now=datetime(2027, 1, 1, tzinfo=BERLIN).timestamp())
    async with running(site) as night:
        await night.until(17 * HOUR)
        assert len(night.backups) == 2


async def test_a_clock_that_is_years_ahead_for_an_hour_removes_no_local_or_remote_backup(
    site: Site,
) -> None:
    """With a clock twenty years ahead, all other backups look old.

    Once the clock is right, the backup of that hour looks newest.
    """
    place = site.folder / "bucket"
    async with running(site, copy_to=str(place)) as night:
        await night.until(5 * DAY)
        before = night.backups
        assert len(before) == 5
    async with running(site, at="2046-01-21T12:00", copy_to=str(place)) as night:
        await night.until(HOUR)
        assert len(night.backups) == 4, "one new one, and two old ones gone"
    async with running(site, at="2026-01-20T12:00", copy_to=str(place)) as night:
        await night.until(2 * DAY)
        assert len(night.backups) == 6
        newest = archive.newest(site.config.backup_folder, now=night.clock.now())
        assert newest is not None
        assert newest.folder.name.startswith("zoetrope-20260122")
        assert sorted(it.name for it in place.glob("zoetrope-*")) == night.backups


async def test_after_a_start_no_old_backup_is_removed_until_the_clock_is_trusted(
    site: Site,
) -> None:
    """A machine may start with a wrong clock."""
    for day in (1, 2, 3):
        await site.back_up(now=datetime(2026, 1, day, tzinfo=BERLIN).timestamp())
    async with running(site, at="2026-01-25T12:00") as night:
        await night.until(SETTLED - 1)
        assert len(night.backups) == 4
        await night.until(2 * CHECK_EVERY)
        assert len(night.backups) == 2


@pytest.mark.proof
async def test_nightly_backups_are_copied_to_the_remote_storage_once_that_storage_works(
    site: Site,
) -> None:
    place = site.folder / "bucket"
    place.write_text("a file where a folder should be")
    async with running(site, copy_to=str(place), keep=2) as night:
        await night.until(16 * HOUR)
        assert (len(night.backups), len(night.told)) == (1, 1)
        place.unlink()
        await night.until(RETRY_EVERY)
        assert [it.name for it in place.glob("zoetrope-*")] == night.backups
        await night.until(3 * DAY)
        assert sorted(it.name for it in place.glob("zoetrope-*")) == night.backups[-2:]
    assert len(night.told) == 1
