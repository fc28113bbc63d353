"""The queue of videos that have to be converted: positions and expected times.

Videos are converted `AT_ONCE` at a time, in order of arrival. The queue is in the rows. The time of
a conversion is learned from earlier conversions on this machine.
"""

import json
from dataclasses import dataclass, field
from typing import Protocol

from bot.core import schedule
from bot.core.access import Facts
from bot.core.jobs import Job, Status, Video
from bot.core.ports import Clock

AT_ONCE = 1
"""Conversions at a time. One conversion uses both cores and the memory of a small machine."""
MOST_SECONDS = 600.0
"""The most seconds of one try to convert a video. There may be a second try."""
PACE = 1.0
"""Seconds of work for a second of 1080p video, until a pace is learned."""
_SAMPLES = 15
"""Conversions from which the pace is learned."""
_FULL_HD = 1920 * 1080
_LEAST = 0.2
"""The least share of that work for a second of video, however small its frames are."""
_PACES = "conversion.paces"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A video in the queue."""

    job_id: str
    video: Video


@dataclass(frozen=True, slots=True)
class Position:
    """A position in the queue."""

    before: int
    """The number of videos before this one, including the one being converted."""
    ready_at: float | None
    """The expected time; None while a conversion before it takes longer than expected."""


class ConversionQueue(Protocol):
    """The rows of the queue. Each method is one whole transaction."""

    async def waiting(self) -> list[Waiting]:
        """Return the queue in order. The first video is the one being converted."""

    async def redraw(self, *, now: float) -> None:
        """Make the cards of all jobs in the queue due, so that each is drawn anew."""


@dataclass(slots=True)
class Conversions:
    """Positions in the queue, and the learned pace."""

    line: ConversionQueue
    facts: Facts
    clock: Clock
    _begun: dict[str, float] = field(init=False, default_factory=dict)
    """When the running conversion began, by job id. A restart repeats the conversion."""

    async def begun(self, job: Job) -> None:
        """Note that the conversion of `job` begins, and redraw the cards of the whole queue."""
        now = self.clock.now()
        self._begun = {job.id: now}
        await self.line.redraw(now=now)

    async def ended(self, video: Video, seconds: float) -> None:
        """Learn the pace of conversions from one of `video` that took `seconds`."""
        paces = [*await self._paces(), round(seconds / _size(video), 3)]
        await self.facts.put(_PACES, json.dumps(paces[-_SAMPLES:]))

    async def position(self, job: Job) -> Position | None:
        """Return the job's position in the queue; None if the job is not in the queue."""
        if job.status is not Status.CONVERTING:
            return None
        now = free_at = self.clock.now()
        pace, is_late = schedule.expected(await self._paces(), typical=PACE), False
        for before, each in enumerate(await self.line.waiting()):
            begins_at = self._begun.get(each.job_id, free_at)
            free_at = begins_at + min(pace * _size(each.video), MOST_SECONDS)
            is_late = is_late or free_at <= now
            if each.job_id == job.id:
                return Position(before, None if is_late else free_at)
        return None

    async def _paces(self) -> list[float]:
        try:
            return [float(each) for each in json.loads(await self.facts.get(_PACES) or "[]")]
        except (ValueError, TypeError):
            return []


def _size(video: Video) -> float:
    """Return the seconds of 1080p video that take as much work as `video`."""
    share = video.width * video.height / _FULL_HD
    return max(1.0, video.seconds) * max(share, _LEAST)
