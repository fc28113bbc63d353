"""News that operators get without asking: a gateway is paused, works again, or puzzles us.

One row for each owner, gateway and subject: news takes the place of what was not said yet, so
nobody is told what is no longer so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from bot.core.jobs import Reason

REMINDER = 24 * 3600.0
"""Seconds after which a lock that lasts is said again."""
HUSH = 3600.0
"""Seconds in which the same is said once, and no lock after the end of another.

A balance too low for one video and enough for the next would else be news every few minutes.
"""
MOST_WORDS = 10
"""Unknown words and shapes that are told of one gateway: more are noise, not a dialect."""
PUZZLES = (WORD, SHAPE) = ("word", "shape")
"""A status word, and an answer without any: its shape are the names in it."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A gateway is left alone: it refuses our key or our balance."""

    reason: Reason
    until: float
    """When the gateway is asked whether that is over."""
    polls_only: bool = False
    """Only looks were refused: a good one shows that all is well. Else it takes a create."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """A paused gateway that is to be asked whether its lock is over."""

    gateway: str
    reason: Reason
    tried_at: float | None
    """Since when the one order that may try has gone; None: the next one may."""
    refused_at: float | None
    """When a free question was last refused for the same reason; None: never in this pause, so
    that a good answer to one proves nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One row of the `notices` table. Times are seconds since the epoch, UTC."""

    gateway: str
    platform: str
    person: str
    """An owner; empty where everybody in the room is the operator."""
    reason: Reason | None
    """None: it works again."""
    detail: str
    """The gateway's own words."""
    waiting: int
    """Jobs that the pause held up when this was written."""
    written_at: float
    due_at: float
    claimed_until: float | None
    attempts: int
    subject: str = ""
    """Its subject, if that is no pause; see `about`."""


def last_of(sent_at: Mapping[Reason | None, float]) -> Reason | None:
    """The last reason that operators were told of, by the time of each; None: it works."""
    return max(sent_at, key=sent_at.__getitem__, default=None)


def may_be_said_at(lock: Reason, sent_at: Mapping[Reason | None, float]) -> float:
    """From when on `lock` is news to them."""
    if last_of(sent_at) is lock:
        return sent_at[lock] + REMINDER
    return max(sent_at.get(lock, 0.0), sent_at.get(None, 0.0)) + HUSH


def about(puzzle: str, said: str) -> str:
    """The subject of a status word, or of the shape of an answer, that nobody knows: told once."""
    return f"{puzzle} {said}"


def puzzle_in(subject: str) -> tuple[str, str] | None:
    """Which of `PUZZLES` a notice is about, and the word or the shape; None for anything else."""
    puzzle, space, said = subject.partition(" ")
    return (puzzle, said) if space and puzzle in PUZZLES else None


def is_news(subject: str, sent_at: Mapping[str, float], *, now: float) -> bool:
    """Whether `subject` may be told, by when which subjects of its gateway were."""
    if puzzle_in(subject) is None:
        return now - sent_at.get(subject, -REMINDER) >= REMINDER
    return (
        subject not in sent_at and sum(puzzle_in(each) is not None for each in sent_at) < MOST_WORDS
    )


def nonce_of(*parts: str) -> str:
    """At most 25 characters (Discord's limit), the same for the same parts."""
    return sha256("\0".join(parts).encode()).hexdigest()[:20]
