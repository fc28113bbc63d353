"""The `gateways` table: an episode of trouble each, from the first refusal to the first success.

Its operators are told at both ends, in the transactions that begin and end it; what they were
told, and when, outlasts the episode in `told`.
"""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.jobs import TROUBLES, Reason, Status
from bot.core.notices import Pause, last_of, may_be_said_at
from bot.store.database import Database, insert
from bot.store.notices import owe
from bot.store.tables import gateways, jobs, told

_CREATING = (Status.QUEUED.value, Status.SUBMITTING.value)
_TROUBLES = [reason.value for reason in TROUBLES]
_WORKS = "works"
"""Among the words of `told`, the one that is no reason."""


class Gateways:
    """Which gateways are paused, until when and why."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def pause(
        self, gateway: str, pause: Pause, *, detail: str, rooms: Iterable[str], now: float
    ) -> None:
        """Leave it alone for a while; its operators are told, unless it is too soon for that."""

        async def work(connection: AsyncConnection) -> None:
            await _write(connection, gateway, pause, now=now)
            if may_be_said_at(pause.reason, await _told(connection, gateway)) > now:
                return
            await _tell(
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
        self, gateway: str, *, looked: bool, asked_at: float, rooms: Iterable[str], now: float
    ) -> bool:
        """A success: whether it ended an episode. What waits for its end is due now.

        What was asked before the trouble proves nothing.
        """
        over = sa.and_(gateways.c.name == gateway, gateways.c.since < asked_at)
        if looked:
            over = sa.and_(over, gateways.c.looking)

        async def work(connection: AsyncConnection) -> bool:
            if (await connection.execute(sa.delete(gateways).where(over))).rowcount != 1:
                return False
            await _let_go(connection, gateway, now=now)
            if last_of(await _told(connection, gateway)) is not None:
                await _tell(
                    connection, gateway, reason=None, detail="", waiting=0, rooms=rooms, now=now
                )
            return True

        return await self._database.run(work)


async def _write(connection: AsyncConnection, gateway: str, pause: Pause, *, now: float) -> None:
    """Begins the episode, or goes on with it. Whoever else pauses waits for us."""
    latest = {"reason": pause.reason.value, "paused_until": pause.until}
    row = insert(connection, gateways).values(
        name=gateway, since=now, looking=pause.looking, **latest
    )
    looking = sa.and_(gateways.c.looking, row.excluded.looking)
    await connection.execute(
        row.on_conflict_do_update(index_elements=["name"], set_={**latest, "looking": looking})
    )


async def _told(connection: AsyncConnection, gateway: str) -> dict[Reason | None, float]:
    rows = await connection.execute(sa.select(told).where(told.c.gateway == gateway))
    return {None if row.word == _WORKS else Reason(row.word): row.at for row in rows}


async def _tell(
    connection: AsyncConnection,
    gateway: str,
    *,
    reason: Reason | None,
    detail: str,
    waiting: int,
    rooms: Iterable[str],
    now: float,
) -> None:
    row = insert(connection, told).values(
        gateway=gateway, word=reason.value if reason else _WORKS, at=now
    )
    await connection.execute(
        row.on_conflict_do_update(index_elements=list(told.primary_key), set_={"at": now})
    )
    await owe(
        connection, gateway, reason=reason, detail=detail, waiting=waiting, rooms=rooms, now=now
    )


async def _waiting(connection: AsyncConnection, gateway: str, pause: Pause) -> int:
    """Jobs that this trouble holds up; without a balance, what is being made goes on."""
    held = [jobs.c.gateway == gateway, jobs.c.due_at.is_not(None)]
    if pause.reason is Reason.NO_BALANCE and not pause.looking:
        held.append(jobs.c.status.in_(_CREATING))
    return await connection.scalar(sa.select(sa.func.count()).where(*held)) or 1


async def _let_go(connection: AsyncConnection, gateway: str, *, now: float) -> None:
    """What waited for this gateway is due at once, unless somebody has it in hand."""
    waiting = sa.and_(
        jobs.c.gateway == gateway,
        jobs.c.due_at.is_not(None),
        jobs.c.status == Status.QUEUED.value,
        jobs.c.claimed_until.is_(None),
        jobs.c.reason.in_(_TROUBLES),
    )
    await connection.execute(sa.update(jobs).where(waiting).values(due_at=now))
