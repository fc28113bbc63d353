"""Queries cost the same after a million videos as after ten."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.store.database import open_database
from bot.store.sweeps import Sweeps
from tests.conftest import NewUrl
from tests.contract.rows import NOON, Store
from tests.unit.store.instructions import counts

Statement = tuple[str, tuple[object, ...]]
MOST = 1.1
"""The factor by which a cost may grow with a hundred times as many rows: a few instructions."""


@pytest.mark.parametrize("many", [5_000, pytest.param(100_000, marks=pytest.mark.proof)])
async def test_every_query_and_save_costs_the_same_however_many_jobs_wait_or_are_finished(
    tmp_path: Path, many: int
) -> None:
    before, after = await counts(tmp_path, 1_000), await counts(tmp_path, many)
    assert before.keys() == after.keys()
    assert min(before.values()) > 0
    assert [name for name, steps in after.items() if steps > MOST * before[name]] == []


@pytest.mark.proof
async def test_no_query_reads_a_whole_table_or_sorts_it(tmp_path: Path) -> None:
    await counts(tmp_path, 100)  # makes the tables, with statements of their own
    with _overheard("") as statements:
        await counts(tmp_path, 101)
    asked = [each for each in statements if "sqlite_master" not in each[0]]
    plans = [plan for each in asked if (plan := _plan(tmp_path / "101.db", *each))]
    assert len(plans) > 50
    assert [plan for plan in plans if _is_costly(plan)] == []


@pytest.mark.proof
async def test_negative_control_a_bound_state_in_a_claim_would_read_the_whole_table(
    tmp_path: Path,
) -> None:
    """Negative control: this is why a claim writes the state into its statement."""
    with _overheard("'completed'") as statements:
        await counts(tmp_path, 100)
    statement, values = statements[0]
    bound = statement.replace("'completed'", "coalesce('completed', NULL)")
    assert _is_costly(_plan(tmp_path / "100.db", bound, values))


@pytest.mark.proof
async def test_a_job_is_looked_up_by_its_message_through_an_index(new_sqlite_url: NewUrl) -> None:
    async with open_database(url := await new_sqlite_url()) as database:
        with _overheard("posts.job_id") as statements:
            await Store(database).posts.about("telegram", "-5", "7")
    (plan,) = [_plan(_file(url), *each) for each in statements]
    assert [step for step in plan if "USING INDEX ix_posts_message" in step], plan


async def test_a_sweep_reads_the_oldest_rows_through_an_index_without_sorting(
    new_sqlite_url: NewUrl,
) -> None:
    async with open_database(url := await new_sqlite_url()) as database:
        sweeps = Sweeps(database)
        with _overheard("jobs.ended_at <=") as statements:
            await sweeps.videos(ended_by=NOON, now=NOON, most=20)
            await sweeps.inputs(ended_by=NOON, unconfirmed_by=NOON, now=NOON, most=20)
            await sweeps.words(ended_by=NOON, now=NOON, most=20)
    plans = [_plan(_file(url), *each) for each in statements]
    for kept, plan in zip(("video", "inputs", "words"), plans, strict=True):
        index = f"ix_jobs_{kept}_kept"
        assert [step for step in plan if f"USING INDEX {index}" in step], plan
        assert not _is_costly(plan)


async def test_learned_durations_are_read_newest_first_through_an_index_without_sorting(
    new_sqlite_url: NewUrl,
) -> None:
    async with open_database(url := await new_sqlite_url()) as database:
        with _overheard("jobs.made_after IS NOT NULL") as statements:
            await Store(database).jobs.durations("wan2.5-t2v-preview")
    (plan,) = [_plan(_file(url), *each) for each in statements]
    assert plan == ["SEARCH jobs USING INDEX ix_jobs_made (model=?)"]


def _plan(file: Path, statement: str, values: tuple[object, ...]) -> list[str]:
    """Return SQLite's query plan of a statement."""
    if not statement.lstrip().startswith(("SELECT", "UPDATE", "INSERT", "DELETE", "WITH")):
        return []
    with closing(sqlite3.connect(file)) as connection:
        rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
    return [str(row[3]) for row in rows]


def _is_costly(plan: list[str]) -> bool:
    """Whether a plan reads all rows of a growing table, or sorts more than a handful."""
    return any(_reads_all(step) or _sorts(before, step) for before, step in pairwise(["", *plan]))


def _reads_all(step: str) -> bool:
    return step.startswith(("SCAN jobs", "SCAN posts", "SCAN updates")) and "USING" not in step


def _sorts(before: str, step: str) -> bool:
    """Whether a plan sorts.

    Sorting the first rows of an index, or waiting updates, does not count.
    """
    few = before.startswith(("SCAN anon_", "CORRELATED", "SEARCH updates"))
    return "TEMP B-TREE" in step and not few


@contextmanager
def _overheard(word: str) -> Iterator[list[Statement]]:
    """Collect the statements that contain a word."""
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


def _file(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))
