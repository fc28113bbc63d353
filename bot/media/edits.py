"""Reads edit lists of MP4 and QuickTime: which parts of a track are shown, in which order.

Players support edit lists differently, so only videos with trivial lists are posted as they are.
libav follows the lists, except rates and gaps between two parts.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import dropwhile
from pathlib import Path
from typing import IO

from bot.media.boxes import box

_LATE = 0.5
"""Seconds by which an edit may exceed the track's duration: all pictures may be shown late."""
_NORMAL = 1 << 16
"""The value for normal speed."""
_MOST = 10_000
"""The most edits of a list that are read; no editor makes more."""


class Edits(StrEnum):
    """The way in which a file with edit lists is read."""

    NONE = "none"
    """The list only sets where the track starts, as nearly all lists do."""
    FOLLOWED = "followed"
    """Parts are left out, repeated or reordered; libav follows the list."""
    IGNORED = "ignored"
    """The list has gaps or other speeds, which players treat differently: it is ignored."""


@dataclass(frozen=True, slots=True)
class _Edit:
    seconds: float
    begins: float | None
    """The start in seconds within the track; None if nothing is shown."""
    is_normal: bool


def edits_in(source: Path) -> Edits:
    """Return how to read the file, by the edit lists of its video and audio tracks.

    One list that is not trivial decides for the file; `IGNORED` outweighs `FOLLOWED`.
    """
    found = Edits.NONE
    with source.open("rb") as file:
        end = source.stat().st_size
        for movie in _inside(file, b"moov", (0, end)):
            scale = _scale(file, movie, b"mvhd")[0]
            for track in _inside(file, b"trak", movie):
                kind = _kind(file, track, scale)
                if kind is Edits.IGNORED:
                    return kind
                found = kind if kind is not Edits.NONE else found
    return found


def _kind(file: IO[bytes], track: tuple[int, int], scale: int) -> Edits:
    for media in _inside(file, b"mdia", track):
        handler = next((_read(file, it)[8:12] for it in _inside(file, b"hdlr", media)), b"")
        if handler not in (b"vide", b"soun"):
            return Edits.NONE
        ticks, lasting = _scale(file, media, b"mdhd")
        edits = [
            edit
            for span in _inside(file, b"edts", track)
            for each in _inside(file, b"elst", span)
            for edit in _edits(_read(file, each), scale, ticks)
        ]
        return _judged(edits, lasting / ticks, is_video=handler == b"vide")
    return Edits.NONE


def _judged(edits: list[_Edit], lasting: float, *, is_video: bool) -> Edits:
    begun = list(dropwhile(lambda edit: edit.begins is None, edits))  # a late start is fine
    if not all(edit.begins is not None and edit.is_normal for edit in begun):
        return Edits.IGNORED
    if is_video and lasting and edits and not any(_shows(edit, lasting) for edit in begun):
        return Edits.IGNORED
    is_long = is_video and lasting and any(edit.seconds > lasting + _LATE for edit in begun)
    return Edits.FOLLOWED if len(begun) > 1 or is_long else Edits.NONE


def _shows(edit: _Edit, lasting: float) -> bool:
    return edit.begins is not None and edit.begins < lasting + _LATE and edit.seconds > 0


def _edits(body: bytes, scale: int, ticks: int) -> Iterator[_Edit]:
    form = ">qqi" if body[:1] == b"\1" else ">iii"
    offsets = range(8, len(body) - struct.calcsize(form) + 1, struct.calcsize(form))
    for at in offsets[: min(_MOST, int.from_bytes(body[4:8]))]:
        lasting, begins, rate = struct.unpack_from(form, body, at)
        yield _Edit(
            seconds=lasting / scale,
            begins=None if begins < 0 else begins / ticks,
            is_normal=rate == _NORMAL,
        )


def _scale(file: IO[bytes], within: tuple[int, int], name: bytes) -> tuple[int, int]:
    """Return the ticks per second and the duration in ticks from a box named `name`."""
    for span in _inside(file, name, within):
        body = _read(file, span)
        form, at = (">IQ", 20) if body[:1] == b"\1" else (">II", 12)
        if len(body) >= at + struct.calcsize(form):
            ticks, lasting = struct.unpack_from(form, body, at)
            return max(1, ticks), lasting
    return 1, 0


def _read(file: IO[bytes], span: tuple[int, int]) -> bytes:
    begin, end = span
    file.seek(begin)
    return file.read(min(end - begin, 20 * _MOST))


def _inside(file: IO[bytes], name: bytes, within: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Yield the start and the end of the contents of each box named `name`."""
    at, end = within
    while at + 8 <= end:
        kind, size, head = box(file, at, end)
        if size < head or at + head > end:
            return
        if kind == name:
            yield at + head, min(at + size, end)
        at += size
