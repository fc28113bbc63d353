"""What operators are told without asking: a gateway is in trouble, or works again.

One row for each owner and gateway: news takes the place of what was not said yet, so nobody is told
what is no longer so.
"""

from dataclasses import dataclass

from bot.core.jobs import Reason

REMINDER = 24 * 3600.0
"""Seconds after which trouble that lasts is said again."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A gateway is left alone: its key or its balance is in trouble."""

    reason: Reason
    until: float
    looking: bool = False
    """Only looks were refused: a good one shows that all is well. Else it takes a create."""


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
    """Jobs that waited for it when this was written."""
    written_at: float
    due_at: float
    claimed_until: float | None
    attempts: int
