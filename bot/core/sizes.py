"""The largest upload that a network takes, learned from its refusals.

A proxy between may take less than the network. The refusal of a large file limits all uploads to
the same place for a while. The refusal of a small file may have another reason, so it limits that
file only.
"""

from bot.core.ports import Clock
from bot.log import get_logger

PLAUSIBLE = 10_000_000
"""Least bytes of a refused file for its refusal to limit other files, too."""
LEARNED_FOR = 6 * 3600.0
"""Seconds after which a learned limit is forgotten: the proxy may be gone."""
LESS = 3 / 4
"""Share of a refused size that becomes the limit."""

log = get_logger()


class Sizes:
    """The learned limits of uploads, in bytes.

    A place is a part of the network that has its own limit; "" is the network as a whole.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._learned: dict[tuple[str, str], tuple[int, float]] = {}
        """The most bytes and when that limit ends, by place and video key ("" is any video)."""

    def most(self, limit: int, video: str, *, place: str = "") -> int:
        """Return the most bytes that may be uploaded of the video with this key.

        That is `limit`, or less if a refusal showed so.
        """
        now = self._clock.steady()
        known = (self._learned.get((place, each)) for each in ("", video))
        return min([limit, *(most for most, until in filter(None, known) if now < until)])

    def refused(self, size: int, video: str, *, place: str = "") -> None:
        """Record that a file of `size` bytes, made of the video with this key, was too large."""
        now = self._clock.steady()
        self._learned = {each: it for each, it in self._learned.items() if now < it[1]}
        most = min(self.most(size, video, place=place), int(size * LESS))
        for each in (video, "") if size >= PLAUSIBLE else (video,):
            self._learned[place, each] = (most, now + LEARNED_FOR)
        log.warning("upload.limit_learned", place=place, bytes=most, of_all=size >= PLAUSIBLE)
