"""Making a video anew: into an MP4 that plays everywhere, or into fewer bytes.

Runs in a worker process, like all that touches somebody else's file.
"""

import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.video.frame import PictureType

from bot.core.containers import Container
from bot.core.errors import Broken
from bot.media.reading import (
    THREADS,
    audio_stream,
    container_in,
    end_of_boxes,
    opened,
    translated,
    video_stream,
)
from bot.media.videos import Probe, check, glimpse, probe

_MARGIN = 0.98
"""Of the bytes allowed, what we plan to use."""
_LEAST_RATE = 100_000
"""Bits per second; below, a picture is mud."""
_BEST_RATE = 40_000_000
"""A ceiling that no clip of good quality meets."""
_BUFFER_SECONDS = 0.5
_BITS_PER_PIXEL = 0.05
"""With fewer bits per pixel and frame, fewer pixels look better."""
_LEAST_SIDE = 240


def prepare(source: Path, target: Path) -> tuple[Probe, Path]:
    """See that a gateway's file can be kept, and which file that is: `source`, or `target`.

    Bytes behind the last box of an MP4 are cut off, in place; any other container becomes an
    MP4. Raises `Broken`: `not_a_video`, `video_truncated` or `video_damaged`.
    """
    if container_in(source) is Container.MP4:
        if (end := end_of_boxes(source)) < source.stat().st_size:
            os.truncate(source, end)
        check(source)
        return probe(source), source
    check(source)
    convert(source, target)
    return probe(target), target


def convert(source: Path, target: Path) -> None:
    """Re-encode `source`, in any container, as an MP4 of H.264 and AAC with its own times."""
    clip = glimpse(source)
    width, height = (max(2, side - side % 2) for side in (clip.width, clip.height))
    plan = _Plan(
        width=width,
        height=height,
        video_rate=_BEST_RATE,
        audio_rate=160_000 if clip.has_audio else 0,
    )
    with translated("not_a_video"):
        _transcode(source, target, clip, plan)


def shrink(source: Path, target: Path, most_bytes: int) -> None:
    """Re-encode `source` as H.264 and AAC in at most `most_bytes`, ready to play while loading.

    Raises `Broken("cannot_shrink")` where that would look like nothing.
    """
    clip = probe(source)
    plan = _plan(clip, most_bytes)
    with translated("cannot_shrink"):
        _transcode(source, target, clip, plan)
    if target.stat().st_size > most_bytes:
        raise Broken("cannot_shrink")


# ---------------------------------------------------------------- how good, how large


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


# ---------------------------------------------------------------- through the codecs


def _transcode(source: Path, target: Path, clip: Probe, plan: _Plan) -> None:
    options = {"movflags": "+faststart+use_metadata_tags"}
    with (
        opened(source) as container,
        av.open(str(target), "w", format="mp4", options=options) as output,
    ):
        output.metadata.update(container.metadata)  # where the video comes from stays in it
        stream, sound = video_stream(container), audio_stream(container)
        times = _Times(container.start_time or 0)
        graph = _graph(stream, clip, plan)
        video = _add_video(output, stream, plan)
        audio = _add_audio(output, plan) if sound else None
        for packet in container.demux(stream, *([sound] if sound else [])):
            for frame in _frames(packet):
                if isinstance(frame, av.VideoFrame) and times.advance(frame):
                    graph.vpush(frame)
                    fitted = graph.vpull()
                    fitted.pict_type = PictureType.NONE  # or x264 repeats the old key frames
                    output.mux(video.encode(fitted))
                elif audio and isinstance(frame, av.AudioFrame):
                    times.count_samples(frame)
                    output.mux(audio.encode(frame))
        output.mux(video.encode(None))
        if audio:
            output.mux(audio.encode(None))


def _frames(packet: "av.Packet[av.stream.Stream]") -> list[av.VideoFrame | av.AudioFrame]:
    """A packet's frames; a few damaged packets in a good file are skipped."""
    try:
        return [
            frame for frame in packet.decode() if isinstance(frame, av.VideoFrame | av.AudioFrame)
        ]
    except av.FFmpegError:
        return []


class _Times:
    """The times of frames as they were, counted from the start of the file."""

    def __init__(self, start: int) -> None:
        """`start`: in microseconds, when the container begins to count."""
        self._start = Fraction(start, av.time_base)
        self._last: int | None = None

    def count_samples(self, frame: av.AudioFrame) -> None:
        """Count the sound's time from the start, in ticks fine enough to be cut between."""
        if frame.pts is not None and frame.time_base:
            second = frame.pts * frame.time_base - self._start
            frame.pts = round(second * frame.sample_rate)
            frame.time_base = Fraction(1, frame.sample_rate)

    def advance(self, frame: av.VideoFrame) -> bool:
        """Count a picture's time from the start; whether it is later than the one before.

        Encoders take no other.
        """
        if frame.pts is None:
            frame.pts = 0 if self._last is None else self._last + (frame.duration or 1)
        elif frame.time_base:
            frame.pts -= round(self._start / frame.time_base)
        if self._last is not None and frame.pts <= self._last:
            return False
        self._last = frame.pts
        return True


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
    # Ticks as fine as the source's: a dropped frame must not put two others on one tick.
    if source.time_base:
        context.time_base = source.time_base
    if (original.pix_fmt or "").startswith("yuv"):  # what describes RGB would be untrue of ours
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
