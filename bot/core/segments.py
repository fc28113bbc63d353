"""Read the segments of a JPEG: its width and height, and its scans (passes over its pixels).

Nothing is decoded here. Bytes that belong to no segment are skipped, as decoders do.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.core.errors import Refused

MOST_SCANS = 100
"""Most scans of a JPEG that is decoded. Real JPEGs have a few dozen at most.

A scan takes the time of decoding all pixels, even if it has few bytes.
"""
_MOST_SEGMENTS = 4_096
"""Most segments that are read before a JPEG counts as damaged."""
_MARK = re.compile(rb"\xff[\xc0-\xcf\xd9-\xfe]")
"""The beginning of a segment. Decoders skip all other bytes between segments."""
_END, _SCAN, _PARTS = 0xD9, 0xDA, range(0xD0, 0xD8)
_SIZES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""Markers of the segments that hold width and height."""
_READ = frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})
"""The markers in `_SIZES` of JPEGs that decoders can read: lossy and not hierarchical."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment. `kind` is its marker; `start` and `stop` are its first byte and the byte after."""

    kind: int
    start: int
    stop: int


def segments(body: bytes) -> Iterator[Segment]:
    """Yield the complete segments up to the end of the picture.

    Raises `IndexError` for too many segments.
    """
    at = 2
    for _ in range(_MOST_SEGMENTS):
        mark = _MARK.search(body, at)
        if mark is None or body[mark.start() + 1] == _END:
            return
        start = mark.start()
        at = mark.end() + int.from_bytes(body[mark.end() : mark.end() + 2])
        if not mark.end() + 2 <= at <= len(body):
            return
        yield Segment(body[start + 1], start, at)
    raise IndexError


def jpeg_sides(body: bytes) -> tuple[int, int]:
    """Return width and height.

    Raises `IndexError` for a damaged JPEG, and `Refused("picture_kind")` for a JPEG that can't be
    decoded.
    """
    sides, scans = None, 0
    for each in segments(body):
        if each.kind in _SIZES and sides is None:
            bits, *numbers = body[each.start + 4 : each.start + 9]
            _check(each.kind, bits)
            sides = int.from_bytes(numbers[2:]), int.from_bytes(numbers[:2])
        scans += each.kind == _SCAN
        if scans > MOST_SCANS:
            raise Refused("picture_kind", kind=f"a JPEG of more than {MOST_SCANS} scans")
    if sides is None:
        raise IndexError
    return sides


def _check(kind: int, bits: int) -> None:
    if bits != 8:
        raise Refused("picture_kind", kind=f"a JPEG of {bits} bits")
    if kind not in _READ:
        raise Refused("picture_kind", kind="lossless JPEG")


def ended(body: bytes) -> bytes:
    """Return the JPEG up to the end of its last complete data, with an end marker.

    Decoders then show what is there of a JPEG that was cut off.
    """
    at = 2
    for each in segments(body):
        at = each.stop
    return body[: _next(body, at)] + bytes([0xFF, _END])


def with_more(body: bytes, more: bytes) -> bytes:
    """Return the JPEG with `more` added after its first scan, once for each restart marker.

    Each copy of `more` is followed by one of the eight restart markers.
    """
    scan = next(each for each in segments(body) if each.kind == _SCAN)
    at = _next(body, scan.stop)
    return body[:at] + b"".join(more + bytes([0xFF, part]) for part in _PARTS) + body[at:]


def _next(body: bytes, at: int) -> int:
    """Return the byte at which the next segment begins, or the length of the file."""
    mark = _MARK.search(body, at)
    return len(body) if mark is None else mark.start()
