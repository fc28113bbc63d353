"""Claims: leases on rows that are due. A claim expires, so a crash frees its rows.

A claim names its rows as groups. Each group has a partial index ordered by due time, so the cost of
a claim and of the next due time does not grow with the number of waiting rows.

Building such a statement takes longer than running it. So each statement is built once, and `hand`
makes the values for each run.
"""

from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.dml import ReturningUpdate

from bot.store.database import Database

FEW = 64
"""Maximum number of due rows to sort by turn; more rows are read through the index of turns."""
_NEVER = 1e300
_NOW, _UNTIL = sa.bindparam("now", type_=sa.Double), sa.bindparam("until", type_=sa.Double)
_MOST = sa.bindparam("most", type_=sa.Integer)

Which = sa.ColumnElement[bool]


def hand(*, now: float, until: float, most: int, but: Collection[Any] = ()) -> dict[str, Any]:
    """Return the bound values of a statement that claims up to `most` rows, but none of `but`."""
    return {"now": now, "until": until, "most": most, **others(but)}


def others(but: Collection[Any]) -> dict[str, Any]:
    """Return the bound value of a statement that leaves out the rows with these ids."""
    return {"but": list(but)} if but else {}


def take(
    table: sa.Table, groups: Sequence[Which], *, but: bool, **changed: sa.ColumnElement[int]
) -> ReturningUpdate[Any]:
    """Build a claim on the earliest due rows; the claimed rows are returned in any order.

    `but`: whether some rows are left out. `changed`: other columns to set.
    """
    due = [_due(table, group, but=but, most=_MOST) for group in groups]
    if len(due) == 1:
        return _claim(table, due[0], **changed)
    every = sa.union_all(*(sa.select(*one.subquery().c) for one in due)).subquery()
    return _claim(table, sa.select(every).order_by(every.c.due_at).limit(_MOST), **changed)


def take_by_turn(
    table: sa.Table,
    group: Which,
    *,
    turn: Sequence[sa.Column[Any]],
    many: bool,
    but: bool,
    **changed: sa.ColumnElement[int],
) -> ReturningUpdate[Any]:
    """Build a claim on due rows in the order of `turn`. `many`: more than `FEW` are due."""
    if many:
        chosen = _due(table, group, but=but, most=_MOST, order=turn)
    else:
        few = _due(table, group, but=but, most=FEW, more=turn).subquery()
        chosen = sa.select(few).order_by(*(few.c[column.name] for column in turn)).limit(_MOST)
    return _claim(table, chosen, **changed)


def due_up_to(table: sa.Table, group: Which, *, most: int) -> sa.Select[int]:
    """Build a query for the number of due rows of a group, counted up to `most`."""
    due = sa.select(table.c.due_at).where(group, table.c.due_at <= _NOW)
    return sa.select(sa.func.count()).select_from(due.limit(most).subquery())


@cache
def take_words(table: sa.Table, platforms: tuple[str, ...]) -> ReturningUpdate[Any]:
    """Build a claim on due messages (notices or reports) to people of these platforms."""
    return take(table, on(table, platforms), but=False, attempts=table.c.attempts + 1)


@cache
def next_words(table: sa.Table, platforms: tuple[str, ...], *, is_sqlite: bool) -> sa.Select[Any]:
    """Build a query for when the next message to people of these platforms can be claimed."""
    return next_due(table, on(table, platforms), but=False, is_sqlite=is_sqlite)


def on(table: sa.Table, platforms: Iterable[str]) -> list[Which]:
    """Return a condition for the rows of each platform."""
    return [table.c.platform == platform for platform in platforms] or [sa.false()]


async def renew(database: Database, table: sa.Table, ids: Collection[Any], *, until: float) -> None:
    """Extend the claims on these rows. A claim that was released stays released."""
    held = sa.and_(table.c.id.in_(ids), table.c.claimed_until.is_not(None))
    await database.write(sa.update(table).where(held).values(claimed_until=until))


async def expire(database: Database, table: sa.Table, *, now: float) -> int:
    """Expire all claims on rows of this table, and return their number.

    Called when the service starts. No other process runs then, so the claims are those of processes
    that have died.
    """
    held = table.c.claimed_until > now
    return await database.write(sa.update(table).where(held).values(claimed_until=now))


def next_due(
    table: sa.Table, groups: Sequence[Which], *, but: bool, is_sqlite: bool
) -> sa.Select[Any]:
    """Build a query for when the next row of these groups can be claimed.

    `but`: whether some rows are left out.
    """
    later = sa.func.max if is_sqlite else sa.func.greatest
    times: list[sa.Select[Any]] = []
    for group in groups:
        which = (group, table.c.due_at.is_not(None), *_not_in(table, but))
        free = sa.select(table.c.due_at.label("at")).where(*which, table.c.claimed_until.is_(None))
        first = free.order_by(table.c.due_at).limit(1)
        # Only a claimed row that is due before the first free row can be earlier, and all rows
        # due before the first free row are claimed: so this reads claimed rows and no others.
        before = table.c.due_at < sa.func.coalesce(first.scalar_subquery(), _NEVER)
        runs_out = sa.func.min(later(table.c.due_at, table.c.claimed_until)).label("at")
        held = sa.select(runs_out).where(*which, table.c.claimed_until.is_not(None), before)
        times += [sa.select(first.subquery().c.at), held]
    return sa.select(sa.func.min(sa.union_all(*times).subquery().c.at))


def _due(
    table: sa.Table,
    group: Which,
    *,
    but: bool,
    most: int | sa.BindParameter[int],
    order: Sequence[sa.Column[Any]] = (),
    more: Sequence[sa.Column[Any]] = (),
) -> sa.Select[Any]:
    """Select the keys of the first due rows of a group that no worker has claimed."""
    free = sa.or_(table.c.claimed_until.is_(None), table.c.claimed_until <= _NOW)
    return (
        sa.select(*table.primary_key, table.c.due_at, *more)
        .where(group, table.c.due_at <= _NOW, free, *_not_in(table, but))
        .order_by(*(order or [table.c.due_at]))
        .limit(most)
        .with_for_update(skip_locked=True)
    )


def _claim(
    table: sa.Table, chosen: sa.Select[Any], **changed: sa.ColumnElement[int]
) -> ReturningUpdate[Any]:
    # A CTE runs once. A plan may run a subquery several times, each time with its own limit.
    taken = chosen.cte()
    keys = list(table.primary_key)
    key = sa.tuple_(*keys) if len(keys) > 1 else keys[0]
    return (
        sa.update(table)
        .where(key.in_(sa.select(*(taken.c[column.name] for column in keys))))
        .values(claimed_until=_UNTIL, **changed)
        .returning(*table.c)
    )


def _not_in(table: sa.Table, but: bool) -> list[Which]:
    ids = sa.bindparam("but", type_=table.c.id.type, expanding=True) if but else None
    return [] if ids is None else [table.c.id.not_in(ids)]
