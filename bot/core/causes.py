"""Causes: states that an owner has to know of, from the beginning of each to its end.

A cause is looked for again and again. It is told when it begins; its notice is brought up to date
where it stands; and what gets worse is said anew, at most once an hour.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.core.notices import HUSH

Facts = Mapping[str, object]
"""Something that JSON can hold: all that a notice says."""
MOST_IDS = 100
"""Jobs that a cause knows by their ids."""
MOST_SHOWN = 5
"""Jobs that a notice names: the rest is counted."""


class Kind(StrEnum):
    """The kinds of causes; a value is for ever."""

    UNCONFIRMED = "unconfirmed"
    STUCK = "stuck"
    DISK = "disk"
    MEDIA = "media"
    BACKUP = "backup"
    LIMIT = "limit"
    USAGE = "usage"
    DIGEST = "digest"
    """No trouble: the news of a day, said once."""


URGENT = frozenset({Kind.LIMIT})
"""Kinds that get worse a few times a day at most: each time is said at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A state as it is now."""

    kind: Kind
    about: str = ""
    """Which of its kind: a folder, a purse; empty where there is one alone."""
    facts: Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A cause as it was at the last look. Times are seconds since the epoch, UTC."""

    facts: Facts
    said: Facts | None
    """The facts that rang last; None where it came again, and that rang nowhere yet."""
    said_at: float
    ended_at: float | None


class Say(StrEnum):
    """The part of a look that people see."""

    ANEW = "anew"
    """A new message, which rings."""
    CHANGED = "changed"
    """The message that stands says it from now on."""
    SAME = "same"


def say(before: Known | None, cause: Cause, *, now: float) -> Say:
    """How a cause that holds now is told."""
    if before is None:
        return Say.ANEW
    is_quiet = now - before.said_at < HUSH
    if before.ended_at is not None:
        return Say.CHANGED if is_quiet else Say.ANEW
    if before.said is None:
        if not is_quiet:
            return Say.ANEW
    elif _is_worse(cause.facts, before.said, before.facts) and (
        cause.kind in URGENT or not is_quiet
    ):
        return Say.ANEW
    return Say.CHANGED if cause.facts != before.facts else Say.SAME


def _is_worse(facts: Facts, said: Facts, shown: Facts) -> bool:
    level, told, last = (it.get("level") for it in (facts, said, shown))
    if isinstance(level, int) and isinstance(told, int) and isinstance(last, int):
        if facts.get("day") != said.get("day"):
            return True
        is_other = facts.get("limit") != said.get("limit")
        rises = level > last and facts.get("limit") == shown.get("limit")
        return level > told or (is_other and (level == told or rises))
    return bool(ids_in(facts) - ids_in(said)) and not _only_moved_up(facts, said)


def _only_moved_up(facts: Facts, said: Facts) -> bool:
    """Whether all of them were there before, some behind more than can be known by their ids."""
    count, newest, told = said.get("count"), facts.get("newest"), said.get("newest")
    is_cut = isinstance(count, int) and count > len(ids_in(said))
    if not (isinstance(newest, float) and isinstance(told, float)):
        return False
    return is_cut and newest <= told


def ids_in(facts: Facts) -> frozenset[str]:
    """The jobs that a cause knows."""
    ids = facts.get("ids")
    return frozenset(map(str, ids)) if isinstance(ids, list) else frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One row of the `reports` table: a cause, and one owner who is told of it."""

    kind: Kind
    about: str
    platform: str
    person: str
    """An owner; empty where everybody in the room is the operator."""
    facts: Facts
    is_over: bool
    round: int
    """How often it was said anew."""
    version: int
    written_at: float
    claimed_until: float | None
    attempts: int
    sending_at: float | None
    """When a send with an unknown end was begun."""
    message_id: str | None
    channel_id: str | None
    """Where it stands."""


class Causes(Protocol):
    """The rows of causes. Each method is one whole transaction."""

    async def once(self, cause: Cause, *, rooms: Collection[str], now: float) -> bool:
        """Say it if it was never said: whether it was not."""

    async def last(self, kind: Kind) -> float | None:
        """When one of this kind was said last."""

    async def open(self) -> list[Cause]:
        """All that hold now."""

    async def claim(
        self, platforms: Sequence[str], *, now: float, until: float, most: int
    ) -> list[Report]: ...

    async def next_due(self, platforms: Sequence[str]) -> float | None: ...

    async def sending(self, report: Report, *, now: float) -> bool:
        """Remember that a new message is on its way: whether it may still be sent."""

    async def told(self, report: Report, message_id: str, channel_id: str) -> None:
        """It stands there. If the cause has changed meanwhile, it is due once more."""

    async def put_off(self, report: Report, *, due_at: float, unsent: bool = False) -> None:
        """Try again then. `unsent`: nothing can have been said."""

    async def leave(self, report: Report) -> None:
        """Say no more of it as it is now; what changes is due again."""
