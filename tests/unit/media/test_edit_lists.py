"""Edit lists as bytes of a file: each rule with the smallest file that it is about."""

import io
import struct
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.media import edits
from bot.media.edits import Edits, edits_in

NORMAL = 1 << 16
PARTS = ((1.0, 1.0), (1.0, 0.0))
"""Two parts of one second each, in reverse order."""
Part = tuple[float, float]
"""The seconds of a part, and the second of the video at which it begins; a negative begin shows
nothing."""


def box(name: bytes, *inside: bytes, size: int | None = None) -> bytes:
    """Return a box, whose stated size may be wrong."""
    body = b"".join(inside)
    return struct.pack(">I", len(body) + 8 if size is None else size) + name + body


def header(name: bytes, lasting: float, *, ticks: int = 1000, wide: bool = False) -> bytes:
    """Return the box that states the ticks per second and the duration in ticks."""
    times = (0, 0, ticks, round(lasting * 1000))
    return box(name, struct.pack(">IQQIQ" if wide else ">5I", wide << 24, *times))


def listing(parts: Sequence[Part], *, wide: bool = False, count: int | None = None) -> bytes:
    form = ">qqi" if wide else ">iii"
    made = (struct.pack(form, round(a * 1000), round(b * 1000), NORMAL) for a, b in parts)
    return struct.pack(">II", wide << 24, len(parts) if count is None else count) + b"".join(made)


def track(
    parts: Sequence[Part], *, kind: bytes = b"vide", lasting: float = 2.0, wide: bool = False
) -> bytes:
    handler = box(b"hdlr", bytes(8), kind)
    media = box(b"mdia", header(b"mdhd", lasting, wide=wide), handler)
    return box(b"trak", media, box(b"edts", box(b"elst", listing(parts, wide=wide))))


def movie(*tracks: bytes, wide: bool = False) -> bytes:
    return box(b"moov", header(b"mvhd", 2.0, wide=wide), *tracks)


STRANGE_LIST = box(b"edts", box(b"elst", listing([(2.0, 0.0)], count=2), size=40))
ONE_OF_TWO = box(b"edts", box(b"elst", listing(PARTS, count=1)))
LIKE_A_PART = box(b"free", struct.pack(">i", NORMAL))
SHORT, TIMELESS = box(b"mdhd", bytes(8)), header(b"mdhd", 2.0, ticks=0)
HANDLER = box(b"hdlr", bytes(8), b"vide")
GOOD = box(b"mdia", header(b"mdhd", 2.0), HANDLER)


@pytest.mark.parametrize(
    ("file", "read"),
    [
        (movie(box(b"trak", GOOD)), Edits.NONE),
        (movie(track([(2.0, 0.0)])), Edits.NONE),
        (movie(track(PARTS)), Edits.FOLLOWED),
        (movie(track(PARTS, kind=b"soun")), Edits.FOLLOWED),
        (movie(track(PARTS, kind=b"text")), Edits.NONE),
        (movie(track([(1.0, 9.0)]), track(PARTS, kind=b"soun")), Edits.IGNORED),
        (movie(track(PARTS), track([(2.0, 0.0)], kind=b"soun")), Edits.FOLLOWED),
        # Sizes and times of 64 bits.
        (movie(track([(2.0, 0.0)], wide=True), wide=True), Edits.NONE),
        (movie(track([(9.0, 0.0)], wide=True), wide=True), Edits.FOLLOWED),
        (movie(track([(1.0, 9.0)], wide=True), wide=True), Edits.IGNORED),
        # A video whose frames are all delayed lasts longer, and its last frame begins later.
        (movie(track([(2.4, 0.0)])), Edits.NONE),
        (movie(track([(2.6, 0.0)])), Edits.FOLLOWED),
        (movie(track([(0.1, 2.4)])), Edits.NONE),
        (movie(track([(0.1, 2.6)])), Edits.IGNORED),
        (movie(track([(1.0, -0.5)])), Edits.IGNORED),
        # The sound may be longer or shorter than stated, and so may a fragmented video.
        (movie(track([(9.0, 0.0)], kind=b"soun")), Edits.NONE),
        (movie(track([(1.0, 9.0)], kind=b"soun")), Edits.NONE),
        (movie(track([(9.0, 0.0)], lasting=0.0)), Edits.NONE),
        (movie(track([(0.0, 0.0)], lasting=0.0)), Edits.NONE),
        # Boxes outside of their parent are ignored.
        (movie(box(b"trak", GOOD, STRANGE_LIST, LIKE_A_PART)), Edits.NONE),
        (movie(box(b"trak", GOOD, ONE_OF_TWO)), Edits.NONE),
        (movie(box(b"trak", box(b"mdia", SHORT, HANDLER), STRANGE_LIST)), Edits.NONE),
        (movie(box(b"trak", box(b"mdia", TIMELESS, HANDLER), STRANGE_LIST)), Edits.NONE),
        (b"\0\0\0\1moov" + bytes(100), Edits.NONE),
        # The ways in which a box states its size.
        (box(b"moov", header(b"mvhd", 2.0), track(PARTS), size=0), Edits.FOLLOWED),
        (
            box(b"moov", struct.pack(">Q", 1000), header(b"mvhd", 2.0), track(PARTS), size=1),
            Edits.FOLLOWED,
        ),
        (b"", Edits.NONE),
    ],
)  # fmt: skip
def test_an_edit_list_is_classified_as_trivial_followed_or_ignored(
    tmp_path: Path, file: bytes, read: Edits
) -> None:
    path = tmp_path / "video.mp4"
    path.write_bytes(file)
    assert edits_in(path) is read


def test_a_box_whose_header_ends_outside_its_parent_is_ignored() -> None:
    """If such a box counted, the whole of a large file would be read for it."""
    wide = io.BytesIO(b"\0\0\0\1hdlr" + bytes(7) + b"\x20" + bytes(100))
    assert list(edits._inside(wide, b"hdlr", (0, 100))) == [(16, 32)]
    assert list(edits._inside(wide, b"hdlr", (0, 15))) == []


def test_of_an_endless_edit_list_only_the_beginning_is_read() -> None:
    assert len(edits._read(io.BytesIO(bytes(900_000)), (0, 900_000))) == 200_000
