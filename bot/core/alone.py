"""Steps beside each other, and now and then one that has nobody beside it.

If the process dies while a step runs alone, it is known which step it died of. Nobody waits inside
a claim for being let in: whoever is turned away comes again, and is blamed for nothing meanwhile.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

ROOM = 30.0
"""Seconds for which nobody new comes in after one that wants to be alone was turned away."""


class Alone:
    """One for all steps that may be suspected."""

    def __init__(self, steady: Callable[[], float]) -> None:
        """`steady` tells the seconds of a clock that nobody sets."""
        self._steady = steady
        self._inside = 0
        self._is_alone = False
        self._wanted_until = 0.0

    @contextmanager
    def beside(self) -> Iterator[bool]:
        """With any number of others. False: somebody is alone, or wants to be: come again."""
        may = not self._is_alone and self._steady() >= self._wanted_until
        with self._counted(may):
            yield may

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """With nobody else. False: there are others; those inside go first, nobody else comes."""
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
