"""The line of videos that are to be converted, as the rows have it."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.conversions import Waiting
from bot.core.jobs import Status
from bot.core.posts import PostKind
from bot.store.database import Database
from bot.store.rows import video_of
from bot.store.tables import jobs, posts

_literal_queued = sa.literal(Status.QUEUED.value, literal_execute=True)
_in_line = sa.and_(
    jobs.c.due_at.is_not(None),
    jobs.c.status != _literal_queued,  # so that the partial index is used
    jobs.c.status == Status.CONVERTING.value,
)


class Line:
    """Implements the core's `Line`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def waiting(self) -> list[Waiting]:
        """All that are to be converted, in their order."""
        query = sa.select(jobs.c.id, jobs.c.unconverted).where(_in_line).order_by(jobs.c.due_at)

        async def work(connection: AsyncConnection) -> list[Waiting]:
            rows = await connection.execute(query)
            return [
                Waiting(job_id, video)
                for job_id, values in rows
                if (video := video_of(values)) is not None
            ]

        return await self._database.run(work)

    async def redraw(self, *, now: float) -> None:
        """The cards of all of them are due."""
        cards = sa.and_(
            posts.c.kind == PostKind.CARD.value,
            posts.c.job_id.in_(sa.select(jobs.c.id).where(_in_line)),
        )

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(sa.update(posts).where(cards).values(due_at=now))

        await self._database.run(work)
