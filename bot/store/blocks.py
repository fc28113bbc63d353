"""The `blocks` table: people whose orders and presses are refused."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core import moves
from bot.core.acts import Act, Block
from bot.core.errors import Blocked, Refused
from bot.core.jobs import Reason, Status
from bot.store import turns
from bot.store.acts import note
from bot.store.database import Part
from bot.store.rows import job_of
from bot.store.statements import execute, once, put, rows
from bot.store.tables import blocks, jobs
from bot.store.writing import save


def refusal(connection: Connection, platform: str, person: str, *, now: float) -> Refused | None:
    """Return the error for a person who is blocked now, or None."""
    row = execute(connection, _in_force(platform, person, now)).first()
    if row is None:
        return None
    return Blocked() if row.until is None else Blocked("blocked_until", until=row.until)


@once
def _in_force(platform: str, person: str, now: float) -> sa.Select[Any]:
    return sa.select(blocks.c.until).where(*_of(platform, person), _lasts(now))


class Blocks(Part):
    """Blocks of people, which cancel their queued jobs."""

    async def put(self, block: Block, act: Act) -> int:
        """Block this person from now on. Return how many queued jobs were cancelled.

        Jobs that a gateway may have are paid for, so they go on and are delivered.
        """
        values = {"at": block.at, "until": block.until, "actor": block.actor, "why": block.why}

        def work(connection: Connection) -> int:
            turns.lock(connection)
            whom = {"platform": block.platform, "person": block.person}
            put(connection, blocks, whom, values)
            cancelled = _cancel(connection, block)
            note(connection, act)
            return cancelled

        return await self._database.admit(work)

    async def lift(self, platform: str, person: str, act: Act) -> bool:
        def work(connection: Connection) -> bool:
            gone = connection.execute(sa.delete(blocks).where(*_of(platform, person)))
            if gone.rowcount != 1:
                return False
            note(connection, act)
            return True

        return await self._database.run(work)

    async def all(self, *, now: float) -> list[Block]:
        query = sa.select(blocks).where(_lasts(now)).order_by(blocks.c.at.desc())
        return await self._database.rows(query, lambda row: Block(**row))


def _cancel(connection: Connection, block: Block) -> int:
    """Cancel the person's queued jobs, which no gateway has. Return how many."""
    waiting = (
        sa.select(jobs)
        .where(jobs.c.platform == block.platform, jobs.c.person == block.person)
        .where(jobs.c.status == Status.QUEUED.value)
        .with_for_update()
    )
    found = rows(connection, waiting, job_of)
    for job in found:
        save(connection, job, moves.cancelled(job, Reason.BY_ADMIN), now=block.at)
    return len(found)


def _of(platform: str, person: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (blocks.c.platform == platform, blocks.c.person == person)


def _lasts(now: float) -> sa.ColumnElement[bool]:
    return sa.or_(blocks.c.until.is_(None), blocks.c.until > now)
