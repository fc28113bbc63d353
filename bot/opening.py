"""Open the store for the service, repair its state after a crash, and watch the database."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bot.config import Config
from bot.core.errors import Broken
from bot.core.ports import Clock
from bot.core.timekeeping import SettableClock, Timekeeper
from bot.log import get_logger
from bot.store.database import open_database
from bot.store.identity import Home
from bot.store.parts import Store
from bot.workers import running

log = get_logger()


@asynccontextmanager
async def open_store(
    config: Config, home: Home, clock: SettableClock, *, changed: Callable[[], None]
) -> AsyncIterator[Store]:
    """Open the store, repair what a crash left, and run its background work in the context.

    `changed` is called when the clock was set and the times in the rows were corrected, because
    rows may be due then.
    """
    async with (
        open_database(config.database_url, home=home) as database,
        running(database.watch(clock.sleep)),
    ):
        store = Store.of(database, config.data_dir)
        timekeeper = Timekeeper(clock, store.times, changed=changed)
        await timekeeper.begin()
        await _put_right(store, clock)
        async with running(timekeeper.run()):
            yield store


async def _put_right(store: Store, clock: Clock) -> None:
    # We hold the database's lock, so the process that made these claims is dead.
    await store.jobs.expire_claims(now=clock.now())
    await store.polls.expire_claims(now=clock.now())
    await store.posts.expire_claims(now=clock.now())
    await _bring_home(store, clock)
    await store.counters.compare()
    for hold in await store.holds.all():
        log.warning("service.paused", gateway=hold.name, by=hold.actor)


async def _bring_home(store: Store, clock: Clock) -> None:
    """Record gateway ids that the database could not store when they arrived.

    An id whose job is missing or in another state stays in the spool: its video was paid for.
    """
    try:
        store.spool.prepare()
    except OSError as error:
        log.error("spool.unprepared", file=str(store.spool.file), why=error.strerror)
    for job_id, gateway_id, sources in list(store.spool.read()):
        now = clock.now()
        try:
            await store.jobs.accept(job_id, gateway_id, sources=sources, now=now, due_at=now)
        except Broken as broken:
            log.error("job.id_kept", job=job_id, gateway_id=gateway_id, code=broken.code)
        else:
            log.info("job.id_recorded", job=job_id)
            store.spool.forget(job_id)
