"""The app in processes that start at once, as forks of a process that has imported the app.

The tests that kill the app start it more than a hundred times, and most of a start is spent on
importing discord.py, aiogram and SQLAlchemy. `python -m tests.e2e.forkserver` imports them once for
each pytest process. That server has no threads and no event loop, so a fork of it is like a process
that has just finished its imports.
"""

import asyncio
import atexit
import contextlib
import gc
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
from asyncio import StreamReader, StreamWriter
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import bot.cli

IMPORTED = (
    *("bot.app", "bot.backups.restoring", "bot.store.migrations", "asyncpg"),
    *("bot.platforms.discord.client", "bot.platforms.telegram.client"),
)
"""Modules that commands import only when they run."""


class Fork:
    """A forked process with the interface of an asyncio subprocess."""

    def __init__(
        self, pid: int, line: tuple[StreamReader, StreamWriter], stderr: StreamReader
    ) -> None:
        self.pid = pid
        self.stderr: StreamReader | None = stderr
        self.returncode: int | None = None
        self._ended = asyncio.create_task(self._end(*line))

    async def wait(self) -> int:
        """Wait for the exit code of the process; minus the signal if a signal ended it."""
        return await asyncio.shield(self._ended)

    async def communicate(self) -> tuple[bytes, bytes]:
        """Wait until the process has ended, and return what it wrote to stderr."""
        assert self.stderr is not None
        said = await self.stderr.read()
        await self.wait()
        return b"", said

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def send_signal(self, signal: int) -> None:
        """Send the signal if the process still runs."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal)

    async def _end(self, reader: StreamReader, writer: StreamWriter) -> int:
        self.returncode = int(await reader.readline())
        writer.close()
        return self.returncode


async def fork(
    module: str, *arguments: str, env: Mapping[str, str], folder: Path | None = None, said: str = ""
) -> Fork:
    """Run `python -m module …` in a fork of the server, with `said` as its whole stdin.

    Its stdout and stderr are one stream.
    """
    ours, theirs = socket.socketpair()
    readable, writable = os.pipe()
    with theirs:
        socket.send_fds(_server(), [b"."], [theirs.fileno(), writable])
    os.close(writable)
    reader, writer = await asyncio.open_connection(sock=ours)
    order = {"module": module, "arguments": arguments, "env": dict(env), "said": said}
    order["folder"] = str(folder or Path.cwd())
    writer.write(json.dumps(order).encode() + b"\n")
    pid = int(await reader.readline())
    stderr = StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stderr), os.fdopen(readable, "rb")
    )
    return Fork(pid, (reader, writer), stderr)


@cache
def _server() -> socket.socket:
    """Start the server of forks, and return the socket for orders."""
    ours, theirs = socket.socketpair()
    with theirs:
        server = subprocess.Popen(
            [sys.executable, "-m", __name__, str(theirs.fileno())], pass_fds=[theirs.fileno()]
        )

    def end() -> None:
        ours.close()
        server.wait()

    atexit.register(end)
    return ours


def serve(orders: socket.socket) -> None:
    """Fork for each order until the other side of `orders` closes. Returns in no fork."""
    while True:
        called, fds, _, _ = socket.recv_fds(orders, 1, 2)
        if not called:
            return
        if not os.fork():
            orders.close()
            _run(socket.socket(fileno=fds[0]), fds[1])
        for fd in fds:
            os.close(fd)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _run(ordered: socket.socket, stderr: int) -> None:
    """Fork the ordered process; as its parent, report its process id and its exit code."""
    with ordered, ordered.makefile("r") as lines:
        order = json.loads(lines.readline())
        if pid := os.fork():
            os.close(stderr)
            ordered.sendall(b"%d\n" % pid)
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            ordered.sendall(b"%d\n" % code)
            os._exit(0)
    stdin, heard = os.pipe()
    os.write(heard, order["said"].encode())
    os.close(heard)
    for number, fd in enumerate((stdin, stderr, stderr)):
        os.dup2(fd, number)
    os.close(stdin)
    os.close(stderr)
    # The server's own stream objects remember whether their former files could seek.
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["env"])
    sys.argv[1:] = order["arguments"]
    runpy.run_module(order["module"], run_name="__main__", alter_sys=True)
    sys.exit()


if __name__ == "__main__":
    commands = [each.name for each in walk_packages(bot.cli.__path__, "bot.cli.")]
    for name in (*commands, *IMPORTED):
        import_module(name)
    gc.freeze()  # a fork copies every page that the garbage collector touches
    with socket.socket(fileno=int(sys.argv[1])) as orders:
        serve(orders)
