"""A community that got another id: everything that names it follows, in one transaction."""

from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.orders import Address
from bot.core.posts import PostKind
from bot.store.database import Database
from bot.store.rows import order_of, order_values
from bot.store.tables import jobs, places, posts


class Communities:
    """What is stored about communities as a whole."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def move(self, platform: str, old: str, new: str) -> None:
        """`old` is called `new` from now on: its jobs, limits and what was decided.

        A channel is the community's own id, or begins with it and a slash. Messages stay behind in
        the old one, and their ids mean others in the new: nothing replies to them any more, and the
        cards of jobs under way are posted anew.
        """

        async def work(connection: AsyncConnection) -> None:
            await _move_jobs(connection, platform, old, new)
            under_way = sa.select(jobs.c.id).where(
                jobs.c.platform == platform, jobs.c.community == new, jobs.c.due_at.is_not(None)
            )
            await connection.execute(
                sa.update(posts)
                .where(posts.c.kind == PostKind.CARD.value, posts.c.job_id.in_(under_way))
                .where(sa.or_(posts.c.channel_id == old, posts.c.channel_id.like(f"{old}/%")))
                .values(message_id=None, channel_id=None, sending_at=None)
            )
            decided = places.c.platform == platform
            known = sa.exists().where(decided, places.c.place == new)
            await connection.execute(
                sa.update(places).where(decided, places.c.place == old, ~known).values(place=new)
            )

        await self._database.run(work)


async def _move_jobs(connection: AsyncConnection, platform: str, old: str, new: str) -> None:
    named = sa.and_(jobs.c.platform == platform, jobs.c.community == old)
    rows = await connection.execute(sa.select(jobs.c.id, jobs.c.order_data).where(named))
    for job_id, data in rows.all():
        order = order_of(data)
        moved = replace(order, address=_moved(order.address, old, new))
        # A step under way has read the old address: behind the fence it has to read again.
        await connection.execute(
            sa.update(jobs)
            .where(jobs.c.id == job_id)
            .values(
                community=new,
                order_data=order_values(moved),
                version=jobs.c.version + 1,
                claimed_until=None,
            )
        )


def _moved(address: Address, old: str, new: str) -> Address:
    rest = address.channel.removeprefix(old)
    channel = new + rest if address.channel.startswith(old) else address.channel
    return replace(address, community=new, channel=channel, message=None)
