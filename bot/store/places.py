"""The `owners` and `places` tables: the owners of the bot, and the places where it may work."""

import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core.access import CODE
from bot.store.database import Part
from bot.store.statements import insert, once
from bot.store.tables import owners, places, settings


class Places(Part):
    """Owners, and their decisions about places."""

    async def has_owner(self) -> bool:
        """Whether the bot has an owner."""
        query = sa.select(sa.literal(1)).select_from(owners).limit(1)
        return await self._database.exists(query)

    async def is_owner(self, platform: str, person_id: str) -> bool:
        """Whether this person is an owner of the bot."""
        theirs = (owners.c.platform == platform, owners.c.person == person_id)
        return await self._database.exists(sa.select(sa.literal(1)).where(*theirs))

    async def owners(self, platform: str) -> list[str]:
        """Return the ids of the owners on this platform, the earliest owner first."""
        query = sa.select(owners.c.person).where(owners.c.platform == platform)
        first = (owners.c.since, owners.c.person)
        return await self._database.values(query.order_by(*first))

    async def claim(self, code: str, platform: str, person_id: str, *, now: float) -> bool:
        """Make this person an owner, if `code` is the stored code. The code is then used up."""
        used = (
            sa.update(settings)
            .where(settings.c.name == CODE, settings.c.value == code)
            .values(value="")
        )

        def work(connection: Connection) -> bool:
            if connection.execute(used).rowcount != 1:
                return False
            row = insert(connection, owners).values(platform=platform, person=person_id, since=now)
            connection.execute(row.on_conflict_do_nothing())
            return True

        return bool(code) and await self._database.run(work)

    async def decide(
        self, platform: str, place: str, *, allowed: bool, by: str, now: float
    ) -> None:
        """Allow or refuse a place. A later decision replaces an earlier one."""
        decision = {"allowed": allowed, "decided_by": by, "decided_at": now}
        await self._database.put(places, {"platform": platform, "place": place}, decision)

    async def decision(self, platform: str, place: str) -> bool | None:
        """Return whether the place is allowed, or None if there is no decision."""
        return await self._database.value(_decision(platform, place))


@once
def _decision(platform: str, place: str) -> sa.Select[bool]:
    return sa.select(places.c.allowed).where(places.c.platform == platform, places.c.place == place)
