"""Rows that are claimed as they are written, on their way to the loop that takes their next step.

A step that makes the next one due in the same process claims the row for it in its own transaction,
and the loop needs none to find it. The claim stands in the row: a crash gives it back like any
other.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bot.core.wake import Wake

Row = TypeVar("Row")


@dataclass(slots=True)
class HandedOn(Generic[Row]):
    """The rows on their way to one loop; only as many as it can begin at once, about.

    `wake` wakes the loop.
    """

    wake: Wake = field(default_factory=Wake)
    free: int = 0
    """Steps that the loop could begin now, as it said last; none before it runs and in its end."""
    _rows: list[Row] = field(init=False, default_factory=list)

    @property
    def has_room(self) -> bool:
        """Whether a row that is claimed now would be taken at once."""
        return len(self._rows) < self.free

    def put(self, row: Row) -> None:
        """Hand on `row`, which is claimed."""
        self._rows.append(row)
        self.wake.call()

    def take(self) -> Iterator[Row]:
        """All that came."""
        while self._rows:
            yield self._rows.pop(0)
