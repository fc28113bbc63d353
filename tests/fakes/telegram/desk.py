"""The front desk: reads a call, journals it, applies faults, finds the method that answers.

Knows no method by name; what nobody answers is told so and kept in `unknown`.
"""

from collections.abc import Callable, Sequence
from inspect import isawaitable
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from tests.fakes.streams import Stream

from .calls import CUT_OFF, Call, Method, Outcome, Refused, read, refusal, respond
from .faults import Faults
from .files import Files
from .media import fetch_addresses
from .model import MIB
from .world import World

POLLING = "getUpdates"
DOWNLOAD = "file"
UPLOAD_LIMIT, LOCAL_UPLOAD_LIMIT = 50 * MIB, 2000 * MIB


class StepContext:
    """Serves /bot<token>/<method> and /file/bot<token>/<path>.

    `calls` is the journal; getUpdates has one of its own and is left out. `upload_limit` is in
    bytes and counts all files of a call.
    """

    def __init__(self, world: World, methods: Sequence[Method]) -> None:
        self.calls: list[Call] = []
        self.unknown: list[Call] = []
        self.crashes: list[Exception] = []
        self.leaks: list[str] = []
        self.upload_limit = UPLOAD_LIMIT
        self.faults = Faults(clock=world.clock)
        self.answered: Stream[Call] = Stream("call")
        self._world = world
        self._files: Files = world.files
        self._methods = {method.name.lower(): method for method in methods}

    async def serve(self, http: web.Request) -> web.StreamResponse:
        """Answer one call."""
        named = http.match_info["method"]
        known = self._methods.get(named.lower())
        call = Call(
            method=known.name if known else named,
            at=self._world.clock(),
            verb=http.method,
            headers=dict(http.headers),
            query=http.query_string,
        )
        if call.method != POLLING:
            self.calls.append(call)
        try:
            return await self._serve(http, call)
        except ConnectionError:
            call.status = CUT_OFF  # The bot was killed while it was still sending.
            return web.Response()
        finally:
            self._look_for_leaks(call)
            if call.method != POLLING:
                self.answered.add(call)

    async def serve_file(self, http: web.Request) -> web.StreamResponse:
        """Send a file. Faults and holds find this under the name "file"."""
        call = Call(method=DOWNLOAD, at=self._world.clock(), verb=http.method)
        fault, hold = self.faults.fault_for(call), self.faults.hold_for(call)
        if hold is not None:
            await hold.stop(call)
        if fault is not None:
            return fault.finish(call, http)
        if http.match_info["token"] != self._world.token:
            return respond(refusal(401, "Unauthorized"))
        return await self._files.serve(http.match_info["path"])

    async def refuse(self, http: web.Request) -> web.StreamResponse:
        """Anything else."""
        call = Call(method=http.path, at=self._world.clock(), query=http.query_string)
        call.headers = dict(http.headers)
        self.calls.append(call)
        self.unknown.append(call)
        self._look_for_leaks(call)
        return respond(refusal(404, "Not Found"))

    async def _serve(self, http: web.Request, call: Call) -> web.StreamResponse:
        await read(http, call)
        fault = self.faults.fault_for(call)
        hold = self.faults.hold_for(call)
        if hold is not None and hold.before:
            await hold.stop(call)
        if fault is not None and not fault.is_accepted:
            return fault.finish(call, http)
        outcome = await self._handle(call, http.match_info["token"])
        if hold is not None and not hold.before:
            await hold.stop(call)
        if fault is not None:
            return fault.finish(call, http)
        call.status, call.answer = outcome.status, outcome.body
        return respond(outcome)

    async def _handle(self, call: Call, token: str) -> Outcome:
        try:
            result = await self._result(call, token)
        except Refused as refused:
            return refused.outcome
        except Exception as crash:  # noqa: BLE001 - kept, and raised when the test ends
            self.crashes.append(crash)
            return refusal(500, f"the fake is broken: {crash!r}")
        return Outcome(status=200, body={"ok": True, "result": result})

    async def _result(self, call: Call, token: str) -> Any:
        if unquote(token) != self._world.token:
            raise Refused(401, "Unauthorized")
        method = self._methods.get(call.method.lower())
        if method is None:
            self.unknown.append(call)
            raise Refused(404, "Not Found: method not found")
        if sum(upload.size for upload in call.files.values()) > self.upload_limit:
            raise Refused(413, "Request Entity Too Large")
        if strange := call.raw.keys() - method.fields:
            self._world.complaints.append(f"{method.name} knows no {sorted(strange)}")
        await fetch_addresses(call)
        result = method.answer(call)
        return await result if isawaitable(result) else result

    def _look_for_leaks(self, call: Call) -> None:
        """The token belongs into the path and nowhere else."""
        leak = leak_finder(self._world.token)
        address = [("the path", call.method), ("the query", call.query)]
        for name, text in [*call.headers.items(), *call.raw.items(), *address]:
            if leak(text):
                self.leaks.append(f"{call.method}: the token is in {name}")
        for name, upload in call.files.items():
            if leak(upload.content):
                self.leaks.append(f"{call.method}: the token is in the file {name}")


def leak_finder(token: str) -> Callable[[str | bytes], bool]:
    """Finds a token, or the secret half of it, also where it was quoted for an address."""
    secret = token.partition(":")[2]

    def leaks(text: str | bytes) -> bool:
        words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        return secret in words or secret in unquote(words)

    return leaks
