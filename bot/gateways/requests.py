"""Builds the body of `POST /v1/videos`: a pure function of the request and its files.

Which field or key of the metadata gets what is the catalog's knowledge and stands in the request;
here it is only written down. No vendor and no dialect is known by name.
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
"""A table, or a list by its numbers."""
_TYPES = {
    ".jpg": ("picture", "image/jpeg"),
    ".png": ("picture", "image/png"),
    ".mp3": ("sound", "audio/mpeg"),
    ".wav": ("sound", "audio/wav"),
}
"""Ending → name and media type. Our own files only: the ending is ours, never a stranger's."""


def build(request: VideoRequest, files: Sequence[Path], links: Sequence[str] = ()) -> Body:
    """The body: pictures in order, then the sound; `links` lead to the same files.

    Reads the files that travel as text; blocking, but small.
    """
    if request.remix_of is not None:
        return Body(json=_json({"prompt": request.prompt}))
    if len(files) != len(request.places):
        raise Broken("files_misplaced", model=request.model, files=len(files))
    seconds = AUTO if request.auto else request.seconds
    values: list[tuple[str, Value]] = [
        ("prompt", request.prompt),
        ("model", request.model),
        # A string in `seconds`: new-api answers 400 to a number.
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
    """Fields in order; the metadata, as one JSON text, is the last of them."""
    # Several values of a list are several fields of one name.
    outer = [(place.partition("[")[0], value) for place, value in values if "." not in place]
    inner = _tree((place, value) for place, value in values if "." in place)
    for name, value in (*outer, *inner.items()):
        text = value if isinstance(value, str) else _json(value).decode()
        # Some servers cut a longer one and answer 200.
        if (length := len(text.encode())) > TEXT_PART:
            raise TextPartTooLarge(field=name, length=length, most=TEXT_PART)
        yield str(name), text


def _tree(values: Iterable[tuple[str, Value]]) -> Tree:
    tree: Tree = {}
    for place, value in values:
        keys = re.findall(r"[^.\[\]]+", place)
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
    """Compact, as the document's examples have it."""
    return json.dumps(_listed(tree), ensure_ascii=False, separators=(",", ":")).encode()


def _listed(tree: Value | Tree) -> object:
    """With lists in place of tables of numbers."""
    if not isinstance(tree, dict):
        return tree
    if 0 in tree:
        return [_listed(tree[number]) for number in range(len(tree))]
    return {key: _listed(inner) for key, inner in tree.items()}
