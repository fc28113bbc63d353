"""The `gateways` table: an episode of trouble each, from the first refusal to the first success.

Its operators are told at both ends, in the transactions that begin and end it.
"""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.jobs import TROUBLES, Reason, Status
from bot.core.notices import REMINDER, Pause
from bot.store.database import Database, insert
from bot.store.notices import owe
from bot.store.tables import gateways, jobs

_CREATING = (Status.QUEUED.value, Status.SUBMITTING.value)
_TROUBLES = [reason.value for reason in TROUBLES]


class Gateways:
    """Which gateways are paused, until when and why."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def pause(
        self, gateway: str, pause: Pause, *, detail: str, rooms: Iterable[str], now: float
    ) -> None:
        """Leave it alone for a while; its operators are told once, and once a day."""

        async def work(connection: AsyncConnection) -> None:
            told_at = await _write(connection, gateway, pause, now=now)
            if told_at > now - REMINDER:
                return
            told = sa.update(gateways).where(gateways.c.name == gateway).values(told_at=now)
            await connection.execute(told)
            await owe(
                connection,
                gateway,
                reason=pause.reason,
                detail=detail,
                waiting=await _waiting(connection, gateway, pause),
                rooms=rooms,
                now=now,
            )

        await self._database.run(work)

    async def paused(self, gateway: str) -> Pause | None:
        """The latest pause, over or not, as long as there was no success since."""
        query = sa.select(gateways).where(gateways.c.name == gateway)

        async def work(connection: AsyncConnection) -> Pause | None:
            row = (await connection.execute(query)).first()
            return Pause(Reason(row.reason), row.paused_until, row.looking) if row else None

        return await self._database.run(work)

    async def works(
        self,
        gateway: str,
        *,
        looked: bool,
        asked_at: float,
        went_on: int,
        rooms: Iterable[str],
        now: float,
    ) -> bool:
        """A success: whether it ended an episode. What waits for its end is due now.

        What was asked before the trouble proves nothing. `went_on`: jobs that no longer wait.
        """
        over = sa.and_(gateways.c.name == gateway, gateways.c.since < asked_at)
        if looked:
            over = sa.and_(over, gateways.c.looking)

        async def work(connection: AsyncConnection) -> bool:
            if (await connection.execute(sa.delete(gateways).where(over))).rowcount != 1:
                return False
            waiting = went_on + await _let_go(connection, gateway, now=now)
            await owe(
                connection, gateway, reason=None, detail="", waiting=waiting, rooms=rooms, now=now
            )
            return True

        return await self._database.run(work)


async def _write(connection: AsyncConnection, gateway: str, pause: Pause, *, now: float) -> float:
    """When its owners were told last; 0 if this begins it. Whoever else pauses waits for us."""
    latest = {"reason": pause.reason.value, "paused_until": pause.until}
    row = insert(connection, gateways).values(
        name=gateway, since=now, told_at=0.0, looking=pause.looking, **latest
    )
    looking = sa.and_(gateways.c.looking, row.excluded.looking)
    written = await connection.execute(
        row.on_conflict_do_update(
            index_elements=["name"], set_={**latest, "looking": looking}
        ).returning(gateways.c.told_at)
    )
    return float(written.scalar_one())


async def _waiting(connection: AsyncConnection, gateway: str, pause: Pause) -> int:
    """Jobs that this trouble holds up; without a balance, what is being made goes on."""
    held = [jobs.c.gateway == gateway, jobs.c.due_at.is_not(None)]
    if pause.reason is Reason.NO_BALANCE and not pause.looking:
        held.append(jobs.c.status.in_(_CREATING))
    return await connection.scalar(sa.select(sa.func.count()).where(*held)) or 1


async def _let_go(connection: AsyncConnection, gateway: str, *, now: float) -> int:
    """How many waited for this gateway; those that nobody has in hand are due at once."""
    waiting = sa.and_(
        jobs.c.gateway == gateway,
        jobs.c.due_at.is_not(None),
        jobs.c.status.in_(_CREATING),
        jobs.c.reason.in_(_TROUBLES),
    )
    count = await connection.scalar(sa.select(sa.func.count()).where(waiting)) or 0
    queued = sa.and_(waiting, jobs.c.status == Status.QUEUED.value, jobs.c.claimed_until.is_(None))
    await connection.execute(sa.update(jobs).where(queued).values(due_at=now))
    return count
