"""The sizes that files may have so that the gateway takes the request body that contains them.

Few servers take a text part of a form over 1 MiB. Most refuse a longer part; some cut it silently
and make a video of the broken picture. The limit of a whole body is learned from refusals.
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot.core.orders import Transport, VideoRequest

TEXT_PART = 1_048_576
"""Most bytes of a text part of a form: the limit of Starlette, Werkzeug, busboy and new-api."""
_AROUND = 64
"""Bytes that a file written as text takes besides its content and its key: type, quotes, commas."""
_PART = 512
"""Bytes of the boundary and the headers of one part."""


def room(request: VideoRequest, body: int | None = None) -> int | None:
    """Return the most bytes that each file of `request` may have; None: no limit.

    `body` is the most bytes of the whole body, if known.
    """
    if request.transport in (None, Transport.URL) or not request.places:
        return None
    return min(_rooms(request, body), default=None)


def weight(request: VideoRequest, sizes: Sequence[int], *, linked: bool) -> int:
    """Estimate the bytes of the body of `request` with files of these `sizes`.

    The estimate is right within a few hundred bytes for each file. `linked`: files may go as links.
    """
    whole = sum(_length(request, inside=False)) + _PART * (len(request.parameters) + 3)
    for size, fields in zip(sizes, request.places, strict=False):
        beyond = request.url_above is not None and size > request.url_above
        if request.transport is Transport.URL or (linked and beyond):
            each = _PART
        else:
            each = size if request.transport is Transport.UPLOAD else math.ceil(size / 3) * 4
        whole += each * len(fields)
    return whole


def within(request: VideoRequest, most: int | None, *, linked: bool) -> VideoRequest:
    """Return `request` with its limits of file sizes lowered to `most` bytes.

    If `linked`, a larger file is sent as a link instead, if the model takes links.
    """
    known = [each for each in (most, request.url_above) if each is not None]
    if not known:
        return request
    least = min(known)
    if request.url_above is not None:
        request = replace(request, url_above=least)
        if linked:
            return request
    fit, sound, video = request.fit, request.sound_fit, request.video_fit
    return replace(
        request,
        fit=fit and replace(fit, most_bytes=min(fit.most_bytes, least)),
        sound_fit=sound and replace(sound, most_bytes=min(sound.most_bytes, least)),
        video_fit=video and replace(video, most_bytes=min(video.most_bytes, least)),
    )


def _rooms(request: VideoRequest, body: int | None) -> Iterator[int]:
    fields = [field for each in request.places for field in each]
    as_text = request.transport is not Transport.UPLOAD
    if as_text and not request.is_json:
        yield _as_bytes(TEXT_PART - _AROUND)
        inside = [field for field in fields if "." in field]
        if inside:
            around = sum(_AROUND + len(field.encode()) for field in inside)
            rest = sum(_length(request, inside=True)) + around
            yield _as_bytes((TEXT_PART - rest) // len(inside))
    if body is not None:
        frames = _PART * (len(fields) + len(request.parameters) + 3)
        rest = sum(_length(request, inside=False)) + frames
        share = max(0, body - rest) // len(fields)
        yield _as_bytes(share) if as_text else share


def _length(request: VideoRequest, *, inside: bool) -> Iterator[int]:
    """Yield the bytes of everything but the files: of nested fields alone if `inside`, else all."""
    if not inside:
        yield len(request.prompt.encode(errors="replace"))
    for field, value in request.parameters:
        if "." in field or not inside:
            yield len(field.encode()) + len(json.dumps(value, ensure_ascii=False).encode()) + 8


def _as_bytes(text: int) -> int:
    """Return the size in bytes of the largest file whose base64 has at most `text` characters."""
    return max(0, text) // 4 * 3
