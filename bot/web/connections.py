"""Limits connections: timeouts, a maximum per client and a maximum in total.

aiohttp alone waits an hour for a request and accepts any number of connections. So our protocol
wraps aiohttp's, counts connections and sets deadlines. A request that was received completely may
take as long as it needs: a large video for a slow reader, or an open WebSocket.
"""

import asyncio
import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger
from aiohttp.typedefs import Handler

from bot.log import get_logger

Network = IPv4Network | IPv6Network
Client = IPv4Network | IPv6Network

LOCAL: tuple[Network, ...] = tuple(
    ip_network(each)
    for each in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"),
        *("::1", "fc00::/7", "fe80::/10"),
    )
)
"""This machine and private networks. Reverse proxies and container networks connect from there on
behalf of everybody, so only the maximum in total applies."""
LOG_PAUSE = 60.0
"""The least seconds between two log lines about too many connections."""

log = get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """Limits of one server; times are seconds."""

    most: int = 512
    """The most connections in total."""
    per_client: int = 64
    """The most connections of one IPv4 address or one IPv6 /64, which is what a home gets."""
    trusted: tuple[Network, ...] = LOCAL
    """Networks to which `per_client` does not apply."""
    head: float = 20.0
    """Timeout for a request's headers, from its first byte; the first is timed from the connect."""
    idle: float = 180.0
    """Timeout from a response to the next request. Proxies keep idle connections for less (nginx
    60, Caddy 120), so they close first and never send a request into a closed connection."""
    body: float = 60.0
    """Timeout for a request's body: nobody sends us more than Telegram's webhook calls."""
    stalled: float = 300.0
    """Timeout for a reader that takes no bytes. A paused browser requests the rest later."""


class Connections:
    """A protocol factory that counts connections; `make` creates aiohttp's own protocol."""

    def __init__(self, make: Callable[[], asyncio.Protocol], limits: ConnectionLimits) -> None:
        self.make = make
        self.limits = limits
        self._open: set[Connection] = set()
        self._logged_at = float("-inf")

    def __call__(self) -> "Connection":
        return Connection(self)

    def admit(self, newcomer: "Connection") -> bool:
        """Count a new connection. At a limit, close the connection that is idle for longest.

        Return False if no connection is idle.
        """
        theirs = [each for each in self._open if each.client == newcomer.client]
        if newcomer.client is not None and len(theirs) >= self.limits.per_client:
            is_free = self._free(theirs)
        elif len(self._open) >= self.limits.most:
            is_free = self._free(self._open)
        else:
            is_free = True
        if is_free:
            self._open.add(newcomer)
        return is_free

    def leave(self, gone: "Connection") -> None:
        """Stop counting a connection."""
        self._open.discard(gone)

    def _free(self, among: Collection["Connection"]) -> bool:
        now = asyncio.get_running_loop().time()
        if now >= self._logged_at + LOG_PAUSE:
            self._logged_at = now
            log.warning("web.places_taken", here=len(among), open=len(self._open))
        waiting = [each for each in among if each.is_waiting]
        if not waiting:
            return False
        longest = min(waiting, key=lambda each: each.since)
        self.leave(longest)
        longest.drop()
        return True


class Connection(asyncio.Protocol):
    """A connection that passes everything to aiohttp's own protocol and keeps its deadlines."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._limits = connections.limits
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._handler: asyncio.Protocol | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._is_idle = False
        self._is_reading = False
        self.client: Client | None = None
        """The client that this connection counts for; None if `per_client` does not apply."""
        self.is_waiting = True
        """Whether no request is being handled."""
        self.since = self._loop.time()

    # --- called by asyncio ---------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Accept the connection, or close it at once."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.client = client_of(transport.get_extra_info("peername"), self._limits.trusted)
        if not self._connections.admit(self):
            transport.abort()
            return
        _give_up_stalled(transport, self._limits.stalled)
        self._expect(self._limits.head)
        self._handler = self._connections.make()
        self._handler.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Pass data on. The first byte after an idle time starts the deadline for the headers."""
        if self._is_idle:
            self._is_idle = False
            self._expect(self._limits.head)
        if self._handler:
            self._handler.data_received(data)

    def eof_received(self) -> bool | None:
        """Pass on that the client sends no more."""
        return self._handler.eof_received() if self._handler else None

    def pause_writing(self) -> None:
        """Pass on that the client reads too slowly."""
        if self._handler:
            self._handler.pause_writing()

    def resume_writing(self) -> None:
        """Pass on that the client has caught up."""
        if self._handler:
            self._handler.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop counting the connection, and pass on that it ended."""
        self._expect(None)
        self._connections.leave(self)
        if self._handler:
            self._handler.connection_lost(exc)
            self._handler = None

    # --- called by the server ------------------------------------------------------------------

    def began(self, request: web.Request) -> None:
        """Note that the headers of a request are complete."""
        self.is_waiting = self._is_idle = False
        self._is_reading = request.can_read_body
        self._expect(self._limits.body if self._is_reading else None)
        if self._is_reading:
            request.content.on_eof(self._read)

    def ended(self) -> None:
        """Note that the response was sent, and wait for the next request."""
        self._is_reading = False
        self.is_waiting = self._is_idle = True
        self.since = self._loop.time()
        self._expect(self._limits.idle)

    def drop(self) -> None:
        """Close the connection now."""
        if self._transport:
            self._transport.abort()

    def _read(self) -> None:
        if self._is_reading:
            self._is_reading = False
            self._expect(None)

    def _expect(self, seconds: float | None) -> None:
        """Set the next deadline, in seconds from now, or remove it."""
        if self._deadline:
            self._deadline.cancel()
        gone = self._transport is None or self._transport.is_closing()
        is_due = seconds is not None and not gone
        self._deadline = self._loop.call_later(seconds or 0, self.drop) if is_due else None


def of(request: web.BaseRequest) -> Connection | None:
    """Return the connection by which `request` came; None if it is closed."""
    protocol = request.transport.get_protocol() if request.transport else None
    return protocol if isinstance(protocol, Connection) else None


def client_of(peer: object, trusted: Collection[Network]) -> Client | None:
    """Return the client that a connection from `peer` counts for; None for trusted networks."""
    try:
        ip: IPv4Address | IPv6Address = ip_address(str(peer[0]) if isinstance(peer, tuple) else "")
    except ValueError:  # no IP address, as with a Unix socket
        return None
    if isinstance(ip, IPv6Address):
        ip = ip.ipv4_mapped or ip
    if any(ip in network for network in trusted):
        return None
    return ip_network((ip, 32 if ip.version == 4 else 64), strict=False)


@web.middleware
async def begin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tell the connection that a request's headers are complete. The outermost middleware."""
    if connection := of(request):
        connection.began(request)
    return await handler(request)


class End(AbstractAccessLogger):
    """An access logger that logs nothing, but tells the connection that a response was sent."""

    def log(self, request: web.BaseRequest, _response: web.StreamResponse, _time: float) -> None:
        """End the request at its connection. Log nothing: our addresses contain signatures."""
        if connection := of(request):
            connection.ended()


def _give_up_stalled(transport: asyncio.Transport, seconds: float) -> None:
    """Set the kernel's timeout for a stalled reader: sendfile bypasses the event loop."""
    option = getattr(socket, "TCP_USER_TIMEOUT", None)  # Linux
    if option is not None:
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, option, int(seconds * 1000))
