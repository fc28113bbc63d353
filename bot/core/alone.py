"""A lock for steps that run concurrently, and at times for one step that has to run alone.

If the process crashes while a step runs alone, that step is the cause. No step waits for the lock
inside its claim: a step that does not get the lock is put off, and counts no crash.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

ROOM = 30.0
"""Seconds for which no new step may begin after a step that has to run alone was refused."""


class Alone:
    """The lock for all steps that may crash the process."""

    def __init__(self, steady: Callable[[], float]) -> None:
        """`steady` returns the seconds of a monotonic clock."""
        self._steady = steady
        self._inside = 0
        self._is_alone = False
        self._wanted_until = 0.0

    @contextmanager
    def beside(self) -> Iterator[bool]:
        """Enter beside other steps. Yield False if a step runs alone or waits to run alone."""
        may = not self._is_alone and self._steady() >= self._wanted_until
        with self._counted(may):
            yield may

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Enter alone. Yield False if other steps run; no new step enters for `ROOM` seconds."""
        may = self._inside == 0
        self._wanted_until = 0.0 if may else self._steady() + ROOM
        self._is_alone = self._is_alone or may
        try:
            with self._counted(may):
                yield may
        finally:
            if may:
                self._is_alone = False

    @contextmanager
    def _counted(self, may: bool) -> Iterator[None]:
        self._inside += may
        try:
            yield
        finally:
            self._inside -= may
