"""Servers in the place of a gateway that are no gateway, or an odd one.

The regular fake gateway is `bot.simulator`; the servers here answer exactly what a test tells them.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Said:
    """One answer; `body` is sent as JSON, or unchanged if it is a string."""

    status: int = 200
    body: object = ""
    headers: Mapping[str, str] = field(default_factory=dict)


UNKNOWN_TASK = Said(400, {"code": "task_not_exist", "message": "task_not_exist", "data": None})
BAD_KEY = Said(401, {"error": {"message": "Invalid token", "type": "new_api_error", "code": ""}})
SPENT_KEY = Said(
    401, {"error": {"message": "该令牌额度已用尽", "type": "new_api_error", "code": ""}}
)
NO_DATABASE = Said(
    400,
    {"error": {"message": "No connected db.", "type": "no_db_connection", "code": "400"}},
)
"""Litellm's answer to a wrong key if it has no database."""
PAGE = Said(200, "<!doctype html><title>Welcome</title>", {"Content-Type": "text/html"})
WRONG_PATH = Said(
    404,
    {"error": {"message": "Invalid URL (GET /v1/videos/x)", "type": "invalid_request_error"}},
)


def models(*names: str) -> Said:
    """Return an answer with a list of models."""
    return Said(200, {"object": "list", "data": [{"id": name} for name in names]})


def usage(available: int, *, unlimited: bool = False) -> Said:
    """Return new-api's answer about a key."""
    inner = {"object": "token_usage", "total_granted": 1_000_000, "total_available": available}
    return Said(
        200, {"code": True, "message": "ok", "data": {**inner, "unlimited_quota": unlimited}}
    )


class OddGateway:
    """A server that answers by the beginning of the path; `requests` are (method, path, key) in
    order.
    """

    def __init__(self, **answers: Said) -> None:
        self.answers = {f"/{name.replace('__', '/')}": said for name, said in answers.items()}
        self.requests: list[tuple[str, str, str | None]] = []

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        """Serve until the block ends; yield the base URL."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        key = request.headers.get("Authorization")
        self.requests.append((request.method, request.path, key))
        return _response(self.said(request.path, key))

    def said(self, path: str, key: str | None) -> Said:
        """Return the answer to a request."""
        found = (said for start, said in self.answers.items() if path.startswith(start))
        return next(found, WRONG_PATH)


class KeyedGateway(OddGateway):
    """A server with special answers for requests with the good key."""

    def __init__(
        self, good: str, to_good: Mapping[str, Said], to_others: Mapping[str, Said]
    ) -> None:
        super().__init__()
        self._good = f"Bearer {good}"
        self._to_good = to_good
        self._to_others = to_others

    def said(self, path: str, key: str | None) -> Said:
        answers = self._to_good if key == self._good else self._to_others
        found = (said for start, said in answers.items() if path.startswith(start))
        return next(found, WRONG_PATH)


class PluginHost:
    """A host of plugins (new-api, generation C), only with the requests that come before an order.

    `posts` are the types and bodies of all POSTs, `tasks` the readable orders among them.
    """

    def __init__(self, *names: str) -> None:
        self.names = names
        self.version = "v1.0.0-rc.24"
        self.posts: list[tuple[str, bytes]] = []
        self.tasks: list[object] = []

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        """Serve until the block ends; yield the base URL."""
        app = web.Application()
        app.router.add_post("/v1/videos", self._create)
        app.router.add_get("/{path:.*}", self._look)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    async def _create(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.posts.append((request.content_type, body))
        if request.content_type == "application/x-www-form-urlencoded":
            return self._no(415, "unsupported task plugin media type")
        try:
            self.tasks.append(json.loads(body))
        except ValueError:
            return self._no(400, "Invalid task protocol request")
        return web.json_response({"id": "task_1"})

    async def _look(self, request: web.Request) -> web.Response:
        match request.path:
            case "/api/status":
                assert "Authorization" not in request.headers
                data = {"system_name": "New API", "version": self.version}
                return web.json_response({"success": True, "data": data})
            case "/v1/models":
                typed = {"supported_endpoint_types": ["openai-video"]}
                listed = [{"id": name, **typed} for name in self.names]
                return web.json_response({"object": "list", "data": listed})
            case "/api/usage/token/":
                return _response(usage(9))
            case _:
                return self._no(400, "task_not_exist")

    def _no(self, status: int, message: str) -> web.Response:
        said = {"message": message, "type": "new_api_error", "code": ""}
        return web.json_response({"error": said}, status=status)


def _response(said: Said) -> web.Response:
    body = said.body if isinstance(said.body, str) else json.dumps(said.body)
    headers = {"Content-Type": "application/json", **said.headers}
    return web.Response(status=said.status, body=body.encode(), headers=headers)
