"""Workers that take jobs from PostgreSQL in batches of 100 and write them: ours and pgqueuer's.

Our worker claims running jobs as the polling loop does, and each job is due again at once.
pgqueuer's worker runs queued jobs from begin to end with an empty handler.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec

import asyncpg
import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from bench.paired import Work
from bot.core.jobs import CLAIM, Status
from bot.store.database import Database, open_database
from bot.store.engines import engine_of
from bot.store.jobs import Jobs
from bot.store.tables import jobs
from tests.contract.rows import Store, a_job

BATCH = 100
JOBS = 20_000
"""Running jobs in our tables."""
QUEUED = 150_000
"""Queued jobs for pgqueuer, which removes each job that it has run."""

Batch = Callable[[], Awaitable[int]]
"""A function that takes a batch, writes it back and returns how many jobs it took."""


# --- ours ----------------------------------------------------------------------------------------


async def make_jobs(url: str) -> None:
    """Create our tables, with running jobs that are all due."""
    async with open_database(url) as database:
        await Store(database).in_state(Status.IN_PROGRESS, a_job(id_="first", now=time.time()))
        await database.run(_copy)


def _copy(connection: Connection) -> None:
    columns = sa.text(
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'jobs'"
    )
    names = list(connection.scalars(columns))
    event = "'event of copy' || n"
    differs = {
        "id": "'copy' || n",
        "event_id": event,
        "gateway_id": "'video_' || n",
        "order_data": f"jsonb_set(order_data::jsonb, '{{call,event_id}}', to_jsonb({event}))::json",
    }
    chosen = ", ".join(differs.get(name, f'jobs."{name}"') for name in names)
    listed = ", ".join(f'"{name}"' for name in names)
    connection.execute(
        sa.text(
            f"INSERT INTO jobs ({listed}) SELECT {chosen}"
            f" FROM generate_series(1, {JOBS}) n, jobs WHERE jobs.id = 'first'"
        )
    )
    connection.execute(sa.text("DELETE FROM posts"))
    connection.execute(sa.text("UPDATE jobs SET version = 0"))


async def steps(url: str) -> int:
    """Return how often rows were claimed or written: twice a job, if no job was claimed twice."""
    async with _database(url) as database:
        return await database.value(sa.select(sa.func.sum(jobs.c.version))) or 0


@asynccontextmanager
async def ours(url: str) -> AsyncIterator[Work]:
    """Run one worker of ours. Several may work on the same database."""
    async with _database(url) as database:
        yield _until(_together(database) if find_spec("bot.store.polls") else _singly(database))


def _until(batch: Batch) -> Work:
    async def work(seconds: float) -> float:
        ends, done = time.monotonic() + seconds, 0
        while time.monotonic() < ends:
            done += await batch()
        return done

    return work


def _together(database: Database) -> Batch:
    """Return a batch that claims and writes rows as polls do."""
    polls = import_module("bot.store.polls").Polls(database)
    seen = import_module("bot.core.pending").Seen

    async def batch() -> int:
        now = time.time()
        rows = await polls.claim(now=now, until=now + CLAIM, most=BATCH, but=())
        lines = [seen(row.id, row.version, row.progress, now, shows=False) for row in rows]
        await polls.write(lines, now=now, ahead=0.0)
        return len(rows)

    return batch


def _singly(database: Database) -> Batch:
    """Return a batch that claims and writes rows as earlier builds did, one row at a time."""
    rows_of = Jobs(database)

    async def batch() -> int:
        now = time.time()
        rows = await rows_of.claim([Status.IN_PROGRESS], now=now, until=now + CLAIM, most=BATCH)
        written = (
            rows_of.save(row, replace(row, due_at=now, claimed_until=None), now=now) for row in rows
        )
        await asyncio.gather(*written)
        return len(rows)

    return batch


@asynccontextmanager
async def _database(url: str) -> AsyncIterator[Database]:
    engine = engine_of(url)
    yield Database(engine)
    await engine.dispose()


# --- pgqueuer ------------------------------------------------------------------------------------


async def make_queue(url: str) -> None:
    """Create pgqueuer's tables, with queued jobs."""
    from pgqueuer import AsyncpgDriver, Queries

    connection = await _connected(url)
    queries = Queries(AsyncpgDriver(connection))
    await queries.install()
    for _ in range(QUEUED // 1000):
        await queries.enqueue(["job"] * 1000, [None] * 1000, [0] * 1000)
    await connection.close()


@asynccontextmanager
async def pgqueuer(url: str) -> AsyncIterator[Work]:
    """Run one worker of pgqueuer."""
    from pgqueuer import AsyncpgDriver, Job, PgQueuer

    connection = await _connected(url)
    worker, done = PgQueuer(AsyncpgDriver(connection)), 0

    async def job(_job: Job) -> None:
        nonlocal done
        done += 1

    worker.entrypoint("job")(job)
    running = asyncio.create_task(worker.qm.run(batch_size=BATCH))

    async def work(seconds: float) -> float:
        before = done
        await asyncio.sleep(seconds)
        return done - before

    yield work
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await connection.close()


async def _connected(url: str) -> asyncpg.Connection:
    address = make_url(url)
    return await asyncpg.connect(
        host=address.query["host"], user=address.username, database=address.database
    )
