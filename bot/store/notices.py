"""The `notices` table: messages to operators that are not sent yet. One transaction per method."""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy import Connection, RowMapping

from bot.core.jobs import Reason
from bot.core.notices import Notice
from bot.store import claims
from bot.store.database import Part
from bot.store.statements import Said, put
from bot.store.tables import notices, owners

Person = tuple[str, str]
"""A platform and the id of an owner there. An empty id means all people in a room of operators."""


def everybody(connection: Connection, rooms: Iterable[str]) -> list[Person]:
    """Return all owners, and all rooms of operators, for messages to operators."""
    query = sa.select(owners.c.platform, owners.c.person).order_by(*owners.primary_key)
    known = [(row.platform, row.person) for row in connection.execute(query)]
    return [*known, *((room, "") for room in sorted(rooms))]


def owe(
    connection: Connection,
    gateway: str,
    *,
    rooms: Iterable[str],
    now: float,
    subject: str = "",
    reason: Reason | None = None,
    detail: str = "",
    waiting: int = 0,
) -> bool:
    """Write a notice to every owner and every room of operators. True if there are any."""
    news = {
        "reason": reason.value if reason else None,
        "detail": detail,
        "waiting": waiting,
        "written_at": now,
        "due_at": now,
        "claimed_until": None,
        "attempts": 0,
    }
    people = everybody(connection, rooms)
    for platform, person in people:
        whom = {"gateway": gateway, "subject": subject, "platform": platform, "person": person}
        put(connection, notices, whom, news)
    return bool(people)


class Notices(Part):
    """The notices that are not sent yet."""

    async def claim(
        self, platforms: Sequence[str], *, now: float, until: float, most: int
    ) -> list[Notice]:
        """Claim up to `most` due notices for people of these platforms."""
        claim = claims.take_words(notices, tuple(platforms))
        hand = claims.hand(now=now, until=until, most=most)
        return await self._database.rows(Said(claim, hand), _notice_of)

    async def next_due(self, platforms: Sequence[str]) -> float | None:
        """Return when the next notice can be claimed, or None."""
        is_sqlite = self._database.is_sqlite
        query = claims.next_words(notices, tuple(platforms), is_sqlite=is_sqlite)
        return await self._database.value(query)

    async def put_off(self, notice: Notice, *, due_at: float) -> None:
        later = sa.update(notices).where(_held(notice)).values(due_at=due_at, claimed_until=None)
        await self._database.write(later)

    async def forget(self, notice: Notice) -> None:
        await self._database.write(sa.delete(notices).where(_held(notice)))


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
