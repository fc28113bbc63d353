"""Notices: messages to operators that a gateway is paused, works again or sends unknown answers.

There is one row for each owner, gateway and subject. A newer notice replaces one that was not sent
yet, so operators are not told what is no longer true.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from bot.core.jobs import Reason

REMINDER = 24 * 3600.0
"""Seconds after which operators are told again of a pause that lasts."""
HUSH = 3600.0
"""Least seconds to the next notice of a pause: from a notice of the same reason, if another notice
came between them, and from the notice of an end.

Without this limit, a balance that is enough for some videos only would cause a notice every few
minutes.
"""
MOST_WORDS = 10
"""Most unknown status words and answer shapes of one gateway that operators are told of."""
PUZZLES = (WORD, SHAPE) = ("word", "shape")
"""Kinds of unknown answers: an unknown status word, and an answer without a status word.

The names of the fields in an answer are its shape.
"""


@dataclass(frozen=True, slots=True)
class Pause:
    """The pause of a gateway that refuses our key or has no balance left for us."""

    reason: Reason
    until: float
    """When the gateway is probed next, to see whether the pause is over."""
    polls_only: bool = False
    """True if only polls were refused. Then a poll that succeeds ends the pause.

    If False, a poll can't end the pause: only a probe or an accepted order can.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """A paused gateway that is due to be probed."""

    gateway: str
    reason: Reason
    tried_at: float | None
    """When the last order was sent to test the gateway; None: the next order may be sent."""
    refused_at: float | None
    """When the gateway last refused a free request for the same reason as the pause.

    None: never in this pause, so a good answer to a free request doesn't end the pause.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A message to an owner about a gateway: one row of the `notices` table.

    Times are seconds since the epoch, UTC.
    """

    gateway: str
    platform: str
    person: str
    """The owner's id; empty for the room, where everybody counts as the operator."""
    reason: Reason | None
    """The reason of the pause; None: the gateway works again, or `subject` tells the matter."""
    detail: str
    """The text of the gateway's answer."""
    waiting: int
    """Orders that waited for the end of the pause when this was written."""
    written_at: float
    due_at: float
    claimed_until: float | None
    attempts: int
    subject: str = ""
    """The subject of a notice that is not about a pause; see `about`."""


def last_of(sent_at: Mapping[Reason | None, float]) -> Reason | None:
    """Return the reason of the latest notice; None if that notice said that the gateway works.

    `sent_at` holds the time of the latest notice for each reason, and for None.
    """
    return max(sent_at, key=sent_at.__getitem__, default=None)


def may_be_said_at(lock: Reason, sent_at: Mapping[Reason | None, float]) -> float:
    """Return the time from which operators may be told that the gateway is paused for `lock`."""
    if last_of(sent_at) is lock:
        return sent_at[lock] + REMINDER
    return max(sent_at.get(lock, 0.0), sent_at.get(None, 0.0)) + HUSH


def about(puzzle: str, said: str) -> str:
    """Return the subject of a notice about an unknown status word or an unknown answer shape."""
    return f"{puzzle} {said}"


def puzzle_in(subject: str) -> tuple[str, str] | None:
    """Return which of `PUZZLES` a notice is about, and the unknown word or shape.

    Returns None for every other subject.
    """
    puzzle, space, said = subject.partition(" ")
    return (puzzle, said) if space and puzzle in PUZZLES else None


def is_news(subject: str, sent_at: Mapping[str, float], *, now: float) -> bool:
    """Whether operators may be told of `subject` now.

    `sent_at` holds when operators were told of each subject of the same gateway. An unknown word or
    shape is told once, other subjects once in `REMINDER` seconds.
    """
    if puzzle_in(subject) is None:
        return now - sent_at.get(subject, -REMINDER) >= REMINDER
    return (
        subject not in sent_at and sum(puzzle_in(each) is not None for each in sent_at) < MOST_WORDS
    )


def nonce_of(*parts: str) -> str:
    """Return an idempotency key that is always the same for the same parts.

    The key has 20 characters; Discord takes at most 25.
    """
    return sha256("\0".join(parts).encode()).hexdigest()[:20]
