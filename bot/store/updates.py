"""The `updates` table: the inbox of platforms that tell things only once.

They are told that we have something only after it was committed here, so a crash costs nothing.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import Connection, RowMapping

from bot.core.updates import Update
from bot.store.database import Database, Part
from bot.store.statements import insert
from bot.store.tables import updates

KEPT = 2 * 86_400.0
"""Seconds for which the number of a handled update is remembered: longer than any redelivery."""


class Updates(Part):
    """One account's inbox. Each method is one whole transaction."""

    def __init__(self, database: Database, source: str) -> None:
        """`source` names the platform and the account that is told things there."""
        super().__init__(database)
        self._ours = updates.c.source == source
        self._source = source

    async def put(self, arrived: Sequence[Update]) -> None:
        """Keep them all; one that is known already is not handled again."""
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
        """The number that came last, handled or not; numbers do not grow for ever."""
        query = (
            sa.select(updates.c.id)
            .where(self._ours)
            .order_by(updates.c.received_at.desc(), updates.c.id.desc())
            .limit(1)
        )
        return await self._database.value(query)

    async def due(self, *, now: float, most: int) -> list[Update]:
        """The first of each lane that may be handled now; urgent ones lead."""
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
        """The waiting updates behind this one in its lane, in order."""
        query = (
            sa.select(updates)
            .where(self._ours, updates.c.lane == update.lane, updates.c.id > update.id)
            .where(updates.c.due_at.is_not(None))
            .order_by(updates.c.id)
        )
        return await self._database.rows(query, _update)

    async def next_due(self, *, now: float) -> float | None:
        """When the next one may be handled, beside those that may be by now."""
        query = sa.select(sa.func.min(updates.c.due_at)).where(self._ours, updates.c.due_at > now)
        return await self._database.value(query)

    async def done(self, *handled: Update) -> None:
        """Handled, or given up: what was in them is forgotten, their numbers are not."""
        for update in handled:
            await self._change(update, due_at=None, data=None)

    async def put_off(self, update: Update, *, due_at: float, tried: bool = True) -> None:
        """Try again then; its lane waits meanwhile. `tried`: whether this counts as a try."""
        await self._change(update, due_at=due_at, attempts=update.attempts + tried)

    async def _change(self, update: Update, **values: object) -> None:
        named = (self._ours, updates.c.id == update.id)
        await self._database.write(sa.update(updates).where(*named).values(values))


def _update(row: RowMapping) -> Update:
    return Update(
        id=row["id"],
        lane=row["lane"],
        data=row["data"],
        received_at=row["received_at"],
        urgent=row["urgent"],
        attempts=row["attempts"],
    )
