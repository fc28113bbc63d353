"""Remembers whether an order was already answered with an error.

An order that takes too long is answered with an error. After that it must not be admitted any more.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Asking:
    """An order whose person waits for the answer.

    `is_over` is set when the person was told that the order failed.
    """

    def __init__(self) -> None:
        self.is_over = False

    @contextmanager
    def begun(self) -> Iterator[None]:
        """Make this the order of all tasks that are started inside the context."""
        token = _asking.set(self)
        try:
            yield
        finally:
            _asking.reset(token)


def is_over() -> bool:
    """Whether the order that this task works on was already answered with an error.

    False for a task that works on no order.
    """
    asking = _asking.get()
    return asking is not None and asking.is_over


_asking: ContextVar[Asking | None] = ContextVar("asking", default=None)
