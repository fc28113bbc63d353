"""The other end of a file transfer, in a process of its own: a sender, a receiver or a reader.

Each needs as little processor time as possible, because the benchmarks measure our end.
"""

import multiprocessing
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

MIB = 1 << 20
_HEAD = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_TAKEN = b'{"id":"video_1","object":"video","status":"queued"}'


@contextmanager
def sending(file: Path) -> Iterator[str]:
    """Run a server that answers every request with this file. Yield its address."""
    with _served(_send, str(file)) as url:
        yield f"{url}/{file.name}"


@contextmanager
def swallowing() -> Iterator[str]:
    """Run a gateway that accepts an order of any size and discards it. Yield its address."""
    with _served(_swallow) as url:
        yield f"{url}/v1/videos"


@contextmanager
def _served(answer: Callable[..., None], *given: str) -> Iterator[str]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, answer, given), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.kill()
        process.join()


def _serve(
    pipe: "Connection[int, None]", answer: Callable[..., None], given: Sequence[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        pipe.send(server.getsockname()[1])
        while True:
            line, _ = server.accept()
            threading.Thread(target=_talk, args=(line, answer, given), daemon=True).start()


def _talk(line: socket.socket, answer: Callable[..., None], given: Sequence[str]) -> None:
    buffer = bytearray(MIB)
    with line:
        while (head := head_of(line)) is not None:
            answer(line, *head, buffer, *given)


def head_of(line: socket.socket) -> tuple[bytes, int] | None:
    """Return the headers of a message and how many bytes of its body are still to come; None at the
    end of the connection."""
    read = b""
    while b"\r\n\r\n" not in read:
        more = line.recv(65_536)
        if not more:
            return None
        read += more
    head, _, begun = read.partition(b"\r\n\r\n")
    length = _HEAD.search(head)
    return head, (int(length[1]) if length else 0) - len(begun)


def _send(line: socket.socket, _head: bytes, _left: int, _buffer: bytearray, name: str) -> None:
    with Path(name).open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        line.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: %d\r\n\r\n" % size
        )
        line.sendfile(file)


def _swallow(line: socket.socket, head: bytes, left: int, buffer: bytearray) -> None:
    if b"100-continue" in head.lower():
        line.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    skip(line, left, buffer)
    line.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
        % (len(_TAKEN), _TAKEN)
    )


def skip(line: socket.socket, left: int, buffer: bytearray) -> None:
    """Read and discard `left` bytes."""
    while left > 0:
        got = line.recv_into(buffer, min(left, len(buffer)))
        if not got:
            raise ConnectionResetError
        left -= got


# --- a reader ------------------------------------------------------------------------------------


class Reader:
    """A player in a process of its own: it requests a file from one server, whole or in parts.

    Its processor time is not measured.
    """

    def __init__(self, port: int, path: str, part: int | None) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_play, args=(theirs, port, path, part), daemon=True)
        self._process.start()

    def read(self, seconds: float) -> float:
        """Read for `seconds`, and return the megabytes that were read. Blocks the thread."""
        self._pipe.send(seconds)
        got: float = self._pipe.recv()
        return got

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()


def _play(pipe: "Connection[float, float]", port: int, path: str, part: int | None) -> None:
    buffer, size = bytearray(MIB), 0
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            seconds, got, at = pipe.recv(), 0, 0
            ends = time.monotonic() + seconds
            while time.monotonic() < ends:
                asked = ""
                if part and size:
                    at = at + part if at + 2 * part <= size else 0
                    asked = f"Range: bytes={at}-{at + part - 1}\r\n"
                line.sendall(f"GET {path} HTTP/1.1\r\nHost: bench\r\n{asked}\r\n".encode())
                head = head_of(line)
                assert head is not None
                head_bytes, left = head
                length = _HEAD.search(head_bytes)
                assert length is not None
                assert head_bytes[9:12] in (b"200", b"206"), head_bytes
                size = size or int(length[1])
                skip(line, left, buffer)
                got += int(length[1])
            pipe.send(got / 1e6)
