"""Telegram's rates: how much may be said where, and who goes first.

Sends and edits of a chat share one budget: about one a second, in a group twenty a minute. A
message due soon waits here for its seat; a later one is told when to come again, and waits in its
row. Of every budget some seats are kept for the more urgent: however many answers come, a post in a
row finds a seat that no answer may take.
"""

from bisect import bisect_right, insort
from collections import OrderedDict
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import islice

from bot.core.errors import Temporary
from bot.core.ports import Clock
from bot.platforms.telegram.errors import Busy

PATIENCE = 2.0
"""Seconds that a caller is held at most: it holds a place of a worker's."""
PRIVATE = (4, 1.1, 1)
"""So many at once, then one in so many seconds; less than Telegram says, as clocks differ.

The last number is how many seats each kind of turn leaves to those before it.
"""
GROUP = (18, 60.0, 3)
EVERYWHERE = (28, 1.0, 4)
"""So many in so many seconds."""
EDITS = {True: (1, 5.0, 0), False: (4, 60.0, 0)}
"""Mere progress, in private and in groups: a share of the budget."""
MOST_CHATS = 10_000
"""Chats remembered; the longest quiet are forgotten."""


class Turn(IntEnum):
    """Lowest first."""

    POST = 0
    """A post in a row: it comes again and again, and never books ahead of others."""
    ANSWER = 1
    CHANGE = 2
    PROGRESS = 3


@dataclass(slots=True)
class _Window:
    """Messages said lately, or to be said soon."""

    most: int
    seconds: float
    kept: int
    booked: list[float] = field(default_factory=list)

    def book(self, at: float) -> None:
        """Something is said then."""
        insort(self.booked, at)
        # Too old for whoever books next.
        del self.booked[: bisect_right(self.booked, at - PATIENCE - self.seconds)]

    def free_at(self, at: float, turn: Turn) -> float:
        """When one more may be said: then, or later."""
        seats = self.most - self.kept * turn
        # So many in a row forbid one more wherever a single window would hold it and them.
        for first, last in zip(self.booked, islice(self.booked, seats - 1, None), strict=False):
            together = last - first < self.seconds
            if together and last - self.seconds < at < first + self.seconds:
                at = first + self.seconds
        return at


@dataclass(slots=True)
class _Bucket:
    """It fills by the second: what was not said at once may be said soon."""

    most: int
    seconds: float
    kept: int
    full_at: float = 0.0

    def book(self, at: float) -> None:
        """Something is said then."""
        self.full_at = max(self.full_at, at) + self.seconds

    def free_at(self, at: float, turn: Turn) -> float:
        """When one more may be said: then, or later."""
        seats = self.most - self.kept * turn
        return max(at, self.full_at - (seats - 1) * self.seconds)


@dataclass(slots=True)
class _Chat:
    budget: _Window | _Bucket
    edits: _Window
    paused_until: float = 0.0


class Pace:
    """One per account."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._chats: OrderedDict[int, _Chat] = OrderedDict()
        self._everywhere = _Window(*EVERYWHERE)

    async def turn(self, chat: int, turn: Turn) -> None:
        """Return once this may be said there; `Temporary` if that is further off than `PATIENCE`.

        A call told to come again has booked nothing: others may be there first.
        """
        now = self._clock.steady()
        at = self._book(chat, turn, now, PATIENCE)
        if at > now:
            await self._clock.sleep(at - now)
            self._heed(chat, at)  # somebody else may have been told to be silent meanwhile

    def progress(self, chat: int) -> None:
        """Raise `Temporary` unless mere progress may be shown there right now."""
        self._book(chat, Turn.PROGRESS, self._clock.steady(), 0.0)

    def heed(self, chat: int) -> None:
        """Raise `Temporary` as long as Telegram wants silence there."""
        self._heed(chat, self._clock.steady())

    def pause(self, chat: int, seconds: float) -> None:
        """Telegram asked for silence there; asking again meanwhile would make it longer."""
        place = self._chat(chat)
        place.paused_until = max(place.paused_until, self._clock.steady() + seconds)

    def _book(self, chat: int, turn: Turn, now: float, patience: float) -> float:
        """Take the next seat, and say when it is."""
        place = self._chat(chat)
        budgets = [place.budget, self._everywhere]
        if turn is Turn.PROGRESS:
            budgets.append(place.edits)
        at = max(now, place.paused_until)
        # When one budget allows it at last, another may not.
        while (later := max(each.free_at(at, turn) for each in budgets)) > at:
            at = later
        if at - now > patience:
            raise _busy(at - now)
        for budget in budgets:
            budget.book(at)
        return at

    def _heed(self, chat: int, at: float) -> None:
        paused_until = self._chat(chat).paused_until
        if paused_until > at:
            raise _busy(paused_until - self._clock.steady())

    def _chat(self, chat: int) -> _Chat:
        place = self._chats.get(chat)
        if place is None:
            private = chat > 0
            budget = _Bucket(*PRIVATE) if private else _Window(*GROUP)
            place = self._chats[chat] = _Chat(budget, _Window(*EDITS[private]))
            if len(self._chats) > MOST_CHATS:
                self._chats.popitem(last=False)
        self._chats.move_to_end(chat)
        return place


def _busy(seconds: float) -> Temporary:
    # Never so soon that asking again would be a loop.
    return Busy(retry_after=max(seconds, 1.0), unsent=True)
