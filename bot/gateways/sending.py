"""One POST: never repeated, and whether its first byte may have left is always known.

The connection itself says so. Exception types can't: a total timeout looks the same before and
after the request was sent (reliability fact F4).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from yarl import URL

from bot.core.containers import HEAD, container_of
from bot.core.jobs import Reason
from bot.core.outcomes import Made, Rejected
from bot.gateways.bounds import Bounds
from bot.gateways.details import Answer
from bot.gateways.requests import Body
from bot.gateways.unpacking import Baring


class Sending:
    """What is known of one POST: whether a byte may have left, or what forbade that."""

    def __init__(self, about_to_send: Callable[[], Awaitable[None]]) -> None:
        self._about_to_send = about_to_send
        self.begun = False
        self.forbidden: Exception | None = None

    async def begin(self) -> None:
        """Run `about_to_send`; from its return on, the request may be under way."""
        try:
            await self._about_to_send()
        except Exception as error:
            self.forbidden = error
            raise
        self.begun = True


async def post(
    url: URL,
    body: Body,
    *,
    headers: dict[str, str],
    sending: Sending,
    into: Path | None = None,
    bounds: Bounds,
    resolver: AbstractResolver | None = None,
) -> Answer | Made | Rejected:
    """POST `body` over a connection of its own and read the answer; redirects are answers.

    A video in place of words is saved to `into`, and may take as long as any download.
    """
    async with (
        asyncio.timeout(bounds.post) as patience,
        aiohttp.ClientSession(
            connector=_Announcing(sending, resolver),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=bounds.connect),
            cookie_jar=aiohttp.DummyCookieJar(),
        ) as session,
    ):
        with _written(body) as data:
            async with session.post(
                url, data=data, headers=headers, allow_redirects=False
            ) as response:
                head = await _head(response)
                if into and 200 <= response.status < 300 and container_of(head):
                    now = asyncio.get_running_loop().time()
                    patience.reschedule(now + bounds.content)
                    return await _saved(response, head, into, most=bounds.video)
                return await read(response, head, most=bounds.answer)


async def _head(response: aiohttp.ClientResponse) -> bytes:
    """The first bytes, which tell a video from words; without what is blank before them."""
    baring, head = Baring(), b""
    async for chunk in response.content.iter_chunked(64 * 1024):
        head += baring.piece(chunk)
        if len(head) >= HEAD:
            return head
    return head + baring.rest()


async def _saved(
    response: aiohttp.ClientResponse, head: bytes, into: Path, *, most: int
) -> Made | Rejected:
    """Stream a video to disk. One that is larger than we take is paid for all the same."""
    size = len(head)
    with into.open("wb") as file:
        file.write(head)
        async for chunk in response.content.iter_chunked(256 * 1024):
            size += len(chunk)
            if size > most:
                detail = f"larger than we take: more than {most} bytes"
                return Rejected(Reason.CONTENT_TOO_LARGE, detail, charged=True)
            await asyncio.to_thread(file.write, chunk)
    return Made(size)


async def read(response: aiohttp.ClientResponse, head: bytes = b"", *, most: int) -> Answer:
    """The answer with the first `most` bytes of its body, of which `head` was read already."""
    body = bytearray(head)
    async for chunk in response.content.iter_chunked(64 * 1024):
        body += chunk
        if len(body) > most:
            break
    return Answer(response.status, response.headers, bytes(body[:most]))


class _Announcing(aiohttp.TCPConnector):
    """Makes a fresh connection and says so before it is used.

    A trace of `on_connection_create_end` comes at the same moment, but if it raises, aiohttp
    leaves the connection open for as long as the server does.
    """

    def __init__(self, sending: Sending, resolver: AbstractResolver | None) -> None:
        super().__init__(force_close=True, resolver=resolver)
        self._sending = sending

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> Connection:
        connection = await super().connect(req, traces, timeout)
        try:
            await self._sending.begin()
        except BaseException:
            connection.close()
            raise
        return connection


@contextmanager
def _written(body: Body) -> Iterator[aiohttp.MultipartWriter | aiohttp.BytesPayload]:
    """As it goes over the wire, with its files open for as long as it is in use."""
    if body.json is not None:
        yield aiohttp.BytesPayload(body.json, content_type="application/json")
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
