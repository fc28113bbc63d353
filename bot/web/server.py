"""One aiohttp server: it serves the routes that `app.py` supplies, and `/healthz`."""

import asyncio
import errno
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address
from socket import gaierror

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from bot.core.errors import Broken, PortTaken
from bot.log import get_logger
from bot.web.connections import ConnectionLimits, Connections, End, begin

SHUTDOWN = 5.0
"""Seconds that unfinished responses may take after a stop."""

log = get_logger()


_CLIENTS_OWN = (HttpProcessingError, TimeoutError, ConnectionError)


class _Discreet(logging.Filter):
    """A filter for aiohttp's log lines: these contain addresses, which hold our signatures.

    Malformed requests and clients that stall or leave are not logged, so they can't fill the log.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if record.levelno >= logging.WARNING and not isinstance(error, _CLIENTS_OWN):
            log.error("web.connection_failed", error=type(error).__name__)
        return False


_server_log = logging.getLogger("bot.web.server")
_server_log.addFilter(_Discreet())


@asynccontextmanager
async def serve(
    routes: Sequence[web.AbstractRouteDef],
    *,
    host: str,
    port: int,
    limits: ConnectionLimits | None = None,
) -> AsyncIterator[str]:
    """Listen until the context ends; yield the local address, e.g. `http://127.0.0.1:8080`.

    Raises `Broken` with the reason if it can't listen there.
    """
    app = web.Application(middlewares=[begin, _guard], client_max_size=64 * 1024)
    app.add_routes([web.get("/healthz", _healthy), *routes])
    # The timeout keeps a video that is being watched from delaying a stop.
    runner = web.AppRunner(
        app,
        access_log_class=End,
        access_log=_server_log,
        logger=_server_log,
        shutdown_timeout=SHUTDOWN,
    )
    await runner.setup()
    try:
        async with _listening(runner, limits or ConnectionLimits(), host=host, port=port) as bound:
            yield address(host, bound)
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _listening(
    runner: web.AppRunner, limits: ConnectionLimits, *, host: str, port: int
) -> AsyncIterator[int]:
    """Accept connections within `limits`; yield the port."""
    assert runner.server is not None
    factory = Connections(runner.server, limits)
    try:
        listener = await asyncio.get_running_loop().create_server(factory, host, port)
    except OSError as error:
        raise cannot_listen(error, host=host, port=port) from error
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()


def address(host: str, port: int) -> str:
    """Return our address for a browser on this machine."""
    name = reached_at(host)
    return f"http://{f'[{name}]' if ':' in name else name}:{port}"


def reached_at(host: str) -> str:
    """Return the name by which this machine reaches `host`; loopback if it means all addresses."""
    try:
        ip = ip_address(host or "0.0.0.0")  # noqa: S104 - what an empty host means
    except ValueError:
        return host
    if ip.is_unspecified:
        return "127.0.0.1" if ip.version == 4 else "::1"
    return str(ip)


def cannot_listen(error: OSError, *, host: str, port: int) -> Broken:
    """Return the error that says why the server can't listen at this address."""
    match error.errno:
        case _ if isinstance(error, gaierror):
            return Broken("host_unknown", host=host)
        case errno.EADDRINUSE:
            return PortTaken(host=host, port=port)
        case errno.EACCES | errno.EPERM:
            return Broken("port_forbidden", host=host, port=port)
        # Newer Pythons give no errno if none of the host's addresses is ours.
        case errno.EADDRNOTAVAIL | None:
            return Broken("host_elsewhere", host=host)
        case _:
            return Broken("cannot_listen", host=host, port=port, why=error.strerror)


async def _healthy(_request: web.Request) -> web.Response:
    """Answer that the event loop runs. A task that dies ends the process, so this is enough."""
    return web.Response(text="ok\n")


@web.middleware
async def _guard(request: web.Request, handler: object) -> web.StreamResponse:
    """Log an unexpected exception without the URL, and answer with 500 and no details."""
    try:
        response: web.StreamResponse = await handler(request)  # type: ignore[operator]
    except web.HTTPException as error:
        error.headers["X-Content-Type-Options"] = "nosniff"
        raise
    except Exception as error:
        if isinstance(error, ConnectionError) and request.transport is None:
            raise  # the client left in the middle of its body and reads no response
        log.exception("web.failed", route=str(request.match_info.route.resource))
        raise web.HTTPInternalServerError(text="Something went wrong.\n") from None
    return response
