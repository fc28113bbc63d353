"""Faults between the bot and Telegram, on demand.

A fault makes one call fail, before the server applied it or, wrapped in `accepted`, afterwards. A
hold stops a call at a chosen moment until the test releases it. A flood refuses a chat for a while,
and for longer with each further call.
"""

import asyncio
import math
import re
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace

from aiohttp import web

from tests.fakes.streams import within

from .calls import CUT_OFF, Call, Outcome, refusal, respond

EVERY = "*"
SPOKEN = re.compile(r"(send|edit)(?!ChatAction)")
"""The methods that a flood refuses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The way in which a call fails; without an answer the connection is reset.

    `garbled` is a body that is no JSON. With `flood` seconds the chat is closed for that time.
    """

    answer: Outcome | None = None
    garbled: bytes | None = None
    is_accepted: bool = False
    flood: float = 0.0

    def finish(self, call: Call, http: web.Request) -> web.Response:
        """Send the faulty answer, or cut the connection."""
        if self.garbled is not None:
            call.status = web.HTTPOk.status_code
            return web.Response(body=self.garbled, content_type="application/json")
        if self.answer is not None:
            call.status, call.answer = self.answer.status, self.answer.body
            return respond(self.answer)
        call.status = CUT_OFF
        if http.transport is not None:
            _linger_not(http.transport)
            http.transport.abort()
        return web.Response()  # never sent; aiohttp requires a response


def error(status: int, description: str) -> Fault:
    """Return a fault with this status, in Telegram's format."""
    return Fault(answer=refusal(status, description))


def bad_request(message: str) -> Fault:
    """Return a 400; `message` is given without "Bad Request: "."""
    return error(400, f"Bad Request: {message}")


def unauthorized() -> Fault:
    """Return a 401: the token was revoked."""
    return error(401, "Unauthorized")


def blocked() -> Fault:
    """Return a 403: the person has blocked the bot."""
    return error(403, "Forbidden: bot was blocked by the user")


def kicked() -> Fault:
    """Return a 403: the bot was removed from the chat."""
    return error(403, "Forbidden: bot was kicked from the supergroup chat")


def deactivated() -> Fault:
    """Return a 403: the account is gone."""
    return error(403, "Forbidden: user is deactivated")


def conflict() -> Fault:
    """Return a 409: another program polls."""
    words = (
        "terminated by other getUpdates request; make sure that only one bot instance is running"
    )
    return error(409, f"Conflict: {words}")


def too_large() -> Fault:
    """Return a 413 as a proxy sends it, in HTML."""
    page = "<html><head><title>413 Request Entity Too Large</title></head></html>"
    return Fault(answer=Outcome(status=413, body=page))


def internal() -> Fault:
    """Return a 500."""
    return error(500, "Internal Server Error: restart")


def bad_gateway() -> Fault:
    """Return a 502 with a page of HTML."""
    page = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
    return Fault(answer=Outcome(status=502, body=page))


def reset() -> Fault:
    """Return a fault that resets the connection (TCP RST) instead of an answer."""
    return Fault()


def garbled(body: bytes = b'{"ok": true, "result": {"message_id"') -> Fault:
    """Return a 200 whose body is no JSON."""
    return Fault(garbled=body)


def flood(retry_after: float) -> Fault:
    """Return a 429, which holds for every message and edit to that chat until so many seconds have
    passed.
    """
    return Fault(answer=_retry_after(retry_after), flood=retry_after)


def accepted(fault: Fault) -> Fault:
    """Return the same fault for after the call took effect: the worst case for a sender."""
    return replace(fault, is_accepted=True)


class Hold:
    """A call stopped on its way. `before` means that it has not taken effect yet."""

    def __init__(self, *, before: bool) -> None:
        self.before = before
        self._call: Call | None = None
        self._reached = asyncio.Event()
        self._released = asyncio.Event()

    async def reached(self, timeout: float = 10) -> Call:
        """Wait until a call has reached the hold, and return it."""
        await within(timeout, self._reached, "no call reached the hold")
        assert self._call is not None
        return self._call

    def release(self) -> None:
        """Let the call continue."""
        self._released.set()

    async def stop(self, call: Call) -> None:
        """Wait until the hold is released."""
        self._call = call
        self._reached.set()
        await self._released.wait()


@dataclass(slots=True)
class Rule:
    """The calls that meet a fault or a hold, and how many more of them; None for all."""

    method: str
    chat: int | None
    effect: Fault | Hold
    times: int | None

    def fits(self, call: Call) -> bool:
        """Whether the rule is for this call."""
        named = self.method in (EVERY, call.method.lower())
        return named and self.times != 0 and self.chat in (None, call.chat)


@dataclass(slots=True)
class Window:
    """The time during which a chat is closed."""

    until: float
    seconds: float


class Faults:
    """The rules in force.

    Of the rules that fit a call, the oldest of each kind applies. `impatient` are the calls that
    came while their chat was closed.
    """

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self.impatient: list[Call] = []
        self._clock = clock
        self._rules: list[Rule] = []
        self._windows: dict[object, Window] = {}

    def add(
        self, method: str, fault: Fault, *, chat: int | None = None, times: int | None = 1
    ) -> None:
        """Make the next `times` calls of a method, or of "*", end in this fault; None for all."""
        self._rules.append(Rule(method.lower(), chat, fault, times))

    def hold(self, method: str, *, chat: int | None = None) -> Hold:
        """Stop the next such call after it took effect and before it is answered."""
        return self._hold(method, chat, before=False)

    def hold_before(self, method: str, *, chat: int | None = None) -> Hold:
        """Stop the next such call when it has arrived and before it takes effect."""
        return self._hold(method, chat, before=True)

    def clear(self) -> None:
        """Remove all rules and release all held calls."""
        for rule in self._rules:
            if isinstance(rule.effect, Hold):
                rule.effect.release()
        self._rules.clear()
        self._windows.clear()

    def fault_for(self, call: Call) -> Fault | None:
        """Return the fault for this call, or None, and count it as used."""
        window = self._windows.get(call.chat)
        now = self._clock()
        if window is not None and now < window.until and SPOKEN.match(call.method):
            self.impatient.append(call)
            window.until += window.seconds
            return Fault(answer=_retry_after(window.until - now))
        effect = self._take(Fault, call)
        if not isinstance(effect, Fault):
            return None
        if effect.flood:
            self._windows[call.chat] = Window(now + effect.flood, effect.flood)
        return effect

    def hold_for(self, call: Call) -> Hold | None:
        """Return the hold for this call, or None, and count it as used."""
        effect = self._take(Hold, call)
        return effect if isinstance(effect, Hold) else None

    def _hold(self, method: str, chat: int | None, *, before: bool) -> Hold:
        hold = Hold(before=before)
        self._rules.append(Rule(method.lower(), chat, hold, 1))
        return hold

    def _take(self, kind: type[Fault | Hold], call: Call) -> Fault | Hold | None:
        for rule in self._rules:
            if isinstance(rule.effect, kind) and rule.fits(call):
                rule.times = None if rule.times is None else rule.times - 1
                return rule.effect
        return None


def _retry_after(seconds: float) -> Outcome:
    whole = math.ceil(seconds)
    return refusal(429, f"Too Many Requests: retry after {whole}", {"retry_after": whole})


def _linger_not(transport: asyncio.Transport) -> None:
    # Closing with a linger time of zero sends RST instead of FIN.
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
