"""The control socket: an operator's command sends a request, and the running service does the work.

The Unix socket lies in the data folder; only the service's user and root may use it. A connection
carries one request and one answer, a line of JSON each. The service limits the size of a request
and the time to read it and to write the answer, so a bad client can't block others.
"""

import asyncio
import json
import os
import pwd
import socket
import struct
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path

from bot.core.acts import UseCase, Values, perform
from bot.core.errors import BotError, Broken, Refused, Temporary
from bot.log import get_logger

NAME = "control.sock"
MOST_REQUEST = 64 * 1024
"""The most bytes of a request."""
MOST_ANSWER = 8 * 1024 * 1024
"""The most bytes of an answer that a command reads."""
PATIENCE = 5.0
"""Seconds to receive a request, and to send an answer."""
WORK = 120.0
"""Seconds for the work between request and answer. The work may include a gateway request."""
AT_ONCE = 8
"""The most connections at a time."""
LONGEST = 107 if sys.platform == "linux" else 103
"""The most bytes of a path that a Unix socket's address can hold."""
_KINDS: Mapping[str, type[BotError]] = {
    "refused": Refused,
    "temporary": Temporary,
    "broken": Broken,
}

log = get_logger()


@contextmanager
def address(folder: Path) -> Iterator[str]:
    """Yield a path to this folder's socket that fits a socket address while the context lasts.

    On Linux a path that is too long is replaced by one through `/proc/self/fd`. Raises
    `Broken("control_path_long")` on other systems.
    """
    path = str(folder.absolute() / NAME)
    if len(os.fsencode(path)) <= LONGEST:
        yield path
        return
    if sys.platform != "linux":
        raise Broken("control_path_long", file=path, most=LONGEST)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{handle}/{NAME}"
    finally:
        os.close(handle)


def user_name(uid: int) -> str:
    """Return the name of a user of this machine, or the number if the user has no name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


# --- the service's side --------------------------------------------------------------------------


@asynccontextmanager
async def serving(
    folder: Path, use_cases: Mapping[str, UseCase], *, patience: float = PATIENCE
) -> AsyncIterator[None]:
    """Answer requests on the socket while the context lasts.

    If the socket can't be made, log a warning; the service runs without it. Remove a socket file
    that a dead service left behind.
    """
    async with AsyncExitStack() as stack:
        try:
            await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True, exist_ok=True)
            path = stack.enter_context(address(folder))
            listener = await asyncio.to_thread(_listener, folder, path)
        except (OSError, BotError) as error:
            why = error.code if isinstance(error, BotError) else error.strerror
            log.warning("control.unavailable", why=why)
            yield
            return
        connections = _Connections(use_cases, patience)
        server = await asyncio.start_unix_server(
            connections.serve, sock=listener, limit=MOST_REQUEST
        )
        mine = (folder / NAME).stat().st_ino
        try:
            yield
        finally:
            server.close()
            with suppress(OSError):
                if (folder / NAME).stat().st_ino == mine:
                    (folder / NAME).unlink()
            await connections.finish()


def _listener(folder: Path, path: str) -> socket.socket:
    """Create the socket with owner-only permissions before it starts to listen."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if _is_answered(path):
            raise Broken("control_taken", folder=str(folder))
        (folder / NAME).unlink(missing_ok=True)
        listener.bind(path)
        (folder / NAME).chmod(0o600)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


def _is_answered(path: str) -> bool:
    """Whether another service listens on this socket.

    Two services with different databases may share a data folder.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        try:
            caller.settimeout(PATIENCE)
            caller.connect(path)
        except OSError:
            return False
    return True


class _Connections:
    """The open connections to the socket."""

    def __init__(self, use_cases: Mapping[str, UseCase], patience: float) -> None:
        self._use_cases = use_cases
        self._patience = patience
        self._under_way: set[asyncio.Task[None]] = set()

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a new connection in its own task."""
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def finish(self) -> None:
        """Cancel the open connections. A transaction that has begun still runs to its end."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            answer = await self._answer(reader, writer)
            async with asyncio.timeout(self._patience):
                writer.write(_line(answer))
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            log.warning("control.dropped", error=type(error).__name__)
            writer.transport.abort()
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Values:
        if len(self._under_way) > AT_ONCE:
            return _error(Temporary("control_busy"))
        uid = _peer(writer)
        if uid not in (0, os.getuid()):
            log.warning("control.denied", uid=uid)
            return _error(Broken("control_denied", user=user_name(os.getuid())))
        try:
            async with asyncio.timeout(self._patience):
                line = await reader.readuntil()
            name, values = _read(line)
        except (asyncio.LimitOverrunError, ValueError, RecursionError):
            return _error(Broken("control_unreadable"))
        except asyncio.IncompleteReadError as cut:
            if not cut.partial:
                raise
            return _error(Broken("control_unreadable"))
        return await self._work(name, values, actor=f"cli:{user_name(uid)}")

    async def _work(self, name: str, values: dict[str, object], *, actor: str) -> Values:
        use_case = self._use_cases.get(name)
        try:
            if use_case is None:
                raise Broken("control_unknown")
            async with asyncio.timeout(WORK):
                answer = {"value": await perform(use_case, values, actor=actor)}
        except BotError as problem:
            return _error(problem)
        except TimeoutError:
            return _error(Temporary("control_slow"))
        except Exception:
            log.exception("control.failed", name=name)
            return _error(Broken("control_failed"))
        log.info("control.answered", name=name, actor=actor)
        return answer


def _peer(writer: asyncio.StreamWriter) -> int:
    """Return the user id of the client.

    Outside Linux the client's id is not read; the socket's file mode keeps other users out.
    """
    if sys.platform != "linux":
        return os.getuid()
    raw = writer.get_extra_info("socket").getsockopt(
        socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")
    )
    _, uid, _ = struct.unpack("3i", raw)
    return int(uid)


def _read(line: bytes) -> tuple[str, dict[str, object]]:
    """Return the name and the values of a request. Raises `ValueError` if it is malformed."""
    match json.loads(line):
        case {"name": str(name), "values": dict(values)} if "actor" not in values:
            return name, values
    raise ValueError("no request")


def _error(problem: BotError) -> Values:
    kind = next(name for name, each in _KINDS.items() if isinstance(problem, each))
    return {"error": {"kind": kind, "code": problem.code, "values": dict(problem.values)}}


def _line(answer: Values) -> bytes:
    return json.dumps(answer, ensure_ascii=False, default=str).encode(errors="replace") + b"\n"


# --- the command's side --------------------------------------------------------------------------


def carried(values: Values) -> dict[str, object]:
    """Return the values as they arrive through the socket. Invalid Unicode is replaced."""
    return dict(json.loads(_line(values)))


async def ask(folder: Path, name: str, values: Values, *, patience: float = WORK) -> Values | None:
    """Return the running service's answer, or None if no service listens in this folder.

    Raises the error that the service answers with, and `Temporary("control_silent")` if no
    readable answer comes in time.
    """
    request = _line({"name": name, "values": values})
    try:
        with address(folder) as path:
            reader, writer = await asyncio.open_unix_connection(path, limit=MOST_ANSWER)
    except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
        return None
    except PermissionError as error:
        owner = user_name((await asyncio.to_thread(folder.stat)).st_uid)
        raise Broken("control_denied", user=owner) from error
    try:
        async with asyncio.timeout(patience + 2 * PATIENCE):
            writer.write(request)
            await writer.drain()
            answer = json.loads(await reader.readuntil())
    except (OSError, TimeoutError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
        raise Temporary("control_silent") from error
    finally:
        writer.close()
    return _value(answer)


def _value(answer: object) -> Values:
    match answer:
        case {"value": dict(value)}:
            return value
        case {"error": {"kind": str(kind), "code": str(code), "values": dict(values)}}:
            raise _KINDS.get(kind, Broken).of(code, **values)
    raise Temporary("control_silent")
