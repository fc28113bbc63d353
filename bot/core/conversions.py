"""The line of videos that have to be converted: how many are before one, and when it is ready.

They are converted `AT_ONCE` at a time, in the order in which they came. The rows have the line; how
long it takes is learned from what this machine has converted.
"""

import json
from dataclasses import dataclass, field
from typing import Protocol

from bot.core import schedule
from bot.core.access import Facts
from bot.core.jobs import Job, Status, Video
from bot.core.ports import Clock

AT_ONCE = 1
"""One takes both cores of a small machine, and the memory of one."""
MOST_SECONDS = 600.0
"""Seconds that a try to convert a video may take; there may be a second."""
PACE = 1.0
"""Seconds of work for a second of 1080p, while nothing is learned."""
_SAMPLES = 15
"""Conversions from which the pace is learned."""
_FULL_HD = 1920 * 1080
_LEAST = 0.2
"""The share of that work that a second takes at least, however small the picture is."""
_PACES = "conversion.paces"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A video in the line."""

    job_id: str
    video: Video


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the line."""

    before: int
    """Videos that are converted first, the present one among them."""
    ready_at: float | None
    """None while the present one takes longer than was expected: nobody knows how much longer."""


class ConversionQueue(Protocol):
    """The rows of the line. Each method is one whole transaction."""

    async def waiting(self) -> list[Waiting]:
        """All that are to be converted, in their order; the first is the present one."""

    async def redraw(self, *, now: float) -> None:
        """The cards of all of them are due."""


@dataclass(slots=True)
class Conversions:
    """Places in the line."""

    line: ConversionQueue
    facts: Facts
    clock: Clock
    _begun: dict[str, float] = field(init=False, default_factory=dict)
    """When the present ones began: a restart begins them anew."""

    async def begun(self, job: Job) -> None:
        """The conversion of `job` begins, so the places of all others change."""
        now = self.clock.now()
        self._begun = {job.id: now}
        await self.line.redraw(now=now)

    async def ended(self, video: Video, seconds: float) -> None:
        """`video` was converted within so many seconds: learn from it."""
        paces = [*await self._paces(), round(seconds / _size(video), 3)]
        await self.facts.put(_PACES, json.dumps(paces[-_SAMPLES:]))

    async def place(self, job: Job) -> Place | None:
        """None for a job that is not in the line."""
        if job.status is not Status.CONVERTING:
            return None
        now = free_at = self.clock.now()
        pace, is_late = schedule.expected(await self._paces(), typical=PACE), False
        for before, each in enumerate(await self.line.waiting()):
            begins_at = self._begun.get(each.job_id, free_at)
            free_at = begins_at + min(pace * _size(each.video), MOST_SECONDS)
            is_late = is_late or free_at <= now
            if each.job_id == job.id:
                return Place(before, None if is_late else free_at)
        return None

    async def _paces(self) -> list[float]:
        try:
            return [float(each) for each in json.loads(await self.facts.get(_PACES) or "[]")]
        except (ValueError, TypeError):
            return []


def _size(video: Video) -> float:
    """The seconds of 1080p that take as much work."""
    share = video.width * video.height / _FULL_HD
    return max(1.0, video.seconds) * max(share, _LEAST)
