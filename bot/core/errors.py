"""Everything that can go wrong, sorted by who can mend it.

An error carries a code and the values its sentence needs; the sentence itself lives in
`locales/` under `error.<code>`. Adapters translate foreign exceptions into these, once.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

_T = TypeVar("_T")
_R = TypeVar("_R")


class BotError(Exception):
    """Root of all our errors: a stable `code` and the `values` of its sentence."""

    which: tuple[int, int] | None = None
    """Of several pictures the number of the one that it is about, and how many there are."""
    in_reply: bool = False
    """It is about the message that is replied to, which may not be meant."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values

    def __str__(self) -> str:
        # Values may hold a prompt or a name: logs get the code and the keys, never the values.
        return f"{self.code}({', '.join(sorted(self.values))})"


class Refused(BotError):
    """The person can act: another picture, fewer seconds, tomorrow."""


class Temporary(BotError):
    """Time heals: try the same again later."""

    def __init__(
        self,
        code: str,
        *,
        retry_after: float | None = None,
        unsent: bool = False,
        away: bool = False,
        **values: object,
    ) -> None:
        super().__init__(code, **values)
        self.retry_after = retry_after
        """Seconds the other side asked us to wait, if it said so."""
        self.unsent = unsent
        """It is certain that nothing has happened over there."""
        self.away = away
        """The other side was not there at all: no fault of what was asked, so no failed try."""


class Unwritten(Temporary):
    """Our own rows can't be reached now, so nothing was written down, and nothing will be later."""


class Broken(BotError):
    """We, the configuration or the other side are wrong; an operator has to look."""


@contextmanager
def about(number: int, of: int) -> Iterator[None]:
    """Errors within are about one of several pictures."""
    try:
        yield
    except BotError as problem:
        if of > 1 and problem.which is None:
            problem.which = number, of
        raise


def in_turn(read: Callable[[_T], _R], given: Sequence[_T]) -> list[_R]:
    """Each of several pictures, read; an error says which of them it is about."""
    found = []
    for number, each in enumerate(given, 1):
        with about(number, len(given)):
            found.append(read(each))
    return found
