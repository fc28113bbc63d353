"""A stub gateway that needs hardly any processor time, in a process of its own.

The benchmarks measure the client, so the server must be faster than any client. The simulator
behaves like a real gateway, but is too slow for that. The stub answers only the parts of
`/v1/videos` that an order needs, and counts the requests.
"""

import asyncio
import json
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from urllib.request import urlopen

_TYPE = b"HTTP/1.1 200 OK\r\nContent-Type: "
_LENGTH = b"\r\nContent-Length: "
_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stub:
    """How a stub answers."""

    ready_after: float | None = None
    """Seconds from an order to its video; None: the video is never ready."""
    video: bytes = b""
    """The bytes of every video that the stub sends."""


@dataclass(slots=True)
class Counts:
    """The requests so far."""

    polls: int = 0
    orders: int = 0
    videos: int = 0
    made_at: dict[bytes, float] = field(default_factory=dict)
    looked_at: set[bytes] = field(default_factory=set)

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name. `jobs`: how many different jobs were polled."""
        asked = {"looks": self.polls, "orders": self.orders, "videos": self.videos}
        return asked | {"jobs": len(self.looked_at)}


@contextmanager
def gateway(stub: Stub | None = None) -> Iterator[str]:
    """Run a stub, and yield its address without /v1."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(theirs, stub or Stub()), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.kill()
        process.join()


def counted(url: str) -> dict[str, int]:
    """Return the counts of the stub at `url`. Blocks the thread for a moment."""
    with urlopen(f"{url}/counts", timeout=10) as answer:
        found: dict[str, int] = json.load(answer)
        return found


def _run(pipe: "Connection[int, None]", stub: Stub) -> None:
    asyncio.run(_serve(pipe, stub))


async def _serve(pipe: "Connection[int, None]", stub: Stub) -> None:
    counts = Counts()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Line(stub, counts), "127.0.0.1", 0, backlog=1024)
    pipe.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


class _Line(asyncio.Protocol):
    """One connection. Requests may come in pieces, or several at once."""

    def __init__(self, stub: Stub, counts: Counts) -> None:
        self._stub, self._counts, self._left = stub, counts, b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        data = self._left + data if self._left else data
        answers = []
        while (head := data.find(_END)) >= 0:
            end = _end_of(data, head)
            if end is None:
                break
            answers.append(self._answer(data[: data.find(b" ", 5)]))
            data = data[end:]
        self._left = data
        if answers and self._transport:
            self._transport.writelines(answers)

    def _answer(self, request: bytes) -> bytes:
        method, _, path = request.partition(b" ")
        counts = self._counts
        if path == b"/counts":
            return _sent(json.dumps(counts.as_dict()).encode())
        if method == b"POST":
            counts.orders += 1
            id_ = b"video_%d" % counts.orders
            counts.made_at[id_] = time.monotonic()
            return _sent(_state(id_, b'"queued","progress":0'))
        name = path.rpartition(b"/videos/")[2]
        if name.endswith(b"/content"):
            counts.videos += 1
            return _sent(self._stub.video, b"video/mp4")
        counts.polls += 1
        counts.looked_at.add(name)
        return _sent(_state(name, self._status(name)))

    def _status(self, name: bytes) -> bytes:
        after = self._stub.ready_after
        if after is None or time.monotonic() - self._counts.made_at.get(name, 0.0) < after:
            return b'"in_progress","progress":50'
        return b'"completed","progress":100'


def _end_of(data: bytes, head: int) -> int | None:
    """Return the end of the request whose headers end at `head`, or None if it is incomplete."""
    headers = data[:head].lower()
    if b"\r\ntransfer-encoding: chunked" in headers:
        end = data.find(b"0\r\n\r\n", head + 4)
        return None if end < 0 else end + 5
    length, at = 0, headers.find(b"\r\ncontent-length: ")
    if at >= 0:
        length = int(headers[at + 18 :].partition(b"\r\n")[0])
    end = head + 4 + length
    return end if len(data) >= end else None


def _state(id_: bytes, status: bytes) -> bytes:
    return b'{"id":"%s","object":"video","model":"sora-2","created_at":1768478400,"status":%s}' % (
        id_,
        status,
    )


def _sent(body: bytes, kind: bytes = b"application/json") -> bytes:
    return _TYPE + kind + _LENGTH + b"%d" % len(body) + _END + body
