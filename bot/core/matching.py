"""An order of which nobody knows whether it was taken, and the videos in its gateway's own list.

A match is a proposal with its grounds, and never adopted by itself: an operator picks.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from bot.core.jobs import Job
from bot.core.outcomes import Listed

EARLIEST = -300.0
LATEST = 900.0
"""Seconds from our sending to the gateway's own time of a video: clocks differ, queues are long."""
CLOSE = 120.0
"""Seconds that are close enough to speak for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A video that may be the one that was ordered."""

    video: Listed
    later: float | None
    """Seconds from our sending to the gateway's own time of it."""
    grounds: tuple[str, ...]
    """Of `time`, `model` and `prompt`, those that speak for it."""

    @property
    def confidence(self) -> str:
        """`strong`, `likely` or `possible`."""
        return ("possible", "possible", "likely", "strong")[len(self.grounds)]


def candidates(job: Job, videos: Iterable[Listed], *, known: Collection[str]) -> list[Candidate]:
    """Its own id first, then the likeliest.

    None that is another job's, and none that contradicts the order.
    """
    fitting = (_candidate(job, video) for video in videos if video.id not in known)
    found = [each for each in fitting if each and each.grounds]
    return sorted(
        found,
        key=lambda it: (
            it.video.id != job.gateway_id,
            -len(it.grounds),
            abs(it.later or 0.0),
            it.video.id,
        ),
    )


def _candidate(job: Job, video: Listed) -> Candidate | None:
    sent, request = job.submitted_at or job.created_at, job.request
    later = None if video.created_at is None else video.created_at - sent
    if later is not None and not EARLIEST <= later <= LATEST:
        return None
    if video.model and video.model.casefold() != request.model.casefold():
        return None
    if video.prompt is not None and _plain(video.prompt) != _plain(request.prompt):
        return None
    grounds = {
        "time": later is not None and abs(later) <= CLOSE,
        "model": bool(video.model),
        "prompt": bool(video.prompt),
    }
    return Candidate(
        video=video, later=later, grounds=tuple(name for name, speaks in grounds.items() if speaks)
    )


def _plain(text: str) -> str:
    return " ".join(text.split())
