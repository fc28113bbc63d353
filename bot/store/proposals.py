"""The `proposals` table: orders that are not confirmed yet. A proposal costs nothing."""

import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core.orders import Order
from bot.store.database import Part
from bot.store.rows import order_of, order_values
from bot.store.statements import insert
from bot.store.tables import proposals

KEPT = 7 * 86_400.0
"""Seconds for which a proposal can be confirmed."""


def forget_old(connection: Connection, *, now: float) -> None:
    """Remove proposals that were not confirmed in time."""
    connection.execute(sa.delete(proposals).where(proposals.c.created_at < now - KEPT))


class Proposals(Part):
    """Proposals by their ids."""

    async def put(self, proposal_id: str, order: Order, *, now: float) -> None:
        """Store or replace a proposal, and remove old proposals."""

        def work(connection: Connection) -> None:
            values = {"order_data": order_values(order)}
            row = insert(connection, proposals).values(id=proposal_id, created_at=now, **values)
            connection.execute(row.on_conflict_do_update(index_elements=["id"], set_=values))
            forget_old(connection, now=now)

        await self._database.run(work)

    async def get(self, proposal_id: str) -> Order | None:
        """Return the proposed order, or None if the proposal was dropped or is too old."""
        query = sa.select(proposals.c.order_data).where(proposals.c.id == proposal_id)
        values = await self._database.value(query)
        return order_of(values) if values is not None else None

    async def drop(self, proposal_id: str) -> None:
        """Remove a proposal. Idempotent."""
        await self._database.write(sa.delete(proposals).where(proposals.c.id == proposal_id))
