"""Changes of a community's id: one transaction updates all rows that contain the id.

Old ids are kept for ever, as people still reply to old messages and press old buttons.
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
    """The ids of communities, and their changes."""

    async def move(self, platform: str, old: str, new: str) -> None:
        """Change the id `old` to `new` in jobs, limits and decisions about places.

        A channel's id is the community's id, or begins with that id and a slash. Messages stay in
        the old community, and their ids mean other messages in the new one. So the bot does not
        reply to old messages, and sends the cards of open jobs again. Idempotent, also if called
        late.
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
        """Return the present id of a community, which is `community` if it never changed."""
        return await self._database.run(lambda it: _current(it, platform, community))

    async def ids(self, platform: str, community: str) -> list[str]:
        """Return every id that the community ever had, the present id first."""

        def work(connection: Connection) -> list[str]:
            last = _current(connection, platform, community)
            left = sa.select(moves.c.old).where(moves.c.platform == platform, moves.c.new == last)
            return [last, *connection.scalars(left.order_by(moves.c.old)).all()]

        return await self._database.run(work)


def _current(connection: Connection, platform: str, community: str) -> str:
    query = sa.select(moves.c.new).where(moves.c.platform == platform, moves.c.old == community)
    return connection.scalar(query) or community


def _remember(connection: Connection, platform: str, old: str, new: str) -> None:
    """Map `old`, and all ids that mapped to it, directly to `new`."""
    earlier = sa.update(moves).where(moves.c.platform == platform, moves.c.new == old)
    connection.execute(earlier.values(new=new))
    put(connection, moves, {"platform": platform, "old": old}, {"new": new})


def _move_jobs(connection: Connection, platform: str, old: str, new: str) -> None:
    named = sa.and_(jobs.c.platform == platform, jobs.c.community == old)
    rows = connection.execute(sa.select(jobs.c.id, jobs.c.order_data).where(named))
    for job_id, data in rows.all():
        order = order_of(data)
        call = replace(order.call, address=_moved(order.call.address, old, new))
        # A running step has read the old address; the new version makes it read the row again. A
        # POST keeps its claim: without a claim its sender would count as dead.
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
        # Due now, as the job may not change for long. A worker that is editing the card has read
        # the old message: without its claim it can't park the card.
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
