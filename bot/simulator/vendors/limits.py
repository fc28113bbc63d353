"""A vendor's rules for pictures, as values."""

from dataclasses import dataclass

from bot.simulator.pictures import head_of

MEGABYTE = 1024 * 1024
LONGEST_SIDE = 100_000  # pixels; where the vendor names no limit


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRules:
    """A vendor's rules for pictures.

    `least` and `most` bound each side in pixels; `weight` is the most bytes; `ratio` is the most by
    which one side may exceed the other; `alpha`: whether an alpha channel is allowed.
    """

    formats: frozenset[str]
    least: int = 1
    most: int = LONGEST_SIDE
    ratio: float = LONGEST_SIDE
    weight: int = 10 * MEGABYTE
    alpha: bool = True

    def complaint(self, data: bytes) -> str | None:
        """Return the vendor's complaint about a picture, or None for a good picture."""
        try:
            seen = head_of(data)
        except ValueError:
            return "the image cannot be read"
        short, long = sorted(seen.size)
        if seen.format not in self.formats:
            return f"the image format {seen.format} is not supported"
        if short < self.least or long > self.most:
            return f"each side of the image must be from {self.least} to {self.most} pixels"
        if long > short * self.ratio:
            return f"the aspect ratio of the image must be within {self.ratio:g}"
        if len(data) > self.weight:
            return f"the image is larger than {self.weight} bytes"
        if seen.alpha and not self.alpha:
            return "an image with an alpha channel is not supported"
        return None
