"""Events in order, and functions by which a test waits for them, without sleeping and always with a
timeout.
"""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Stream(Generic[T]):
    """The events of one kind that no test has taken yet."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._waiting: list[T] = []
        self._changed = asyncio.Event()

    def add(self, item: T) -> None:
        """Add an event."""
        self._waiting.append(item)
        self._changed.set()

    async def take(self, where: Callable[[T], bool], timeout: float) -> T:
        """Remove and return the oldest event that fits; wait until there is one.

        TimeoutError names the other events.
        """
        try:
            async with asyncio.timeout(timeout):
                while (found := self._pop(where)) is None:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            seen = f"no such {self._name} within {timeout} s; not taken: {self._waiting}"
            raise TimeoutError(seen) from None
        return found

    def _pop(self, where: Callable[[T], bool]) -> T | None:
        for place, item in enumerate(self._waiting):
            if where(item):
                return self._waiting.pop(place)
        return None


async def within(timeout: float, event: asyncio.Event, otherwise: str) -> None:
    """Wait for the event; TimeoutError says `otherwise`."""
    try:
        async with asyncio.timeout(timeout):
            await event.wait()
    except TimeoutError:
        raise TimeoutError(f"{otherwise} within {timeout} s") from None
