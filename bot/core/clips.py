"""The requirements of a model for the video that an order is made from."""

import math
from dataclasses import dataclass

from bot.core.errors import Refused

EXCESS = 0.5
"""Seconds that are cut off without a word: cameras and models rarely stop on the second."""
_ROUNDED = 1.0
"""Seconds by which a network's length may be off: some networks round to whole seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoFit:
    """A model's requirements for a video.

    A video of another length is refused. Only an excess of up to `EXCESS` seconds is cut off.
    """

    least_seconds: float = 1.0
    most_seconds: float = 15.0
    most_bytes: int = 50_000_000
    """Most bytes of the re-encoded file."""
    least_pixels: int = 1
    most_pixels: int = 8_300_000
    """Pixels of one frame. A video with more or fewer is scaled."""

    def declared(self, seconds: float) -> None:
        """Check a length that a network declared: it may be rounded by up to a second."""
        if not self.least_seconds - _ROUNDED < seconds < self.most_seconds + _ROUNDED:
            self.check(seconds)

    def check(self, seconds: float) -> None:
        """Raise `Refused`: `video_short` or `video_long`."""
        if seconds < self.least_seconds:
            shown = math.floor(seconds * 10) / 10  # rounding up could show a length that is enough
            raise Refused("video_short", seconds=shown, least=self.least_seconds)
        if seconds > self.most_seconds + EXCESS:
            shown = math.ceil(seconds * 10) / 10
            raise Refused("video_long", seconds=shown, most=self.most_seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """The rule for the length of a new video that contains the order's video of unknown length."""

    seconds: int
    """The seconds that the model adds by default."""
    can: tuple[int, ...]
    """The lengths of whole videos that the model makes, the shortest first."""

    def whole(self, given: float) -> int:
        """Return the length of the new video if the order's video has `given` seconds."""
        wanted = math.ceil(given) + self.seconds
        return next((each for each in self.can if each >= wanted), self.can[-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoCopy:
    """Our own copy of a video that an order is made from, with its true size and length."""

    key: str
    size: int
    seconds: float
    width: int
    height: int
