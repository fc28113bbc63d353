"""Causes: lasting states that owners have to know of.

The service looks for causes regularly. A cause is reported when it begins. Its report is edited
when it changes. If it gets worse it is reported again, at most once an hour.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.core.notices import HUSH

Facts = Mapping[str, object]
"""An object that JSON can hold, with all values of a report."""
MOST_IDS = 100
"""The most job ids that a cause stores."""
MOST_SHOWN = 5
"""The most jobs that a report names. The others are counted."""


class Kind(StrEnum):
    """The kinds of causes. Stored values never change."""

    UNCONFIRMED = "unconfirmed"
    STUCK = "stuck"
    DISK = "disk"
    MEDIA = "media"
    BACKUP = "backup"
    LIMIT = "limit"
    USAGE = "usage"
    DIGEST = "digest"
    """The figures of a day, reported once. It is not a fault."""
    OFFERS = "offers"
    """The models of a gateway or their prices changed, reported once. It is not a fault."""


EVENTS = frozenset({Kind.DIGEST, Kind.OFFERS})
"""Kinds that are reported once and do not last."""
URGENT = frozenset({Kind.LIMIT})
"""Kinds that get worse only a few times a day, so each time is reported at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A lasting problem that owners are told of, as it is now."""

    kind: Kind
    about: str = ""
    """The subject of the cause, such as a folder or a purse; empty if its kind has only one."""
    facts: Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A cause as the last check saved it. Times are seconds since the epoch, UTC."""

    facts: Facts
    said: Facts | None
    """The facts of the last new message; None if the cause began again without one yet."""
    said_at: float
    ended_at: float | None


class Say(StrEnum):
    """How owners are told of a cause that was found."""

    ANEW = "anew"
    """A new message, which notifies the owner."""
    CHANGED = "changed"
    """An edit of the existing message."""
    SAME = "same"


def say(before: Known | None, cause: Cause, *, now: float) -> Say:
    """Return how to tell owners of a cause that holds now."""
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
    level, sent, last = (it.get("level") for it in (facts, said, shown))
    if isinstance(level, int) and isinstance(sent, int) and isinstance(last, int):
        if facts.get("day") != said.get("day"):
            return True
        is_other = facts.get("limit") != said.get("limit")
        rises = level > last and facts.get("limit") == shown.get("limit")
        return level > sent or (is_other and (level == sent or rises))
    return bool(ids_in(facts) - ids_in(said)) and not _only_moved_up(facts, said)


def _only_moved_up(facts: Facts, said: Facts) -> bool:
    """Whether no job is new: the jobs were not among the `MOST_IDS` stored ids before."""
    count, newest, sent = said.get("count"), facts.get("newest"), said.get("newest")
    is_cut = isinstance(count, int) and count > len(ids_in(said))
    if not (isinstance(newest, float) and isinstance(sent, float)):
        return False
    return is_cut and newest <= sent


def ids_in(facts: Facts) -> frozenset[str]:
    """Return the stored job ids of a cause."""
    ids = facts.get("ids")
    return frozenset(map(str, ids)) if isinstance(ids, list) else frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One row of the `reports` table: a cause and one owner to tell."""

    kind: Kind
    about: str
    platform: str
    person: str
    """The id of the owner to tell; empty on a platform where everybody is the operator."""
    facts: Facts
    is_over: bool
    round: int
    """The number of new messages about the cause."""
    version: int
    written_at: float
    claimed_until: float | None
    attempts: int
    sending_at: float | None
    """When a send began whose result is unknown."""
    message_id: str | None
    channel_id: str | None
    """The channel of the message."""


class Causes(Protocol):
    """The rows of causes. Each method is one whole transaction."""

    async def once(self, cause: Cause, *, rooms: Collection[str], now: float) -> bool:
        """Report the cause if it was never reported. Return whether it is new."""

    async def last(self, kind: Kind) -> float | None:
        """Return when a cause of this kind was last reported."""

    async def open(self) -> list[Cause]:
        """Return the causes that hold now."""

    async def claim(
        self, platforms: Sequence[str], *, now: float, until: float, most: int
    ) -> list[Report]: ...

    async def next_due(self, platforms: Sequence[str]) -> float | None: ...

    async def sending(self, report: Report, *, now: float) -> bool:
        """Note that a send begins. Return whether the message may still be sent."""

    async def sent(self, report: Report, message_id: str, channel_id: str) -> None:
        """Note the sent message. If the cause has changed meanwhile, the report is due again."""

    async def put_off(self, report: Report, *, due_at: float, unsent: bool = False) -> None:
        """Postpone the report. `unsent`: certainly no message was sent."""

    async def leave(self, report: Report) -> None:
        """Drop the report in its present version. A later change makes it due again."""
