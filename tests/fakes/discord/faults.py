"""Faults between the bot and Discord, on demand.

A fault makes one request fail, before the server applied it or, wrapped in `accepted`, afterwards.
A hold stops a request at a chosen moment until the test releases it.
"""

import asyncio
import re
import socket
import struct
from dataclasses import dataclass, replace

from aiohttp import web

from tests.fakes.streams import within

from .model import Json
from .rest import Outcome, Request, respond


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The way in which a request fails.

    With neither answer nor reset the connection is closed without a response.
    """

    answer: Outcome | None = None
    reset: bool = False
    accepted: bool = False

    @property
    def unread(self) -> bool:
        """Whether the connection ends before the body is read."""
        return self.reset and not self.accepted

    def finish(self, request: web.Request) -> web.Response:
        """Send the faulty answer, or cut the connection."""
        if self.answer is not None:
            return respond(self.answer)
        if request.transport is not None:
            if self.reset:
                _linger_not(request.transport)
            request.transport.abort()
        return web.Response()  # never sent; aiohttp requires a response


def error(status: int, code: int = 0, message: str = "a fault on purpose") -> Fault:
    """Return a fault with this status and error code.

    A 5xx without a code is plain text, as from a proxy.
    """
    body: Json | str = {"message": message, "code": code}
    if status >= 500 and not code:
        body = message
    return Fault(answer=Outcome(status, body))


def rate_limited(retry_after: float = 0.01, *, via: bool = True, everywhere: bool = False) -> Fault:
    """Return a fault that answers 429.

    Without the Via header discord.py takes it for a Cloudflare ban.
    """
    words = "You are being rate limited."
    body = {"message": words, "retry_after": retry_after, "global": everywhere}
    headers = {"Retry-After": str(retry_after)} | ({"Via": "1.1 google"} if via else {})
    return Fault(answer=Outcome(429, body, headers))


def reset() -> Fault:
    """Return a fault that resets the connection (TCP RST) without reading the body."""
    return Fault(reset=True)


def hang_up() -> Fault:
    """Return a fault that reads the request and closes the connection without a response."""
    return Fault()


def accepted(fault: Fault) -> Fault:
    """Return the same fault for after the request took effect: the worst case for a sender."""
    return replace(fault, accepted=True)


class Hold:
    """A request stopped on its way. `before` means that it has not taken effect yet."""

    def __init__(self, *, before: bool) -> None:
        self.before = before
        self._request: Request | None = None
        self._reached = asyncio.Event()
        self._released = asyncio.Event()

    async def reached(self, timeout: float = 10) -> Request:
        """Wait until a request has reached the hold, and return it."""
        await within(timeout, self._reached, "no request reached the hold")
        assert self._request is not None
        return self._request

    def release(self) -> None:
        """Let the request continue."""
        self._released.set()

    async def stop(self, request: Request) -> None:
        """Wait until the hold is released."""
        self._request = request
        self._reached.set()
        await self._released.wait()


@dataclass(slots=True)
class Rule:
    """The requests that meet a fault or a hold, and how many more of them; None for all."""

    method: str
    path: re.Pattern[str]
    effect: Fault | Hold
    times: int | None


class Faults:
    """The rules in force. Of the rules that fit a request, the oldest of each kind applies."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []

    def add(self, method: str, path: str, fault: Fault, *, times: int | None = 1) -> None:
        """Make the next `times` requests whose path matches the expression end in this fault."""
        self._rules.append(Rule(method, re.compile(path), fault, times))

    def hold(self, method: str, path: str) -> Hold:
        """Stop the next such request after it took effect and before it is answered."""
        return self._hold(method, path, before=False)

    def hold_before(self, method: str, path: str) -> Hold:
        """Stop the next such request when it has arrived and before it takes effect."""
        return self._hold(method, path, before=True)

    def clear(self) -> None:
        """Remove all rules and release all held requests."""
        for rule in self._rules:
            if isinstance(rule.effect, Hold):
                rule.effect.release()
        self._rules.clear()

    def fault_for(self, method: str, path: str) -> Fault | None:
        """Return the fault for this request, or None, and count it as used."""
        effect = self._take(Fault, method, path)
        return effect if isinstance(effect, Fault) else None

    def hold_for(self, method: str, path: str) -> Hold | None:
        """Return the hold for this request, or None, and count it as used."""
        effect = self._take(Hold, method, path)
        return effect if isinstance(effect, Hold) else None

    def _hold(self, method: str, path: str, *, before: bool) -> Hold:
        hold = Hold(before=before)
        self._rules.append(Rule(method, re.compile(path), hold, 1))
        return hold

    def _take(self, kind: type[Fault | Hold], method: str, path: str) -> Fault | Hold | None:
        for rule in self._rules:
            fits = isinstance(rule.effect, kind) and rule.method == method
            if fits and rule.times != 0 and rule.path.search(path):
                rule.times = None if rule.times is None else rule.times - 1
                return rule.effect
        return None


def _linger_not(transport: asyncio.Transport) -> None:
    # Closing with a linger time of zero sends RST instead of FIN.
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
