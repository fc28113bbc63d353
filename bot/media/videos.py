"""A gateway's video: is it whole, what is in it, a still of it, and a smaller one of it.

Runs in a worker process, because libav is native code and the file is somebody else's. Written
for MP4 only: any other container is not what a gateway promised.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import av
from av.video.frame import PictureType
from PIL import Image

from bot.core.errors import Broken
from bot.core.jobs import thumbnail_size

THREADS = 2
"""For codecs: every thread costs memory, so their number must not follow the machine."""

_MARGIN = 0.98
"""Of the bytes allowed, what we plan to use."""
_LEAST_RATE = 100_000
"""Bits per second; below, a picture is mud."""
_BUFFER_SECONDS = 0.5
_BITS_PER_PIXEL = 0.05
"""With fewer bits per pixel and frame, fewer pixels look better."""
_LEAST_SIDE = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What is in a video; sides as it is shown, upright and with square pixels."""

    width: int
    height: int
    seconds: float
    codec: str
    has_audio: bool
    frames_per_second: float
    turn: int
    """Degrees counterclockwise by which a player turns the frames: 0, 90, -90 or 180."""


def probe(source: Path) -> Probe:
    """Look into a whole MP4 whose first frame can be decoded.

    Raises `Broken`: `not_a_video`, or `video_truncated` where the rest is still to come.
    """
    _check_boxes(source)
    with _translated("not_a_video"), _opened(source) as container:
        stream = _video_stream(container)
        frame = _frame_at(container, stream, 0.0)
        width, height = _shown_size(stream, frame)
        seconds = (container.duration or 0) / av.time_base
        if seconds <= 0:
            raise Broken("not_a_video")
        return Probe(
            width=width,
            height=height,
            seconds=seconds,
            codec=stream.codec_context.name,
            has_audio=_audio_stream(container) is not None,
            frames_per_second=float(stream.average_rate or 25),
            turn=frame.rotation,
        )


def take_thumbnail(source: Path, target: Path) -> None:
    """Write the frame at a third of the video as a JPEG."""
    with _translated("not_a_video"), _opened(source) as container:
        stream = _video_stream(container)
        frame = _frame_at(container, stream, (container.duration or 0) / av.time_base / 3)
        still: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]  # bare in its stub
        size = thumbnail_size(*_shown_size(stream, frame))
        still = still.rotate(frame.rotation, expand=True).resize(size, Image.Resampling.LANCZOS)
    still.save(target, "JPEG", quality=85)


def take_last_frame(source: Path, target: Path) -> None:
    """Write the last frame as it is shown, upright and with square pixels, without any loss."""
    with _translated("not_a_video"), _opened(source) as container:
        stream = _video_stream(container)
        frame = _last_frame(container, stream)
        still: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]  # bare in its stub
        size = _shown_size(stream, frame)
        still = still.rotate(frame.rotation, expand=True).resize(size, Image.Resampling.LANCZOS)
    still.save(target, "PNG")


def shrink(source: Path, target: Path, most_bytes: int) -> None:
    """Re-encode `source` as H.264 and AAC in at most `most_bytes`, ready to play while loading.

    Raises `Broken("cannot_shrink")` where that would look like nothing.
    """
    clip = probe(source)
    plan = _plan(clip, most_bytes)
    with _translated("cannot_shrink"):
        _transcode(source, target, clip, plan)
    if target.stat().st_size > most_bytes:
        raise Broken("cannot_shrink")


# ---------------------------------------------------------------- the container


def _check_boxes(source: Path) -> None:
    """Walk the top-level boxes: they must begin with `ftyp` and end where the file ends."""
    end = source.stat().st_size
    kinds = set()
    with source.open("rb") as file:
        start = 0
        while start < end:
            kind, size = _box(file, start, end)
            if start == 0 and kind != b"ftyp":
                raise Broken("not_a_video")
            if size < 8 or start + size > end:
                raise Broken("video_truncated")
            kinds.add(kind)
            start += size
    if not kinds:
        raise Broken("not_a_video")
    if not {b"moov", b"mdat"} <= kinds:
        raise Broken("video_truncated")


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
def _translated(code: str) -> Iterator[None]:
    try:
        yield
    except (av.FFmpegError, ValueError, MemoryError) as error:
        raise Broken(code) from error


def _opened(source: Path) -> av.container.InputContainer:
    # No guessing of formats and no other protocol: a playlist must not make us fetch things.
    return av.open(
        str(source),
        format="mp4",
        options={"protocol_whitelist": "file"},
        metadata_errors="replace",
    )


def _video_stream(container: av.container.InputContainer) -> av.VideoStream:
    for stream in container.streams.video:
        if stream.codec_context is not None:  # None: a codec that libav does not know
            stream.codec_context.thread_count = THREADS
            return stream
    raise Broken("not_a_video")


def _audio_stream(container: av.container.InputContainer) -> av.AudioStream | None:
    known = (stream for stream in container.streams.audio if stream.codec_context is not None)
    return next(known, None)


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


# ---------------------------------------------------------------- making it smaller


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    width: int
    height: int
    video_rate: int
    audio_rate: int
    """Bits per second, both."""


def _plan(clip: Probe, most_bytes: int) -> _Plan:
    audio_rate = _audio_rate(clip, most_bytes)
    # What the container itself takes: some bytes for every frame and every packet of sound.
    tables = 32_000 + clip.seconds * (clip.frames_per_second * 160 + bool(audio_rate) * 400)
    bits = most_bytes * 8 * _MARGIN - tables - audio_rate * 1.1 * clip.seconds
    # x264 may run ahead of its rate by one full buffer: pay for it beforehand.
    video_rate = int(bits / (clip.seconds + _BUFFER_SECONDS))
    if video_rate < _LEAST_RATE:
        raise Broken("cannot_shrink")
    width, height = _smaller_size(clip, video_rate)
    return _Plan(width=width, height=height, video_rate=video_rate, audio_rate=audio_rate)


def _audio_rate(clip: Probe, most_bytes: int) -> int:
    if not clip.has_audio:
        return 0
    return 96_000 if most_bytes * 8 / clip.seconds > 600_000 else 48_000


def _smaller_size(clip: Probe, rate: int) -> tuple[int, int]:
    affordable = rate / clip.frames_per_second / _BITS_PER_PIXEL
    scale = (affordable / (clip.width * clip.height)) ** 0.5
    scale = min(1.0, max(scale, _LEAST_SIDE / min(clip.width, clip.height)))
    width, height = (max(2, round(side * scale / 2) * 2) for side in (clip.width, clip.height))
    return width, height


def _transcode(source: Path, target: Path, clip: Probe, plan: _Plan) -> None:
    options = {"movflags": "+faststart+use_metadata_tags"}
    with (
        _opened(source) as container,
        av.open(str(target), "w", format="mp4", options=options) as output,
    ):
        output.metadata.update(container.metadata)  # where the video comes from stays in it
        stream, sound = _video_stream(container), _audio_stream(container)
        graph = _graph(stream, clip, plan)
        video = _add_video(output, stream, plan)
        audio = _add_audio(output, plan) if sound else None
        for packet in container.demux(stream, *([sound] if sound else [])):
            for frame in packet.decode():
                if isinstance(frame, av.VideoFrame):
                    graph.vpush(frame)
                    fitted = graph.vpull()
                    fitted.pict_type = PictureType.NONE  # or x264 repeats the old key frames
                    output.mux(video.encode(fitted))
                elif audio and isinstance(frame, av.AudioFrame):
                    output.mux(audio.encode(frame))
        output.mux(video.encode(None))
        if audio:
            output.mux(audio.encode(None))


def _add_video(
    output: av.container.OutputContainer, source: av.VideoStream, plan: _Plan
) -> av.VideoStream:
    # A ceiling for quality below the ceiling for the rate: easy clips get smaller than they must.
    options = {
        "preset": "veryfast",
        "crf": "20",
        "maxrate": str(plan.video_rate),
        "bufsize": str(int(plan.video_rate * _BUFFER_SECONDS)),
        "threads": str(THREADS),
    }
    stream = output.add_stream("libx264", rate=source.average_rate or 25, options=options)
    stream.width, stream.height = plan.width, plan.height
    stream.pix_fmt = "yuv420p"
    stream.time_base = source.time_base
    context, original = stream.codec_context, source.codec_context
    context.color_range = original.color_range
    context.colorspace = original.colorspace
    context.color_primaries = original.color_primaries
    context.color_trc = original.color_trc
    return stream


def _add_audio(output: av.container.OutputContainer, plan: _Plan) -> av.AudioStream:
    stream = output.add_stream("aac", rate=48_000, layout="stereo")
    stream.bit_rate = plan.audio_rate
    return stream


def _graph(source: av.VideoStream, clip: Probe, plan: _Plan) -> av.filter.Graph:
    turns = {90: ["cclock"], -90: ["clock"], 180: ["clock"] * 2, -180: ["clock"] * 2}
    graph = av.filter.Graph()
    graph.threads = THREADS
    graph.link_nodes(
        graph.add_buffer(template=source),
        *(graph.add("transpose", direction) for direction in turns.get(clip.turn, [])),
        graph.add("scale", f"{plan.width}:{plan.height}"),
        graph.add("setsar", "1"),
        graph.add("format", "yuv420p"),
        graph.add("buffersink"),
    ).configure()
    return graph
