"""The real service, with a database on disk and the stub gateway.

`bot.app` composes it, so that figures stay comparable after the inside is rebuilt. Its rows are
inserted before it starts: the first by the store, and copies of it by SQL.
"""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

from bench.naps import lags
from bench.paired import Work
from bench.stub import counted
from bot import log
from bot.app import open_app
from bot.config import Config, load
from bot.core.acts import Act
from bot.core.clock import SystemClock
from bot.core.jobs import Status
from bot.opening import open_store
from bot.store.identity import Home
from tests.contract.rows import Store as Rows
from tests.contract.rows import a_job

BATCH = 200
"""The most polls that may be running when the service is stopped."""
FIELDS = {
    "progress": "50",
    "id": "'copy' || printf('%06d', n)",
    "event_id": "'event of copy' || n",
    "person": "'person' || n",
    "gateway_id": "'video_' || n",
    "order_data": (
        "json_set(jobs.order_data, '$.call.event_id', 'event of copy' || n,"
        " '$.call.person.id', 'person' || n)"
    ),
}
"""Columns in which a copy differs from its job, with their SQL. The progress is the one that the
stub reports, so no card changes."""


def config(url: str, folder: Path, **changes: str) -> Config:
    """Return a configuration with the gateway at `url`. `changes`: environment variables without
    their prefix."""
    return load(None, environment=variables(url, folder, **changes))


def variables(url: str, folder: Path, **changes: str) -> dict[str, str]:
    """Return the service's environment variables: only the room, no limits."""
    ours = {
        "DATA_DIR": str(folder / "data"),
        "DEFAULT_MODEL": "sora-2",
        "PLAYGROUND__ENABLED": "true",
        "WEB__PORT": "0",
        "ACCESS": "open",
        "LOG_LEVEL": "WARNING",
        "LIMITS__PERSON_AT_ONCE": "1000000",
        "LIMITS__PERSON_VIDEOS_PER_DAY": "1000000",
        "LIMITS__COMMUNITY_VIDEOS_PER_DAY": "1000000",
        "LIMITS__PURSE_VIDEOS_PER_DAY": "1000000",
        "GATEWAYS__MAIN__BASE_URL": url,
        "GATEWAYS__MAIN__API_KEY": "sk-bench",
        "GATEWAYS__MAIN__DIALECT": "documented",
        "GATEWAYS__MAIN__POLL_STEP": "0.05",
    }
    return {f"ZOETROPE_{name}": value for name, value in (ours | changes).items()}


async def make_rows(
    settings: Config,
    *,
    running: int = 0,
    delivered: int = 0,
    every: float = 0.0,
    held: bool = False,
) -> None:
    """Create a database with `running` and `delivered` jobs. The running jobs are due at random
    times within the next `every` seconds.

    `held`: put the gateway on hold, so that orders wait and no POST is sent.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    await _first(settings, held=held)
    file = settings.data_dir / "zoetrope.db"
    with closing(sqlite3.connect(file)) as database, database:
        _copy(database, Status.IN_PROGRESS, running, first=1)
        _copy(database, Status.DELIVERED, delivered, first=1_000_001)
        # The originals of the copies remain. They have no post, and the running one is never due.
        database.execute("DELETE FROM posts")
        database.execute("UPDATE jobs SET due_at = NULL WHERE id = 'in_progress'")
        database.execute(
            "UPDATE jobs SET due_at = due_at + ? * (abs(random()) % 1000) / 1000.0"
            " WHERE due_at IS NOT NULL",
            (every,),
        )


async def _first(settings: Config, *, held: bool) -> None:
    """Create one running and one delivered job in an otherwise empty database."""
    url = settings.settings.gateways["main"].base_url
    clock, home = SystemClock(), Home(settings.data_dir, anew=True)
    async with open_store(settings, home, clock, changed=lambda: None) as store:
        rows = Rows(store.database)
        for status in (Status.IN_PROGRESS, Status.DELIVERED):
            job = a_job(id_=status, platform="playground", now=clock.now())
            await rows.in_state(status, replace(job, base_url=url))
        if held:
            act = Act(at=clock.now(), actor="cli:bench", action="gateways.pause", subject="main")
            await store.holds.put("main", act)


def _copy(database: sqlite3.Connection, status: Status, count: int, *, first: int) -> None:
    """Insert `count` copies of the job in this state, each of another person."""
    names = [row[1] for row in database.execute("PRAGMA table_info(jobs)")]
    chosen = ", ".join(FIELDS.get(name, f'jobs."{name}"') for name in names)
    columns = ", ".join(f'"{name}"' for name in names)
    database.execute(
        f"WITH RECURSIVE numbers(n) AS (SELECT ? UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)"
        f" INSERT INTO jobs ({columns}) SELECT {chosen} FROM numbers, jobs WHERE jobs.id = ?"
        f" AND ? > 0",
        (first, first + count - 1, status.value, count),
    )


@asynccontextmanager
async def polling(url: str, folder: Path, running: int, **changes: str) -> AsyncIterator[Work]:
    """Run the service with `running` jobs in progress. A unit is a poll that reached the gateway.

    `unwritten` checks afterwards that the polls were stored.
    """
    os.umask(0o077)
    settings = config(url, folder, **changes)
    log.configure(level=settings.settings.log_level)
    await make_rows(settings, running=running)
    async with open_app(settings):

        async def work(seconds: float) -> float:
            before = counted(url)["looks"]
            await asyncio.sleep(seconds)
            return counted(url)["looks"] - before

        yield work


@asynccontextmanager
async def lagging(url: str, folder: Path, running: int) -> AsyncIterator[Work]:
    """Run the service with `running` jobs; the work returns by how many seconds the event loop was
    late."""
    async with polling(url, folder, running):
        yield lags


def unwritten(url: str, folder: Path) -> str:
    """Return why the polls are void: fewer jobs were written than polled. Empty if not so."""
    query = "SELECT count(*) FROM jobs WHERE status = 'in_progress' AND due_at > created_at"
    with closing(sqlite3.connect(folder / "data" / "zoetrope.db")) as database:
        ((written,),) = database.execute(query)
    polled = counted(url)["jobs"]
    # The last batch was still being written when the service stopped.
    return "" if written >= polled - BATCH else f"{polled} jobs polled, {written} written"
