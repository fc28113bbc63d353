"""The `holds` table: gateways that get no POST by an operator's order; "*" means all gateways.

No probe and no success ends a hold. A POST is begun, and an order admitted, under locks that `put`
takes too. So all POSTs begun before the hold have left when its act is written.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, RowMapping

from bot.core.acts import EVERYTHING, Act, Hold
from bot.core.jobs import Reason, Status
from bot.core.notices import Paused
from bot.store import turns
from bot.store.acts import note
from bot.store.database import Part
from bot.store.statements import execute, insert, once
from bot.store.tables import gateways, holds, jobs


def is_held(connection: Connection, gateway: str = EVERYTHING) -> bool:
    """Whether a hold stops POSTs to this gateway; by default, to all gateways."""
    return execute(connection, _held(gateway)).first() is not None


@once
def _held(gateway: str) -> sa.Select[Any]:
    return sa.select(sa.literal(1)).where(holds.c.name.in_((EVERYTHING, gateway))).limit(1)


def let_go(connection: Connection, gateway: str, *, now: float) -> None:
    """Make jobs due that wait for the end of the hold with this name."""
    waiting = [
        jobs.c.status == Status.QUEUED.value,
        jobs.c.reason == Reason.PAUSED.value,
        jobs.c.due_at > now,
    ]
    if gateway != EVERYTHING:
        waiting.append(jobs.c.gateway == gateway)
    connection.execute(sa.update(jobs).where(*waiting).values(due_at=now))


def paused_of(row: RowMapping) -> Paused:
    """Return the paused gateway in `row`."""
    return Paused(
        gateway=row["name"],
        reason=Reason(row["reason"]),
        tried_at=row["tried_at"],
        refused_at=row["refused_at"],
    )


class Holds(Part):
    """Holds, and queries for the state of gateways."""

    async def put(self, name: str, act: Act) -> bool:
        """Add a hold. True if there was none of this name; only then the act is written."""

        def work(connection: Connection) -> bool:
            turns.lock(connection)
            values = {"name": name, "at": act.at, "actor": act.actor, "why": act.why}
            row = insert(connection, holds).values(values)
            if connection.execute(row.on_conflict_do_nothing()).rowcount != 1:
                return False
            note(connection, act)
            return True

        return await self._database.admit(work)

    async def lift(self, name: str, act: Act) -> bool:
        def work(connection: Connection) -> bool:
            gone = connection.execute(sa.delete(holds).where(holds.c.name == name))
            if gone.rowcount != 1:
                return False
            let_go(connection, name, now=act.at)
            note(connection, act)
            return True

        return await self._database.run(work)

    async def all(self) -> list[Hold]:
        """Return all holds, by name."""
        query = sa.select(holds).order_by(holds.c.name)
        return await self._database.rows(query, lambda row: Hold(**row))

    async def paused(self) -> list[Paused]:
        return await self._database.rows(sa.select(gateways), paused_of)

    async def unfinished(self) -> list[tuple[str, Status, int]]:
        query = (
            sa.select(jobs.c.gateway, jobs.c.status, sa.func.count().label("count"))
            .where(jobs.c.due_at.is_not(None))
            .group_by(jobs.c.gateway, jobs.c.status)
        )
        return await self._database.rows(
            query, lambda row: (row["gateway"], Status(row["status"]), int(row["count"]))
        )
