"""Telegram's rate limits: how many messages may go where, and which go first.

Sends and edits of a chat share one budget: about one a second, in a group twenty a minute. A call
that may go within `PATIENCE` seconds waits here. A call that has to wait longer gets `Temporary`
with the time of its retry, and waits in its row. Each budget reserves some capacity for more urgent
calls, so that answers never use up the capacity of posts.
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
"""Most seconds that a call waits here: its caller occupies a worker's slot."""
PRIVATE = (4, 1.1, 1)
"""Budget of a private chat: messages at once, then seconds per message, and the reserve.

All are below Telegram's limits, as clocks differ. The reserve is the capacity that each kind of
turn leaves to the more urgent kinds.
"""
GROUP = (18, 60.0, 3)
EVERYWHERE = (28, 1.0, 4)
"""Budgets of a group and of the whole account: messages, in so many seconds, and the reserve."""
EDITS = {True: (1, 5.0, 0), False: (4, 60.0, 0)}
"""Additional limit on edits that show only progress; the key says whether the chat is private."""
MOST_CHATS = 10_000
"""Most chats that are remembered; the one unused for longest is dropped first."""


class Turn(IntEnum):
    """The kinds of messages; the lowest is the most urgent."""

    POST = 0
    """A post about a job, sent from its row and retried until it succeeds."""
    ANSWER = 1
    CHANGE = 2
    PROGRESS = 3


@dataclass(slots=True)
class _Window:
    """A sliding window: at most `most` messages in any `seconds`.

    `booked` holds the times of recent and planned messages.
    """

    most: int
    seconds: float
    kept: int
    booked: list[float] = field(default_factory=list)

    def book(self, at: float) -> None:
        """Reserve this time for a message."""
        insort(self.booked, at)
        # Drop the times that no later booking can conflict with.
        del self.booked[: bisect_right(self.booked, at - PATIENCE - self.seconds)]

    def free_at(self, at: float, turn: Turn) -> float:
        """Return the earliest time from `at` on when one more message may go."""
        seats = self.most - self.kept * turn
        # `seats` bookings within one window forbid another that would share a window with them.
        for first, last in zip(self.booked, islice(self.booked, seats - 1, None), strict=False):
            together = last - first < self.seconds
            if together and last - self.seconds < at < first + self.seconds:
                at = first + self.seconds
        return at


@dataclass(slots=True)
class _Bucket:
    """A token bucket: at most `most` messages at once, refilled by one every `seconds`."""

    most: int
    seconds: float
    kept: int
    full_at: float = 0.0

    def book(self, at: float) -> None:
        """Reserve this time for a message."""
        self.full_at = max(self.full_at, at) + self.seconds

    def free_at(self, at: float, turn: Turn) -> float:
        """Return the earliest time from `at` on when one more message may go."""
        seats = self.most - self.kept * turn
        return max(at, self.full_at - (seats - 1) * self.seconds)


@dataclass(slots=True)
class _Chat:
    budget: _Window | _Bucket
    edits: _Window
    paused_until: float = 0.0


class Pace:
    """The rate limits of one bot account."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._chats: OrderedDict[int, _Chat] = OrderedDict()
        self._everywhere = _Window(*EVERYWHERE)

    async def turn(self, chat: int, turn: Turn) -> None:
        """Wait until the rate limits allow this message.

        Raises `Temporary` if that takes longer than `PATIENCE`. Then nothing is reserved: other
        messages may go first.
        """
        now = self._clock.steady()
        at = self._book(chat, turn, now, PATIENCE)
        if at > now:
            await self._clock.sleep(at - now)
            self._heed(chat, at)  # another request may have met a pause meanwhile

    def progress(self, chat: int) -> None:
        """Reserve an edit that shows only progress. Raises `Temporary` if it can't go at once."""
        self._book(chat, Turn.PROGRESS, self._clock.steady(), 0.0)

    def heed(self, chat: int) -> None:
        """Raise `Temporary` while Telegram demands a pause in the chat."""
        self._heed(chat, self._clock.steady())

    def pause(self, chat: int, seconds: float) -> None:
        """Note that Telegram demands a pause in the chat. Requests meanwhile would prolong it."""
        budgets_of = self._chat(chat)
        budgets_of.paused_until = max(budgets_of.paused_until, self._clock.steady() + seconds)

    def _book(self, chat: int, turn: Turn, now: float, patience: float) -> float:
        """Reserve the next possible time in all budgets, and return it."""
        budgets_of = self._chat(chat)
        budgets = [budgets_of.budget, self._everywhere]
        if turn is Turn.PROGRESS:
            budgets.append(budgets_of.edits)
        at = max(now, budgets_of.paused_until)
        # A time that one budget allows may be too early for another.
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
        budgets_of = self._chats.get(chat)
        if budgets_of is None:
            private = chat > 0
            budget = _Bucket(*PRIVATE) if private else _Window(*GROUP)
            budgets_of = self._chats[chat] = _Chat(budget, _Window(*EDITS[private]))
            if len(self._chats) > MOST_CHATS:
                self._chats.popitem(last=False)
        self._chats.move_to_end(chat)
        return budgets_of


def _busy(seconds: float) -> Temporary:
    # At least one second, so that retries don't become a busy loop.
    return Busy(retry_after=max(seconds, 1.0), unsent=True)
