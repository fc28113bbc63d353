"""Servers that answer where a gateway is expected, and are none, or an odd one.

The proper gateway is `bot.simulator`; this one says word for word what a test puts into its mouth.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Said:
    """One answer; `body` as JSON, or as it is if it is text."""

    status: int = 200
    body: object = ""
    headers: Mapping[str, str] = field(default_factory=dict)


UNKNOWN_TASK = Said(400, {"code": "task_not_exist", "message": "task_not_exist", "data": None})
BAD_KEY = Said(401, {"error": {"message": "Invalid token", "type": "new_api_error", "code": ""}})
SPENT_KEY = Said(
    401, {"error": {"message": "该令牌额度已用尽", "type": "new_api_error", "code": ""}}
)
PAGE = Said(200, "<!doctype html><title>Welcome</title>", {"Content-Type": "text/html"})
WRONG_PATH = Said(
    404,
    {"error": {"message": "Invalid URL (GET /v1/videos/x)", "type": "invalid_request_error"}},
)


def models(*names: str) -> Said:
    """A list of models."""
    return Said(200, {"object": "list", "data": [{"id": name} for name in names]})


def usage(available: int, *, unlimited: bool = False) -> Said:
    """What new-api tells of a key."""
    inner = {"object": "token_usage", "total_granted": 1_000_000, "total_available": available}
    return Said(
        200, {"code": True, "message": "ok", "data": {**inner, "unlimited_quota": unlimited}}
    )


class OddGateway:
    """Answers by the beginning of the path; `requests` are (method, path, key) as they came."""

    def __init__(self, **answers: Said) -> None:
        self.answers = {f"/{name.replace('__', '/')}": said for name, said in answers.items()}
        self.requests: list[tuple[str, str, str | None]] = []

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        """Serve until the block ends; gives the base URL."""
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
        for path, said in self.answers.items():
            if request.path.startswith(path):
                return _response(said)
        return _response(WRONG_PATH)


def _response(said: Said) -> web.Response:
    body = said.body if isinstance(said.body, str) else json.dumps(said.body)
    headers = {"Content-Type": "application/json", **said.headers}
    return web.Response(status=said.status, body=body.encode(), headers=headers)
