"""The `grants` table: an operator's extras for today on the limits of a person, community or purse.

Grants are written under the lock of admissions, which count them.
"""

from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core.acts import Act
from bot.core.allowances import Whose, regained
from bot.core.errors import Refused
from bot.core.orders import Address
from bot.core.quotas import TRIES_PER_VIDEO, Granted, Limits
from bot.store import usage
from bot.store.acts import note
from bot.store.database import Part
from bot.store.tables import acts, grants


class Grants(Part):
    """Grants by an operator, each for one day."""

    async def add(
        self,
        whose: Whose,
        limits: Limits,
        act: Act,
        *,
        videos: int = 0,
        money: int = 0,
        once_since: float | None = None,
    ) -> None:
        given = Granted(
            person_videos=videos,
            person_paid=videos,
            person_tries=videos * TRIES_PER_VIDEO,
            community_videos=videos,
            purse_videos=videos,
            purse_money=money,
        )

        def work(connection: Connection) -> None:
            if once_since is not None:
                _check_new(connection, act, since=once_since)
            _insert(connection, whose, limits, given, act)
            note(connection, act)

        await self._database.admit(work)

    async def reset(self, whose: Whose, limits: Limits, act: Act) -> bool:
        person = whose.person or ""
        address = Address(platform=whose.platform or "", channel="", community=whose.community)

        def work(connection: Connection) -> bool:
            used = usage.usage(connection, address, person, limits, act.at)
            given = regained(whose, used)
            if given == Granted():
                return False
            _insert(connection, whose, limits, given, act)
            note(connection, replace(act, details={"given": _figures(whose, given)}))
            return True

        return await self._database.admit(work)


def _check_new(connection: Connection, act: Act, *, since: float) -> None:
    same = (acts.c.action == act.action, acts.c.subject == act.subject, acts.c.at >= since)
    query = sa.select(acts.c.at, acts.c.actor, acts.c.details).where(*same)
    for at, actor, details in connection.execute(query.order_by(acts.c.id.desc())):
        if details == dict(act.details):
            minutes = max(0, int((act.at - at) // 60))
            if not minutes:
                raise Refused("grant_repeated_now", actor=actor)
            raise Refused("grant_repeated", minutes=minutes, actor=actor)


def _insert(connection: Connection, whose: Whose, limits: Limits, given: Granted, act: Act) -> None:
    connection.execute(
        sa.insert(grants).values(
            at=act.at,
            purse=usage.purse_name(limits.purse),
            platform=whose.platform,
            person=whose.person,
            community=None if whose.person else whose.community,
            **_figures(whose, given),
        )
    )


def _figures(whose: Whose, given: Granted) -> dict[str, int]:
    if whose.person:
        videos, paid, tries = given.person_videos, given.person_paid, given.person_tries
        return {"videos": videos, "paid": paid, "tries": tries, "money": 0}
    if whose.community:
        return {"videos": given.community_videos, "paid": 0, "tries": 0, "money": 0}
    return {"videos": given.purse_videos, "paid": 0, "tries": 0, "money": given.purse_money}
