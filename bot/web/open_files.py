"""Files that were asked for lately stay open for some seconds.

A player asks for piece after piece of a video. Each piece would else look for the file, open it and
close it again, each time beside the event loop, and fetch the whole of it from a bucket.
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
"""Seconds that a file stays open after the last answer that was made of it."""
MOST = 64
"""Files that stay open while nobody reads them."""


@dataclass(slots=True, eq=False)
class OpenFile:
    """One file, for all who read it: each says where, so nobody moves it for another."""

    path: Path
    file: BufferedReader
    stat: os.stat_result
    tag: str
    """Tells it from any other, also where each look fetches a new copy: a key is given once."""
    ways: AsyncExitStack
    """Closes it, and gives back what was fetched from afar."""
    readers: int = 0
    closing: asyncio.TimerHandle | None = None
    end: asyncio.Future[None] | None = None

    @property
    def is_there(self) -> bool:
        """Whether it has its name still. One that was deleted is shown to nobody new.

        It may have others: a backup by hard links keeps what is deleted here.
        """
        try:
            return os.path.samestat(self.path.stat(), self.stat)
        except OSError:
            return False


@dataclass(slots=True)
class OpenFiles:
    """Opens stored files, each once."""

    media: Media
    kept_open: float = KEPT_OPEN
    _named: dict[str, OpenFile] = field(init=False, default_factory=dict)
    """Those that newcomers are given."""
    _all: set[OpenFile] = field(init=False, default_factory=set)

    @asynccontextmanager
    async def file(self, key: str) -> AsyncIterator[OpenFile]:
        """The stored object under this key, open as long as the context lasts.

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
        """Close them all; nobody reads any more."""
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
