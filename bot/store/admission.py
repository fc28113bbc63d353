"""The rows that an admission rests on: the same event, the person's turn, and what counts today."""

from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core import quotas
from bot.core.errors import Stopped
from bot.core.jobs import SOFT_DEADLINE, Job, Status
from bot.core.orders import Address, Order
from bot.core.posts import PostKind
from bot.core.quotas import Granted, Limits, Purse, Usage
from bot.store import blocks, holds
from bot.store.posts import owe
from bot.store.rows import QUEUED, job_of, job_values
from bot.store.statements import one
from bot.store.tables import grants, jobs


async def by_event(connection: AsyncConnection, job: Job) -> Job | None:
    """The job that was admitted for the same event of its platform, if one was."""
    query = sa.select(jobs).where(
        jobs.c.platform == job.order.call.address.platform,
        jobs.c.event_id == job.order.call.event_id,
    )
    return await one(connection, query, job_of)


async def admit(
    connection: AsyncConnection, job: Job, limits: Limits, *, now: float, card_at: float
) -> Job:
    """Insert `job` and owe its card. Raises `Refused` where the operator or a limit says no."""
    order = job.order
    person = order.call.person.id
    refused = await blocks.refusal(connection, order.call.address.platform, person, now=now)
    if refused is None and await holds.is_held(connection):
        refused = Stopped()
    if refused is None:
        refused = quotas.refusal(
            await usage(connection, order.call.address, person, limits, now),
            limits,
            quota_cost=job.quota_cost,
            spend_cost=job.spend_cost,
            resets_at=limits.day(now)[1],
        )
    if refused:
        raise refused
    admitted = replace(job, turn=await turn(connection, order))
    await connection.execute(sa.insert(jobs).values(job_values(admitted)))
    await owe(connection, admitted, {PostKind.CARD: card_at})
    return admitted


async def turn(connection: AsyncConnection, order: Order) -> int:
    """Fair order: a person's k-th waiting job stands in round k of the present queue."""
    waiting = sa.and_(jobs.c.status == QUEUED, jobs.c.due_at.is_not(None))
    mine = sa.and_(
        waiting,
        jobs.c.platform == order.call.address.platform,
        jobs.c.person == order.call.person.id,
    )
    latest = sa.select(jobs.c.turn).order_by(jobs.c.created_at.desc()).limit(1).scalar_subquery()
    row = await connection.execute(
        sa.select(
            sa.select(sa.func.min(jobs.c.turn)).where(waiting).scalar_subquery(),
            sa.select(sa.func.max(jobs.c.turn)).where(mine).scalar_subquery(),
            latest,
        )
    )
    round_, own, last = row.one()
    floor = round_ if round_ is not None else (last or 0)
    return floor if own is None else max(floor, own + 1)


async def usage(
    connection: AsyncConnection, address: Address, person_id: str, limits: Limits, now: float
) -> Usage:
    """The figures that limits are compared with: of a person, a community and a purse."""
    today = jobs.c.created_at >= limits.day(now)[0]
    ours = _of(limits.purse)
    here = sa.and_(ours, jobs.c.platform == address.platform)
    person = sa.and_(here, jobs.c.person == person_id)
    community = sa.and_(here, jobs.c.community == address.community)
    # From its admission on, until a gateway's no that is free or a cancel: whatever holds its
    # place here can't be sent beyond the limit later.
    paid = sa.case((jobs.c.spend_cost > 0, 1), else_=0)
    row = await connection.execute(
        sa.select(
            _sum(jobs.c.quota_cost, today, person),
            _sum(sa.literal(1), today, person),
            _sum(paid, today, person),
            _sum(sa.literal(1), _running(now), person),
            _sum(jobs.c.quota_cost, today, community),
            _sum(paid, today, ours),
            _sum(jobs.c.spend_cost, today, ours),
        )
    )
    figures = (int(figure) for figure in row.one())
    mine, tries, paid_for, at_once, theirs, videos, money = figures
    return Usage(
        person_videos=mine,
        person_tries=tries,
        person_paid=paid_for,
        person_at_once=at_once,
        community_videos=theirs if address.community else None,
        purse_videos=videos,
        purse_money=money,
        granted=await granted(connection, address, person_id, limits, now),
    )


async def granted(
    connection: AsyncConnection, address: Address, person_id: str, limits: Limits, now: float
) -> Granted:
    """The sums of an operator's grants of this day, for each of the three."""
    today = sa.and_(grants.c.at >= limits.day(now)[0], grants.c.purse == purse_name(limits.purse))
    here = sa.and_(today, grants.c.platform == address.platform)
    person = sa.and_(here, grants.c.person == person_id)
    community = sa.and_(here, grants.c.community == address.community)
    ours = sa.and_(today, grants.c.platform.is_(None))
    row = await connection.execute(
        sa.select(
            _sum(grants.c.videos, person),
            _sum(grants.c.tries, person),
            _sum(grants.c.paid, person),
            _sum(grants.c.videos, community),
            _sum(grants.c.videos, ours),
            _sum(grants.c.money, ours),
        )
    )
    mine, tries, paid, theirs, videos, money = (int(figure) for figure in row.one())
    return Granted(
        person_videos=mine,
        person_tries=tries,
        person_paid=paid,
        community_videos=theirs,
        purse_videos=videos,
        purse_money=money,
    )


def purse_name(purse: Purse) -> str:
    """The name under which a purse's grants are kept."""
    return purse.gateway or ""


def _running(now: float) -> sa.ColumnElement[bool]:
    """Parked rows are nobody's turn: they must not keep their person waiting for ever."""
    looked_at = sa.and_(
        jobs.c.status == Status.IN_PROGRESS, jobs.c.submitted_at > now - SOFT_DEADLINE
    )
    begun = sa.or_(jobs.c.status.in_((Status.QUEUED, Status.SUBMITTING)), looked_at)
    return sa.and_(jobs.c.due_at.is_not(None), begun)


def _of(purse: Purse) -> sa.ColumnElement[bool]:
    if purse.gateway is not None:
        return jobs.c.gateway == purse.gateway
    return jobs.c.gateway.not_in(sorted(purse.others))


def _sum(column: sa.ColumnElement[int], *where: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    return sa.select(sa.func.coalesce(sa.func.sum(column), 0)).where(*where).scalar_subquery()
