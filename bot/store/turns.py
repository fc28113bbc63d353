"""The turns of jobs where a gateway makes only so many videos of a model at a time.

A job that finds no place waits as a row that is due late; whoever leaves a place makes the first
of those due at once. Both happen under one lock, so that no place is given twice or forgotten.
"""

import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core.jobs import IN_FLIGHT, SOFT_DEADLINE, Job, Reason
from bot.store.rows import QUEUED
from bot.store.statements import count, take_turns
from bot.store.tables import jobs

_PLACES = 0x5A4F_4555
"""Key of the PostgreSQL advisory lock on all places."""
_FLYING: sa.BindParameter[list[str]] = sa.bindparam(
    "flying", sorted(IN_FLIGHT), expanding=True, literal_execute=True
)
"""Spelt out as their partial index has them."""


def lock(connection: Connection) -> None:
    """Before any row: whoever holds it waits for no row that another has."""
    take_turns(connection, _PLACES)


def places_before(
    connection: Connection, job: Job, *, now: float, most: int
) -> tuple[int, float | None]:
    """How many places are taken or are others' turn, and when the first becomes free by age.

    They are counted up to `most`.
    """
    flying = sa.and_(
        *_alike(job),
        jobs.c.status.in_(_FLYING),
        # What is "taking long" may be stuck for a day: it no longer keeps others waiting.
        jobs.c.submitted_at > now - SOFT_DEADLINE,
    )
    taken = sa.select(jobs.c.submitted_at).where(flying).order_by(jobs.c.submitted_at).limit(most)
    since = list(connection.scalars(taken))
    before = sa.select(jobs.c.id).where(_waiting(job), _earlier(job)).limit(most).subquery()
    ahead = connection.scalar(sa.select(sa.func.count()).select_from(before)) or 0
    return len(since) + ahead, since[0] + SOFT_DEADLINE if since else None


def ahead(connection: Connection, *, job: Job) -> int:
    """How many jobs wait for the same place and have their turn before it."""
    return count(connection, jobs, _waiting(job), _earlier(job))


def call_next(connection: Connection, job: Job, *, now: float) -> None:
    """The first that waits for a place like this job's is due; one that is being saved is not."""
    first = (
        sa.select(jobs.c.id)
        .where(_waiting(job))
        .order_by(jobs.c.turn, jobs.c.created_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .cte()
    )
    connection.execute(
        sa.update(jobs).where(jobs.c.id.in_(sa.select(first.c.id))).values(due_at=now)
    )


def _earlier(job: Job) -> sa.ColumnElement[bool]:
    return sa.or_(
        jobs.c.turn < job.turn, sa.and_(jobs.c.turn == job.turn, jobs.c.created_at < job.created_at)
    )


def _waiting(job: Job) -> sa.ColumnElement[bool]:
    return sa.and_(*_alike(job), jobs.c.status == QUEUED, jobs.c.reason == Reason.AT_ONCE.value)


def _alike(job: Job) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        jobs.c.gateway == job.gateway,
        jobs.c.model == job.request.model,
        jobs.c.due_at.is_not(None),
        jobs.c.id != job.id,
    )
