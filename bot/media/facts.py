"""Facts of a video: its container by the first bytes, and the facts that a worker finds.

This module does not need PyAV, so the service can import it.
"""

from dataclasses import dataclass
from pathlib import Path

from bot.core.containers import HEAD, Container, container_of, suffix_of
from bot.core.errors import NotAVideo
from bot.media.judging import Seen

Orientation = tuple[int, int, int, int]
"""The signs of a video's display matrix: first row, then second row."""
UPRIGHT: Orientation = (1, 0, 0, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Facts of a video; width and height are those shown, upright and with square pixels."""

    width: int
    height: int
    seconds: float
    """The duration; 0 if the container does not give it."""
    codec: str
    has_audio: bool
    frames_per_second: float
    orientation: Orientation = UPRIGHT
    is_interlaced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """The facts of a video that was read completely."""

    clip: Probe
    seen: Seen
    suffix: str
    """The file name extension for its container."""


def container_in(source: Path) -> Container:
    """Return the container of `source`. Raises `Broken("not_a_video")`."""
    with source.open("rb") as file:
        container = container_of(file.read(HEAD))
    if container is None:
        raise NotAVideo()
    return container


def suffix_in(source: Path) -> str:
    """Return the file name extension for `source`. Raises `Broken("not_a_video")`."""
    with source.open("rb") as file:
        return suffix_of(file.read(HEAD), container_in(source))
