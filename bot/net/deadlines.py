"""One timer for many requests that all have the same timeout.

A timer for each request costs as much as reading its response, and hardly any timer runs out.
"""

import asyncio

_PRECISION = 0.01
"""The share of the timeout by which a request may end late."""


class Deadline:
    """A timeout for the code inside `with deadline:`, which raises TimeoutError after `seconds`.

    A task must not enter the same deadline twice at a time.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends: dict[asyncio.Task[object], float] = {}
        """The time at which each task times out, earliest first, as all timeouts are equal."""
        self._over: dict[asyncio.Task[object], int] = {}
        """The tasks that this timer cancelled, each with the number of earlier cancel requests."""
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        self._ends[_current()] = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_later(self._seconds * _PRECISION, self._sweep)

    def __exit__(self, kind: type[BaseException] | None, error: object, _trace: object) -> None:
        task = _current()
        if self._ends.pop(task, None) is not None:
            return
        is_ours_alone = task.uncancel() <= self._over.pop(task)
        if is_ours_alone and kind is asyncio.CancelledError:
            raise TimeoutError

    def _sweep(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        now = loop.time()
        for task in [task for task, ends in self._ends.items() if ends <= now]:
            del self._ends[task]
            self._over[task] = task.cancelling()
            task.cancel()
        if self._ends:
            self._timer = loop.call_later(self._seconds * _PRECISION, self._sweep)


def _current() -> "asyncio.Task[object]":
    task = asyncio.current_task()
    assert task is not None
    return task
