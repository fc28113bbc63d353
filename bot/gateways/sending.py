"""One POST: never repeated, and whether its first byte may have left is always known.

The connection itself says so. Exception types can't: a total timeout looks the same before and
after the request was sent (reliability fact F4).
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from yarl import URL

from bot.gateways.bounds import Bounds
from bot.gateways.details import Answer
from bot.gateways.requests import Body


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
    bounds: Bounds,
    resolver: AbstractResolver | None = None,
) -> Answer:
    """POST `body` over a connection of its own and read the answer; redirects are answers."""
    async with aiohttp.ClientSession(
        connector=_Announcing(sending, resolver),
        timeout=aiohttp.ClientTimeout(total=bounds.post, sock_connect=bounds.connect),
        cookie_jar=aiohttp.DummyCookieJar(),
    ) as session:
        with _written(body) as data:
            async with session.post(
                url, data=data, headers=headers, allow_redirects=False
            ) as response:
                return await read(response, most=bounds.answer)


async def read(response: aiohttp.ClientResponse, *, most: int) -> Answer:
    """The answer with the first `most` bytes of its body."""
    body = bytearray()
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
def _written(body: Body) -> Iterator[aiohttp.MultipartWriter | aiohttp.JsonPayload]:
    """As it goes over the wire, with its files open for as long as it is in use."""
    if body.is_json:
        yield aiohttp.JsonPayload(dict(body.fields))
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
