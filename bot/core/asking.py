"""Whether a person is still waiting for the answer to an order: a "no" that was said stays true."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Asking:
    """One order, for as long as somebody waits for its answer."""

    def __init__(self) -> None:
        self.is_over = False

    @contextmanager
    def begun(self) -> Iterator[None]:
        """Every task that starts inside is about this order."""
        token = _asking.set(self)
        try:
            yield
        finally:
            _asking.reset(token)


def is_over() -> bool:
    """Whether this task is about an order whose person has had a "no" for an answer."""
    asking = _asking.get()
    return asking is not None and asking.is_over


_asking: ContextVar[Asking | None] = ContextVar("asking", default=None)
