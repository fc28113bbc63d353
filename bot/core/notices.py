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
_WORD = "word "
_SHAPE = "shape "


@dataclass(frozen=True, slots=True)
class Pause:
    """A gateway is left alone: it refuses our key or our balance."""

    reason: Reason
    until: float
    """When the gateway is asked whether that is over."""
    looking: bool = False
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
    """Its subject, if that is no pause; see `about_word`."""


def last_of(told: Mapping[Reason | None, float]) -> Reason | None:
    """The last reason that operators were told of, by the time of each; None: it works."""
    return max(told, key=told.__getitem__, default=None)


def may_be_said_at(lock: Reason, told: Mapping[Reason | None, float]) -> float:
    """From when on `lock` is news to them."""
    if last_of(told) is lock:
        return told[lock] + REMINDER
    return max(told.get(lock, 0.0), told.get(None, 0.0)) + HUSH


def about_word(word: str) -> str:
    """The subject of a status word that nobody knows: it is told once."""
    return f"{_WORD}{word}"


def word_in(subject: str) -> str | None:
    """The status word that a notice is about."""
    return subject.removeprefix(_WORD) if subject.startswith(_WORD) else None


def about_shape(shape: str) -> str:
    """The subject of an answer in which nobody finds a state: it is told once."""
    return f"{_SHAPE}{shape}"


def shape_in(subject: str) -> str | None:
    """The names in the answer that a notice is about."""
    return subject.removeprefix(_SHAPE) if subject.startswith(_SHAPE) else None


def _is_puzzle(subject: str) -> bool:
    return subject.startswith((_WORD, _SHAPE))


def is_news(subject: str, told: Mapping[str, float], *, now: float) -> bool:
    """Whether `subject` may be told, by when which subjects of its gateway were."""
    if not _is_puzzle(subject):
        return now - told.get(subject, -REMINDER) >= REMINDER
    return subject not in told and sum(map(_is_puzzle, told)) < MOST_WORDS


def nonce_of(*parts: str) -> str:
    """At most 25 characters (Discord's limit), the same for the same parts."""
    return sha256("\0".join(parts).encode()).hexdigest()[:20]
