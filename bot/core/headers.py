"""Read the format and size of a picture from its bytes, as file names and types are unreliable.

No pixels are decoded here. Text and other metadata are skipped, whatever their size.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import IO

from bot.core.errors import Refused
from bot.core.orders import check_picture
from bot.core.segments import jpeg_sides


class Format(StrEnum):
    """The picture formats that we read. The values are Pillow's names."""

    PNG = "PNG"
    JPEG = "JPEG"
    WEBP = "WEBP"
    GIF = "GIF"
    HEIF = "HEIF"
    AVIF = "AVIF"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The format and the stored size in pixels, before any rotation by metadata."""

    format: Format
    width: int
    height: int


_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", Format.PNG),
    (b"\xff\xd8\xff", Format.JPEG),
    (b"GIF87a", Format.GIF),
    (b"GIF89a", Format.GIF),
)
_AVIF = frozenset({b"avif", b"avis"})
_HEIF = frozenset(
    {
        *(b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"),
        *(b"mif1", b"mif2", b"msf1", b"miaf", b"avci", b"avcs", b"jpeg", b"jpgs", b"j2ki", b"vvic"),
    }
)
PICTURE_BRANDS = _AVIF | _HEIF
"""The `ftyp` brands of pictures and picture sequences, whose boxes are like those of MP4."""
_CODECS = {
    b"avc1": "HEIF with H.264 in it",
    b"vvc1": "HEIF with H.266 in it",
    b"jpeg": "HEIF with a JPEG in it",
    b"j2k1": "HEIF with JPEG 2000 in it",
    b"unci": "HEIF with raw pixels in it",
    b"av01": "HEIF with AV1 in it",
}
"""Codecs of HEIF items other than H.265."""
_VIDEO = "HEIF that contains only a video"
_BRANDS = 256
"""Bytes of a file's first box that are read, enough for more than 50 brands."""
_MOST_PARTS = 4_096
"""Boxes that are skipped before a file counts as damaged."""


def header_of(file: IO[bytes]) -> Header | None:
    """Return a picture's header; None if the file is no picture that we read.

    Raises `Refused`: `picture_broken` if the size can't be found, `picture_too_many_pixels`, or
    `picture_kind` for a codec that we don't read.
    """
    kind = format_of(file)
    if kind is None:
        return None
    try:
        width, height = _READERS[kind](file)
    except (IndexError, StopIteration) as error:
        raise Refused("picture_broken") from error
    if not (width and height):
        raise Refused("picture_broken")
    check_picture(0, width, height)
    return Header(format=kind, width=width, height=height)


def format_of(file: IO[bytes]) -> Format | None:
    """Return the picture format by the first bytes; None if it is unknown."""
    file.seek(0)
    head = file.read(_BRANDS)
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Format.WEBP
    if head[4:8] != b"ftyp":
        return None
    end = min(int.from_bytes(head[:4]), len(head))
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, end, 4))}
    if brands & _AVIF:
        return Format.AVIF
    return Format.HEIF if brands & _HEIF else None


def _png(file: IO[bytes]) -> tuple[int, int]:
    head = _at(file, 12, 12)
    if head[:4] != b"IHDR":
        raise IndexError
    return int.from_bytes(head[4:8]), int.from_bytes(head[8:])


def _gif(file: IO[bytes]) -> tuple[int, int]:
    sides = _at(file, 6, 4)
    return int.from_bytes(sides[:2], "little"), int.from_bytes(sides[2:], "little")


def _webp(file: IO[bytes]) -> tuple[int, int]:
    head = _at(file, 12, 18)
    match head[:4]:
        case b"VP8X":
            return _little(head[12:15]) + 1, _little(head[15:18]) + 1
        case b"VP8L":
            bits = _little(head[9:13])
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            return _little(head[14:16]) & 0x3FFF, _little(head[16:18]) & 0x3FFF
        case _:
            raise IndexError


def _jpeg(file: IO[bytes]) -> tuple[int, int]:
    file.seek(0)
    return jpeg_sides(file.read())


def _heif(file: IO[bytes]) -> tuple[int, int]:
    meta = _meta(file)
    if meta is None:
        raise Refused("picture_kind", kind=_VIDEO)
    kinds = _kinds(file, *meta)
    unread = [name for kind, name in _CODECS.items() if kind in kinds]
    if unread and b"hvc1" not in kinds and b"hev1" not in kinds:
        raise Refused("picture_kind", kind=unread[0])
    return _boxed(file)


def _kinds(file: IO[bytes], start: int, stop: int) -> set[bytes]:
    """Return the kinds of a HEIF's items. The box begins with a count of the items."""
    begin, end = _inside(file, start, stop, b"iinf")
    version = _at(file, begin, 1)[0]
    kinds = set()
    for kind, at, _ in boxes(file, begin + (8 if version else 6), end):
        if kind == b"infe":
            kinds.add(_at(file, at + (8 if _at(file, at, 1)[0] == 2 else 10), 4))
    return kinds


def _meta(file: IO[bytes]) -> tuple[int, int] | None:
    """Return the range of a HEIF's `meta` box; None if the file has only a video."""
    file.seek(0, 2)
    found = {kind: (start, stop) for kind, start, stop in boxes(file, 0, file.tell())}
    if b"meta" not in found:
        if b"moov" in found:
            return None
        raise IndexError
    start, stop = found[b"meta"]
    return start + 4, stop


def _boxed(file: IO[bytes]) -> tuple[int, int]:
    """Return the size of a HEIF: the largest of the sizes of its parts."""
    whole = _meta(file)
    if whole is None:
        raise IndexError
    meta = _inside(file, *whole, b"iprp")
    sides = [
        _at(file, begin + 4, 8)
        for kind, begin, _ in boxes(file, *_inside(file, *meta, b"ipco"))
        if kind == b"ispe"
    ]
    sizes = ((int.from_bytes(each[:4]), int.from_bytes(each[4:])) for each in sides)
    return max(sizes, key=lambda size: size[0] * size[1], default=(0, 0))


def _inside(file: IO[bytes], start: int, stop: int, wanted: bytes) -> tuple[int, int]:
    for kind, begin, end in boxes(file, start, stop):
        if kind == wanted:
            return begin, end
    raise IndexError


def boxes(file: IO[bytes], start: int, stop: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the kind, start and end of each box's content. Raises `IndexError` for damage."""
    for _ in range(_MOST_PARTS):
        if start + 8 > stop:
            return
        head = _at(file, start, 8)
        size, begin = int.from_bytes(head[:4]), start + 8
        if size == 1:  # the real size follows in 64 bits
            size, begin = int.from_bytes(_at(file, begin, 8)), start + 16
        end = min(start + size, stop) if size else stop
        if end < begin:
            raise IndexError
        yield head[4:], begin, end
        start = end


def _at(file: IO[bytes], offset: int, size: int) -> bytes:
    file.seek(offset)
    found = file.read(size)
    if len(found) < size:
        raise IndexError
    return found


def _little(number: bytes) -> int:
    return int.from_bytes(number, "little")


_READERS = {
    Format.PNG: _png,
    Format.JPEG: _jpeg,
    Format.WEBP: _webp,
    Format.GIF: _gif,
    Format.HEIF: _heif,
    Format.AVIF: _boxed,
}
