"""A gateway's video: is it whole and what is in it, and stills of it.

Runs in a worker process, because libav is native code and the file is somebody else's.
"""

import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import av
from PIL import Image

from bot.core.containers import Container
from bot.core.errors import Broken
from bot.core.jobs import thumbnail_size
from bot.media.reading import (
    audio_stream,
    container_in,
    end_of_boxes,
    opened,
    translated,
    video_stream,
)

_MOST_DAMAGED = 0.05
"""Share of the pictures that may be damaged: a flicker is no reason to refuse a paid video."""
_MOST_MISSING = 0.1
"""Share of the promised time that may hold nothing; half a second may in any case."""
_CHECK_SECONDS = 45.0
_CHECK_PICTURES = 20_000
"""The checked part of a long video: nobody waits for the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Facts of a video; sides as it is shown, upright and with square pixels."""

    width: int
    height: int
    seconds: float
    """0 where the container does not tell."""
    codec: str
    has_audio: bool
    frames_per_second: float
    turn: int
    """Degrees counterclockwise by which a player turns the frames: 0, 90, -90 or 180."""


def probe(source: Path) -> Probe:
    """Look into a whole MP4 whose first frame can be decoded.

    Raises `Broken`: `not_a_video`, or `video_truncated` where the rest is still to come.
    """
    if container_in(source) is Container.MP4:
        end_of_boxes(source)
    seen = glimpse(source)
    if seen.seconds <= 0:
        raise Broken("not_a_video")
    return seen


def glimpse(source: Path) -> Probe:
    """The same of any container, whole or not, of known length or not."""
    with translated("not_a_video"), opened(source) as container:
        stream = video_stream(container)
        frame = _frame_at(container, stream, 0.0)
        width, height = _shown_size(stream, frame)
        return Probe(
            width=width,
            height=height,
            seconds=max(0.0, (container.duration or 0) / av.time_base),
            codec=stream.codec_context.name,
            has_audio=audio_stream(container) is not None,
            frames_per_second=float(stream.average_rate or 25),
            turn=frame.rotation,
        )


def check(source: Path) -> None:
    """Decode all pictures once. Raises `Broken("video_damaged")` where too many are damaged.

    A player would show what noise in a file makes of them, and no index tells.
    """
    with translated("not_a_video"), opened(source) as container:
        stream = video_stream(container)
        stream.thread_type = "AUTO"
        pictures, damaged, reached = _decoded(container, stream)
        promised = (container.duration or 0) / av.time_base
    if pictures == 0 or (container_in(source) is Container.GIF and pictures < 2):
        raise Broken("not_a_video")
    if damaged > pictures * _MOST_DAMAGED:
        raise Broken("video_damaged", damaged=damaged, pictures=pictures)
    if reached is not None and promised - reached > max(0.5, promised * _MOST_MISSING):
        raise Broken("video_damaged", seconds=round(reached, 1), promised=round(promised, 1))


def _decoded(
    container: av.container.InputContainer, stream: av.VideoStream
) -> tuple[int, int, float | None]:
    """Pictures, damaged ones, and the second that the file reaches; None if it was not all read."""
    begin = (container.start_time or 0) / av.time_base
    until = time.monotonic() + _CHECK_SECONDS
    pictures, damaged, reached = 0, 0, 0.0
    for packet in container.demux():
        if packet.pts is not None and packet.time_base is not None:
            ends = float((packet.pts + (packet.duration or 0)) * packet.time_base)
            reached = max(reached, ends - begin)
        if packet.stream is not stream:
            continue
        try:
            frames = packet.decode()
        except av.FFmpegError:
            pictures, damaged = pictures + 1, damaged + 1
            continue
        pictures += len(frames)
        damaged += sum(frame.is_corrupt for frame in frames if isinstance(frame, av.VideoFrame))
        if pictures > _CHECK_PICTURES or time.monotonic() > until:
            return pictures, damaged, None
    return pictures, damaged, reached


def take_thumbnail(source: Path, target: Path) -> None:
    """Write the frame at a third of the video as a JPEG."""
    with translated("not_a_video"), opened(source) as container:
        stream = video_stream(container)
        frame = _frame_at(container, stream, (container.duration or 0) / av.time_base / 3)
        still: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]  # bare in its stub
        size = thumbnail_size(*_shown_size(stream, frame))
        still = still.rotate(frame.rotation, expand=True).resize(size, Image.Resampling.LANCZOS)
    still.save(target, "JPEG", quality=85)


def take_last_frame(source: Path, target: Path) -> None:
    """Write the last frame as it is shown, upright and with square pixels, without any loss."""
    with translated("not_a_video"), opened(source) as container:
        stream = video_stream(container)
        frame = _last_frame(container, stream)
        still: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]  # bare in its stub
        size = _shown_size(stream, frame)
        still = still.rotate(frame.rotation, expand=True).resize(size, Image.Resampling.LANCZOS)
    still.save(target, "PNG")


def _shown_size(stream: av.VideoStream, frame: av.VideoFrame) -> tuple[int, int]:
    width = max(1, round(frame.width * (stream.sample_aspect_ratio or 1)))
    return (frame.height, width) if frame.rotation % 180 else (width, frame.height)


def _frame_at(
    container: av.container.InputContainer, stream: av.VideoStream, second: float
) -> av.VideoFrame:
    container.seek(int(second * av.time_base))
    frame = None
    for frame in container.decode(stream):
        if frame.time is not None and frame.time >= second:
            break
    if frame is None:
        raise Broken("not_a_video")
    return frame


def _last_frame(container: av.container.InputContainer, stream: av.VideoStream) -> av.VideoFrame:
    """By its place, not by its time: containers count from wherever they like."""
    for start in ((container.start_time or 0) + (container.duration or 0), 0):
        container.seek(start)  # to the key frame before it
        if last := deque(container.decode(stream), maxlen=1):
            return last[0]
    raise Broken("not_a_video")
