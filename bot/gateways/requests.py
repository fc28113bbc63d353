"""Builds the body of `POST /v1/videos`: a pure function of the request and its files.

The catalog decides which field or metadata key gets which value, and puts that into the request.
This module only writes the body. It knows no vendor and no dialect by name.
"""

import base64
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from bot.core.errors import Broken, TextPartTooLarge
from bot.core.orders import Transport, Value, VideoRequest
from bot.core.parts import TEXT_PART
from bot.core.wishes import AUTO
from bot.net.sending import Body, FilePart

Tree = dict[str | int, "Value | Tree"]
"""A JSON object in the making; an object with number keys stands for a list."""
_TYPES = {
    ".jpg": ("picture", "image/jpeg"),
    ".png": ("picture", "image/png"),
    ".mp3": ("sound", "audio/mpeg"),
    ".wav": ("sound", "audio/wav"),
    ".mp4": ("video", "video/mp4"),
}
"""File ending → name and media type. We chose the endings of these files, not a person."""


def build(request: VideoRequest, files: Sequence[Path], links: Sequence[str] = ()) -> Body:
    """Return the body. `links` are links to the same files: pictures, the video, the sound.

    Files that are sent as text are read here: this blocks, but the files are small.
    """
    if request.remix_of is not None:
        return Body(json=_json({"prompt": request.prompt}))
    if len(files) != len(request.places):
        raise Broken("files_misplaced", model=request.model, files=len(files))
    seconds = AUTO if request.auto else request.seconds
    values: list[tuple[str, Value]] = [
        ("prompt", request.prompt),
        ("model", request.model),
        # `seconds` is a string: new-api answers 400 to a number.
        *((at, str(seconds) if at == "seconds" else seconds) for at in request.lengths),
        *request.parameters,
    ]
    parts: list[FilePart] = []
    for number, (file, places) in enumerate(zip(files, request.places, strict=True)):
        word, media_type = _TYPES.get(file.suffix, _TYPES[".jpg"])
        if request.transport is Transport.UPLOAD:
            name = f"{word}{file.suffix}"
            parts += [FilePart(at.partition("[")[0], name, media_type, file) for at in places]
        else:
            text = _as_text(request, file, media_type, links[number] if links else None)
            values += [(at, text) for at in places]
    if request.is_json and not parts:
        return Body(json=_json(_tree(values)))
    return Body(tuple(_fields(values)), tuple(parts))


def _as_text(request: VideoRequest, file: Path, media_type: str, link: str | None) -> str:
    is_large = request.url_above is not None and file.stat().st_size > request.url_above
    if link is not None and (is_large or request.transport is Transport.URL):
        return link
    if request.transport not in (Transport.DATA_URI, Transport.BASE64):
        raise Broken("no_way_there", model=request.model)
    text = base64.b64encode(file.read_bytes()).decode()
    return f"data:{media_type};base64,{text}" if request.transport is Transport.DATA_URI else text


def _fields(values: Sequence[tuple[str, Value]]) -> Iterable[tuple[str, str]]:
    """Yield the form fields in order. The metadata comes last, as one JSON text."""
    # A list with several values becomes several fields of the same name.
    outer = [(path.partition("[")[0], value) for path, value in values if "." not in path]
    inner = _tree((path, value) for path, value in values if "." in path)
    for name, value in (*outer, *inner.items()):
        text = value if isinstance(value, str) else _json(value).decode()
        # Some servers cut off a longer field and still answer 200.
        if (length := len(text.encode())) > TEXT_PART:
            raise TextPartTooLarge(field=name, length=length, most=TEXT_PART)
        yield str(name), text


def _tree(values: Iterable[tuple[str, Value]]) -> Tree:
    tree: Tree = {}
    for path, value in values:
        keys = re.findall(r"[^.\[\]]+", path)
        *way, last = [int(key) if key.isdigit() else key for key in keys]
        at = tree
        for key in way:
            inner = at.setdefault(key, {})
            if not isinstance(inner, dict):
                raise Broken("place_taken", key=key)
            at = inner
        at[last] = value
    return tree


def _json(tree: Value | Tree) -> bytes:
    """Return compact JSON, as in the examples of the API's documentation."""
    return json.dumps(_listed(tree), ensure_ascii=False, separators=(",", ":")).encode()


def _listed(tree: Value | Tree) -> object:
    """Replace each table with number keys by a list."""
    if not isinstance(tree, dict):
        return tree
    if 0 in tree:
        return [_listed(tree[number]) for number in range(len(tree))]
    return {key: _listed(inner) for key, inner in tree.items()}
