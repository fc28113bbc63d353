"""How large a file may be so that the body it travels in is taken.

Few servers take a text part of a form over 1 MiB: most refuse it, and some cut it there without a
word and make a video of the broken picture. A gateway tells its limit for the whole by refusing.
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot.core.orders import Transport, VideoRequest

TEXT_PART = 1_048_576
"""Bytes of the longest text part of a form: the limit of Starlette, Werkzeug, busboy, new-api."""
_AROUND = 64
"""Bytes beside a file that is text, and its key: its type, quotes and commas."""
_PART = 512
"""Bytes of a part's frame and header."""


def room(request: VideoRequest, body: int | None = None) -> int | None:
    """Bytes that each file of `request` may have, in a body of `body` bytes; None: any number."""
    if request.transport in (None, Transport.URL) or not request.places:
        return None
    return min(_rooms(request, body), default=None)


def weight(request: VideoRequest, sizes: Sequence[int], *, linked: bool) -> int:
    """Bytes of the body of `request` with files of these sizes, within a few hundred each."""
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
    """The same with files of at most `most` bytes; more than that go by link where they can."""
    known = [each for each in (most, request.url_above) if each is not None]
    if not known:
        return request
    least = min(known)
    if request.url_above is not None:
        request = replace(request, url_above=least)
        if linked:
            return request
    fit, sound = request.fit, request.sound_fit
    return replace(
        request,
        fit=fit and replace(fit, most_bytes=min(fit.most_bytes, least)),
        sound_fit=sound and replace(sound, most_bytes=min(sound.most_bytes, least)),
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
    """Bytes of all that is no file: of the metadata alone, or of the whole body."""
    if not inside:
        yield len(request.prompt.encode(errors="replace"))
    for field, value in request.parameters:
        if "." in field or not inside:
            yield len(field.encode()) + len(json.dumps(value, ensure_ascii=False).encode()) + 8


def _as_bytes(text: int) -> int:
    """Bytes of the largest file whose base64 has this length."""
    return max(0, text) // 4 * 3
