"""Opens a foreign video: its container, whether it is complete, and its streams.

Runs in a worker process, because libav is native code.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.stream import Disposition

from bot.core.containers import Container
from bot.core.errors import Broken, NotAVideo, VideoTruncated
from bot.media.boxes import box
from bot.media.edits import Edits, edits_in
from bot.media.facts import container_in

THREADS = 2
"""Threads per codec. Each thread costs memory, so the number must not depend on the machine."""

_BOXES = frozenset(
    {
        *(b"ftyp", b"moov", b"mdat", b"moof", b"mfra", b"styp", b"sidx", b"ssix", b"prft"),
        *(b"free", b"skip", b"wide", b"meta", b"udta", b"uuid", b"emsg", b"pdin", b"pnot"),
    }
)
"""Boxes that a file may hold at its top level."""
WITH_EDITS = frozenset({Container.MP4, Container.QUICKTIME})
"""Containers whose edit lists may leave out some of the content."""


def end_of_boxes(source: Path) -> int:
    """Return the offset at which the last box of an MP4 ends; bytes behind it are garbage.

    Raises `Broken("video_truncated")` if a box is cut off, or the index or the content is missing.
    """
    boxes = list(_boxes(source))
    if not {b"moov", b"mdat"} <= {kind for kind, _ in boxes}:
        raise VideoTruncated()
    return boxes[-1][1]


def begins_with_index(source: Path) -> bool:
    """Whether a complete MP4 can be played while it loads, as its index comes first."""
    kinds = [kind for kind, _ in _boxes(source)]
    return kinds.index(b"moov") < kinds.index(b"mdat")


def is_in_parts(source: Path) -> bool:
    """Whether an MP4 is fragmented: each part has its own index, as in live streams."""
    return any(kind == b"moof" for kind, _ in _boxes(source))


def _boxes(source: Path) -> Iterator[tuple[bytes, int]]:
    """Yield name and end of each top-level box. Raises `Broken("video_truncated")`."""
    end, start = source.stat().st_size, 0
    with source.open("rb") as file:
        while start < end:
            kind, size, _ = box(file, start, end)
            if size < 8 or start + size > end or not (kind.isascii() and kind.strip(b"\0")):
                # A known name means a box that is cut off; other bytes are garbage at the end.
                if kind in _BOXES:
                    raise VideoTruncated()
                return
            start += size
            yield kind, start


@contextmanager
def translated(code: str) -> Iterator[None]:
    """Translate libav's errors in the context into `Broken` with this code."""
    try:
        yield
    except (av.FFmpegError, ValueError, MemoryError) as error:
        raise Broken.of(code) from error


def opened(source: Path, *, threads: int = THREADS) -> av.container.InputContainer:
    """Open `source` with the demuxer for the container that its bytes show."""
    # No format probing and no other protocol: a playlist must not make us fetch anything.
    kind, options = container_in(source), {"protocol_whitelist": "file"}
    if kind in WITH_EDITS and edits_in(source) is Edits.IGNORED:
        options["ignore_editlist"] = "1"
    container = av.open(str(source), format=kind.value, options=options, metadata_errors="replace")
    for stream in videos(container):
        if stream.codec_context is not None:
            stream.codec_context.thread_count = threads
    return container


def video_stream(container: av.container.InputContainer) -> av.VideoStream:
    """Return the first video track, except covers, that libav can decode.

    Raises `Broken("not_a_video")`.
    """
    for stream in videos(container):
        if stream.codec_context is not None:  # None: a codec that libav does not know
            return stream
    raise NotAVideo()


def videos(container: av.container.InputContainer) -> list[av.VideoStream]:
    """Return all video tracks except covers."""
    return [it for it in container.streams.video if not it.disposition & Disposition.attached_pic]


def audio_stream(container: av.container.InputContainer) -> av.AudioStream | None:
    """Return the decodable audio track that players choose: the default one, else the first."""
    known = [stream for stream in container.streams.audio if stream.codec_context is not None]
    chosen = (stream for stream in known if stream.disposition & Disposition.default)
    return next(chosen, known[0] if known else None)
