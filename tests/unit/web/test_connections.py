"""Connections that take too much time or are too many, over real sockets.

No test here sleeps. An idle connection is closed after `head` seconds, so a connection opened for
this purpose shows that so much time has passed.
"""

import asyncio
import logging
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest
from aiohttp import ClientConnectionError, ClientSession, ClientTimeout, TCPConnector, web
from aiohttp.abc import AbstractStreamWriter

from bot.web import descriptors
from bot.web.connections import LOCAL, ConnectionLimits, client_of
from bot.web.server import serve

QUICK = ConnectionLimits(head=0.25, idle=0.25, body=0.25, stalled=0.3)
PATIENT = replace(QUICK, head=9, idle=9, body=9)
WAIT = 10.0
SMALL = 8
"""The most connections of a server that is easily full."""


class House:
    """A server with a page, a handler that waits for the test, a websocket and a video."""

    def __init__(self, folder: Path) -> None:
        self.go_on = asyncio.Event()
        self.under_way: asyncio.Queue[None] = asyncio.Queue()
        self.over: asyncio.Queue[None] = asyncio.Queue()
        self.url = ""
        self.video = folder / "video.mp4"
        with self.video.open("wb") as video:
            video.truncate(64_000_000)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @asynccontextmanager
    async def open(self, limits: ConnectionLimits) -> AsyncIterator["House"]:
        routes = [
            web.get("/page", self._page),
            web.get("/slow", self._slow),
            web.post("/slow", self._slow),
            web.get("/socket", self._socket),
            web.get("/video", self._video),
        ]
        async with serve(routes, host="0.0.0.0", port=0, limits=limits) as self.url:
            yield self

    async def _page(self, _request: web.Request) -> web.Response:
        return web.Response(text="page")

    async def _slow(self, request: web.Request) -> web.Response:
        await request.read()
        self.under_way.put_nowait(None)
        await self.go_on.wait()
        return web.Response(text="slow")

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for said in socket:
            await socket.send_str(said.data)
        return socket

    async def _video(self, _request: web.Request) -> web.StreamResponse:
        return _Watched(self.video, self.over)

    async def connect(self, source: str | None = None) -> tuple[StreamReader, StreamWriter]:
        origin = (source, 0) if source else None
        return await asyncio.open_connection("127.0.0.1", self.port, local_addr=origin)

    async def asked(
        self, path: str, source: str | None = None
    ) -> tuple[StreamReader, StreamWriter]:
        """Open a connection and send this request on it."""
        reader, writer = await self.connect(source)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        return reader, writer

    async def a_head_s_time(self) -> None:
        """Wait until the server has closed an idle connection."""
        reader, writer = await self.connect()
        assert await _rest(reader) == b""
        writer.close()


class _Watched(web.FileResponse):
    """A response that records the end of its sending, complete or not."""

    def __init__(self, path: Path, over: asyncio.Queue[None]) -> None:
        super().__init__(path)
        self._over = over

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        try:
            return await super().prepare(request)
        finally:
            self._over.put_nowait(None)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


async def _rest(reader: StreamReader) -> bytes:
    """Return everything until the other side closes."""
    async with asyncio.timeout(WAIT):
        try:
            return await reader.read()
        except ConnectionError:
            return b""


async def _trickled(reader: StreamReader, writer: StreamWriter) -> None:
    """Send a byte every hundredth of a second until the other side closes."""
    async with asyncio.timeout(WAIT):
        while not reader.at_eof():
            try:
                writer.write(b"x")
                await asyncio.wait_for(reader.read(1), 0.01)
            except TimeoutError:
                pass
            except ConnectionError:
                return


# --- time ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "begin",
    [
        b"GET /",
        b"GET /page HTTP/1.1\r\nHost: ",
        b"GET /page HTTP/1.1\r\nHost: x\r\n\r\nGET /page HTTP/1.1\r\nHost: ",
        b"POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n",
    ],
    ids=["first line", "first head", "second head", "body"],
)
async def test_bytes_that_trickle_in_do_not_keep_a_connection_open(
    house: House, begin: bytes
) -> None:
    async with house.open(QUICK):
        reader, writer = await house.connect()
        writer.write(begin)
        await _trickled(reader, writer)
        writer.close()


async def test_a_connection_serves_many_requests_until_it_is_idle_too_long(house: House) -> None:
    async with house.open(replace(QUICK, idle=0.8)):
        reader, writer = await house.asked("/page")
        async with asyncio.timeout(WAIT):
            await reader.readuntil(b"page")
            await house.a_head_s_time()
            writer.write(b"GET /page HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await reader.readuntil(b"page")).startswith(b"HTTP/1.1 200")
        assert await _rest(reader) == b""
        writer.close()


async def test_a_request_body_that_stops_is_closed_without_a_log_line(
    house: House, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    async with house.open(QUICK):
        reader, writer = await house.connect()
        writer.write(b"POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf")
        assert await _rest(reader) == b""
        writer.close()
    said = capfd.readouterr()
    assert (caplog.text, said.out, said.err) == ("", "", "")


async def test_a_response_may_take_longer_than_the_time_for_the_head(house: House) -> None:
    """The response to a request with a body that arrived in time may take as long, too."""
    async with house.open(QUICK), ClientSession(house.url) as session:
        asked = [asyncio.create_task(_text(session, method, "/slow")) for method in ("GET", "POST")]
        for _ in asked:
            await house.under_way.get()
        await house.a_head_s_time()
        await house.a_head_s_time()
        house.go_on.set()
        assert await asyncio.gather(*asked) == ["slow", "slow"]


async def test_an_idle_websocket_stays_open(house: House) -> None:
    async with (
        house.open(QUICK),
        ClientSession(house.url) as session,
        session.ws_connect("/socket") as socket,
    ):
        await house.a_head_s_time()
        await house.a_head_s_time()
        await socket.send_str("still here")
        assert await socket.receive_str(timeout=WAIT) == "still here"


async def test_a_client_that_reads_nothing_is_disconnected(house: House) -> None:
    async with house.open(QUICK):
        _, writer = await house.asked("/video")
        async with asyncio.timeout(WAIT):
            await house.over.get()
        writer.close()


@pytest.mark.proof
async def test_a_slow_client_gets_the_whole_video(house: House) -> None:
    """The client reads a part in less than the stall limit, and takes longer than that for the
    whole.
    """
    limits = replace(QUICK, stalled=1)
    async with house.open(limits), ClientSession(house.url, read_bufsize=4096) as session:
        async with session.get("/video") as answer:
            read = 0
            for _ in range(7):
                read += len(await answer.content.readexactly(4_000_000))
                await house.a_head_s_time()
            read += len(await answer.read())
        assert read == house.video.stat().st_size


# --- limits on connections -----------------------------------------------------------------------


async def test_half_open_connections_keep_no_client_out(house: House) -> None:
    async with house.open(replace(PATIENT, head=60, most=SMALL)), AsyncExitStack() as stack:
        for _ in range(5 * SMALL):
            _, writer = await house.connect()
            stack.callback(writer.close)
            writer.write(b"GET /healthz HTTP/1.1\r\nHost:")
        async with ClientSession(house.url, timeout=ClientTimeout(total=2)) as session:
            assert await _text(session, "GET", "/healthz") == "ok\n"
            assert await _text(session, "GET", "/page") == "page"


async def test_at_the_limit_the_connection_idle_longest_is_closed_for_a_new_one(
    house: House,
) -> None:
    """The closed connection has had its response.

    A connection that waits for a response stays open, and so does one that was idle for less time.
    """
    async with house.open(replace(PATIENT, head=60, most=3)), AsyncExitStack() as stack:
        readers = []
        for path in ("/page", "/slow", "/page", "/page"):
            reader, writer = await house.asked(path)
            stack.callback(writer.close)
            readers.append((reader, writer))
            if path == "/page":
                await reader.readuntil(b"page")
            else:
                await house.under_way.get()
        (longest, _), (slow, _), (later, again), _ = readers
        assert await _rest(longest) == b""
        again.write(b"GET /page HTTP/1.1\r\nHost: x\r\n\r\n")
        house.go_on.set()
        async with asyncio.timeout(WAIT):
            await slow.readuntil(b"slow")
            await later.readuntil(b"page")


async def test_while_every_connection_waits_for_a_response_a_new_one_is_closed(
    house: House,
) -> None:
    async with house.open(replace(PATIENT, most=1)), ClientSession(house.url) as session:
        asked = asyncio.create_task(_text(session, "GET", "/slow"))
        await house.under_way.get()
        late, writer = await house.asked("/page")
        assert await _rest(late) == b""
        writer.close()
        house.go_on.set()
        assert await asked == "slow"


async def test_one_client_may_not_open_more_connections_than_its_share(house: House) -> None:
    limits = replace(PATIENT, per_client=2, trusted=(ip_network("127.0.0.9/32"),))
    async with house.open(limits), AsyncExitStack() as stack:
        for source, allowed in (("127.0.0.2", 2), ("127.0.0.3", 2), ("127.0.0.9", 5)):
            for _ in range(allowed):
                _, writer = await house.asked("/slow", source)
                stack.callback(writer.close)
                async with asyncio.timeout(WAIT):
                    await house.under_way.get()
        late, writer = await house.asked("/page", "127.0.0.2")
        stack.callback(writer.close)
        assert await _rest(late) == b""
        connector = TCPConnector(local_addr=("127.0.0.4", 0))
        async with ClientSession(house.url, connector=connector) as session:
            assert await _text(session, "GET", "/page") == "page"
        house.go_on.set()


async def test_the_connection_of_a_client_that_left_is_free_again(house: House) -> None:
    """The client left in the middle of a response."""
    async with house.open(replace(PATIENT, most=1)):
        _, writer = await house.asked("/video")
        writer.close()
        async with asyncio.timeout(WAIT):
            await house.over.get()
        async with ClientSession(house.url) as session:
            assert await _text(session, "GET", "/page") == "page"


@pytest.mark.parametrize(
    ("peer", "counted"),
    [
        (("127.0.0.1", 5), None),
        (("::1", 5, 0, 0), None),
        (("::ffff:172.17.0.1", 5, 0, 0), None),
        (("fd00::7", 5, 0, 0), None),
        (("203.0.113.7", 5), "203.0.113.7/32"),
        (("::ffff:203.0.113.7", 5, 0, 0), "203.0.113.7/32"),
        (("2001:db8:1:2:3:4:5:6", 5, 0, 0), "2001:db8:1:2::/64"),
        (("fe80::1%eth0", 5, 0, 0), None),
        ("", None),
        (None, None),
    ],
)
def test_connections_are_counted_for_each_public_ipv4_address_or_ipv6_network(
    peer: object, counted: str | None
) -> None:
    assert client_of(peer, LOCAL) == (ip_network(counted) if counted else None)


@pytest.mark.proof
async def test_1100_half_open_connections_do_not_stop_the_server(house: House) -> None:
    """The default limits apply. The client ends of the connections are in this process too."""
    assert descriptors.raised() > 3 * 1100, "this machine allows too few descriptors for the proof"
    async with house.open(ConnectionLimits()), AsyncExitStack() as stack:
        for _ in range(1100):
            _, writer = await house.connect()
            stack.callback(writer.close)
            writer.write(b"GET /healthz HTTP/1.1\r\nHost:")
        async with ClientSession(house.url, timeout=ClientTimeout(total=1)) as session:
            assert await _text(session, "GET", "/healthz") == "ok\n"
            assert await _text(session, "GET", "/page") == "page"


# --- descriptors ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "most"),
    [(65_536, 512), (descriptors.WANTED, 512), (1024, 256), (600, 44), (256, 16), (0, 16)],
)
def test_the_server_leaves_file_descriptors_to_the_rest_of_the_service(
    limit: int, most: int
) -> None:
    assert descriptors.connections(limit) == most


async def _text(session: ClientSession, method: str, path: str) -> str:
    """Return the text of the response, or why there is none."""
    try:
        async with session.request(method, path, data=b"body" if method == "POST" else None) as it:
            return await it.text()
    except (ClientConnectionError, TimeoutError) as error:
        return type(error).__name__
