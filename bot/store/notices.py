"""The `notices` table: what operators are still to be told. One transaction per method."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningUpdate

from bot.core.jobs import Reason
from bot.core.notices import Notice
from bot.store.database import Database, insert
from bot.store.tables import notices, owners


async def owe(
    connection: AsyncConnection,
    gateway: str,
    *,
    reason: Reason | None,
    detail: str,
    waiting: int,
    rooms: Iterable[str],
    now: float,
    subject: str = "",
) -> bool:
    """Let every owner be told, and every room of operators; whether there is anybody."""
    chosen = sa.select(owners.c.platform, owners.c.person).order_by(*owners.primary_key)
    people = [(row.platform, row.person) for row in await connection.execute(chosen)]
    news = {
        "reason": reason.value if reason else None,
        "detail": detail,
        "waiting": waiting,
        "written_at": now,
        "due_at": now,
        "claimed_until": None,
        "attempts": 0,
    }
    people += [(room, "") for room in sorted(rooms)]
    for platform, person in people:
        row = insert(connection, notices).values(
            gateway=gateway, subject=subject, platform=platform, person=person, **news
        )
        await connection.execute(
            row.on_conflict_do_update(index_elements=list(notices.primary_key), set_=news)
        )
    return bool(people)


def claim_due(
    table: sa.Table, platforms: Sequence[str], *, now: float, until: float, most: int
) -> ReturningUpdate[Any]:
    """Take up to `most` due rows that owe words to people of these platforms."""
    free = sa.or_(table.c.claimed_until.is_(None), table.c.claimed_until <= now)
    key = sa.tuple_(*table.primary_key)
    chosen = (
        sa.select(*table.primary_key)
        .where(table.c.platform.in_(platforms), table.c.due_at <= now, free)
        .order_by(table.c.due_at)
        .limit(most)
        .with_for_update(skip_locked=True)
        .cte()
    )
    return (
        sa.update(table)
        .where(key.in_(sa.select(chosen)))
        .values(claimed_until=until, attempts=table.c.attempts + 1)
        .returning(*table.c)
    )


class Notices:
    """Claims and outcomes of notices."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(
        self, platforms: Sequence[str], *, now: float, until: float, most: int
    ) -> list[Notice]:
        """Take up to `most` due notices for people of these platforms."""
        claimed = claim_due(notices, platforms, now=now, until=until, most=most)

        async def work(connection: AsyncConnection) -> list[Notice]:
            rows = await connection.execute(claimed)
            return [_notice_of(row) for row in rows.mappings()]

        return await self._database.run(work)

    async def next_due(self, platforms: Sequence[str]) -> float | None:
        """When the earliest notice can be claimed."""
        later = sa.func.max if self._database.is_sqlite else sa.func.greatest
        when = later(notices.c.due_at, sa.func.coalesce(notices.c.claimed_until, 0.0))
        soonest = sa.select(sa.func.min(when)).where(notices.c.platform.in_(platforms))

        async def work(connection: AsyncConnection) -> float | None:
            due: float | None = await connection.scalar(soonest)
            return due

        return await self._database.run(work)

    async def put_off(self, notice: Notice, *, due_at: float) -> None:
        """Try again then, unless there is news since."""
        await self._run(
            sa.update(notices).where(_held(notice)).values(due_at=due_at, claimed_until=None)
        )

    async def forget(self, notice: Notice) -> None:
        """It was told, or never will be; news that came since stays."""
        await self._run(sa.delete(notices).where(_held(notice)))

    async def _run(self, statement: sa.Update | sa.Delete) -> None:
        async def work(connection: AsyncConnection) -> None:
            await connection.execute(statement)

        await self._database.run(work)


def _held(notice: Notice) -> sa.ColumnElement[bool]:
    return sa.and_(
        notices.c.gateway == notice.gateway,
        notices.c.subject == notice.subject,
        notices.c.platform == notice.platform,
        notices.c.person == notice.person,
        notices.c.claimed_until == notice.claimed_until,
    )


def _notice_of(row: RowMapping) -> Notice:
    reason = Reason(row["reason"]) if row["reason"] else None
    return Notice(**{**row, "reason": reason})
