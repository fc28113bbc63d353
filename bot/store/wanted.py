"""The files that rows still need: who sweeps or backs up the storage asks here."""

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from bot.core.fetching import received_in
from bot.core.jobs import MOVES, Status
from bot.store.tables import jobs

KEPT = 30 * 86_400.0
"""Seconds for which a video that was delivered is worth a place in a backup."""
_OVER = [status.value for status in Status if not MOVES[status]]


def wanted(connection: sa.Connection, *, since: float = 0.0) -> dict[str, str]:
    """The key of each file, and the job that needs it.

    Those are videos, unless they were delivered before `since`; and pictures and sounds of jobs
    that are not over.
    """
    is_new = sa.or_(jobs.c.delivered_at.is_(None), jobs.c.delivered_at >= since)
    is_open = jobs.c.status.not_in(_OVER)
    videos = (jobs.c.video, jobs.c.unconverted)
    query = sa.select(jobs.c.id, jobs.c.status, *videos, jobs.c.order_data, jobs.c.sources)
    query = query.where(sa.or_(is_open, sa.and_(jobs.c.video.is_not(None), is_new)))
    found: dict[str, str] = {}
    for job_id, status, video, unconverted, order, sources in connection.execute(query):
        keys = [*_of_video(video), *_of_video(unconverted)]
        if status not in _OVER:
            keys += [*_of_order(order), *received_in(sources)]
        found |= dict.fromkeys(keys, job_id)
    return found


def _of_video(video: Mapping[str, Any] | None) -> Iterator[str]:
    if video:
        converted = video.get("converted") or {}
        yield from filter(None, (video["key"], video.get("thumbnail"), converted.get("key")))


def _of_order(order: Mapping[str, Any]) -> Iterator[str]:
    """By its plain names: an order of an earlier version lacks some."""
    for picture in order.get("pictures") or ():
        for name in ("key", "whole", "copy_of", "last_of"):
            if picture.get(name):
                yield picture[name]
    sound = order.get("sound") or {}
    if sound.get("key"):
        yield sound["key"]
