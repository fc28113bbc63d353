"""The `holds` table: gateways to which an operator lets no POST leave, or "*" for all of them.

No probe and no success ends a hold. A POST leaves, and an order is admitted, under a lock that
whoever puts a hold takes first: when the act is written, the last of them has left.
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
    """Whether no POST may leave to this gateway; by default, to any."""
    return execute(connection, _held(gateway)).first() is not None


@once
def _held(gateway: str) -> sa.Select[Any]:
    return sa.select(sa.literal(1)).where(holds.c.name.in_((EVERYTHING, gateway))).limit(1)


def let_go(connection: Connection, gateway: str, *, now: float) -> None:
    """Orders that wait for the end of a hold of this name are due."""
    waiting = [
        jobs.c.status == Status.QUEUED.value,
        jobs.c.reason == Reason.PAUSED.value,
        jobs.c.due_at > now,
    ]
    if gateway != EVERYTHING:
        waiting.append(jobs.c.gateway == gateway)
    connection.execute(sa.update(jobs).where(*waiting).values(due_at=now))


def paused_of(row: RowMapping) -> Paused:
    """The row of a gateway that is paused."""
    return Paused(
        gateway=row["name"],
        reason=Reason(row["reason"]),
        tried_at=row["tried_at"],
        refused_at=row["refused_at"],
    )


class Holds(Part):
    """Holds, and the state of gateways besides."""

    async def put(self, name: str, act: Act) -> bool:
        """Hold it from now on; whether it was not held so far. Only then is it an act."""

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
        """Those in force, by name."""
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
