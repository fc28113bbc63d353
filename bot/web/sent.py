"""Sends a stored file as the response: the whole file, a range of it, or only a status.

aiohttp's own `FileResponse` opens and closes the file for every range, each time in a thread, which
costs more than the sending; and it ignores an `If-Range` that holds an ETag.
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
    """A response that sends a file and keeps it open until it is sent.

    aiohttp calls `prepare` on the response that a handler returns, so the file is sent there.
    """

    def __init__(
        self, file: AbstractAsyncContextManager[OpenFile], *, headers: Mapping[str, str]
    ) -> None:
        super().__init__(headers=headers)
        self._file = file

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send the whole file or the requested range."""
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
        # Browsers may cache a 404, but the storage may come back.
        self.headers[hdrs.CACHE_CONTROL] = "no-store"
        return await self._without_file(request, web.HTTPNotFound.status_code)


def _condition_failed(request: web.BaseRequest, opened: OpenFile) -> type[web.HTTPException] | None:
    """Return the response to a conditional request whose condition fails; None to send the file.

    Conditions are evaluated in the order of RFC 9110, 13.2.2.
    """
    changed_at = int(opened.stat.st_mtime)  # headers have whole seconds
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
    """Return the requested range; None for the whole file. Raises `ValueError` if it is empty."""
    size = opened.stat.st_size
    if hdrs.RANGE not in request.headers or not _is_same(request, opened):
        return None
    asked = request.http_range
    start, stop, _ = asked.indices(size)
    if start >= stop:
        raise ValueError("nothing there")
    return range(start, stop)


def _is_same(request: web.BaseRequest, opened: OpenFile) -> bool:
    """Whether the `If-Range` header, an ETag or a time, matches the file. True without header."""
    named = request.headers.get(hdrs.IF_RANGE)
    if named is None:
        return True
    if since := request.if_range:
        return int(opened.stat.st_mtime) <= since.timestamp()
    return named == f'"{opened.tag}"'
