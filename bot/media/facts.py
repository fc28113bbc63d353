"""Facts of a video: what its first bytes tell anybody, and what a worker finds in it.

Neither needs PyAV, so the service can read them.
"""

from dataclasses import dataclass
from pathlib import Path

from bot.core.containers import HEAD, Container, container_of, suffix_of
from bot.core.errors import NotAVideo
from bot.media.judging import Seen

Orientation = tuple[int, int, int, int]
"""The signs of the matrix by which pictures are shown: first row, then second."""
UPRIGHT: Orientation = (1, 0, 0, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Facts of a video; sides as it is shown, upright and with square pixels."""

    width: int
    height: int
    seconds: float
    """0 where the container does not tell."""
    codec: str
    has_audio: bool
    frames_per_second: float
    orientation: Orientation = UPRIGHT
    is_interlaced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A whole look at a video."""

    clip: Probe
    seen: Seen
    suffix: str
    """How the name of such a file ends."""


def container_in(source: Path) -> Container:
    """Which container `source` is. Raises `Broken("not_a_video")`."""
    with source.open("rb") as file:
        container = container_of(file.read(HEAD))
    if container is None:
        raise NotAVideo()
    return container


def suffix_in(source: Path) -> str:
    """How the name of such a file ends. Raises `Broken("not_a_video")`."""
    with source.open("rb") as file:
        return suffix_of(file.read(HEAD), container_in(source))
