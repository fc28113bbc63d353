"""The terms of the REST API: a request in the journal, a refusal, a route, a response.

The routes work on the same `Request` that is in the journal, so a test reads exactly what was
served.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from .model import Json

Body = Json | list[Json] | None


@dataclass(frozen=True, slots=True)
class Upload:
    """One file part of a multipart request."""

    filename: str
    content: bytes

    @property
    def size(self) -> int:
        """The length of the file in bytes."""
        return len(self.content)

    def __repr__(self) -> str:
        return f"<{self.filename}, {self.size} bytes>"


@dataclass(slots=True, kw_only=True)
class Request:
    """One REST request, with its path below the API's base.

    `json` is the body, or the payload_json of a multipart body. `files` are keyed by their number
    in `files[n]`. `status` is None until the request is answered, and 0 if it was cut off.
    """

    method: str
    path: str
    query: Mapping[str, str]
    authorization: str | None
    json: Any = None
    files: dict[int, Upload] = field(default_factory=dict)
    status: int | None = None
    answer: Any = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to be sent; a body of None sends no body."""

    status: int
    body: Body | str
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    """An answer other than success: status, Discord's error code, and its message."""

    def __init__(self, status: int, code: int, message: str, errors: Json | None = None) -> None:
        super().__init__(f"{status} {code}: {message}")
        body: Json = {"message": message, "code": code}
        self.outcome = Outcome(status, body if errors is None else body | {"errors": errors})


def invalid(path: str, message: str, code: str = "BASE_TYPE_BAD") -> Refused:
    """Return error 400 / 50035: the body is wrong at this dotted path."""
    tree: Json = {"_errors": [{"code": code, "message": message}]}
    for step in reversed(path.split(".")):
        tree = {step: tree}
    return Refused(400, 50035, "Invalid Form Body", tree)


class Route:
    """A method, a path such as `/channels/{channel}/messages`, and the function that answers.

    Numbers in the path reach the function as ints, other parts as strings.
    """

    def __init__(self, method: str, path: str, answer: Callable[..., Body]) -> None:
        self._method = method
        self._answer = answer
        self._pattern = re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path))

    def match(self, request: Request) -> Callable[[], Body] | None:
        """Return the call that answers this request, or None if it is for another route."""
        found = self._pattern.fullmatch(request.path)
        if request.method != self._method or found is None:
            return None
        words = {
            name: int(word) if word.isdigit() else word for name, word in found.groupdict().items()
        }
        return lambda: self._answer(request, **words)


def respond(outcome: Outcome) -> web.Response:
    """Return a response as Discord writes it; a str body is sent as plain text.

    The content type is exactly `application/json`, because discord.py compares the string.
    """
    status, body, headers = outcome.status, outcome.body, dict(outcome.headers)
    if body is None:
        return web.Response(status=status, headers=headers)
    if isinstance(body, str):
        return web.Response(status=status, headers=headers, text=body)
    headers["Content-Type"] = "application/json"
    return web.Response(status=status, headers=headers, body=json.dumps(body).encode())
