"""Claims cost what is under way, not what has ever been: after a million videos as after ten."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.core.jobs import Status
from bot.store.database import open_database
from bot.store.sweeps import Sweeps
from tests.conftest import NewUrl
from tests.contract.rows import NOON, Store

RUNNING = (Status.SUBMITTING, Status.IN_PROGRESS)
Statement = tuple[str, tuple[object, ...]]

INDEXES = {
    "queued": "ix_jobs_queued",
    "running": "ix_jobs_running",
    "posts": "ix_posts_due",
}


@pytest.mark.proof
@pytest.mark.parametrize(("asked", "index"), INDEXES.items())
async def test_a_claim_walks_its_partial_index_and_sorts_nothing(
    new_sqlite_url: NewUrl, asked: str, index: str
) -> None:
    url = await new_sqlite_url()
    plan = _plan(url, *(await _claims(url))[asked])
    assert [step for step in plan if f"USING INDEX {index}" in step], plan
    assert [step for step in plan if _is_costly(step, index)] == []


@pytest.mark.proof
async def test_a_message_is_looked_up_by_its_index(new_sqlite_url: NewUrl) -> None:
    async with open_database(url := await new_sqlite_url()) as database:
        with _overheard("posts.job_id") as statements:
            await Store(database).posts.about("telegram", "-5", "7")
    (plan,) = [_plan(url, *each) for each in statements]
    assert [step for step in plan if "USING INDEX ix_posts_message" in step], plan


async def test_a_sweep_walks_what_is_kept_from_the_oldest_on_and_sorts_nothing(
    new_sqlite_url: NewUrl,
) -> None:
    async with open_database(url := await new_sqlite_url()) as database:
        sweeps = Sweeps(database)
        with _overheard("jobs.ended_at <=") as statements:
            await sweeps.videos(ended_by=NOON, now=NOON, most=20)
            await sweeps.inputs(ended_by=NOON, unconfirmed_by=NOON, now=NOON, most=20)
            await sweeps.words(ended_by=NOON, now=NOON, most=20)
    plans = [_plan(url, *each) for each in statements]
    for kept, plan in zip(("video", "inputs", "words"), plans, strict=True):
        index = f"ix_jobs_{kept}_kept"
        assert [step for step in plan if f"USING INDEX {index}" in step], plan
        assert [step for step in plan if _is_costly(step, index)] == []


async def test_what_is_learned_from_is_read_newest_first_and_nothing_is_sorted(
    new_sqlite_url: NewUrl,
) -> None:
    async with open_database(url := await new_sqlite_url()) as database:
        with _overheard("jobs.made_after IS NOT NULL") as statements:
            await Store(database).jobs.durations("wan2.5-t2v-preview")
    (plan,) = [_plan(url, *each) for each in statements]
    assert plan == ["SEARCH jobs USING INDEX ix_jobs_made (model=?)"]


@pytest.mark.proof
async def test_a_bound_state_would_walk_the_whole_table(new_sqlite_url: NewUrl) -> None:
    """Negative control: that is why the claim spells the state out."""
    url = await new_sqlite_url()
    statement, values = (await _claims(url))["queued"]
    bound = statement.replace("'queued'", "coalesce('queued', NULL)")
    assert bound != statement
    plan = _plan(url, bound, values)
    assert [step for step in plan if _is_costly(step, "ix_jobs_queued")] != []


def _plan(url: str, statement: str, values: tuple[object, ...]) -> list[str]:
    with closing(sqlite3.connect(_file(url))) as connection:
        rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
    return [str(row[3]) for row in rows]


def _is_costly(step: str, index: str) -> bool:
    if "TEMP B-TREE" in step:
        return True
    whole = step.startswith(("SCAN jobs", "SCAN posts"))
    return whole and f"USING INDEX {index}" not in step


@pytest.mark.parametrize(
    ("few", "many"), [(1_000, 20_000), pytest.param(1_000, 200_000, marks=pytest.mark.proof)]
)
async def test_a_claim_costs_the_same_however_many_rows_are_finished(
    new_sqlite_url: NewUrl, few: int, many: int
) -> None:
    url = await new_sqlite_url()
    claims = await _claims(url)
    with closing(sqlite3.connect(_file(url), isolation_level=None)) as connection:
        _finish(connection, few)
        before = {asked: _steps(connection, claim) for asked, claim in claims.items()}
        _finish(connection, many - few)
        after = {asked: _steps(connection, claim) for asked, claim in claims.items()}
    assert after == before
    assert min(before.values()) > 100


async def _claims(url: str) -> dict[str, Statement]:
    """Twenty jobs of each sort, their posts, and the statements that claim them."""
    async with open_database(url) as database:
        store = Store(database)
        for _ in range(20):
            await store.admitted()
            await store.in_state(Status.IN_PROGRESS)
        with _overheard() as statements:
            await store.claimed(Status.QUEUED, now=NOON - 1)
            await store.claimed(*RUNNING, now=NOON - 1)
            await store.posts.claim(["discord"], now=NOON - 1, until=NOON, most=10)
    queued, running, posts = statements
    return {"queued": _due(queued), "running": _due(running), "posts": _due(posts)}


def _due(claim: Statement) -> Statement:
    """The same claim, a minute later: everything is due."""
    statement, values = claim
    return statement, tuple(NOON + 60 if value == NOON - 1 else value for value in values)


@contextmanager
def _overheard(word: str = "UPDATE") -> Iterator[list[Statement]]:
    heard: list[Statement] = []

    def hear(*call: object) -> None:
        statement, values = call[2:4]
        assert isinstance(statement, str)
        assert isinstance(values, tuple)
        if word in statement:
            heard.append((statement, values))

    sa.event.listen(sa.Engine, "before_cursor_execute", hear)
    try:
        yield heard
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", hear)


def _finish(connection: sqlite3.Connection, number: int) -> None:
    """That many more rows of delivered jobs, each with a card and a result that stand."""
    base = connection.execute("SELECT count(*) FROM jobs").fetchone()[0]
    for table, fresh in _COPIED.items():
        names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        columns = ", ".join(fresh.get(name, name) for name in names)
        connection.execute(
            f"WITH RECURSIVE numbers(n) AS (SELECT :base UNION ALL SELECT n + 1 FROM numbers"
            f" WHERE n + 1 < :base + :number) INSERT INTO {table} SELECT {columns} FROM numbers,"
            f" (SELECT * FROM {table} LIMIT 1)",
            {"base": base, "number": number},
        )


_COPIED = {
    "jobs": {
        "id": "'finished' || n",
        "event_id": "'event' || n",
        "status": "'delivered'",
        "due_at": "NULL",
        "claimed_until": "NULL",
        "turn": "n",
    },
    "posts": {
        "id": "NULL",
        "job_id": "'finished' || n",
        "kind": "'card'",
        "message_id": "'message'",
        "due_at": "NULL",
        "claimed_until": "NULL",
    },
}


def _steps(connection: sqlite3.Connection, claim: Statement) -> int:
    """How many instructions SQLite's machine needs for it; undone afterwards."""
    done = 0

    def count() -> int:
        nonlocal done
        done += 1
        return 0

    connection.execute("BEGIN IMMEDIATE")
    connection.set_progress_handler(count, 1)
    taken = connection.execute(*claim).fetchall()
    connection.set_progress_handler(None, 1)
    connection.execute("ROLLBACK")
    assert len(taken) > 0
    return done


def _file(url: str) -> Path:
    return Path(url.removeprefix("sqlite+aiosqlite:///"))
