"""The rows as the service has them: every table, opened, put right and looked after."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.config import Config
from bot.core.errors import Broken
from bot.core.ports import Clock
from bot.core.timekeeping import SettableClock, Timekeeper
from bot.log import get_logger
from bot.store.acts import Acts
from bot.store.blocks import Blocks
from bot.store.causes import Causes
from bot.store.communities import Communities
from bot.store.conversions import Line
from bot.store.database import Database, open_database
from bot.store.grants import Grants
from bot.store.holds import Holds
from bot.store.identity import Home
from bot.store.jobs import Jobs
from bot.store.notices import Notices
from bot.store.outlook import Outlook
from bot.store.pauses import Pauses
from bot.store.places import Places
from bot.store.posts import Posts
from bot.store.preferences import PreferencesOf
from bot.store.settings import Settings
from bot.store.settling import Settling
from bot.store.spool import Spool
from bot.store.statistics import Sums
from bot.store.sweeps import Sweeps
from bot.store.times import Times
from bot.workers import running

log = get_logger()


@dataclass(frozen=True, slots=True)
class Rows:
    """The store, table by table."""

    database: Database
    jobs: Jobs
    posts: Posts
    pauses: Pauses
    notices: Notices
    settings: Settings
    places: Places
    communities: Communities
    line: Line
    spool: Spool
    times: Times
    acts: Acts
    holds: Holds
    blocks: Blocks
    settling: Settling
    grants: Grants
    sums: Sums
    sweeps: Sweeps
    causes: Causes
    outlook: Outlook
    preferences: PreferencesOf


@asynccontextmanager
async def open_rows(
    config: Config, home: Home, clock: SettableClock, *, changed: Callable[[], None]
) -> AsyncIterator[Rows]:
    """The rows, looked after for as long as the context lasts.

    `changed` is called when rows became due by themselves.
    """
    async with (
        open_database(config.database_url, home=home) as database,
        running(database.watch(clock.sleep)),
    ):
        rows = Rows(
            database,
            Jobs(database),
            Posts(database),
            Pauses(database),
            Notices(database),
            Settings(database),
            Places(database),
            Communities(database),
            Line(database),
            Spool(config.data_dir),
            Times(database),
            Acts(database),
            Holds(database),
            Blocks(database),
            Settling(database),
            Grants(database),
            Sums(database),
            Sweeps(database),
            Causes(database),
            Outlook(database),
            PreferencesOf(database),
        )
        timekeeper = Timekeeper(clock, rows.times, changed=changed)
        await timekeeper.begin()
        await _put_right(rows, clock)
        async with running(timekeeper.run()):
            yield rows


async def _put_right(rows: Rows, clock: Clock) -> None:
    # We hold the database's lock, so whoever had these claims is dead.
    await rows.jobs.expire_claims(now=clock.now())
    await rows.posts.expire_claims(now=clock.now())
    await _bring_home(rows, clock)
    for hold in await rows.holds.all():
        log.warning("service.paused", gateway=hold.name, by=hold.actor)


async def _bring_home(rows: Rows, clock: Clock) -> None:
    """Record the gateway ids that the database could not take when they came.

    An id whose job is not there, or has gone another way, was paid for all the same: it is kept.
    """
    try:
        rows.spool.prepare()
    except OSError as error:
        log.error("spool.unprepared", file=str(rows.spool.file), why=error.strerror)
    for job_id, gateway_id, sources in list(rows.spool.read()):
        now = clock.now()
        try:
            await rows.jobs.accept(job_id, gateway_id, sources=sources, now=now, due_at=now)
        except Broken as broken:
            log.error("job.id_kept", job=job_id, gateway_id=gateway_id, code=broken.code)
        else:
            log.info("job.id_recorded", job=job_id)
            rows.spool.forget(job_id)
