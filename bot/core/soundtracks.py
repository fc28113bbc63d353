"""Find out whether a file that is named a video holds only sound.

The lists of tracks in MP4 and Matroska tell. Nothing is decoded. A file that can't be read counts
as a video.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import IO

from bot.core.containers import HEAD, Container, container_of
from bot.core.headers import boxes

MOST_PARTS = 20_000
"""Most boxes or elements of one file that are read."""

Name = bytes | int
Part = tuple[Name, int, int]
"""The name of an MP4 box or a Matroska element, and where its content begins and ends."""
Parts = Callable[[IO[bytes], int, int], Iterator[Part]]
"""A function that yields the boxes or elements between two bytes of a file."""


def holds_only_sound(file: IO[bytes]) -> bool:
    """Whether the file has a sound track and no video track."""
    file.seek(0)
    container = container_of(file.read(HEAD))
    if container in (Container.MP4, Container.QUICKTIME):
        way: tuple[Name, ...] = (b"moov", b"trak", b"mdia")
        kinds = {each[8:12] for each in _contents(file, _boxes, way, b"hdlr")}
        return b"soun" in kinds and b"vide" not in kinds
    if container is Container.MATROSKA:
        way = (0x18538067, 0x1654AE6B, 0xAE)  # segment, tracks, track
        numbers = {int.from_bytes(each) for each in _contents(file, _elements, way, 0x83)}
        return 2 in numbers and 1 not in numbers
    return False


def _contents(
    file: IO[bytes], parts: Parts, way: tuple[Name, ...], wanted: Name
) -> Iterator[bytes]:
    """Yield the first 12 bytes of all parts named `wanted`. Search only inside parts in `way`."""
    inside = [parts(file, 0, file.seek(0, 2))]
    for _ in range(MOST_PARTS):
        part = next(inside[-1], None)
        if part is None:
            inside.pop()
            if not inside:
                return
            continue
        name, begin, end = part
        if name in way:
            inside.append(parts(file, begin, end))
        elif name == wanted:
            file.seek(begin)
            yield file.read(min(end - begin, 12))


def _boxes(file: IO[bytes], at: int, end: int) -> Iterator[Part]:
    with suppress(IndexError):
        yield from boxes(file, at, end)


def _elements(file: IO[bytes], at: int, end: int) -> Iterator[Part]:
    while at < end:
        file.seek(at)
        name, size = _number(file, marked=True), _number(file, marked=False)
        begin = file.tell()
        if name is None or begin > end:
            return
        at = end if size is None else min(begin + size, end)
        yield name, begin, at


def _number(file: IO[bytes], *, marked: bool) -> int | None:
    """Read an EBML number. `marked`: keep the bit that marks its length, as names do.

    None at the end of the file, and for a size with all bits set, which means an unknown size.
    """
    first = file.read(1)
    length = 9 - first[0].bit_length() if first else 9
    if length > 8:
        return None
    whole = int.from_bytes(first + file.read(length - 1))
    largest = (1 << 7 * length) - 1
    if marked:
        return whole
    return None if whole & largest == largest else whole & largest
