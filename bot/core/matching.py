"""Find the video of an unconfirmed job among the videos that its gateway lists.

The result is a list of candidates with their grounds. The bot adopts none by itself: an operator
picks one.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from bot.core.jobs import Job
from bot.core.outcomes import Listed

EARLIEST = -300.0
LATEST = 900.0
"""Bounds, in seconds, of a video's creation time at the gateway minus the time of our POST.

A video outside them is no candidate. Clocks differ, and queues are long.
"""
CLOSE = 120.0
"""Most seconds between our POST and a video's creation for the time to count as a ground."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A video in the gateway's list that may be the video of an unconfirmed job."""

    video: Listed
    later: float | None
    """Seconds from our POST to the creation time of `video`; None if the gateway tells no time."""
    grounds: tuple[str, ...]
    """Which of `time`, `model` and `prompt` match the job."""

    @property
    def confidence(self) -> str:
        """`strong` with all three grounds, `likely` with two, else `possible`."""
        return ("possible", "possible", "likely", "strong")[len(self.grounds)]


def candidates(job: Job, videos: Iterable[Listed], *, known: Collection[str]) -> list[Candidate]:
    """Return the listed videos that may be the video of `job`, the likeliest first.

    A video with the job's own gateway id comes before all others. Videos of other jobs (`known`
    holds their ids) and videos that contradict the order are left out.
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
