"""A community that got another id: everything that names it follows, in one transaction.

Its old id is remembered for good: people go on answering and pressing what stands there.
"""

from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core.jobs import Status
from bot.core.orders import Address
from bot.core.posts import PostKind
from bot.store.database import Part
from bot.store.rows import order_of, order_values
from bot.store.statements import put
from bot.store.tables import jobs, moves, places, posts


class Communities(Part):
    """The rows about communities as a whole."""

    async def move(self, platform: str, old: str, new: str) -> None:
        """`old` is called `new` from now on: its jobs, limits and what was decided.

        A channel is the community's own id, or begins with it and a slash. Messages stay behind in
        the old one, and their ids mean others in the new: nothing replies to them any more, and the
        cards of jobs under way are posted anew. Said twice, or late, it does no harm.
        """

        def work(connection: Connection) -> None:
            last = _current(connection, platform, new)
            if last == old:
                return
            _remember(connection, platform, old, last)
            _move_jobs(connection, platform, old, last)
            _move_cards(connection, platform, old, last)
            decided = places.c.platform == platform
            known = sa.exists().where(decided, places.c.place == last)
            connection.execute(
                sa.update(places).where(decided, places.c.place == old, ~known).values(place=last)
            )

        await self._database.run(work)

    async def current(self, platform: str, community: str) -> str:
        """The id that it has by now, however often it moved; its own if it never did."""
        return await self._database.run(lambda it: _current(it, platform, community))

    async def ids(self, platform: str, community: str) -> list[str]:
        """Every id that it ever had, the present one first."""

        def work(connection: Connection) -> list[str]:
            last = _current(connection, platform, community)
            left = sa.select(moves.c.old).where(moves.c.platform == platform, moves.c.new == last)
            return [last, *connection.scalars(left.order_by(moves.c.old)).all()]

        return await self._database.run(work)


def _current(connection: Connection, platform: str, community: str) -> str:
    query = sa.select(moves.c.new).where(moves.c.platform == platform, moves.c.old == community)
    return connection.scalar(query) or community


def _remember(connection: Connection, platform: str, old: str, new: str) -> None:
    """Every id that was left leads straight to the one that holds."""
    earlier = sa.update(moves).where(moves.c.platform == platform, moves.c.new == old)
    connection.execute(earlier.values(new=new))
    put(connection, moves, {"platform": platform, "old": old}, {"new": new})


def _move_jobs(connection: Connection, platform: str, old: str, new: str) -> None:
    named = sa.and_(jobs.c.platform == platform, jobs.c.community == old)
    rows = connection.execute(sa.select(jobs.c.id, jobs.c.order_data).where(named))
    for job_id, data in rows.all():
        order = order_of(data)
        call = replace(order.call, address=_moved(order.call.address, old, new))
        # A step under way has read the old address: behind the fence it has to read again. A POST
        # keeps its claim: without one its sender would be taken for dead.
        posting = jobs.c.status == Status.SUBMITTING.value
        connection.execute(
            sa.update(jobs)
            .where(jobs.c.id == job_id)
            .values(
                community=new,
                order_data=order_values(replace(order, call=call)),
                version=jobs.c.version + 1,
                claimed_until=sa.case((posting, jobs.c.claimed_until), else_=None),
            )
        )


def _move_cards(connection: Connection, platform: str, old: str, new: str) -> None:
    under_way = sa.select(jobs.c.id).where(
        jobs.c.platform == platform, jobs.c.community == new, jobs.c.due_at.is_not(None)
    )
    connection.execute(
        sa.update(posts)
        .where(posts.c.kind == PostKind.CARD.value, posts.c.job_id.in_(under_way))
        .where(sa.or_(posts.c.channel_id == old, posts.c.channel_id.like(f"{old}/%")))
        # Due, as nothing else may happen to its job for long; and whoever is at it just now has
        # read where it stood: without its claim it can't give the card up.
        .values(
            message_id=None,
            channel_id=None,
            sending_at=None,
            claimed_until=None,
            version=posts.c.version + 1,
            due_at=0.0,
        )
    )


def _moved(address: Address, old: str, new: str) -> Address:
    rest = address.channel.removeprefix(old)
    channel = new + rest if address.channel.startswith(old) else address.channel
    return replace(address, community=new, channel=channel, message=None)
