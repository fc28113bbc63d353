"""The `updates` table: an inbox for updates that a platform delivers only once.

An update is acknowledged to the platform only after it is committed here, so a crash loses nothing.
"""

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, RowMapping

from bot.core.updates import Update
from bot.store.database import Database, Part
from bot.store.statements import insert
from bot.store.tables import updates

KEPT = 2 * 86_400.0
"""Seconds for which the id of a handled update is kept: longer than any redelivery takes."""


Keeps = Callable[[dict[str, Any]], dict[str, Any] | None]


def nothing(_: dict[str, Any]) -> None:
    """Return None: a handled update keeps nothing of its content."""


class Updates(Part):
    """The inbox of one account. Each write of a method is one whole transaction."""

    def __init__(self, database: Database, source: str, *, keeps: Keeps = nothing) -> None:
        """`source` names the platform and the bot's account there.

        `keeps` returns the part of a handled update's content that its row keeps.
        """
        super().__init__(database)
        self._keeps = keeps
        self._ours = updates.c.source == source
        self._source = source

    async def put(self, arrived: Sequence[Update]) -> None:
        """Store these updates, and delete old handled ones. Known updates are not stored again."""
        if not arrived:
            return
        rows = [
            {
                "source": self._source,
                "id": each.id,
                "lane": each.lane,
                "urgent": each.urgent,
                "data": each.data,
                "received_at": each.received_at,
                "due_at": each.received_at + each.wait,
                "attempts": 0,
            }
            for each in arrived
        ]
        newest = max(each.id for each in arrived)
        old = max(each.received_at for each in arrived) - KEPT
        forgotten = sa.delete(updates).where(
            self._ours,
            updates.c.due_at.is_(None),
            updates.c.received_at < old,
            updates.c.id < newest,
        )

        def work(connection: Connection) -> None:
            connection.execute(insert(connection, updates).on_conflict_do_nothing(), rows)
            connection.execute(forgotten)

        await self._database.run(work)

    async def latest(self) -> int | None:
        """Return the id that was received last, or None. Ids of a platform may restart lower."""
        query = (
            sa.select(updates.c.id)
            .where(self._ours)
            .order_by(updates.c.received_at.desc(), updates.c.id.desc())
            .limit(1)
        )
        return await self._database.value(query)

    async def due(self, *, now: float, most: int) -> list[Update]:
        """Return the first update of each lane, if it is due. Urgent updates come first."""
        earlier = updates.alias()
        first = ~sa.exists().where(
            earlier.c.source == self._source,
            earlier.c.due_at.is_not(None),
            earlier.c.lane == updates.c.lane,
            earlier.c.id < updates.c.id,
        )
        query = (
            sa.select(updates)
            .where(self._ours, updates.c.due_at <= now, first)
            .order_by(updates.c.urgent.desc(), updates.c.id)
            .limit(most)
        )
        return await self._database.rows(query, _update)

    async def behind(self, update: Update) -> list[Update]:
        """Return the unhandled updates after this one in its lane, in order."""
        query = (
            sa.select(updates)
            .where(self._ours, updates.c.lane == update.lane, updates.c.id > update.id)
            .where(updates.c.due_at.is_not(None))
            .order_by(updates.c.id)
        )
        return await self._database.rows(query, _update)

    async def of_lane(self, lane: str, *, since: float) -> list[Update]:
        """Return the updates of a lane, in order, that arrived since then and still have content,
        handled or not."""
        query = (
            sa.select(updates)
            .where(self._ours, updates.c.received_at >= since)
            .where(updates.c.lane == lane, updates.c.data.is_not(None))
            .order_by(updates.c.id)
        )
        return await self._database.rows(query, _update)

    async def next_due(self, *, now: float) -> float | None:
        """Return when the next update that is not due yet will be due, or None."""
        query = sa.select(sa.func.min(updates.c.due_at)).where(self._ours, updates.c.due_at > now)
        return await self._database.value(query)

    async def done(self, *handled: Update) -> None:
        """Mark updates as handled or given up, all in one transaction.

        Their ids are kept, and of their contents what `keeps` returns.
        """

        def work(connection: Connection) -> None:
            for each in handled:
                kept = {"due_at": None, "data": self._keeps(each.data)}
                connection.execute(sa.update(updates).where(*self._named(each)).values(kept))

        await self._database.run(work)

    async def put_off(self, update: Update, *, due_at: float, tried: bool = True) -> None:
        """Postpone the update and its lane. `tried`: whether this counts as a try."""
        await self._change(update, due_at=due_at, attempts=update.attempts + tried)

    async def _change(self, update: Update, **values: object) -> None:
        await self._database.write(sa.update(updates).where(*self._named(update)).values(values))

    def _named(self, update: Update) -> tuple[sa.ColumnElement[bool], ...]:
        return self._ours, updates.c.id == update.id


def _update(row: RowMapping) -> Update:
    return Update(
        id=row["id"],
        lane=row["lane"],
        data=row["data"],
        received_at=row["received_at"],
        urgent=row["urgent"],
        attempts=row["attempts"],
    )
