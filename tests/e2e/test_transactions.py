"""How many transactions a whole job costs: what is due at once is claimed as it is written."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import sqlalchemy as sa

from tests.e2e.world import WAIT, World

MOST = 8
"""The order; its answer; the POST before its first byte; its id; that it is made, with the video;
its message before its first byte; that it stands; that the card is gone."""
OF_WRITES = "json_extract("
"""In the shared write of looks, of which there are as many as the video takes long."""


class Commits:
    """Transactions that wrote something, but for the shared write of looks."""

    def __init__(self) -> None:
        self.count = 0

    def opened(self, connection: Any, _record: object) -> None:
        written, is_poll = 0, False

        def runs(statement: str) -> None:
            nonlocal written, is_poll
            is_poll = is_poll or OF_WRITES in statement
            if statement.startswith("COMMIT"):
                self.count += connection.total_changes != written and not is_poll
                written, is_poll = connection.total_changes, False

        connection.set_trace_callback(runs)


@contextmanager
def counted() -> Iterator[Commits]:
    """Those of the databases that are opened meanwhile, as SQLite itself tells."""
    commits = Commits()
    sa.event.listen(sa.Engine, "connect", commits.opened)
    try:
        yield commits
    finally:
        sa.event.remove(sa.Engine, "connect", commits.opened)


async def over(world: World) -> None:
    """Nothing is left to be done or said."""
    (file,) = world.folder.rglob("zoetrope.db")
    with closing(sqlite3.connect(file)) as rows:
        while rows.execute("SELECT 1 FROM posts WHERE due_at IS NOT NULL").fetchone():
            await asyncio.sleep(0)


async def test_a_whole_job_costs_few_transactions(world: World) -> None:
    with counted() as commits:
        async with world.app(), asyncio.timeout(WAIT):
            ann = world.discord.person("ann")
            spent = []
            for prompt in ("one to learn by", "a cat", "a dog"):
                before = commits.count
                await ann.slash("video", prompt=prompt)
                await world.result()
                await over(world)
                spent.append(commits.count - before)
    assert min(spent[1:]) <= MOST, f"{spent}; more where a busy machine is late"
