"""Queues of rows that a step has claimed for their next step in the same process.

The step claims the row in the transaction of its own write, so the next loop needs no transaction
to find the row. The claim is in the row, so after a crash it expires like any other.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bot.core.wake import Wake

Row = TypeVar("Row")


@dataclass(slots=True)
class HandedOn(Generic[Row]):
    """The claimed rows for one loop, about as many as the loop can begin at once.

    `wake` wakes the loop.
    """

    wake: Wake = field(default_factory=Wake)
    free: int = 0
    """The steps that the loop can begin now, as set by the loop; 0 while it does not run."""
    _rows: list[Row] = field(init=False, default_factory=list)

    @property
    def has_room(self) -> bool:
        """Whether the loop would begin one more row at once."""
        return len(self._rows) < self.free

    def put(self, row: Row) -> None:
        """Add a claimed row and wake the loop."""
        self._rows.append(row)
        self.wake.call()

    def take(self) -> Iterator[Row]:
        """Remove and yield all rows."""
        while self._rows:
            yield self._rows.pop(0)
