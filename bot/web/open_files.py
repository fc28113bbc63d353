"""Keeps files open for some seconds after they were requested.

A player requests a video in many pieces. Without this, each request would find, open and close the
file in a thread, and would download the whole file from a bucket.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from io import BufferedReader
from pathlib import Path

from bot.core.ports import Media

KEPT_OPEN = 3.0
"""Seconds that a file stays open after the last response from it."""
MOST = 64
"""The most open files at which an unread file stays open."""


@dataclass(slots=True, eq=False)
class OpenFile:
    """An open file for several readers. Each read gives its offset, so readers don't interfere."""

    path: Path
    file: BufferedReader
    stat: os.stat_result
    tag: str
    """The ETag. It is made from the key, so each new copy from a bucket has the same one."""
    ways: AsyncExitStack
    """Closes the file, and removes the local copy if it came from a bucket."""
    readers: int = 0
    closing: asyncio.TimerHandle | None = None
    end: asyncio.Future[None] | None = None

    @property
    def is_there(self) -> bool:
        """Whether the file still exists under its path. A deleted file gets no new readers.

        Its number of links does not tell: a backup by hard links keeps deleted files.
        """
        try:
            return os.path.samestat(self.path.stat(), self.stat)
        except OSError:
            return False


@dataclass(slots=True)
class OpenFiles:
    """A cache of open stored files, each opened once."""

    media: Media
    kept_open: float = KEPT_OPEN
    _named: dict[str, OpenFile] = field(init=False, default_factory=dict)
    """The files for new readers, by key."""
    _all: set[OpenFile] = field(init=False, default_factory=set)

    @asynccontextmanager
    async def file(self, key: str) -> AsyncIterator[OpenFile]:
        """Yield the stored object under this key, open as long as the context lasts.

        Raises what `Media.file` raises.
        """
        opened = self._named.get(key)
        if opened is None or not opened.is_there:
            opened = self._named[key] = await self._opened(key)
            self._all.add(opened)
        if opened.closing:
            opened.closing.cancel()
        opened.readers += 1
        try:
            yield opened
        finally:
            opened.readers -= 1
            if not opened.readers:
                self._close_later(key, opened)

    async def aclose(self) -> None:
        """Close all files. No reader may be left."""
        for opened in list(self._all):
            await self._close(opened)

    async def _opened(self, key: str) -> OpenFile:
        async with AsyncExitStack() as stack:
            path = await stack.enter_async_context(self.media.file(key))
            file = await asyncio.to_thread(path.open, "rb")
            stack.push_async_callback(asyncio.to_thread, file.close)
            tag = blake2b(key.encode(), digest_size=12).hexdigest()
            return OpenFile(path, file, os.fstat(file.fileno()), tag, stack.pop_all())

    def _close_later(self, key: str, opened: OpenFile) -> None:
        def close() -> None:
            if self._named.get(key) is opened:
                del self._named[key]
            opened.end = asyncio.ensure_future(self._close(opened))

        loop = asyncio.get_running_loop()
        is_idle = self._named.get(key) is opened and len(self._all) <= MOST
        opened.closing = loop.call_later(self.kept_open if is_idle else 0.0, close)

    async def _close(self, opened: OpenFile) -> None:
        if opened.closing:
            opened.closing.cancel()
        await opened.ways.aclose()
        self._all.discard(opened)
