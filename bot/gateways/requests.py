"""Builds the body of `POST /v1/videos`: a pure function of the request and its files.

Which field or key of the metadata gets what is the catalogue's knowledge and stands in the request;
here it is only written down. No vendor and no dialect is known by name.
"""

import base64
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.core.errors import Broken
from bot.core.orders import AUTO, Transport, Value, VideoRequest
from bot.core.parts import TEXT_PART

Tree = dict[str | int, "Value | Tree"]
"""A table, or a list by its numbers."""

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
    """The body: text fields in order, then files; or one JSON object."""

    fields: tuple[tuple[str, str], ...] = ()
    files: tuple[FilePart, ...] = ()
    json: bytes | None = None
    """Instead of both."""


def build(request: VideoRequest, files: Sequence[Path], links: Sequence[str] = ()) -> Body:
    """The body for `request`: pictures in order, then the sound; `links` lead to the same files.

    Reads the files that travel as text; blocking, but small.
    """
    if request.remix_of is not None:
        return Body(json=_json({"prompt": request.prompt}))
    if len(files) != len(request.places):
        raise Broken("files_misplaced", model=request.model, files=len(files))
    values: list[tuple[str, Value]] = [
        ("prompt", request.prompt),
        ("model", request.model),
        *((place, _seconds(request, place)) for place in request.lengths),
        *request.parameters,
    ]
    placed = list(zip(files, request.places, strict=True))
    if request.transport is Transport.UPLOAD:
        parts = tuple(_part(place, file) for file, places in placed for place in places)
        return Body(_fields(values), parts)
    for number, (file, places) in enumerate(placed):
        text = _as_text(request, file, links[number] if links else None)
        values += [(place, text) for place in places]
    return Body(json=_json(_tree(values))) if request.is_json else Body(_fields(values))


def _seconds(request: VideoRequest, place: str) -> Value:
    seconds = AUTO if request.auto else request.seconds
    # A string on the wire: new-api answers 400 to a number.
    return str(seconds) if place == "seconds" else seconds


def _fields(values: Sequence[tuple[str, Value]]) -> tuple[tuple[str, str], ...]:
    """Fields in order; the metadata, as one JSON text, is the last of them."""
    metadata = _tree([(place, value) for place, value in values if _is_inner(place)])
    fields = [
        # Several values of a list are several fields of one name.
        (place.partition("[")[0], value if isinstance(value, str) else json.dumps(value))
        for place, value in values
        if not _is_inner(place)
    ]
    fields += [(str(name), _json(inner).decode()) for name, inner in metadata.items()]
    return tuple(_checked(name, text) for name, text in fields)


def _is_inner(place: str) -> bool:
    return "." in place


def _checked(name: str, text: str) -> tuple[str, str]:
    """A field that every server takes whole: some cut a longer one and answer 200."""
    length = len(text.encode())
    if length > TEXT_PART:
        raise Broken("text_part_too_large", field=name, length=length, most=TEXT_PART)
    return name, text


def _tree(values: Iterable[tuple[str, Value]]) -> Tree:
    """All values, each at its place."""
    tree: Tree = {}
    for place, value in values:
        keys = [int(key) if key.isdigit() else key for key in re.findall(r"[^.\[\]]+", place)]
        at = tree
        for key in keys[:-1]:
            inner = at.setdefault(key, {})
            if not isinstance(inner, dict):
                raise Broken("place_taken", key=key)
            at = inner
        at[keys[-1]] = value
    return tree


def _json(tree: Value | Tree) -> bytes:
    """Compact, as the document's examples have it."""
    return json.dumps(_listed(tree), ensure_ascii=False, separators=(",", ":")).encode()


def _listed(tree: Value | Tree) -> object:
    """With lists in place of tables of numbers."""
    if not isinstance(tree, dict):
        return tree
    if 0 in tree:
        return [_listed(tree[number]) for number in range(len(tree))]
    return {key: _listed(inner) for key, inner in tree.items()}


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


def _part(place: str, file: Path) -> FilePart:
    word, media_type = _type(file)
    return FilePart(place.partition("[")[0], f"{word}{file.suffix}", media_type, file)


def _type(file: Path) -> tuple[str, str]:
    return _TYPES.get(file.suffix, _TYPES[".jpg"])


def _base64(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()
