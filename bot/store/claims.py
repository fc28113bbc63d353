"""Claims on rows that are due: taken for a while, so that a crash gives them back by itself."""

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.dml import ReturningUpdate

from bot.store.database import Database


def take(
    table: sa.Table,
    *which: sa.ColumnElement[bool],
    first: Collection[sa.ColumnElement[Any]],
    now: float,
    until: float,
    most: int,
    **changed: sa.ColumnElement[int],
) -> ReturningUpdate[Any]:
    """Claim up to `most` due rows in the order of `first`; it returns them in any order."""
    keys = list(table.primary_key)
    free = sa.or_(table.c.claimed_until.is_(None), table.c.claimed_until <= now)
    chosen = sa.select(*keys).where(*which, table.c.due_at <= now, free).order_by(*first)
    # A CTE is run once, whatever the plan: the limit of a subquery holds for each of its runs.
    taken = chosen.limit(most).with_for_update(skip_locked=True).cte()
    key = sa.tuple_(*keys) if len(keys) > 1 else keys[0]
    return (
        sa.update(table)
        .where(key.in_(sa.select(taken)))
        .values(claimed_until=until, **changed)
        .returning(*table.c)
    )


def take_words(
    table: sa.Table, platforms: Collection[str], *, now: float, until: float, most: int
) -> ReturningUpdate[Any]:
    """Claim up to `most` due rows that owe words to people of these platforms."""
    theirs, tries = table.c.platform.in_(platforms), table.c.attempts + 1
    first = [table.c.due_at]
    return take(table, theirs, first=first, now=now, until=until, most=most, attempts=tries)


async def renew(database: Database, table: sa.Table, ids: Collection[Any], *, until: float) -> None:
    """Let the claims on these rows last until then; one that was let go stays so."""
    held = sa.and_(table.c.id.in_(ids), table.c.claimed_until.is_not(None))
    await database.write(sa.update(table).where(held).values(claimed_until=until))


async def expire(database: Database, table: sa.Table, *, now: float) -> int:
    """At the start of the only process: every older claim belongs to the dead."""
    held = table.c.claimed_until > now
    return await database.write(sa.update(table).where(held).values(claimed_until=now))


async def next_due(
    database: Database, table: sa.Table, *which: sa.ColumnElement[bool]
) -> float | None:
    """When the earliest of these rows can be claimed."""
    is_due = table.c.due_at.is_not(None)
    later = sa.func.max if database.is_sqlite else sa.func.greatest
    when = later(table.c.due_at, sa.func.coalesce(table.c.claimed_until, 0.0))
    return await database.value(sa.select(sa.func.min(when)).where(is_due, *which))
