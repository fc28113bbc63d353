"""Sizes: how much Telegram takes, and what was learned from its refusals.

A server of one's own may stand behind something that takes less than it does. What refuses a large
file tells of all files, for a while; what refuses a small one may have its own reason, so it tells
of that file alone.
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
    """Bytes that may be uploaded."""

    def __init__(self, most: int, clock: Clock) -> None:
        self._most = most
        self._clock = clock
        self._learned: dict[str, tuple[int, float]] = {}
        """The most bytes of a video, by its key, or of all under no key; and until when."""

    def most(self, key: str) -> int:
        """As far as is known by now, of the video under this key."""
        now = self._clock.steady()
        known = (self._learned.get(each) for each in ("", key))
        return min([self._most, *(most for most, until in filter(None, known) if now < until)])

    def refused(self, key: str, size: int) -> None:
        """A file of that size, made of the video under this key, was too large."""
        now = self._clock.steady()
        self._learned = {each: it for each, it in self._learned.items() if now < it[1]}
        most = min(self.most(key), int(size * LESS))
        for each in (key, "") if size >= PLAUSIBLE else (key,):
            self._learned[each] = (most, now + LEARNED_FOR)
        log.warning("telegram.upload_limit_learned", bytes=most, of_all=size >= PLAUSIBLE)
