"""The terms of the Bot API: a call in the journal, a refusal, an answer.

The methods work on the same `Call` that is in the journal, so a test reads exactly what was served.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BodyPartReader, web

from .model import Json

PLAIN = ("text", "caption", "callback_query_id", "secret_token", "parse_mode", "file_id")
"""Fields that are always strings, even if they look like numbers or JSON."""

CUT_OFF = 0


@dataclass(frozen=True, slots=True)
class Upload:
    """One file part of a multipart request."""

    filename: str
    content: bytes

    @property
    def size(self) -> int:
        """The length of the file in bytes."""
        return len(self.content)

    @property
    def sha256(self) -> str:
        """The hash of the file's bytes."""
        return hashlib.sha256(self.content).hexdigest()

    def __repr__(self) -> str:
        return f"<{self.filename}, {self.size} bytes>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The answer to be sent: a string body as HTML, any other as JSON."""

    status: int
    body: Json | str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Call:
    """One call of a method.

    `raw` are the fields as strings, as Telegram reads them from every encoding. `status` is None
    until the call is answered, and 0 if it was cut off. `fetched` is the content of the addresses
    in its media fields, None where there is nothing.
    """

    method: str
    at: float
    verb: str = "POST"
    raw: dict[str, str] = field(default_factory=dict)
    files: dict[str, Upload] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    fetched: dict[str, bytes | None] = field(default_factory=dict)
    status: int | None = None
    answer: Any = None

    @property
    def chat(self) -> int | str | None:
        """The chat that the call names."""
        return number(self.raw.get("chat_id", ""))

    @property
    def fields(self) -> Json:
        """The fields as values."""
        return {name: _value(name, text) for name, text in self.raw.items()}

    def text(self, name: str) -> str:
        """Return a field as a string, empty if it is missing."""
        return self.raw.get(name, "")

    def integer(self, name: str, default: int = 0) -> int:
        """Return a field as a number; a value that is no number counts as the default, as at
        Telegram.
        """
        value = number(self.raw.get(name, ""))
        return value if isinstance(value, int) else default

    def flag(self, name: str) -> bool:
        """Return a field as a boolean."""
        return self.raw.get(name, "").lower() in ("true", "yes", "1")

    def parsed(self, name: str, otherwise: str) -> Any:
        """Return a field parsed as JSON, or None if it is missing.

        Refuse invalid JSON with the text `otherwise`.
        """
        if not self.raw.get(name):
            return None
        try:
            return json.loads(self.raw[name])
        except ValueError:
            raise bad(otherwise) from None

    def __repr__(self) -> str:
        files = f" {self.files}" if self.files else ""
        return f"<{self.method} {self.raw}{files} → {self.status}>"


Answer = Callable[[Call], Any]
"""The function of a method: it returns the result, or an awaitable of it."""


@dataclass(frozen=True, slots=True)
class Method:
    """A method: its name, the fields that it takes, and the function that answers."""

    name: str
    fields: frozenset[str]
    answer: Answer


def method(name: str, fields: str, answer: Answer) -> Method:
    """Return a method whose fields are given as one string."""
    return Method(name, frozenset(fields.split()), answer)


class Refused(Exception):
    """An answer other than success."""

    def __init__(self, status: int, description: str, parameters: Json | None = None) -> None:
        super().__init__(f"{status} {description}")
        self.outcome = refusal(status, description, parameters)


def bad(message: str, parameters: Json | None = None) -> Refused:
    """Return error 400.

    The first letter becomes lower case, as at Telegram, unless the message is one of Telegram's
    codes.
    """
    code = len(message) > 1 and (message[1] == "_" or message[1].isupper())
    words = message if code else message[0].lower() + message[1:]
    return Refused(400, f"Bad Request: {words}", parameters)


def forbidden(message: str) -> Refused:
    """Return error 403."""
    return Refused(403, f"Forbidden: {message}")


def refusal(status: int, description: str, parameters: Json | None = None) -> Outcome:
    """Return a refusal in Telegram's format."""
    body: Json = {"ok": False, "error_code": status, "description": description}
    headers = {}
    if parameters:
        body["parameters"] = parameters
        if "retry_after" in parameters:
            headers["Retry-After"] = str(parameters["retry_after"])
    return Outcome(status=status, body=body, headers=headers)


def respond(outcome: Outcome) -> web.Response:
    """Return a response as Telegram writes it."""
    if isinstance(outcome.body, str):
        headers = {"Content-Type": "text/html", **outcome.headers}
        return web.Response(status=outcome.status, headers=headers, body=outcome.body.encode())
    body = json.dumps(outcome.body, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json", **outcome.headers}
    return web.Response(status=outcome.status, headers=headers, body=body)


def number(text: str) -> int | str | None:
    """Return the text as an int if it is one, as a string otherwise; None for an empty text."""
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() else text or None


async def read(http: web.Request, call: Call) -> None:
    """Fill in the fields from the query and from a form, JSON or multipart body."""
    call.raw.update(http.query)
    if http.content_type == "application/json":
        body = await http.read()
        given = json.loads(body) if body else {}
        call.raw.update({key: _text(value) for key, value in given.items() if value is not None})
    elif http.content_type.startswith("multipart/"):
        await _read_parts(http, call)
    else:
        call.raw.update({key: str(value) for key, value in (await http.post()).items()})


async def _read_parts(http: web.Request, call: Call) -> None:
    async for part in await http.multipart():
        assert isinstance(part, BodyPartReader)
        content = bytes(await part.read())
        if part.filename is None:
            call.raw[part.name or ""] = content.decode()
        else:
            call.files[part.name or ""] = Upload(part.filename, content)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _value(name: str, text: str) -> Any:
    if name in PLAIN:
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
