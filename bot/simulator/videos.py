"""One video of the simulated gateway: from its creation to its file or its failure.

It lives on the server's clock: a video is done when its time has passed *and* its file is there.
"""

import asyncio
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from bot.simulator.faults import Faults
from bot.simulator.scenes import Scene

State = Literal["processing", "succeeded", "failed"]

# What people write into a prompt at a demo to see the other ends of a request.
REFUSE, FAIL, SLOW = "[refuse]", "[fail]", "[slow]"
SLOWER = 5
POLLS, TICK = 20, 15.0
"""The number of polls of a vendor that does not answer, and the seconds between two."""


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
    """A video that was accepted. `owner` stands for the key that asked, and is not the key; a video
    that was kept before there were owners is everybody's.

    `tick` is how often the gateway looks at its vendor, 0 for always; `sweep` is when it gives a
    video up (seconds, both).
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
    faults: Faults = field(default_factory=Faults, compare=False, repr=False)
    rendering: asyncio.Task[None] | None = field(default=None, compare=False, repr=False)

    def is_of(self, owner: str) -> bool:
        """Whether the video belongs to an owner."""
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
        """Whether the gateway gave the video up before it was done."""
        overdue = self.stuck or self.takes > self.sweep
        return overdue and now >= self.created_at + self.sweep

    def share(self, now: float) -> float:
        """Return the share of its time, 0 to 1, that had passed at the gateway's latest poll."""
        passed = self.seen(now) - self.created_at
        return min(passed / self.takes, 1.0) if self.takes else 1.0

    def progress(self, now: float) -> int:
        """Return the percentage of its time that has passed; 100 only when the video is over."""
        if self.state(now) != "processing":
            return 100
        return min(int(100 * self.share(now)), 99)
