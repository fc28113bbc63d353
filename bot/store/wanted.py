"""The files that rows still need, which a backup includes."""

import sqlalchemy as sa

from bot.core.fetching import received_in
from bot.core.jobs import MOVES, Status
from bot.store.keys import of_order, of_video
from bot.store.tables import jobs

PAGE = 500
"""Rows that are read at a time: they block the event loop for a hundredth of a second."""
_OVER = [status.value for status in Status if not MOVES[status]]


def wanted(connection: sa.Connection, *, since: float = 0.0) -> dict[str, str]:
    """Return the key of each needed file, and the job that needs the file.

    Needed files are videos, unless they were delivered before `since`, and pictures and sounds of
    jobs that are not final, if they are still kept.
    """
    found: dict[str, str] = {}
    after: str | None = ""
    while after is not None:
        page, after = page_of(connection, since=since, after=after)
        found |= page
    return found


def page_of(
    connection: sa.Connection, *, since: float, after: str
) -> tuple[dict[str, str], str | None]:
    """Return the needed files of some jobs with ids after `after`, and the last id read.

    The last id is None if there are no more jobs.
    """
    is_new = sa.or_(jobs.c.delivered_at.is_(None), jobs.c.delivered_at >= since)
    is_open = jobs.c.status.not_in(_OVER)
    videos = (jobs.c.video, jobs.c.unconverted)
    inputs = (jobs.c.order_data, jobs.c.sources, jobs.c.inputs_gone_at)
    query = sa.select(jobs.c.id, jobs.c.status, *videos, *inputs)
    query = query.where(sa.or_(is_open, sa.and_(jobs.c.video.is_not(None), is_new)))
    query = query.where(jobs.c.id > after).order_by(jobs.c.id).limit(PAGE)
    rows, found = connection.execute(query).all(), dict[str, str]()
    for row in rows:
        keys = [*of_video(row.video), *of_video(row.unconverted)]
        if row.status not in _OVER:
            keys += received_in(row.sources)
            if row.inputs_gone_at is None:
                keys += of_order(row.order_data)
        found |= dict.fromkeys(keys, row.id)
    return found, rows[-1].id if len(rows) == PAGE else None
