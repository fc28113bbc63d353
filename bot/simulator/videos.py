"""One video of the simulated gateway: from its creation to its file or its failure.

A video is done when its time has passed on the server's clock *and* its file exists.
"""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from bot.simulator.faults import Fault, Faults
from bot.simulator.scenes import Scene

State = Literal["processing", "succeeded", "failed"]

# People write these texts into a prompt to see a refusal, a failure or a slow video.
REFUSE, FAIL, SLOW = "[refuse]", "[fail]", "[slow]"
SLOWER = 5
POLLS, TICK = 20, 15.0
"""The gateway gives a video up after this many polls of a vendor that doesn't answer, and the
seconds between two of these polls."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The error of a failed video, as responses show it."""

    message: str
    code: str


MODERATED = Failure("The prompt was rejected by the content policy.", "moderation_blocked")
UNREADABLE = Failure("The input picture could not be read.", "invalid_image")
BROKEN = Failure("The video could not be rendered.", "server_error")


@dataclass(slots=True, kw_only=True)
class Video:
    """A video that was accepted.

    `owner` is a hash of the API key that ordered the video; "" makes the video visible to all keys.
    `tick` is the seconds between two polls of the vendor by the gateway; 0 means no delay. `sweep`
    is the age in seconds at which the gateway gives an unfinished video up. `repeated` are the
    fields of the request that responses repeat.
    """

    id: str
    scene: Scene
    path: Path
    created_at: float
    takes: float  # seconds
    owner: str = ""
    failure: Failure | None = None
    withheld: Failure | None = (
        None  # done and charged, with nothing to hand over; its code may be ""
    )
    stuck: bool = False
    tick: float = 0.0
    sweep: float = math.inf
    remixed_from: str | None = None
    repeated: Mapping[str, object] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults, compare=False, repr=False)
    rendering: asyncio.Task[None] | None = field(default=None, compare=False, repr=False)

    def is_of(self, owner: str) -> bool:
        """Whether this owner may see the video."""
        return self.owner in ("", owner)

    def seen(self, now: float) -> float:
        """Return when the gateway last polled its vendor, by the server's clock."""
        if not self.tick:
            return now
        return self.created_at + (now - self.created_at) // self.tick * self.tick

    def state(self, now: float) -> State:
        """Return the video's state, as the gateway knows it."""
        if self.swept(now):
            return "failed"
        if self.stuck or self.seen(now) < self.created_at + self.takes:
            return "processing"
        if self.failure:
            return "failed"
        return "succeeded" if self.path.exists() else "processing"

    def swept(self, now: float) -> bool:
        """Whether the gateway has given the video up before it was done."""
        overdue = self.stuck or self.takes > self.sweep
        return overdue and now >= self.created_at + self.sweep

    def share(self, now: float) -> float:
        """Return the share of `takes`, 0 to 1, that had passed when the gateway last polled."""
        passed = self.seen(now) - self.created_at
        return min(passed / self.takes, 1.0) if self.takes else 1.0

    def progress(self, now: float) -> int:
        """Return the percent that the gateway's last poll found; 100 only for a finished video."""
        if self.state(now) != "processing":
            return 100
        return min(int(100 * self.share(now)), 99)


def bend(video: Video, fault: Fault) -> None:
    """Change the duration or the outcome of a video as a fault says."""
    if fault.takes is not None:
        video.takes = fault.takes
    match fault.kind:
        case "fail":
            video.failure = Failure(fault.message or MODERATED.message, fault.code)
        case "stuck":
            video.stuck = True
        case "away":
            video.stuck, video.sweep = True, POLLS * (video.tick or TICK)
        case "withheld":
            video.withheld = Failure(MODERATED.message, fault.code)
