"""The number of transactions for a whole job: what is due at once is claimed in the write that
makes it due.
"""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import sqlalchemy as sa

from tests.e2e.world import WAIT, World

MOST = 8
"""The most transactions of a job: the order; its answer; the POST before its first byte; the
gateway id; that the video is made, with the video; its post before its first byte; that the post
was sent; that the card is gone."""
OF_WRITES = "json_extract("
"""A part of the SQL by which the shared write of poll results is recognized. It is not counted,
because the number of these writes depends on how long the video takes."""


class Commits:
    """The number of transactions that wrote something, shared writes of poll results aside."""

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
    """Count the transactions of databases opened inside the context, as SQLite reports them."""
    commits = Commits()
    sa.event.listen(sa.Engine, "connect", commits.opened)
    try:
        yield commits
    finally:
        sa.event.remove(sa.Engine, "connect", commits.opened)


async def over(world: World) -> None:
    """Wait until no post is due any more."""
    (file,) = world.folder.rglob("zoetrope.db")
    with closing(sqlite3.connect(file)) as rows:
        while rows.execute("SELECT 1 FROM posts WHERE due_at IS NOT NULL").fetchone():
            await asyncio.sleep(0)


async def test_a_whole_job_costs_few_database_transactions(world: World) -> None:
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
