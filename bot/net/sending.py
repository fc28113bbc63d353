"""Sends one POST: it is never repeated, and we always know whether a byte may have been sent.

There are two steps: `connected` opens the connection, and `PostConnection.send` sends over it.
Between them the caller stores that it is about to send. Exception types can't show whether a POST
was sent: a total timeout looks the same before and after sending (reliability fact F4).
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from io import BytesIO, FileIO
from pathlib import Path

import aiohttp
from aiohttp.abc import AbstractResolver, AbstractStreamWriter
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from yarl import URL

from bot.core.containers import HEAD, container_of
from bot.core.jobs import Reason
from bot.core.outcomes import Made, NotSent, Rejected, Uncertain
from bot.net.answers import NET, Answer, open_session, read
from bot.net.bounds import Bounds
from bot.net.files import STEP, Disk, write
from bot.net.unpacking import Baring


@dataclass(frozen=True, slots=True)
class FilePart:
    """One file of a multipart body."""

    name: str
    filename: str
    media_type: str
    path: Path


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a POST: text fields in order, then files; or one JSON object."""

    fields: tuple[tuple[str, str], ...] = ()
    files: tuple[FilePart, ...] = ()
    json: bytes | None = None
    """The JSON object, instead of fields and files."""


_Post = Callable[[], AbstractAsyncContextManager[aiohttp.ClientResponse]]


class PostConnection:
    """An open connection for one POST. No byte of the POST has been sent yet."""

    def __init__(
        self, post: _Post, held: "_Held", *, into: Path | None, until: float, bounds: Bounds
    ) -> None:
        self._post = post
        self._held = held
        self._into = into
        self._until = until
        self._bounds = bounds

    async def send(self) -> Answer | Made | Rejected | NotSent | Uncertain:
        """Send the POST once and read the response. Redirects are not followed."""
        if asyncio.get_running_loop().time() >= self._until:
            return NotSent("TimeoutError")
        try:
            async with asyncio.timeout_at(self._until) as patience, self._post() as response:
                head = await _head(response)
                if self._into and 200 <= response.status < 300 and container_of(head):
                    now = asyncio.get_running_loop().time()
                    patience.reschedule(now + self._bounds.content)
                    return await _saved(response, head, self._into, self._bounds)
                return await read(response, head, most=self._bounds.answer)
        except NET as error:
            detail = type(error).__name__
            return Uncertain(detail) if self._held.is_used else NotSent(detail)


@asynccontextmanager
async def connected(
    url: URL,
    body: Body,
    *,
    headers: dict[str, str],
    into: Path | None = None,
    bounds: Bounds,
    resolver: AbstractResolver | None = None,
) -> AsyncIterator[PostConnection]:
    """Open a connection for one POST of `body`. Raises one of `NET` if that fails.

    The timeout for the whole POST begins here. If the response is a video, it is saved to `into`
    and may take as long as any download.
    """
    until = asyncio.get_running_loop().time() + bounds.post
    held = _Held(force_close=True, resolver=resolver)
    async with _written(body) as data, open_session(bounds, held) as session:
        async with asyncio.timeout_at(until):
            await held.open(url, session.timeout)
        post = partial(session.post, url, data=data, headers=headers, allow_redirects=False)
        try:
            yield PostConnection(post, held, into=into, until=until, bounds=bounds)
        finally:
            held.hang_up()


class _Held(aiohttp.TCPConnector):
    """A connector that opens its connection early and gives it to one request only.

    aiohttp connects and sends in one call. It has no hook between the two that could wait until
    our row is written, so a request that is never sent opens the connection. If aiohttp ever
    repeated the POST by itself, the second request would get no connection and fail.
    """

    _held: Connection | None = None
    is_used = False
    """Whether a byte may have been sent."""

    async def open(self, url: URL, timeout: aiohttp.ClientTimeout) -> None:
        """Connect to the server of `url`, with TLS for https."""
        never_sent = aiohttp.ClientRequest("POST", url, loop=asyncio.get_running_loop())
        self._held = await super().connect(never_sent, [], timeout)

    async def connect(
        self,
        req: aiohttp.ClientRequest,  # noqa: ARG002 - it goes where the first one was to go
        traces: list[Trace],  # noqa: ARG002
        timeout: aiohttp.ClientTimeout,  # noqa: ARG002
    ) -> Connection:
        """Return the open connection, once. Raises `ClientConnectionError` after that."""
        if self._held is None or self.is_used:
            raise aiohttp.ClientConnectionError("this connection was used already")
        if self._held.protocol is None or not self._held.protocol.is_connected():
            # The server closed the connection while our row was written: nothing was sent.
            raise aiohttp.ClientConnectionError(
                "the server closed the connection before the first byte"
            )
        self.is_used = True
        return self._held

    def hang_up(self) -> None:
        """Close the connection if it is open."""
        if self._held is not None:
            self._held.close()


@asynccontextmanager
async def _written(
    body: Body,
) -> AsyncIterator[aiohttp.MultipartWriter | aiohttp.BytesIOPayload]:
    """Yield the body's payload for aiohttp. Its files stay open as long as the context lasts."""
    if body.json is not None:
        # As a stream: to write a picture of 10 MB at once would block the event loop.
        yield aiohttp.BytesIOPayload(BytesIO(body.json), content_type="application/json")
        return
    form = aiohttp.MultipartWriter("form-data")
    for name, value in body.fields:
        text = aiohttp.BytesPayload(value.encode())
        # Some servers (formidable) take a part with a Content-Type for a file, not a field.
        del text.headers["Content-Type"]
        _add(form, text, name=name)
    if not body.files:
        # One buffer: aiohttp would write four separate pieces for each field.
        whole = BytesIO(await form.as_bytes())
        yield aiohttp.BytesIOPayload(whole, content_type=form.content_type)
        return
    with ExitStack() as stack:
        for part in body.files:
            file = stack.enter_context(part.path.open("rb"))
            data = _File(file, content_type=part.media_type)
            _add(form, data, name=part.name, filename=part.filename)
        yield form


class _File(aiohttp.BufferedReaderPayload):
    """A file payload that reads in larger steps than aiohttp's own, each in a thread."""

    async def write_with_length(
        self, writer: AbstractStreamWriter, content_length: int | None
    ) -> None:
        """Write the whole file, or its first `content_length` bytes."""
        size = self.size
        left = size if content_length is None else min(size or content_length, content_length)
        while chunk := await asyncio.to_thread(self._value.read, min(STEP, left or STEP)):
            await writer.write(chunk)
            if left is not None:
                left -= len(chunk)
                if left <= 0:
                    return


def _add(form: aiohttp.MultipartWriter, part: aiohttp.Payload, **said: str) -> None:
    """Append a part with its names as plain UTF-8, as browsers send them."""
    part.set_content_disposition("form-data", quote_fields=False, **said)
    form.append_payload(part)


# --- a video as the response ---------------------------------------------------------------------


async def _head(response: aiohttp.ClientResponse) -> bytes:
    """Return the first bytes, without leading blanks: enough to tell a video from a text."""
    baring, head = Baring(), b""
    async for chunk in response.content.iter_chunked(64 * 1024):
        head += baring.piece(chunk)
        if len(head) >= HEAD:
            return head
    return head + baring.rest()


async def _saved(
    response: aiohttp.ClientResponse, head: bytes, into: Path, bounds: Bounds
) -> Made | Rejected:
    """Stream a video to disk. A video that we can't store is charged all the same.

    The video is sent only once: while the disk is full, the unread rest waits in the connection.
    """
    disk = Disk(bounds)
    try:
        with await disk.takes(FileIO, into, "wb") as file:
            whole = _whole(head, response)
            size = await write(whole, file, most=bounds.video, takes=disk.takes)
    except (OSError, aiohttp.ClientError):
        if disk.why is None:
            raise
        # The full disk is the cause, even if the server then closed the connection.
        return Rejected(Reason.NO_ROOM, disk.why, charged=True)
    if size > bounds.video:
        detail = f"too large: more than {bounds.video} bytes"
        return Rejected(Reason.CONTENT_TOO_LARGE, detail, charged=True)
    return Made(size)


async def _whole(head: bytes, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    yield head
    async for chunk in response.content.iter_chunked(256 * 1024):
        yield chunk
