"""Keeps connections from taking what others need: time limits, a cap per client and one in all.

aiohttp alone waits for an hour for a request and takes as many connections as come. So its protocol
stands behind one of ours, which counts and has deadlines. A request once received may take as long
as it needs, be it a large video for a slow reader or an open WebSocket.
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
"""This machine and private networks. A reverse proxy or a container's own network connects from
there on behalf of everybody, so only the cap in all holds."""
TOLD = 60.0
"""Seconds at least from one line of the log about full places to the next."""

log = get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """Limits of one server; times are seconds."""

    most: int = 512
    """Connections in all."""
    per_client: int = 64
    """Connections of one address, or of one IPv6 network of 64 bits: homes are given those."""
    trusted: tuple[Network, ...] = LOCAL
    """Networks whose members may have more than that."""
    head: float = 20.0
    """For the whole head of a request, from the first byte; a new connection's from its start."""
    idle: float = 180.0
    """From an answer to the next request. Longer than proxies keep idle connections (nginx 60,
    Caddy 120), so that they close first and never send a request into a closed one."""
    body: float = 60.0
    """For the whole body of a request: the world sends us nothing larger than Telegram's calls."""
    stalled: float = 300.0
    """Until a reader that takes nothing at all is given up. A paused browser asks for the rest."""


class Connections:
    """The protocol factory of a server whose requests `make` handles."""

    def __init__(self, make: Callable[[], asyncio.Protocol], limits: ConnectionLimits) -> None:
        self.make = make
        self.limits = limits
        self._open: set[Connection] = set()
        self._told_at = float("-inf")

    def __call__(self) -> "Connection":
        return Connection(self)

    def admit(self, newcomer: "Connection") -> bool:
        """Give it a place. Where none is free, the one that has waited longest for a request goes.

        False where every place is taken by a request under way.
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
        """Its place is free."""
        self._open.discard(gone)

    def _free(self, among: Collection["Connection"]) -> bool:
        now = asyncio.get_running_loop().time()
        if now >= self._told_at + TOLD:
            self._told_at = now
            log.warning("web.places_taken", here=len(among), open=len(self._open))
        waiting = [each for each in among if each.is_waiting]
        if not waiting:
            return False
        longest = min(waiting, key=lambda each: each.since)
        self.leave(longest)
        longest.drop()
        return True


class Connection(asyncio.Protocol):
    """One connection: hands everything to aiohttp's own protocol, and knows what it waits for."""

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
        """Whom it counts for; None where nobody counts."""
        self.is_waiting = True
        """Whether no request is under way."""
        self.since = self._loop.time()

    # --- of asyncio ----------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take it, or close it at once."""
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
        """The first byte after a pause begins a head."""
        if self._is_idle:
            self._is_idle = False
            self._expect(self._limits.head)
        if self._handler:
            self._handler.data_received(data)

    def eof_received(self) -> bool | None:
        """Nothing more will come."""
        return self._handler.eof_received() if self._handler else None

    def pause_writing(self) -> None:
        """The reader is slower than we are."""
        if self._handler:
            self._handler.pause_writing()

    def resume_writing(self) -> None:
        """The reader has caught up."""
        if self._handler:
            self._handler.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over, whoever ended it."""
        self._expect(None)
        self._connections.leave(self)
        if self._handler:
            self._handler.connection_lost(exc)
            self._handler = None

    # --- of the server -------------------------------------------------------------------------

    def began(self, request: web.Request) -> None:
        """The head of a request is complete."""
        self.is_waiting = self._is_idle = False
        self._is_reading = request.can_read_body
        self._expect(self._limits.body if self._is_reading else None)
        if self._is_reading:
            request.content.on_eof(self._read)

    def ended(self) -> None:
        """Its answer has been sent."""
        self._is_reading = False
        self.is_waiting = self._is_idle = True
        self.since = self._loop.time()
        self._expect(self._limits.idle)

    def drop(self) -> None:
        """Close it now."""
        if self._transport:
            self._transport.abort()

    def _read(self) -> None:
        if self._is_reading:
            self._is_reading = False
            self._expect(None)

    def _expect(self, seconds: float | None) -> None:
        """The next deadline, in seconds from now; or none."""
        if self._deadline:
            self._deadline.cancel()
        gone = self._transport is None or self._transport.is_closing()
        is_due = seconds is not None and not gone
        self._deadline = self._loop.call_later(seconds or 0, self.drop) if is_due else None


def of(request: web.BaseRequest) -> Connection | None:
    """The connection by which `request` came; None if that is gone."""
    protocol = request.transport.get_protocol() if request.transport else None
    return protocol if isinstance(protocol, Connection) else None


def client_of(peer: object, trusted: Collection[Network]) -> Client | None:
    """The client for whom a connection from `peer` counts; None where nobody counts."""
    try:
        ip: IPv4Address | IPv6Address = ip_address(str(peer[0]) if isinstance(peer, tuple) else "")
    except ValueError:  # no network address at all
        return None
    if isinstance(ip, IPv6Address):
        ip = ip.ipv4_mapped or ip
    if any(ip in network for network in trusted):
        return None
    return ip_network((ip, 32 if ip.version == 4 else 64), strict=False)


@web.middleware
async def begin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The outermost middleware: it tells a connection that its request is complete."""
    if connection := of(request):
        connection.began(request)
    return await handler(request)


class End(AbstractAccessLogger):
    """aiohttp's access logger is told of each answer that was sent; it tells the connection."""

    def log(self, request: web.BaseRequest, _response: web.StreamResponse, _time: float) -> None:
        """Write nothing: addresses are keys."""
        if connection := of(request):
            connection.ended()


def _give_up_stalled(transport: asyncio.Transport, seconds: float) -> None:
    """The kernel alone sees whether a reader takes anything: files are sent past the loop."""
    option = getattr(socket, "TCP_USER_TIMEOUT", None)  # Linux
    if option is not None:
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, option, int(seconds * 1000))
