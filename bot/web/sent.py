"""A stored file as the answer: all of it, the part that was asked for, or no more than a word.

aiohttp's own `FileResponse` opens the file for every part and closes it again, each time in another
thread, which costs more than the sending; and it takes an `If-Range` that holds a tag for none.
"""

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

from aiohttp import ETag, hdrs, web
from aiohttp.abc import AbstractStreamWriter

from bot.core.errors import BotError
from bot.log import get_logger
from bot.web.open_files import OpenFile

log = get_logger()


class Sent(web.StreamResponse):
    """Sends the file, which stays open for as long as that takes.

    aiohttp prepares what a handler returns, so the sending can't happen in the handler.
    """

    def __init__(
        self, file: AbstractAsyncContextManager[OpenFile], *, headers: Mapping[str, str]
    ) -> None:
        super().__init__(headers=headers)
        self._file = file

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send it, wholly or in the range that was asked for."""
        try:
            async with self._file as opened:
                return await self._send(request, opened)
        except BotError as error:
            if self.prepared:
                raise
            log.warning("page.file_unavailable", code=error.code)
            return await self._nothing(request)

    async def _send(
        self, request: web.BaseRequest, opened: OpenFile
    ) -> AbstractStreamWriter | None:
        size = opened.stat.st_size
        self.headers[hdrs.ETAG] = f'"{opened.tag}"'
        self.last_modified = opened.stat.st_mtime
        if no := _condition_failed(request, opened):
            return await self._without_file(request, no.status_code)
        try:
            part = _part(request, opened)
        except ValueError:
            self.headers[hdrs.CONTENT_RANGE] = f"bytes */{size}"
            no = web.HTTPRequestRangeNotSatisfiable
            return await self._without_file(request, no.status_code)
        self.headers[hdrs.ACCEPT_RANGES] = "bytes"
        if part is None:
            part = range(size)
        else:
            self.set_status(web.HTTPPartialContent.status_code)
            self.headers[hdrs.CONTENT_RANGE] = f"bytes {part.start}-{part.stop - 1}/{size}"
        self.content_length = len(part)
        writer = await super().prepare(request)
        if part and request.method != hdrs.METH_HEAD and request.transport:
            loop = asyncio.get_running_loop()
            await loop.sendfile(request.transport, opened.file, part.start, len(part))
            await self.write_eof()
        return writer

    async def _without_file(
        self, request: web.BaseRequest, status: int
    ) -> AbstractStreamWriter | None:
        self.set_status(status)
        if status != web.HTTPNotModified.status_code:
            self.content_length = 0
        return await super().prepare(request)

    async def _nothing(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        for name in (hdrs.CONTENT_TYPE, hdrs.CONTENT_DISPOSITION):
            del self.headers[name]
        # Browsers keep a 404 too if nobody tells them not to, and storage may come back.
        self.headers[hdrs.CACHE_CONTROL] = "no-store"
        return await self._without_file(request, web.HTTPNotFound.status_code)


def _condition_failed(request: web.BaseRequest, opened: OpenFile) -> type[web.HTTPException] | None:
    """The answer to a client that wants the file only if it has, or has not, changed.

    Conditions are read in the order of RFC 9110, 13.2.2.
    """
    changed_at = int(opened.stat.st_mtime)  # headers know whole seconds
    if request.if_match is not None:
        if not _names(request.if_match, opened.tag, weak=False):
            return web.HTTPPreconditionFailed
    elif (since := request.if_unmodified_since) and changed_at > since.timestamp():
        return web.HTTPPreconditionFailed
    if request.if_none_match is not None:
        return web.HTTPNotModified if _names(request.if_none_match, opened.tag) else None
    if (since := request.if_modified_since) and changed_at <= since.timestamp():
        return web.HTTPNotModified
    return None


def _names(tags: tuple[ETag, ...], tag: str, *, weak: bool = True) -> bool:
    return any(each.value in (tag, "*") for each in tags if weak or not each.is_weak)


def _part(request: web.BaseRequest, opened: OpenFile) -> range | None:
    """The bytes that were asked for; None for all. Raises `ValueError` where there are none."""
    size = opened.stat.st_size
    if hdrs.RANGE not in request.headers or not _is_same(request, opened):
        return None
    asked = request.http_range
    start, stop, _ = asked.indices(size)
    if start >= stop:
        raise ValueError("nothing there")
    return range(start, stop)


def _is_same(request: web.BaseRequest, opened: OpenFile) -> bool:
    """Whether the rest of what somebody has is wanted: `If-Range` names the file or its time."""
    named = request.headers.get(hdrs.IF_RANGE)
    if named is None:
        return True
    if since := request.if_range:
        return int(opened.stat.st_mtime) <= since.timestamp()
    return named == f'"{opened.tag}"'
