"""Bytes from the net, written to our own disk."""

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
"""Bytes that are written, or read to be sent, at a time."""
LITTLE = 1 << 16
"""Bytes of a chunk that is written at once."""

log = get_logger()
Told = TypeVar("Told")


class Takes(Protocol):
    """A way to have the disk do something beside the event loop."""

    async def __call__(self, do: Callable[..., Told], /, *given: object) -> Told:
        """The result of `do`. Raises `OSError`."""


async def at_once(do: Callable[..., Told], /, *given: object) -> Told:
    """Try once."""
    return await asyncio.to_thread(do, *given)


async def save(chunks: AsyncIterable[bytes], into: Path, *, most: float = math.inf) -> int:
    """The same as `write`, into a file that begins anew."""
    # Opened at once: what a connection brought is lost if it breaks before the first read.
    with into.open("wb", buffering=0) as file:
        return await write(chunks, file, most=most)


async def write(
    chunks: AsyncIterable[bytes], file: FileIO, *, most: float = math.inf, takes: Takes = at_once
) -> int:
    """Bytes that came; no more are read than show that it is above `most`.

    They are written some at a time: handing them over to a thread costs more than writing them.
    """
    size, held = 0, _Held(file, takes)
    try:
        async for chunk in chunks:
            size += len(chunk)
            if size > most:
                break
            await held.add(chunk)
    finally:
        # Also where the line broke: what came may be half of what is gone on with.
        await held.flush()
    return size


class _Held:
    """Chunks that came and are not written yet."""

    def __init__(self, file: FileIO, takes: Takes) -> None:
        self._file = file
        self._takes = takes
        self._chunks: list[bytes] = []
        self._size = 0

    async def add(self, chunk: bytes) -> None:
        self._chunks.append(chunk)
        self._size += len(chunk)
        # A line that brings little at a time is no work: nothing is held back from the disk.
        if self._size >= STEP or len(chunk) < LITTLE:
            await self.flush()

    async def flush(self) -> None:
        chunks, size = self._chunks, self._size
        self._chunks, self._size = [], 0
        if size:
            taken = await self._takes(os.writev, self._file.fileno(), chunks)
            # A disk that is nearly full takes a part, and only then says so.
            rest = memoryview(b"" if taken == size else b"".join(chunks))[taken:]
            while rest:
                rest = rest[await self._takes(self._file.write, rest) :]


class Disk:
    """Our own disk, tried for however long that takes, within the time for a whole video."""

    def __init__(self, bounds: Bounds) -> None:
        self._pause = bounds.room
        # What is left of that time is for saying so.
        self._until = asyncio.get_running_loop().time() + 0.9 * bounds.content
        self.why: str | None = None
        """Its error when it took nothing."""

    async def takes(self, do: Callable[..., Told], /, *given: object) -> Told:
        """The result of `do` as soon as there is room for it. Raises `OSError` at the end."""
        while True:
            try:
                return await asyncio.to_thread(do, *given)
            except OSError as error:
                if self.why is None:
                    log.error("video.no_room", why=error.strerror)
                self.why = f"own disk: {error.strerror}"
                if asyncio.get_running_loop().time() > self._until:
                    raise
                await asyncio.sleep(self._pause)
