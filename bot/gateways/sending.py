"""One POST: never repeated, and whether its first byte may have left is always known.

The connection itself says so. Exception types can't: a total timeout looks the same before and
after the request was sent (reliability fact F4).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from io import BytesIO, FileIO
from pathlib import Path
from typing import TypeVar

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from yarl import URL

from bot.core.containers import HEAD, container_of
from bot.core.jobs import Reason
from bot.core.outcomes import Made, NotSent, Rejected, Uncertain
from bot.gateways.bounds import Bounds
from bot.gateways.details import Answer
from bot.gateways.requests import Body
from bot.gateways.unpacking import Baring
from bot.log import get_logger

log = get_logger()
Told = TypeVar("Told")

# ValueError: what no URL, header or body can hold (a name of 64 letters, half a surrogate pair).
NET = (aiohttp.ClientError, OSError, TimeoutError, EOFError, ValueError)


def open_session(
    bounds: Bounds, connector: aiohttp.TCPConnector | None = None, *, most: float | None = None
) -> aiohttp.ClientSession:
    """A session without cookies, in which a whole request takes `most` seconds at most."""
    return aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=most, sock_connect=bounds.connect),
        cookie_jar=aiohttp.DummyCookieJar(),
    )


async def read(response: aiohttp.ClientResponse, head: bytes = b"", *, most: int) -> Answer:
    """The answer with the first `most` bytes of its body, of which `head` was read already."""
    body = bytearray(head)
    async for chunk in response.content.iter_chunked(64 * 1024):
        body += chunk
        if len(body) > most:
            break
    return Answer(response.status, response.headers, bytes(body[:most]))


async def write(
    file: FileIO, data: bytes, do: Callable[..., Awaitable[int]] = asyncio.to_thread
) -> None:
    """Write all of it: a disk that is nearly full takes a part, and only then says so."""
    rest = memoryview(data)
    while rest:
        rest = rest[await do(file.write, rest) :]


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
    disk, size = _Disk(bounds), len(head)
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


class _Disk:
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
