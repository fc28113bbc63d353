"""An HTTP server on bare sockets, for faults that no real server would make.

It knows nothing of videos. It counts what arrived: bytes per connection, and requests received to
their last byte, because a gateway charges for such a request.
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

PATIENCE = 10.0
"""Seconds until a test gives up waiting."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request, received to its last byte. Header names are lower-case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_authorized(self) -> bool:
        """Whether the request carried a key."""
        return "authorization" in self.headers


@dataclass(slots=True)
class Connection:
    """One connection from a client."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    received: asyncio.Event = field(default_factory=asyncio.Event)
    request: Request | None = None
    bytes_received: int = 0

    async def receive(self) -> Request:
        """Read one whole request. Raises EOFError if the client leaves before its end."""
        raw = b""
        while b"\r\n\r\n" not in raw:
            raw += await self._more()
        head, _, body = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ")
        pairs = (line.split(":", 1) for line in lines)
        headers = {name.strip().lower(): value.strip() for name, value in pairs}
        if headers.get("transfer-encoding") == "chunked":
            while not body.endswith(b"0\r\n\r\n"):
                body += await self._more()
        else:
            while len(body) < int(headers.get("content-length", "0")):
                body += await self._more()
        self.request = Request(method, path, headers, body)
        self.received.set()
        return self.request

    async def send(self, data: bytes) -> None:
        """Send at once, as far as the client reads."""
        self.writer.write(data)
        await self.writer.drain()

    async def hung_up(self) -> None:
        """Wait until the client leaves, and count the bytes that it still sends."""
        while chunk := await self.reader.read(64 * 1024):
            self.bytes_received += len(chunk)

    def reset(self) -> None:
        """End the connection with RST instead of FIN."""
        lingering = struct.pack("ii", 1, 0)
        self.writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, lingering
        )
        self.writer.transport.abort()

    async def _more(self) -> bytes:
        chunk = await self.reader.read(64 * 1024)
        if not chunk:
            raise EOFError
        self.bytes_received += len(chunk)
        return chunk


Fault = Callable[[Connection], Awaitable[None]]


class Wire:
    """A server that serves its faults in order, one for each connection; the last fault serves all
    later connections.
    """

    def __init__(self, *faults: Fault) -> None:
        self.connections: list[Connection] = []
        self._faults = faults
        self._over: asyncio.Queue[Connection] = asyncio.Queue()
        self._begun: asyncio.Queue[Connection] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()

    def plan(self, *faults: Fault) -> None:
        """Replace the faults, for faults that need the server's address."""
        self._faults = faults

    @property
    def charges(self) -> int:
        """The number of POSTs that were received to their last byte."""
        return sum(request.method == "POST" for request in self.requests)

    @property
    def requests(self) -> list[Request]:
        """Every request that was received to its last byte."""
        return [one.request for one in self.connections if one.request]

    async def received(self) -> Connection:
        """Wait for the next connection whose request has arrived, and return it."""
        async with asyncio.timeout(PATIENCE):
            connection = await self._begun.get()
            await connection.received.wait()
            return connection

    async def over(self) -> Connection:
        """Wait for the next connection that has ended, and return it."""
        async with asyncio.timeout(PATIENCE):
            return await self._over.get()

    @asynccontextmanager
    async def serve(self, host: str = "127.0.0.1") -> AsyncIterator[str]:
        """Serve until the block ends; yield the base URL."""
        server = await asyncio.start_server(self._accept, host, 0)
        port = server.sockets[0].getsockname()[1]
        try:
            yield f"http://{f'[{host}]' if ':' in host else host}:{port}"
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            for connection in self.connections:
                with suppress(AttributeError):  # asyncio's own, if it is lost already
                    connection.writer.transport.abort()
            await server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(reader, writer)
        fault = self._faults[min(len(self.connections), len(self._faults) - 1)]
        self.connections.append(connection)
        self._begun.put_nowait(connection)
        task = asyncio.create_task(self._handle(fault, connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _handle(self, fault: Fault, connection: Connection) -> None:
        try:
            await fault(connection)
            if not connection.writer.is_closing():
                connection.writer.close()
                await connection.writer.wait_closed()
        except (OSError, EOFError):
            connection.writer.transport.abort()
        finally:
            self._over.put_nowait(connection)


# ------------------------------------------------------------------------------- answers


def answer(
    body: bytes | str = b"",
    status: int = 200,
    *,
    headers: Mapping[str, str] | None = None,
    length: int | None = -1,
) -> bytes:
    """Return a whole response.

    `length` is the value of Content-Length; with None the body ends with the connection.
    """
    data = body.encode() if isinstance(body, str) else body
    given = {"Content-Type": "application/json", "Connection": "close", **(headers or {})}
    if length is not None:
        given["Content-Length"] = str(len(data) if length < 0 else length)
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"HTTP/1.1 {status} Whatever\r\n{lines}\r\n".encode() + data


def sending(raw: bytes) -> Fault:
    """Return a fault that receives a whole request, sends these bytes and closes."""

    async def fault(connection: Connection) -> None:
        await connection.receive()
        await connection.send(raw)

    return fault


def stalling(raw: bytes = b"") -> Fault:
    """Return a fault that receives a whole request, sends these bytes and then nothing until the
    client leaves.
    """

    async def fault(connection: Connection) -> None:
        await connection.receive()
        await connection.send(raw)
        await connection.hung_up()

    return fault


def endless(head: bytes, chunk: bytes) -> Fault:
    """Return a fault that receives a whole request, then sends `chunk` repeatedly until the client
    leaves.
    """

    async def fault(connection: Connection) -> None:
        await connection.receive()
        await connection.send(head)
        while True:
            await connection.send(chunk)

    return fault


def dripping(
    head: bytes, pieces: Iterable[bytes], *, taken: Callable[[int], Awaitable[None]]
) -> Fault:
    """Return a fault that receives a whole request, sends `head`, then the pieces one by one.

    Before each piece it waits until `taken` has returned for the bytes sent so far, without the
    head.
    """

    async def fault(connection: Connection) -> None:
        await connection.receive()
        await connection.send(head)
        sent = 0
        for piece in pieces:
            await connection.send(piece)
            sent += len(piece)
            await taken(sent)

    return fault


def redirecting(location: str, status: int = 307) -> Fault:
    """Return a fault that receives a whole request and redirects the client."""
    return sending(answer(status=status, headers={"Location": location}))


# -------------------------------------------------------------------------------- faults


async def resets_unread(connection: Connection) -> None:
    """Send RST before a byte is read."""
    connection.reset()


async def resets_half_read(connection: Connection) -> None:
    """Send RST after the first bytes of the request."""
    connection.bytes_received += len(await connection.reader.read(32))
    connection.reset()


async def resets_read(connection: Connection) -> None:
    """Send RST after the whole request, without a response."""
    await connection.receive()
    connection.reset()


async def closes_unread(connection: Connection) -> None:
    """Send FIN at once."""


async def greets(connection: Connection) -> None:
    """Speak first, and not HTTP."""
    await connection.send(b"SSH-2.0-OpenSSH_9.2\r\n")
    await connection.hung_up()


async def never_reads(connection: Connection) -> None:
    """Accept the connection, and neither read nor write."""
    connection.writer.transport.pause_reading()  # type: ignore[attr-defined]
    await asyncio.Event().wait()


closes_read = sending(b"")
half_headers = sending(b"HTTP/1.1 201 Created\r\nContent-Ty")
garbage = sending(b"\x00\xff\x16 what is this\r\n\r\n")
not_http = sending(b"SSH-2.0-OpenSSH_9.2\r\n")
long_header = sending(b"HTTP/1.1 201 Created\r\nX-Long: " + b"a" * 20_000 + b"\r\n\r\n{}")
bad_length = sending(b"HTTP/1.1 201 Created\r\nContent-Length: many\r\n\r\n{}")
html = sending(answer("<html>Welcome</html>", headers={"Content-Type": "text/html"}))
truncated = sending(answer('{"id": "video_1", "stat', 201, length=4000))
false_gzip = sending(answer('{"id": "video_1"}', 201, headers={"Content-Encoding": "gzip"}))
false_chunks = sending(
    b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\nnot a number\r\n{}\r\n"
)
silent = stalling()
slow = stalling(answer('{"id": "video_1", "stat', 201, length=4000))
endless_answer = endless(answer('{"id": "video_1", "noise": "', 201, length=None), b"x" * 65536)
