"""Compare the usage counters of limits with the sums of the jobs.

They should always agree. If they don't, somebody might spend more than a limit allows. So no order
is accepted until an operator has the jobs counted again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bot.core.acts import Act, UseCase, Values
from bot.core.causes import Cause, Kind
from bot.core.ports import Clock

EVERY = 6 * 3600.0
"""Seconds between two automatic comparisons. A comparison reads all jobs of the day."""


class Counters(Protocol):
    """The counters of limits. Each method is one whole transaction."""

    async def compare(self) -> Sequence[str]:
        """Return the names of the wrong counters. If any is wrong, no order is accepted."""

    async def doubted(self) -> Sequence[str]:
        """Return the names of the counters that the last comparison found wrong."""

    async def recount(self, act: Act) -> None:
        """Set the counters to the sums of the jobs, and accept orders again."""


@dataclass(slots=True, kw_only=True)
class Counting:
    """Compares the counters with the jobs, reports wrong counters, and corrects them."""

    counters: Counters
    clock: Clock
    decided: Callable[[], None]
    """A function that is called when orders may have been stopped or allowed again."""
    _compared_at: float | None = field(default=None, init=False)

    @property
    def use_cases(self) -> Mapping[str, UseCase]:
        """The use cases, by the name that a command asks for."""
        return {"usage.compare": self.compare, "usage.recount": self.recount}

    async def causes(self) -> list[Cause]:
        """Return one cause while orders are refused because of wrong counters.

        Compares the counters if the last comparison is `EVERY` seconds old.
        """
        now = self.clock.now()
        if self._compared_at is not None and abs(now - self._compared_at) < EVERY:
            wrong = await self.counters.doubted()
        else:
            wrong = await self.counters.compare()
            self._compared_at = now
        return [Cause(kind=Kind.USAGE, facts={"wrong": ", ".join(wrong)})] if wrong else []

    async def compare(self) -> Values:
        """Compare the counters with the jobs now. Return the names of the wrong counters."""
        wrong = await self.counters.compare()
        self.decided()
        return {"wrong": list(wrong)}

    async def recount(self, *, actor: str, why: str = "") -> Values:
        """Correct the counters from the jobs, and accept orders again. Return which were wrong."""
        wrong = await self.counters.compare()
        act = Act(at=self.clock.now(), actor=actor, action="usage.recount", why=why)
        await self.counters.recount(act)
        self.decided()
        return {"wrong": list(wrong)}
