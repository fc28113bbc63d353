"""The operators' use cases: values in, values out; no chat network and no command line.

Whatever they change is written in one transaction with an act that says who did it, and why.
"""

from collections.abc import Mapping
from typing import Protocol

from bot.core.acts import Act, UseCase, Values

MOST_ACTS = 1000
"""Acts in one list."""


class Acts(Protocol):
    """The acts, to be read."""

    async def latest(self, *, most: int, subject: str | None = None) -> list[Act]:
        """The newest first."""


class Admin:
    """Looks after the service as a whole."""

    def __init__(self, *, acts: Acts) -> None:
        self._acts = acts

    @property
    def use_cases(self) -> Mapping[str, UseCase]:
        """By the name that a command asks for."""
        return {"acts.list": self.acts}

    async def acts(self, *, most: int = 20, subject: str | None = None) -> Values:
        """The latest acts, the newest first."""
        found = await self._acts.latest(most=min(max(1, most), MOST_ACTS), subject=subject)
        return {"acts": [_shown(act) for act in found]}


def _shown(act: Act) -> Values:
    return {
        "at": act.at,
        "actor": act.actor,
        "action": act.action,
        "subject": act.subject,
        "why": act.why,
        "details": dict(act.details),
    }
