"""One job's row: read, and written behind the version fence, within a transaction."""

from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core import moves
from bot.core.jobs import Job
from bot.core.posts import due_after
from bot.store import turns
from bot.store.posts import owe
from bot.store.rows import job_of, saved_values
from bot.store.statements import one
from bot.store.tables import jobs


async def get(connection: AsyncConnection, job_id: str, *, lock: bool = False) -> Job | None:
    """The job with this id."""
    query = sa.select(jobs).where(jobs.c.id == job_id)
    return await one(connection, query.with_for_update() if lock else query, job_of)


async def save(connection: AsyncConnection, before: Job, after: Job, *, now: float) -> Job | None:
    """Write `after` and the posts that it owes; None if somebody else was faster."""
    saved = replace(moves.timed(before, after, now=now), version=before.version + 1)
    leaves = moves.has_place(before) and not moves.has_place(saved)
    if leaves:
        await turns.lock(connection)
    written = await connection.execute(
        sa.update(jobs)
        .where(jobs.c.id == before.id, jobs.c.version == before.version)
        .values(saved_values(before, saved))
    )
    if written.rowcount != 1:
        return None
    if leaves:
        await turns.call_next(connection, saved, now=now)
    await owe(connection, saved, due_after(before, saved, now=now))
    return saved
