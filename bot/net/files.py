"""Bytes from the net, written to our own disk."""

import asyncio
import math
from collections.abc import AsyncIterable, Awaitable, Callable
from io import FileIO
from pathlib import Path
from typing import TypeVar

from bot.log import get_logger
from bot.net.bounds import Bounds

log = get_logger()
Told = TypeVar("Told")


async def save(chunks: AsyncIterable[bytes], into: Path, *, most: float = math.inf) -> int:
    """Its size in bytes; no more is read than shows that it is above `most`."""
    size = 0
    with into.open("wb", buffering=0) as file:
        async for chunk in chunks:
            size += len(chunk)
            if size > most:
                break
            await write(file, chunk)
    return size


async def write(
    file: FileIO, data: bytes, do: Callable[..., Awaitable[int]] = asyncio.to_thread
) -> None:
    """Write all of it: a disk that is nearly full takes a part, and only then says so."""
    rest = memoryview(data)
    while rest:
        rest = rest[await do(file.write, rest) :]


class Disk:
    """Our own disk, tried for however long that takes, within the time for a whole video."""

    def __init__(self, bounds: Bounds) -> None:
        self._pause = bounds.room
        # What is left of that time is for saying so.
        self._until = asyncio.get_running_loop().time() + 0.9 * bounds.content
        self.why: str | None = None
        """Its error when it took nothing."""

    async def takes(self, do: Callable[..., Told], *given: object) -> Told:
        """The result of `do` as soon as there is room for it. Raises `OSError` at the end."""
        while True:
            try:
                return await asyncio.to_thread(do, *given)
            except OSError as error:
                if self.why is None:
                    log.error("film.no_room", why=error.strerror)
                self.why = f"own disk: {error.strerror}"
                if asyncio.get_running_loop().time() > self._until:
                    raise
                await asyncio.sleep(self._pause)
