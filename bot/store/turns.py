"""The turns of jobs where a gateway makes only so many videos of a model at a time.

A job that finds no place waits as a row that is due late; whoever leaves a place makes the first
of those due at once. Both happen under one lock, so that no place is given twice or forgotten.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core.jobs import IN_FLIGHT, SOFT_DEADLINE, Job, Reason
from bot.store.rows import QUEUED
from bot.store.statements import execute, once, take_turns
from bot.store.tables import jobs

_PLACES = 0x5A4F_4555
"""Key of the PostgreSQL advisory lock on all places."""
_FLYING: sa.BindParameter[list[str]] = sa.bindparam(
    "flying", sorted(IN_FLIGHT), expanding=True, literal_execute=True
)
"""Spelt out as their partial index has them."""
_MANY = 1_000_000_000
"""More than ever wait."""


def lock(connection: Connection) -> None:
    """Before any row: whoever holds it waits for no row that another has."""
    take_turns(connection, _PLACES)


def places_before(
    connection: Connection, job: Job, *, now: float, most: int
) -> tuple[int, float | None]:
    """How many places are taken or are others' turn, and when the first becomes free by age.

    They are counted up to `most`.
    """
    # What is "taking long" may be stuck for a day: it no longer keeps others waiting.
    taken = _taken(*_alike(job), now - SOFT_DEADLINE, most)
    since = [float(row[0]) for row in execute(connection, taken)]
    ahead = execute(connection, _ahead(*_alike(job), job.turn, job.created_at, most)).scalar_one()
    return len(since) + ahead, since[0] + SOFT_DEADLINE if since else None


def ahead(connection: Connection, *, job: Job) -> int:
    """How many jobs wait for the same place and have their turn before it."""
    everybody = _ahead(*_alike(job), job.turn, job.created_at, _MANY)
    return int(execute(connection, everybody).scalar_one())


def call_next(connection: Connection, job: Job, *, now: float) -> None:
    """The first that waits for a place like this job's is due; one that is being saved is not."""
    execute(connection, _call(*_alike(job), now))


@once
def _taken(gateway: str, model: str, but: str, since: float, most: int) -> sa.Select[Any]:
    """When those left that hold a place, the earliest first."""
    flying = (jobs.c.status.in_(_FLYING), jobs.c.submitted_at > since)
    left = sa.select(jobs.c.submitted_at).where(*_those(gateway, model, but), *flying)
    return left.order_by(jobs.c.submitted_at).limit(most)


@once
def _ahead(
    gateway: str, model: str, but: str, turn: int, since: float, most: int
) -> sa.Select[Any]:
    """How many have their turn before that one, counted up to `most`."""
    same = sa.and_(jobs.c.turn == turn, jobs.c.created_at < since)
    earlier = sa.or_(jobs.c.turn < turn, same)
    found = sa.select(jobs.c.id).where(*_waiting(gateway, model, but), earlier).limit(most)
    return sa.select(sa.func.count()).select_from(found.subquery())


@once
def _call(gateway: str, model: str, but: str, now: float) -> sa.Update:
    first = (
        sa.select(jobs.c.id)
        .where(*_waiting(gateway, model, but))
        .order_by(jobs.c.turn, jobs.c.created_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .cte()
    )
    return sa.update(jobs).where(jobs.c.id.in_(sa.select(first.c.id))).values(due_at=now)


def _alike(job: Job) -> tuple[str, str, str]:
    """The place that this job wants, and the job itself, which is not meant."""
    return job.gateway, job.request.model, job.id


def _waiting(gateway: str, model: str, but: str) -> list[sa.ColumnElement[bool]]:
    queued = (jobs.c.status == QUEUED, jobs.c.reason == Reason.AT_ONCE.value)
    return [*_those(gateway, model, but), *queued]


def _those(gateway: str, model: str, but: str) -> tuple[sa.ColumnElement[bool], ...]:
    same = (jobs.c.gateway == gateway, jobs.c.model == model)
    return (*same, jobs.c.due_at.is_not(None), jobs.c.id != but)
