"""Whether a person still waits for the answer to an order.

Once the person was told "no", the order must not be admitted any more.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Asking:
    """One order while its person waits for the answer."""

    def __init__(self) -> None:
        self.is_over = False

    @contextmanager
    def begun(self) -> Iterator[None]:
        """Attach this order to all tasks that start inside."""
        token = _asking.set(self)
        try:
            yield
        finally:
            _asking.reset(token)


def is_over() -> bool:
    """Whether this task belongs to an order that was already answered with "no"."""
    asking = _asking.get()
    return asking is not None and asking.is_over


_asking: ContextVar[Asking | None] = ContextVar("asking", default=None)
