"""The segments of a JPEG: its sides, and the passes in which its pixels come.

Nothing is decoded here. Bytes that belong to no segment are passed over, as decoders do.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.core.errors import Refused

MOST_SCANS = 100
"""Passes over all pixels that are decoded: real JPEGs have up to some dozen, and each takes as long
as all pixels do, however few bytes it has."""
_MOST_SEGMENTS = 4_096
"""Segments that are stepped over before a JPEG counts as damaged."""
_MARK = re.compile(rb"\xff[\xc0-\xcf\xd9-\xfe]")
"""The beginning of a segment; decoders pass over all else, also between the segments."""
_END, _SCAN, _PARTS = 0xD9, 0xDA, range(0xD0, 0xD8)
_SIZES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""Markers of segments that tell width and height."""
_READ = frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})
"""Those of pictures that decoders read: with a loss, and in one part."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One by its marker; `start` and `stop` are places in the file."""

    kind: int
    start: int
    stop: int


def segments(body: bytes) -> Iterator[Segment]:
    """All that are whole, up to the end of the picture. Raises `IndexError` for too many."""
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
    """Width and height. Raises `IndexError`, or `picture_kind` for one that is not read."""
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
    """A JPEG with its end, also where it has lost it: decoders then read what is there."""
    at = 2
    for each in segments(body):
        at = each.stop
    return body[: _next(body, at)] + bytes([0xFF, _END])


def with_more(body: bytes, more: bytes) -> bytes:
    """The same with more bytes behind those of its first scan, for each part that it may have."""
    scan = next(each for each in segments(body) if each.kind == _SCAN)
    at = _next(body, scan.stop)
    return body[:at] + b"".join(more + bytes([0xFF, part]) for part in _PARTS) + body[at:]


def _next(body: bytes, at: int) -> int:
    """Where the next segment begins, or the file ends."""
    mark = _MARK.search(body, at)
    return len(body) if mark is None else mark.start()
