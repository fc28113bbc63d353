"""Whether what limits count is what the jobs add up to.

It always should be. Where it is not, somebody might spend past a limit: no order is taken until an
operator has had it counted anew.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bot.core.acts import Act, UseCase, Values
from bot.core.causes import Cause, Kind
from bot.core.ports import Clock

EVERY = 6 * 3600.0
"""Seconds between two comparisons by itself: each reads all jobs of the day."""


class Counters(Protocol):
    """The counters of limits. Each method is one whole transaction."""

    async def compare(self) -> Sequence[str]:
        """Names of those that are wrong; from then on no order is taken, until `recount`."""

    async def doubted(self) -> Sequence[str]:
        """Those that were found to be wrong."""

    async def recount(self, act: Act) -> None:
        """Count anew, and take orders again."""


@dataclass(slots=True, kw_only=True)
class Counting:
    """Compares, tells, and counts anew."""

    counters: Counters
    clock: Clock
    decided: Callable[[], None]
    """It is called when a comparison, or an operator, changed whether orders are taken."""
    _compared_at: float | None = field(default=None, init=False)

    @property
    def use_cases(self) -> Mapping[str, UseCase]:
        """By the name that a command asks for."""
        return {"usage.compare": self.compare, "usage.recount": self.recount}

    async def causes(self) -> list[Cause]:
        """One, while orders are refused because of it."""
        now = self.clock.now()
        if self._compared_at is not None and abs(now - self._compared_at) < EVERY:
            wrong = await self.counters.doubted()
        else:
            wrong = await self.counters.compare()
            self._compared_at = now
        return [Cause(kind=Kind.USAGE, facts={"wrong": ", ".join(wrong)})] if wrong else []

    async def compare(self) -> Values:
        """Compare now."""
        wrong = await self.counters.compare()
        self.decided()
        return {"wrong": list(wrong)}

    async def recount(self, *, actor: str, why: str = "") -> Values:
        """Count anew from the jobs, and take orders again."""
        wrong = await self.counters.compare()
        act = Act(at=self.clock.now(), actor=actor, action="usage.recount", why=why)
        await self.counters.recount(act)
        self.decided()
        return {"wrong": list(wrong)}
