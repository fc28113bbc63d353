"""Telegram's rates: how much may be said where, and who goes first.

Sends and edits of a chat share one budget: about one a second, in a group twenty a minute. What
has to be said waits for its turn, a result before an answer; mere progress does not wait: it is
left out, and the next look at the row says it better.
"""

import asyncio
import heapq
from collections import deque
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import count

from bot.core.errors import Temporary
from bot.core.ports import Clock

PRIVATE = (4, 1.1)
"""So many at once, then one in so many seconds; less than Telegram says, as clocks differ."""
GROUP = (18, 60.0)
EVERYWHERE = (28, 1.0)
"""So many in so many seconds."""
EDITS = {True: (1, 5.0), False: (4, 60.0)}
"""Mere progress, in private and in groups: a share of the budget."""
MOST_CHATS = 10_000
"""Chats remembered; the longest quiet are forgotten."""


class Turn(IntEnum):
    """Who goes first."""

    RESULT = 0
    ANSWER = 1
    CHANGE = 2


@dataclass(slots=True)
class _Window:
    """What was said lately, and what waits."""

    most: int
    seconds: float
    said: deque[float] = field(default_factory=deque)
    paused_until: float = 0.0

    def take(self, now: float) -> None:
        """Something is said."""
        self.said.append(now)

    def free_at(self, now: float) -> float:
        """When one more may be said: now, or later."""
        while self.said and self.said[0] <= now - self.seconds:
            self.said.popleft()
        full = len(self.said) >= self.most
        return max(now, self.paused_until, self.said[0] + self.seconds if full else now)


@dataclass(slots=True)
class _Bucket:
    """It fills by the second: what was not said at once may be said soon."""

    most: int
    seconds: float
    full_at: float = 0.0
    paused_until: float = 0.0

    def take(self, now: float) -> None:
        """Something is said."""
        self.full_at = max(self.full_at, now) + self.seconds

    def free_at(self, now: float) -> float:
        """When one more may be said: now, or later."""
        return max(now, self.paused_until, self.full_at - (self.most - 1) * self.seconds)


@dataclass(slots=True)
class _Chat:
    budget: _Window | _Bucket
    edits: _Window
    waiting: list[tuple[int, int, asyncio.Future[None]]] = field(default_factory=list)
    busy: asyncio.Task[None] | None = None


class Pace:
    """One per account."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._chats: dict[int, _Chat] = {}
        self._everywhere = _Window(*EVERYWHERE)
        self._numbers = count()

    async def turn(self, chat: int, turn: Turn) -> None:
        """Return once this may be said there; whoever is more urgent goes first."""
        place = self._chat(chat)
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(place.waiting, (turn, next(self._numbers), ready))
        if place.busy is None or place.busy.done():
            place.busy = asyncio.create_task(self._serve(place))
        await ready

    def progress(self, chat: int) -> None:
        """Raise `Temporary` unless mere progress may be shown there right now."""
        place, now = self._chat(chat), self._clock.now()
        free_at = max(
            window.free_at(now) for window in (place.budget, place.edits, self._everywhere)
        )
        if place.waiting or free_at > now:
            raise Temporary("telegram_busy", retry_after=max(free_at - now, 1.0), unsent=True)
        for window in (place.budget, place.edits, self._everywhere):
            window.take(now)

    def pause(self, chat: int, seconds: float) -> None:
        """Telegram asked for silence there; asking again meanwhile would make it longer."""
        budget = self._chat(chat).budget
        budget.paused_until = max(budget.paused_until, self._clock.now() + seconds)

    async def _serve(self, place: _Chat) -> None:
        while place.waiting:
            now = self._clock.now()
            free_at = max(place.budget.free_at(now), self._everywhere.free_at(now))
            if free_at > now:
                await self._clock.sleep(free_at - now)
                continue
            _, _, ready = heapq.heappop(place.waiting)
            if ready.done():  # whoever waited has gone
                continue
            place.budget.take(now)
            self._everywhere.take(now)
            ready.set_result(None)

    def _chat(self, chat: int) -> _Chat:
        place = self._chats.pop(chat, None)
        if place is None:
            private = chat > 0
            budget = _Bucket(*PRIVATE) if private else _Window(*GROUP)
            place = _Chat(budget, _Window(*EDITS[private]))
            for quiet in list(self._chats)[: max(0, len(self._chats) - MOST_CHATS)]:
                if not self._chats[quiet].waiting:
                    del self._chats[quiet]
        self._chats[chat] = place
        return place
