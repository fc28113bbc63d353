"""The files that rows still need: a backup takes them along."""

import sqlalchemy as sa

from bot.core.fetching import received_in
from bot.core.jobs import MOVES, Status
from bot.store.keys import of_order, of_video
from bot.store.tables import jobs

_OVER = [status.value for status in Status if not MOVES[status]]


def wanted(connection: sa.Connection, *, since: float = 0.0) -> dict[str, str]:
    """The key of each file, and the job that needs it.

    Those are videos, unless they were delivered before `since`; and pictures and sounds of jobs
    that are not over, for as long as those are kept.
    """
    is_new = sa.or_(jobs.c.delivered_at.is_(None), jobs.c.delivered_at >= since)
    is_open = jobs.c.status.not_in(_OVER)
    videos = (jobs.c.video, jobs.c.unconverted)
    inputs = (jobs.c.order_data, jobs.c.sources, jobs.c.inputs_gone_at)
    query = sa.select(jobs.c.id, jobs.c.status, *videos, *inputs)
    query = query.where(sa.or_(is_open, sa.and_(jobs.c.video.is_not(None), is_new)))
    found: dict[str, str] = {}
    for row in connection.execute(query):
        keys = [*of_video(row.video), *of_video(row.unconverted)]
        if row.status not in _OVER:
            keys += received_in(row.sources)
            if row.inputs_gone_at is None:
                keys += of_order(row.order_data)
        found |= dict.fromkeys(keys, row.id)
    return found
