"""Sizes: how much a network takes, as far as its refusals have told.

A proxy or a rule of its own may stand in between and take less than the network does. What
refuses a large file tells of all files of that place, for a while; what refuses a small one may
have its own reason, so it tells of that file alone.
"""

from bot.core.ports import Clock
from bot.log import get_logger

PLAUSIBLE = 10_000_000
"""Bytes from which a refusal tells of other files too; what is learned is never much below."""
LEARNED_FOR = 6 * 3600.0
"""Seconds after which it is tried again: whatever stood in between may be gone."""
LESS = 3 / 4
"""The part of a refused size that is tried next."""

log = get_logger()


class Sizes:
    """Bytes that may be uploaded. A place is a part of the network that has its own limit."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._learned: dict[tuple[str, str], tuple[int, float]] = {}
        """The most bytes of a video, by the place and its key, or of all there under no key; and
        until when."""

    def most(self, limit: int, video: str, *, place: str = "") -> int:
        """As far as is known by now, of the video under this key, where the limit is that."""
        now = self._clock.steady()
        known = (self._learned.get((place, each)) for each in ("", video))
        return min([limit, *(most for most, until in filter(None, known) if now < until)])

    def refused(self, size: int, video: str, *, place: str = "") -> None:
        """A file of that size, made of the video under this key, was too large."""
        now = self._clock.steady()
        self._learned = {each: it for each, it in self._learned.items() if now < it[1]}
        most = min(self.most(size, video, place=place), int(size * LESS))
        for each in (video, "") if size >= PLAUSIBLE else (video,):
            self._learned[place, each] = (most, now + LEARNED_FOR)
        log.warning("upload.limit_learned", place=place, bytes=most, of_all=size >= PLAUSIBLE)
