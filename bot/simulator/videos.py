"""One video of the simulated gateway: from its creation to its file or its failure.

It lives on the server's clock: a video is done when its time has passed *and* its file is there.
"""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from bot.simulator.profiles import Profile
from bot.simulator.scenes import Film

State = Literal["processing", "succeeded", "failed"]

# What people write into a prompt at a demo to see the other ends of a request.
REFUSE, FAIL, SLOW = "[refuse]", "[fail]", "[slow]"
SLOWER = 5


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a video failed, as the answer says it."""

    message: str
    code: str


MODERATED = Failure("The prompt was rejected by the content policy.", "moderation_blocked")
UNREADABLE = Failure("The input picture could not be read.", "invalid_image")
BROKEN = Failure("The video could not be rendered.", "server_error")


@dataclass(slots=True, kw_only=True)
class Video:
    """A video that was accepted."""

    id: str
    film: Film
    path: Path
    created_at: float
    takes: float  # seconds
    failure: Failure | None = None
    stuck: bool = False
    rendering: asyncio.Task[None] | None = field(default=None, repr=False)

    def state(self, now: float) -> State:
        """Return how far it is, by the server's clock."""
        if self.stuck or now < self.created_at + self.takes:
            return "processing"
        if self.failure:
            return "failed"
        return "succeeded" if self.path.exists() else "processing"

    def progress(self, now: float) -> int:
        """Return per cent of its time; 100 only when it is over."""
        if self.state(now) != "processing":
            return 100
        share = (now - self.created_at) / self.takes if self.takes else 1.0
        return min(int(100 * share), 99)


def created(video: Video, profile: Profile) -> dict[str, object]:
    """Return the body of the answer to the request that made it."""
    return {
        "id": video.id,
        "object": "video",
        "model": video.film.model,
        "created_at": int(video.created_at),
        "status": profile.processing,
        "progress": 0,
    }


def retrieved(video: Video, profile: Profile, now: float, url: str) -> dict[str, object]:
    """Return the body of an answer about it; `url` is where its file will be."""
    state = video.state(now)
    status = {
        "processing": profile.processing,
        "succeeded": profile.succeeded,
        "failed": profile.failed,
    }[state]
    body = created(video, profile) | {
        "status": status,
        "progress": video.progress(now),
        "size": f"{video.film.width}x{video.film.height}",
        "seconds": str(video.film.seconds),
        "quality": "standard",
        "remixed_from_video_id": None,
        "error": None,
    }
    if state == "succeeded":
        body |= {"expires_at": int(video.created_at) + profile.lifetime, "url": url}
    if state == "failed" and video.failure:
        body["error"] = {"message": video.failure.message, "code": video.failure.code}
    return body
