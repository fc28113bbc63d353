"""Whether people are waiting for answers now: then other work goes on in small parts.

A large part would block the database and the event loop while a person waits for an answer.
"""

from collections.abc import Callable

LINGER = 1.0
"""Seconds after the latest order or press in which another is expected."""


class People:
    """One per process."""

    def __init__(self, steady: Callable[[], float]) -> None:
        """`steady` tells the seconds of a clock that nobody sets."""
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
        """Seconds until nobody is here any more, if nobody asks for anything until then."""
        return max(0.0, self._until - self._steady())
