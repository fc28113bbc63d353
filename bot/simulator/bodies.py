"""Reads the body of a `POST /v1/videos` into text fields and file parts, without checking them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web

from bot.simulator.refusals import NotJson, Refused

LONGEST_TEXT = 1 << 20
"""The most bytes of a text part. Most servers, such as the newest new-api, refuse more."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file part of a body."""

    filename: str
    content_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a request: its text fields and file parts, by name.

    A repeated name gets a number: `images (2)`. A JSON body has text fields only: a value that is
    no string is in `fields` as JSON text, and in `json` as a value. A body of any other kind is
    empty.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Upload] = field(default_factory=dict)
    json: Mapping[str, object] | None = None
    kind: str = "multipart/form-data"

    def all(self, name: str) -> list[str]:
        """Return every text that was sent under a name."""
        return [text for key, text in self.fields.items() if plain(key) == name]


async def read(request: web.Request) -> Body:
    """Receive a whole body: multipart, urlencoded or JSON."""
    match request.content_type:
        case "application/json":
            return _from_json(await request.read())
        case "multipart/form-data" | "application/x-www-form-urlencoded":
            return await _from_form(request)
        case other:
            await request.read()
            return Body(kind=other)


def json_object(raw: str | bytes, what: str) -> dict[str, object]:
    """Parse a text that must be a JSON object."""
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise NotJson(f"{what} is not valid JSON") from error
    if not isinstance(content, dict):
        raise NotJson(f"{what} is not a JSON object")
    return content


def plain(name: str) -> str:
    """Return a name without the number that was added to a repeated name."""
    return name.partition(" (")[0]


def _from_json(raw: bytes) -> Body:
    content = json_object(raw, "the body")
    fields = {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in content.items()
        if value is not None
    }
    return Body(fields, json=content, kind="application/json")


async def _from_form(request: web.Request) -> Body:
    try:
        form = await request.post()
    except ValueError as error:
        raise Refused(f"the multipart body cannot be read: {error}") from error
    fields: dict[str, str] = {}
    files: dict[str, Upload] = {}
    for name, value in form.items():
        if isinstance(value, web.FileField):
            upload = Upload(value.filename, value.content_type, value.file.read())
            files[_free(name, files)] = upload
        else:
            fields[_free(name, fields)] = _text(name, value)
    return Body(fields, files, kind=request.content_type)


def _free(name: str, taken: Mapping[str, object]) -> str:
    count = sum(1 for other in taken if other == name or other.startswith(f"{name} ("))
    return f"{name} ({count + 1})" if count else name


def _text(name: str, value: str | bytes | bytearray) -> str:
    try:
        text = value if isinstance(value, str) else value.decode()
    except UnicodeDecodeError as error:
        raise Refused(f"{name} is neither text nor a file with a filename") from error
    if len(text.encode()) > LONGEST_TEXT:
        raise Refused(f'request field "{name}" exceeds {LONGEST_TEXT} bytes')
    return text
