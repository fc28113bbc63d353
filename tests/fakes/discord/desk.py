"""The front desk of the REST side: reads a request, journals it, applies faults, finds the route.

Knows no route by name; what is not routed is answered 404 and kept in `unknown`.
"""

import json
from collections.abc import Callable, Sequence
from email.utils import formatdate

from aiohttp import BodyPartReader, web

from tests.fakes.streams import Stream

from .faults import Fault, Faults
from .rest import Body, Outcome, Refused, Request, Route, Upload, respond

# These carry their right in the path and are served without the bot's token.
OPEN_PATHS = ("/interactions/", "/webhooks/", "/gateway")

CUT_OFF = 0


class StepContext:
    """Serves everything below the API's base address."""

    def __init__(self, *, token: str, routes: Sequence[Route], clock: Callable[[], float]) -> None:
        self.requests: list[Request] = []
        self.unknown: list[Request] = []
        self.crashes: list[Exception] = []
        self.faults = Faults()
        self.answered: Stream[Request] = Stream("request")
        self._authorization = f"Bot {token}"
        self._routes = routes
        self._clock = clock

    async def serve(self, http: web.Request) -> web.Response:
        """Answer one request."""
        request = Request(
            method=http.method,
            path="/" + http.match_info["path"],
            query=http.query,
            authorization=http.headers.get("Authorization"),
        )
        self.requests.append(request)
        try:
            response = await self._answer(http, request)
            response.headers["Date"] = formatdate(self._clock(), usegmt=True)
            return response
        except ConnectionError:
            request.status = CUT_OFF  # The bot was killed while it was still sending.
            return web.Response()
        finally:
            self.answered.add(request)

    async def _answer(self, http: web.Request, request: Request) -> web.Response:
        fault = self.faults.fault_for(request.method, request.path)
        hold = self.faults.hold_for(request.method, request.path)
        if fault is not None and fault.unread:
            return _fail(http, request, fault)
        await _read(http, request)
        if hold is not None and hold.before:
            await hold.stop(request)
        if fault is not None and not fault.accepted:
            return _fail(http, request, fault)
        outcome = self._handle(request)
        if hold is not None and not hold.before:
            await hold.stop(request)
        if fault is not None:
            return _fail(http, request, fault)
        request.status, request.answer = outcome.status, outcome.body
        return respond(outcome)

    def _handle(self, request: Request) -> Outcome:
        try:
            body = self._route(request)
        except Refused as refusal:
            return refusal.outcome
        except Exception as crash:  # noqa: BLE001 - kept, and raised when the test ends
            self.crashes.append(crash)
            return Outcome(500, f"the fake is broken: {crash!r}")
        return Outcome(204 if body is None else 200, body)

    def _route(self, request: Request) -> Body:
        allowed = request.authorization == self._authorization
        if not allowed and not request.path.startswith(OPEN_PATHS):
            raise Refused(401, 0, "401: Unauthorized")
        for route in self._routes:
            call = route.match(request)
            if call is not None:
                return call()
        self.unknown.append(request)
        raise Refused(404, 0, "404: Not Found")


def _fail(http: web.Request, request: Request, fault: Fault) -> web.Response:
    request.status = CUT_OFF if fault.answer is None else fault.answer.status
    request.answer = None if fault.answer is None else fault.answer.body
    return fault.finish(http)


async def _read(http: web.Request, request: Request) -> None:
    if not http.content_type.startswith("multipart/"):
        body = await http.read()
        request.json = json.loads(body) if body else None
        return
    async for part in await http.multipart():
        assert isinstance(part, BodyPartReader)
        content = bytes(await part.read())
        if part.name == "payload_json":
            request.json = json.loads(content)
        else:
            number = int((part.name or "").removeprefix("files[").removesuffix("]"))
            request.files[number] = Upload(part.filename or "", content)
