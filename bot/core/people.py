"""Knows whether people wait for answers now. Meanwhile, background work is done in small parts.

A large part would block the database and the event loop while a person waits for an answer.
"""

from collections.abc import Callable

LINGER = 1.0
"""Seconds after an order or a press of a button for which the next one is expected."""


class People:
    """Whether people are using the bot now. There is one instance per process."""

    def __init__(self, steady: Callable[[], float]) -> None:
        """`steady` returns the seconds of a monotonic clock."""
        self._steady = steady
        self._until = steady()

    def came(self) -> None:
        """Record that a person ordered or pressed something."""
        self._until = self._steady() + LINGER

    @property
    def are_here(self) -> bool:
        """Whether a person waits for an answer, or did a moment ago."""
        return self._steady() < self._until

    @property
    def stay(self) -> float:
        """Seconds until `are_here` becomes False, if nobody orders or presses anything."""
        return max(0.0, self._until - self._steady())
