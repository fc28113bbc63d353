"""The queue of videos that wait for their conversion."""

import sqlalchemy as sa

from bot.core.conversions import Waiting
from bot.core.jobs import Status
from bot.core.posts import PostKind
from bot.store.database import Part
from bot.store.rows import SPELT, video_of
from bot.store.tables import jobs, posts

_in_line = sa.and_(
    jobs.c.due_at.is_not(None),
    jobs.c.status == SPELT[Status.CONVERTING],
)


class ConversionQueue(Part):
    """Implements the core's `ConversionQueue`: the jobs whose videos wait for a conversion."""

    async def waiting(self) -> list[Waiting]:
        """Return all videos in the queue, in order."""
        query = sa.select(jobs.c.id, jobs.c.unconverted).where(_in_line).order_by(jobs.c.due_at)
        found = await self._database.rows(query, lambda it: (it["id"], video_of(it["unconverted"])))
        return [Waiting(job_id, video) for job_id, video in found if video is not None]

    async def redraw(self, *, now: float) -> None:
        cards = sa.and_(
            posts.c.kind == PostKind.CARD.value,
            posts.c.job_id.in_(sa.select(jobs.c.id).where(_in_line)),
        )
        await self._database.write(sa.update(posts).where(cards).values(due_at=now))
