"""The number of the bot's messages: messages and edits share one budget for each chat, and one for
all chats. Telegram's FAQ allows about one message per second in a chat, with short bursts; 20 per
minute in a group; about 30 per second in all. This module knows nothing of their content.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from .model import Chat

MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Excess:
    """One message or edit above the allowed rate."""

    where: str
    method: str
    at: float

    def __str__(self) -> str:
        return f"{self.method} in {self.where} at {self.at}: above Telegram's rate"


class Rates:
    """A record of every excess.

    `burst` is the number of messages that may come at once in a private chat.
    """

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self.excesses: list[Excess] = []
        self.per_group_minute = 20
        self.per_second = 1.0
        self.burst = 5
        self.overall_per_second = 30
        self._clock = clock
        self._recent: dict[int, deque[float]] = {}
        self._all: deque[float] = deque()
        self._buckets: dict[int, tuple[float, float]] = {}

    def count(self, method: str, chat: Chat) -> None:
        """Count one message or edit."""
        now = self._clock()
        too_many = self._group(chat, now) if chat.is_group else self._private(chat, now)
        if too_many:
            self.excesses.append(Excess(str(chat), method, now))
        if _within(self._all, now, 1.0) > self.overall_per_second:
            self.excesses.append(Excess("all chats", method, now))

    def _group(self, chat: Chat, now: float) -> bool:
        recent = self._recent.setdefault(chat.id, deque())
        return _within(recent, now, MINUTE) > self.per_group_minute

    def _private(self, chat: Chat, now: float) -> bool:
        """Whether this message is too many for a private chat: a bucket of the size of a burst,
        refilled over time.
        """
        left, before = self._buckets.get(chat.id, (float(self.burst), now))
        left = min(self.burst, left + (now - before) * self.per_second)
        self._buckets[chat.id] = (max(left - 1, 0.0), now)
        return left < 1


def _within(times: deque[float], now: float, seconds: float) -> int:
    """Return how many calls fall into the last so many seconds, including the present one."""
    times.append(now)
    while times[0] <= now - seconds:
        times.popleft()
    return len(times)
