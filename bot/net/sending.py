"""One POST: never repeated, and whether its first byte may have left is always known.

The connection itself says so. Exception types can't: a total timeout looks the same before and
after the request was sent (reliability fact F4).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BytesIO, FileIO
from pathlib import Path

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from yarl import URL

from bot.core.containers import HEAD, container_of
from bot.core.jobs import Reason
from bot.core.outcomes import Made, NotSent, Rejected, Uncertain
from bot.net.answers import NET, Answer, open_session, read
from bot.net.bounds import Bounds
from bot.net.files import Disk, write
from bot.net.unpacking import Baring


@dataclass(frozen=True, slots=True)
class FilePart:
    """One file of the multipart body."""

    name: str
    filename: str
    media_type: str
    path: Path


@dataclass(frozen=True, slots=True)
class Body:
    """The body: text fields in order, then files; or one JSON object."""

    fields: tuple[tuple[str, str], ...] = ()
    files: tuple[FilePart, ...] = ()
    json: bytes | None = None
    """Instead of both."""


async def post(
    url: URL,
    body: Body,
    *,
    headers: dict[str, str],
    about_to_send: Callable[[], Awaitable[None]],
    into: Path | None = None,
    bounds: Bounds,
    resolver: AbstractResolver | None = None,
) -> Answer | Made | Rejected | NotSent | Uncertain:
    """POST `body` over a connection of its own and read the answer; redirects are answers.

    `about_to_send` runs before the first byte; if it raises, none leaves, and its error comes here.
    A video in place of words is saved to `into`, and may take as long as any download.
    """
    connector = _Announcing(about_to_send, resolver)
    try:
        async with (
            asyncio.timeout(bounds.post) as patience,
            open_session(bounds, connector) as session,
        ):
            with _written(body) as data:
                async with session.post(
                    url, data=data, headers=headers, allow_redirects=False
                ) as response:
                    head = await _head(response)
                    if into and 200 <= response.status < 300 and container_of(head):
                        now = asyncio.get_running_loop().time()
                        patience.reschedule(now + bounds.content)
                        return await _saved(response, head, into, bounds)
                    return await read(response, head, most=bounds.answer)
    except NET as error:
        if connector.forbidden is not None:
            raise connector.forbidden from None
        detail = type(error).__name__
        return Uncertain(detail) if connector.begun else NotSent(detail)


class _Announcing(aiohttp.TCPConnector):
    """Makes a fresh connection and says so before it is used.

    A trace of `on_connection_create_end` comes at the same moment, but if it raises, aiohttp
    leaves the connection open for as long as the server does.
    """

    def __init__(
        self, about_to_send: Callable[[], Awaitable[None]], resolver: AbstractResolver | None
    ) -> None:
        super().__init__(force_close=True, resolver=resolver)
        self._about_to_send = about_to_send
        self.begun = False
        """Whether a byte may have left."""
        self.forbidden: Exception | None = None
        """The forbidding error."""

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> Connection:
        connection = await super().connect(req, traces, timeout)
        try:
            await self._about_to_send()
        except BaseException as error:
            self.forbidden = error if isinstance(error, Exception) else None
            connection.close()
            raise
        self.begun = True
        return connection


@contextmanager
def _written(body: Body) -> Iterator[aiohttp.MultipartWriter | aiohttp.BytesIOPayload]:
    """As it goes over the wire, with its files open for as long as it is in use."""
    if body.json is not None:
        # In pieces: a picture of 10 MB in one would hold up everything else while it is written.
        yield aiohttp.BytesIOPayload(BytesIO(body.json), content_type="application/json")
        return
    form = aiohttp.MultipartWriter("form-data")
    for name, value in body.fields:
        text = aiohttp.BytesPayload(value.encode())
        # A part with a type of its own is a file to some servers (formidable), not a field.
        del text.headers["Content-Type"]
        _add(form, text, name=name)
    with ExitStack() as stack:
        for part in body.files:
            file = stack.enter_context(part.path.open("rb"))
            data = aiohttp.BufferedReaderPayload(file, content_type=part.media_type)
            _add(form, data, name=part.name, filename=part.filename)
        yield form


def _add(form: aiohttp.MultipartWriter, part: aiohttp.Payload, **said: str) -> None:
    """With its names as plain UTF-8, as browsers send them."""
    part.set_content_disposition("form-data", quote_fields=False, **said)
    form.append_payload(part)


# --- a video as the answer -----------------------------------------------------------------------


async def _head(response: aiohttp.ClientResponse) -> bytes:
    """The first bytes, which tell a video from words; without what is blank before them."""
    baring, head = Baring(), b""
    async for chunk in response.content.iter_chunked(64 * 1024):
        head += baring.piece(chunk)
        if len(head) >= HEAD:
            return head
    return head + baring.rest()


async def _saved(
    response: aiohttp.ClientResponse, head: bytes, into: Path, bounds: Bounds
) -> Made | Rejected:
    """Stream a video to disk. One that we can't take is paid for all the same.

    It comes only once: while the disk takes nothing, the unread rest waits in its connection.
    """
    disk, size = Disk(bounds), len(head)
    try:
        with await disk.takes(FileIO, into, "wb") as file:
            await write(file, head, disk.takes)
            async for chunk in response.content.iter_chunked(256 * 1024):
                size += len(chunk)
                if size > bounds.video:
                    detail = f"larger than we take: more than {bounds.video} bytes"
                    return Rejected(Reason.CONTENT_TOO_LARGE, detail, charged=True)
                await write(file, chunk, disk.takes)
    except (OSError, aiohttp.ClientError):
        if disk.why is None:
            raise
        # A sender that did not wait for us is not what was at fault.
        return Rejected(Reason.NO_ROOM, disk.why, charged=True)
    return Made(size)
