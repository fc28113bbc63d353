"""Worker processes for native decoders, which foreign bytes may crash, stall or bloat.

Each worker is a bare interpreter at the other end of a pipe. It has four advantages over
`ProcessPoolExecutor`: a crash ends only its own task; a cancelled or overdue task is killed; a
worker ends when we end, because its pipe closes; and it neither imports our `__main__` again nor
inherits an environment full of secrets.
"""

import asyncio
import os
import pickle
import resource
import signal
import sys
import traceback
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar, TypeVarTuple

from bot.core.errors import BotError, Broken, StorageAway, WorkerTooSlow

MOST_MEMORY = 1_500_000_000
"""Bytes of address space of one worker.

A conversion from 4K to 4K needs 1.0 GB, and 1.2 GB in 12 bits and 4:4:4. From 8K it needs up to
1.4 GB; H.265 in 10 bits and AV1 need more, for which there is `encoding.convert_sparingly`.
"""

_LENGTH = 4
_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")


class Workers:
    """A pool of up to `most` processes, started when first needed and then kept."""

    def __init__(self, most: int = 2) -> None:
        self._slots = asyncio.Semaphore(most)
        self._idle: list[Process] = []

    async def run(self, function: Callable[[*_Ts], _T], *args: *_Ts, timeout: float) -> _T:
        """Call a module-level function in a worker. A `BotError` that it raises is raised here.

        Raises `Broken`: `worker_died`, `worker_too_slow`, or `worker_failed` for any exception
        that the function should have translated. An `OSError` becomes `Temporary`.
        """
        try:
            async with self._borrowed() as worker, asyncio.timeout(timeout):
                reply = await _exchange(worker, (timeout, function, args))
        except TimeoutError as error:
            raise WorkerTooSlow(task=function.__name__) from error
        except (asyncio.IncompleteReadError, OSError) as error:
            raise Broken("worker_died", task=function.__name__) from error
        if isinstance(reply, BotError):
            raise reply
        answer: _T = reply
        return answer

    async def close(self) -> None:
        """End the idle workers. A busy worker ends when its `run` is cancelled."""
        while self._idle:
            await _end(self._idle.pop())

    @asynccontextmanager
    async def _borrowed(self) -> AsyncIterator[Process]:
        """Yield a worker for one task. After any exception the worker is ended."""
        async with self._slots:
            worker = self._take() or await _start()
            try:
                yield worker
            except BaseException:
                await _end(worker)
                raise
            self._idle.append(worker)

    def _take(self) -> Process | None:
        while self._idle:
            worker = self._idle.pop()
            if worker.returncode is None:
                return worker
        return None


async def _start() -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "bot.media.workers",
        stdin=PIPE,
        stdout=PIPE,
        process_group=0,  # Ctrl-C must not reach a worker that does not ignore it yet
        env={
            "PYTHONPATH": os.pathsep.join(entry or os.curdir for entry in sys.path),
            "MALLOC_ARENA_MAX": "2",  # each arena costs address space
        },
    )


async def _exchange(worker: Process, request: object) -> Any:
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write(pickle.dumps(request))
    await worker.stdin.drain()
    length = int.from_bytes(await worker.stdout.readexactly(_LENGTH))
    return pickle.loads(await worker.stdout.readexactly(length))  # noqa: S301 (our own child)


async def _end(worker: Process) -> None:
    if worker.returncode is None:
        worker.kill()
    await worker.communicate(b"")


# ---------------------------------------------------------------- at the other end of the pipe


def serve() -> None:
    """Run the tasks that come through the pipe until it closes."""
    _limit()
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # output of libraries must not mix with the replies
    while True:
        try:
            timeout, function, args = pickle.load(sys.stdin.buffer)  # noqa: S301 (our own parent)
        except EOFError:
            return
        # If our parent is gone and can't kill us, SIGALRM ends even a loop in native code.
        signal.alarm(int(timeout) + 5)
        reply = pickle.dumps(_attempt(function, args))
        signal.alarm(0)
        try:
            replies.write(len(reply).to_bytes(_LENGTH) + reply)
            replies.flush()
        except BrokenPipeError:
            return  # our parent was killed: nobody waits for this


def _attempt(function: Callable[..., object], args: tuple[object, ...]) -> object:
    try:
        return function(*args)
    except BotError as error:
        return error
    except OSError as error:
        return _logged(StorageAway(error=repr(error)))
    except Exception as error:  # noqa: BLE001 (the outermost handler)
        return _logged(Broken("worker_failed", task=function.__name__, error=repr(error)))


def _logged(error: BotError) -> BotError:
    """Return the error with its traceback as a note: pickling drops the traceback."""
    error.add_note(traceback.format_exc())
    return error


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # elsewhere the system does not take this limit
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        most = MOST_MEMORY if hard == resource.RLIM_INFINITY else min(MOST_MEMORY, hard)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    os.nice(5)  # on a small machine, answers to chat go first
    # systemd signals all processes of the service; our parent decides when we end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


if __name__ == "__main__":
    serve()
