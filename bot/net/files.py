"""Writes bytes from the network to our own disk."""

import asyncio
import math
import os
from collections.abc import AsyncIterable, Callable
from io import FileIO
from pathlib import Path
from typing import Protocol, TypeVar

from bot.log import get_logger
from bot.net.bounds import Bounds

STEP = 1 << 20
"""Bytes that are collected before a write, or read at a time to be sent."""
LITTLE = 1 << 16
"""Least bytes of a chunk that is collected. A smaller chunk is written at once."""

log = get_logger()
Result = TypeVar("Result")


class Takes(Protocol):
    """A function that runs a disk operation in a thread."""

    async def __call__(self, do: Callable[..., Result], /, *given: object) -> Result:
        """Return the result of `do`. Raises `OSError`."""


async def at_once(do: Callable[..., Result], /, *given: object) -> Result:
    """Run `do` in a thread, without a retry."""
    return await asyncio.to_thread(do, *given)


async def save(chunks: AsyncIterable[bytes], into: Path, *, most: float = math.inf) -> int:
    """Write `chunks` to a new or emptied file, as `write` does."""
    # Open before the first read: a connection that breaks in between loses what it brought.
    with into.open("wb", buffering=0) as file:
        return await write(chunks, file, most=most)


async def write(
    chunks: AsyncIterable[bytes], file: FileIO, *, most: float = math.inf, takes: Takes = at_once
) -> int:
    """Write `chunks` to `file` and return the number of bytes. Stop once there are over `most`.

    Chunks are collected before a write, because a call in a thread costs more than the write.
    """
    size, held = 0, _Held(file, takes)
    try:
        async for chunk in chunks:
            size += len(chunk)
            if size > most:
                break
            await held.add(chunk)
    finally:
        # Also if the connection broke: the download may continue from here later.
        await held.flush()
    return size


class _Held:
    """A buffer of chunks that are not written yet."""

    def __init__(self, file: FileIO, takes: Takes) -> None:
        self._file = file
        self._takes = takes
        self._chunks: list[bytes] = []
        self._size = 0

    async def add(self, chunk: bytes) -> None:
        self._chunks.append(chunk)
        self._size += len(chunk)
        # A slow connection brings small chunks: writing each at once is cheap.
        if self._size >= STEP or len(chunk) < LITTLE:
            await self.flush()

    async def flush(self) -> None:
        chunks, size = self._chunks, self._size
        self._chunks, self._size = [], 0
        if size:
            taken = await self._takes(os.writev, self._file.fileno(), chunks)
            # A disk that is nearly full first writes a part, and fails only at the next write.
            rest = memoryview(b"" if taken == size else b"".join(chunks))[taken:]
            while rest:
                rest = rest[await self._takes(self._file.write, rest) :]


class Disk:
    """Our own disk during a download. An operation that fails is retried.

    Retries end after 0.9 of `Bounds.content`, the time limit of the whole download.
    """

    def __init__(self, bounds: Bounds) -> None:
        self._pause = bounds.room
        # The last tenth of that time is left for reporting the failure.
        self._until = asyncio.get_running_loop().time() + 0.9 * bounds.content
        self.why: str | None = None
        """The latest error of the disk, if there was one."""

    async def takes(self, do: Callable[..., Result], /, *given: object) -> Result:
        """Run `do`, with retries, and return its result. Raises `OSError` when time is up."""
        while True:
            try:
                return await asyncio.to_thread(do, *given)
            except OSError as error:
                if self.why is None:
                    log.error("video.no_room", why=error.strerror)
                self.why = f"the service's disk: {error.strerror}"
                if asyncio.get_running_loop().time() > self._until:
                    raise
                await asyncio.sleep(self._pause)
