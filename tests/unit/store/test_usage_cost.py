"""Admitting and reading what is left cost the same after a hundred thousand jobs."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.core import moves
from bot.core.jobs import Status
from bot.core.quotas import Limits, Purse
from bot.store.database import Database
from bot.store.statements import count
from bot.store.tables import jobs
from tests.contract.rows import NOON, Store, a_job
from tests.databases import on_driver, open_rows

MUCH = 10**9
LIMITS = Limits(
    person_videos=MUCH,
    person_at_once=MUCH,
    community_videos=MUCH,
    purse_videos=MUCH,
    purse_money=10**15,
    purse=Purse(others=frozenset({"club"})),
)
STATES = ("queued", "in_progress", "delivered", "failed")


@pytest.mark.parametrize(
    ("few", "many"), [(1_000, 4_000), pytest.param(1_000, 100_000, marks=pytest.mark.proof)]
)
async def test_an_admission_costs_the_same_however_many_jobs_the_day_has(
    tmp_path: Path, few: int, many: int
) -> None:
    """All jobs belong to one person and one community, which is the worst case."""
    async with open_rows(tmp_path) as database:
        store = Store(database)
        for status in STATES:
            await store.in_state(Status(status), a_job(id_=status))
        found = []
        for number in (few, many):
            await _fill(database, number)
            found.append(await _costs(store))
    assert found[1] == found[0]
    assert found[1]["usage"] > 100, "something was counted"


async def _costs(store: Store) -> dict[str, int]:
    """Return SQLite's instructions for a reading, an order, a poll and a move."""
    job = a_job()
    await store.usage(job, limits=LIMITS)
    costs = {}
    async with _counting(store.database) as steps:

        async def of(name: str, work: Awaitable[object]) -> None:
            before = steps()
            await work
            costs[name] = steps() - before

        await of("usage", store.usage(job, limits=LIMITS))
        await of("admit", store.admitted(job, LIMITS))
        sent = moves.submitting(job, now=NOON)
        await of("submit", store.moved(job, sent))
    return costs


@asynccontextmanager
async def _counting(database: Database) -> AsyncIterator[Callable[[], int]]:
    """Count SQLite's instructions."""
    done = 0

    def step() -> int:
        nonlocal done
        done += 1
        return 0

    await on_driver(database, lambda it: it.set_progress_handler(step, 1))
    try:
        yield lambda: done
    finally:
        await on_driver(database, lambda it: it.set_progress_handler(None, 1))


async def _fill(database: Database, number: int) -> None:
    """Copy the four jobs until there are so many rows."""
    there = await database.run(lambda it: count(it, jobs))
    names = jobs.c.keys()
    fresh = {"id": "id || n", "event_id": "event_id || n"}
    copies = sa.text(
        "WITH RECURSIVE numbers(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM numbers"
        f" WHERE n < :last) INSERT INTO jobs ({', '.join(names)})"
        f" SELECT {', '.join(fresh.get(name, name) for name in names)}"
        f" FROM (SELECT * FROM jobs WHERE id IN {STATES}), numbers"
    )
    values = {"first": there // len(STATES), "last": number // len(STATES)}
    await database.run(lambda it: it.execute(copies, values))
