"""Opening somebody else's video: which container it is, whether it is whole, and its streams.

Runs in a worker process, because libav is native code.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import av

from bot.core.containers import HEAD, Container, container_of
from bot.core.errors import Broken

THREADS = 2
"""For codecs: every thread costs memory, so their number must not follow the machine."""

_BOXES = frozenset(
    {
        *(b"ftyp", b"moov", b"mdat", b"moof", b"mfra", b"styp", b"sidx", b"ssix", b"prft"),
        *(b"free", b"skip", b"wide", b"meta", b"udta", b"uuid", b"emsg", b"pdin", b"pnot"),
    }
)
"""Boxes that a file may hold at its top level."""


def container_in(source: Path) -> Container:
    """Which container `source` is. Raises `Broken("not_a_video")`."""
    with source.open("rb") as file:
        container = container_of(file.read(HEAD))
    if container is None:
        raise Broken("not_a_video")
    return container


def end_of_boxes(source: Path) -> int:
    """Where the last box of a whole MP4 ends; what lies behind it belongs to nothing.

    Raises `Broken("video_truncated")` where a box is cut, or index or content are missing.
    """
    end, start = source.stat().st_size, 0
    kinds = set()
    with source.open("rb") as file:
        while start < end:
            kind, size = _box(file, start, end)
            if size < 8 or start + size > end or not (kind.isascii() and kind.strip(b"\0")):
                # Garbage comes behind what is complete, and does not bear the name of a box.
                if kind in _BOXES:
                    raise Broken("video_truncated")
                break
            kinds.add(kind)
            start += size
    if not {b"moov", b"mdat"} <= kinds:
        raise Broken("video_truncated")
    return start


def _box(file: IO[bytes], start: int, end: int) -> tuple[bytes, int]:
    file.seek(start)
    header = file.read(16)
    size = int.from_bytes(header[:4])
    if size == 1:  # the real size follows in 64 bits
        size = int.from_bytes(header[8:16])
    elif size == 0:  # to the end of the file
        size = end - start
    return header[4:8], size


@contextmanager
def translated(code: str) -> Iterator[None]:
    """Errors of libav as ours."""
    try:
        yield
    except (av.FFmpegError, ValueError, MemoryError) as error:
        raise Broken(code) from error


def opened(source: Path) -> av.container.InputContainer:
    """Open with the reader for the container that the bytes show."""
    # No guessing of formats and no other protocol: a playlist must not make us fetch things.
    return av.open(
        str(source),
        format=container_in(source).value,
        options={"protocol_whitelist": "file"},
        metadata_errors="replace",
    )


def video_stream(container: av.container.InputContainer) -> av.VideoStream:
    """The first one that libav can decode. Raises `Broken("not_a_video")`."""
    for stream in container.streams.video:
        if stream.codec_context is not None:  # None: a codec that libav does not know
            stream.codec_context.thread_count = THREADS
            return stream
    raise Broken("not_a_video")


def audio_stream(container: av.container.InputContainer) -> av.AudioStream | None:
    """The first one that libav can decode."""
    known = (stream for stream in container.streams.audio if stream.codec_context is not None)
    return next(known, None)
