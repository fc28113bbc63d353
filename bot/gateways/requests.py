"""Builds the body of `POST /v1/videos`: a pure function of the request and its pictures.

Each dialect has its own idea of where a picture and the extra parameters belong. `documented` is
the API document to the letter; `new-api` silently drops flat metadata and Wan files, so it gets
every spelling that some version of it reads (surplus ones do no harm); `openai` has no metadata.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.core.errors import Broken
from bot.core.orders import Transport, VideoRequest

Parameters = dict[str, str | int | bool]


@dataclass(frozen=True, slots=True)
class FilePart:
    """One file of the multipart body."""

    name: str
    filename: str
    media_type: str
    path: Path


@dataclass(frozen=True, slots=True)
class Body:
    """The multipart body: text fields in order, then files."""

    fields: tuple[tuple[str, str], ...]
    files: tuple[FilePart, ...] = ()


def build(request: VideoRequest, pictures: Sequence[Path]) -> Body:
    """The body for `request`. Reads the pictures that travel inside text; blocking, but small."""
    fields = [
        ("prompt", request.prompt),
        ("model", request.model),
        # A string on the wire: new-api answers 400 to a number.
        ("seconds", str(request.seconds)),
    ]
    if request.size:
        fields.append(("size", request.size))
    match request.transport:
        case None:
            uris: list[str] = []
            files: tuple[FilePart, ...] = ()
        case Transport.UPLOAD:
            uris = []
            files = tuple(_part(_place(request), picture) for picture in pictures)
        case Transport.DATA_URI:
            uris = [_data_uri(picture) for picture in pictures]
            files = ()
    fields += _extended(request, uris)
    return Body(tuple(fields), files)


def _extended(request: VideoRequest, uris: list[str]) -> list[tuple[str, str]]:
    """Metadata, and what stands beside it, in the words of the dialect."""
    if len(uris) > 1:
        raise Broken("one_place_for_many", model=request.model)
    extras: Parameters = dict(request.extras)
    pictures: Parameters = {_place(request): uri for uri in uris}
    match request.dialect:
        case "documented":
            return _metadata(pictures | extras)
        case "new-api":
            nested: dict[str, object] = {**pictures, **extras}
            if pictures:
                nested["input"] = pictures
            if extras:
                nested["parameters"] = extras
            return [("input_reference", uri) for uri in uris] + _metadata(nested)
        case "openai":
            if uris:
                raise Broken("dialect_lacks_transport", dialect=request.dialect)
            return []
        case unknown:
            raise Broken("dialect_unknown", dialect=unknown)


def _metadata(values: Parameters | dict[str, object]) -> list[tuple[str, str]]:
    if not values:
        return []
    # Compact, as the document's examples have it.
    return [("metadata", json.dumps(values, ensure_ascii=False, separators=(",", ":")))]


def _place(request: VideoRequest) -> str:
    if request.place is None:
        raise Broken("no_place", model=request.model)
    return request.place


def _part(name: str, picture: Path) -> FilePart:
    return FilePart(name, f"picture{picture.suffix}", _media_type(picture), picture)


def _data_uri(picture: Path) -> str:
    encoded = base64.b64encode(picture.read_bytes()).decode()
    return f"data:{_media_type(picture)};base64,{encoded}"


def _media_type(picture: Path) -> str:
    # Our own re-encoded files only: the ending is ours, never a stranger's.
    return "image/png" if picture.suffix == ".png" else "image/jpeg"
