"""Builds the body of `POST /v1/videos`: a pure function of the request and its files.

Which field or key of the metadata gets what is the catalogue's knowledge and stands in the request;
here it is only written down. No vendor and no dialect is known by name.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.core.errors import Broken
from bot.core.orders import Transport, Value, VideoRequest
from bot.core.parts import TEXT_PART

Metadata = dict[str, "Value | Metadata"]

_TYPES = {
    ".jpg": ("picture", "image/jpeg"),
    ".png": ("picture", "image/png"),
    ".mp3": ("sound", "audio/mpeg"),
    ".wav": ("sound", "audio/wav"),
}
"""Ending → name and media type. Our own files only: the ending is ours, never a stranger's."""


@dataclass(frozen=True, slots=True)
class FilePart:
    """One file of the multipart body."""

    name: str
    filename: str
    media_type: str
    path: Path


@dataclass(frozen=True, slots=True)
class Body:
    """The body: text fields in order, then files."""

    fields: tuple[tuple[str, str], ...]
    files: tuple[FilePart, ...] = ()
    is_json: bool = False
    """Whether it is one JSON object instead of a multipart form."""


def build(request: VideoRequest, files: Sequence[Path], links: Sequence[str] = ()) -> Body:
    """The body for `request`: pictures in order, then the sound; `links` lead to the same files.

    Reads the files that travel as text; blocking, but small.
    """
    if request.remix_of is not None:
        return Body((("prompt", request.prompt),), is_json=True)
    if len(files) != len(request.places):
        raise Broken("files_misplaced", model=request.model, files=len(files))
    values: list[tuple[str, Value]] = [
        ("prompt", request.prompt),
        ("model", request.model),
        # A string on the wire: new-api answers 400 to a number.
        ("seconds", str(request.seconds)),
        *request.parameters,
    ]
    placed = list(zip(files, request.places, strict=True))
    if request.transport is Transport.UPLOAD:
        parts = tuple(_part(place, file) for file, places in placed for place in places)
        return Body(_fields(values), parts)
    for number, (file, places) in enumerate(placed):
        text = _as_text(request, file, links[number] if links else None)
        values += [(place, text) for place in places]
    return Body(_fields(values))


def _fields(values: Sequence[tuple[str, Value]]) -> tuple[tuple[str, str], ...]:
    """Fields in order; what belongs into the metadata ends as one JSON text, the last of them."""
    fields: list[tuple[str, str]] = []
    metadata: Metadata = {}
    for place, value in values:
        field, *keys = place.split(".")
        if keys:
            _put(metadata, keys, value)
        else:
            fields.append((field, value if isinstance(value, str) else json.dumps(value)))
    if metadata:
        # Compact, as the document's examples have it.
        text = json.dumps(metadata, ensure_ascii=False, separators=(",", ":"))
        fields.append(("metadata", text))
    return tuple(_checked(name, text) for name, text in fields)


def _checked(name: str, text: str) -> tuple[str, str]:
    """A field that every server takes whole: some cut a longer one and answer 200."""
    length = len(text.encode())
    if length > TEXT_PART:
        raise Broken("text_part_too_large", field=name, length=length, most=TEXT_PART)
    return name, text


def _put(into: Metadata, keys: Sequence[str], value: Value) -> None:
    key, *deeper = keys
    if not deeper:
        into[key] = value
        return
    inner = into.setdefault(key, {})
    if not isinstance(inner, dict):
        raise Broken("place_taken", key=key)
    _put(inner, deeper, value)


def _as_text(request: VideoRequest, file: Path, link: str | None) -> str:
    most = request.url_above
    if link is not None and most is not None and file.stat().st_size > most:
        return link
    match request.transport:
        case Transport.DATA_URI:
            return f"data:{_type(file)[1]};base64,{_base64(file)}"
        case Transport.BASE64:
            return _base64(file)
        case Transport.URL if link is not None:
            return link
        case _:
            raise Broken("no_way_there", model=request.model)


def _part(name: str, file: Path) -> FilePart:
    word, media_type = _type(file)
    return FilePart(name, f"{word}{file.suffix}", media_type, file)


def _type(file: Path) -> tuple[str, str]:
    return _TYPES.get(file.suffix, _TYPES[".jpg"])


def _base64(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()
