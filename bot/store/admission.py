"""Admission of jobs: one job for each event, the checks of limits, and the job's turn."""

from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core import quotas
from bot.core.errors import Refused, Stopped, Unwritten
from bot.core.jobs import Job
from bot.core.orders import Order
from bot.core.posts import PostKind
from bot.core.quotas import Limits
from bot.store import blocks, holds
from bot.store.posts import owe
from bot.store.rows import QUEUED, job_of, job_values
from bot.store.statements import execute, once, one
from bot.store.tables import jobs
from bot.store.usage import usage

_INSERT = sa.insert(jobs)


def by_event(connection: Connection, job: Job) -> Job | None:
    """Return the job that was admitted for the same event of the platform, or None."""
    call = job.order.call
    return one(connection, _by_event(call.address.platform, call.event_id), job_of)


@once
def _by_event(platform: str, event_id: str) -> sa.Select[Any]:
    return sa.select(jobs).where(jobs.c.platform == platform, jobs.c.event_id == event_id)


def admit(connection: Connection, job: Job, limits: Limits, *, now: float, card_at: float) -> Job:
    """Insert `job` with its card, which is due at `card_at`.

    Raises `Refused` if the operator or a limit refuses the order, and `Unwritten` while the
    counters of limits are in doubt.
    """
    order = job.order
    person = order.call.person.id
    refused: Refused | Unwritten | None = blocks.refusal(
        connection, order.call.address.platform, person, now=now
    )
    if refused is None and holds.is_held(connection):
        refused = Stopped()
    if refused is None:
        refused = quotas.refusal(
            usage(connection, order.call.address, person, limits, now),
            limits,
            quota_cost=job.quota_cost,
            spend_cost=job.spend_cost,
            resets_at=limits.day(now)[1],
        )
    if refused:
        raise refused
    admitted = replace(job, turn=turn(connection, order))
    connection.execute(_INSERT, job_values(admitted))
    owe(connection, admitted, {PostKind.CARD: card_at})
    return admitted


def turn(connection: Connection, order: Order) -> int:
    """Return the fair turn of a new job: a person's k-th waiting job gets round k of the queue."""
    row = execute(connection, _turns(order.call.address.platform, order.call.person.id))
    round_, own, last = row.one()
    floor = round_ if round_ is not None else (last or 0)
    return floor if own is None else max(floor, own + 1)


@once
def _turns(platform: str, person: str) -> sa.Select[Any]:
    """Select the first waiting turn, this person's last waiting turn, and the latest job's turn."""
    waiting = sa.and_(jobs.c.status == QUEUED, jobs.c.due_at.is_not(None))
    mine = sa.and_(waiting, jobs.c.platform == platform, jobs.c.person == person)
    latest = sa.select(jobs.c.turn).order_by(jobs.c.created_at.desc()).limit(1)
    return sa.select(
        sa.select(sa.func.min(jobs.c.turn)).where(waiting).scalar_subquery(),
        sa.select(sa.func.max(jobs.c.turn)).where(mine).scalar_subquery(),
        latest.scalar_subquery(),
    )
