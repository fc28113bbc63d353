"""The tracks of a video on their way into an MP4 of ours: copied as they are, or made anew.

All keep the times of the source, which count from its start (`Timeline`): gaps, holes and frames of
unequal length stay where they were.
"""

import heapq
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import Protocol

import av
from av.video.frame import PictureType
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from bot.media.brightness import BRIGHT, dimmed
from bot.media.facts import Orientation
from bot.media.orientation import turns
from bot.media.reading import THREADS

BUFFER_SECONDS = 0.5
_UNTOLD = ColorTrc.UNSPECIFIED
SOUND_RATE = 48_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How good pictures and sound are to be made."""

    width: int
    height: int
    """Of the picture as it is shown; even."""
    crop: tuple[int, int] | None = None
    """The part of that size that remains: even, where it is odd."""
    orientation: Orientation
    is_interlaced: bool = False
    video_rate: int
    audio_rate: int
    """Bits per second, both."""
    pace: Fraction | None = None
    """Seconds of each picture, where the source does not tell."""
    rate: Fraction
    """Pictures of a second, on average."""
    most_pictures: int | None = None
    """Pictures of a second that remain, where it has more."""
    threads: int = THREADS


class Track(Protocol):
    """One track of the new file."""

    written: int
    """Packets or pictures so far."""

    def take(self, packet: "av.Packet[av.stream.Stream]") -> None:
        """The next packet of the source."""

    def end(self) -> None:
        """There are no more."""


class Copied:
    """The packets of a track as they are."""

    def __init__(
        self, output: av.container.OutputContainer, source: av.VideoStream | av.AudioStream
    ) -> None:
        self.written = 0
        self._output = output
        self._stream = output.add_stream_from_template(source)
        if source.codec_context.name == "h264":
            self._stream.codec_context.codec_tag = "avc1"
        self._held: list[av.Packet[av.stream.Stream]] = []
        self._until = 0
        """The tick at which the last picture or sound ends."""

    def take(self, packet: "av.Packet[av.stream.Stream]") -> None:
        """Matroska does not tell when the first ones are decoded: those wait for one that does."""
        if not packet.size:
            return
        self._held.append(packet)
        self._until = max(self._until, (packet.pts or 0) + (packet.duration or 0))
        if packet.dts is None:
            return
        early = [each for each in self._held if each.dts is None]
        for number, each in enumerate(reversed(early), 1):
            told = packet.dts - number * (packet.duration or 1)
            each.dts = told if each.pts is None else min(told, each.pts)
        while len(self._held) > 1:
            self._mux(self._held.pop(0))

    def end(self) -> None:
        """Let go of those that still wait.

        The file ends with the last, also where another one is shown after it.
        """
        for packet in self._held:
            if packet is self._held[-1] and packet.pts is not None:
                packet.duration = self._until - packet.pts
            self._mux(packet)
        self._held.clear()

    def _mux(self, packet: "av.Packet[av.stream.Stream]") -> None:
        if packet.pts is None:
            raise ValueError("a packet without a time")  # libav would guess it
        packet.dts = packet.pts if packet.dts is None else packet.dts
        packet.stream = self._stream
        self._output.mux(packet)
        self.written += 1


class Pictures:
    """Pictures made anew: H.264 of 8 bits and 4:2:0, upright, with square pixels."""

    def __init__(
        self, output: av.container.OutputContainer, source: av.VideoStream, plan: Plan
    ) -> None:
        self.written = 0
        self._output, self._source, self._plan = output, source, plan
        self._taken = 0
        self._last: int | None = None
        self._until = 0
        """The time of the latest picture, and its end, in ticks of the source."""
        # The times of packets, where the container numbers them and tells of pictures nothing.
        self._slots: list[int] | None = [] if source.container.format.name == "avi" else None
        self._graph: av.filter.Graph | None = None
        self._shape: object = None
        self._stream = _video(output, source, plan)

    def take(self, packet: "av.Packet[av.stream.Stream]") -> None:
        """Decode, turn, fit and encode."""
        if self._slots is not None and packet.size and packet.pts is not None:
            heapq.heappush(self._slots, packet.pts)
        for frame in _frames(packet):
            if isinstance(frame, av.VideoFrame) and self._advance(frame):
                self._fitting(frame).vpush(frame)
                self.written += 1
                self._encode()

    def end(self) -> None:
        """Let filters and encoder finish; no later picture tells how long the last one is shown."""
        self._flush()
        for packet in self._stream.encode(None):
            if packet.pts is not None and self._last == packet.pts < self._until:
                packet.duration = self._until - packet.pts
            self._output.mux(packet)

    def _fitting(self, frame: av.VideoFrame) -> av.filter.Graph:
        """The filters for pictures of its shape, which may change on the way."""
        shape = (frame.width, frame.height, frame.format.name)
        if self._graph is None or shape != self._shape:
            self._flush()
            is_first = self._graph is None
            self._graph = _picture_graph(self._source, self._plan, None if is_first else frame)
            self._shape = shape
        return self._graph

    def _flush(self) -> None:
        if self._graph is not None:
            self._graph.vpush(None)
            self._encode()

    def _encode(self) -> None:
        """Take all that has come through the filters: one of them waits for the next picture."""
        assert self._graph is not None
        with suppress(av.BlockingIOError, av.EOFError):
            while True:
                fitted = self._graph.vpull()
                fitted.pict_type = PictureType.NONE  # or x264 repeats the old key frames
                self._output.mux(self._stream.encode(fitted))

    def _advance(self, frame: av.VideoFrame) -> bool:
        """Give a picture a time behind the one before; whether it is shown at all."""
        base = frame.time_base or self._source.time_base or Fraction(1)
        if self._slots:
            frame.pts = heapq.heappop(self._slots)
        if self._plan.pace:
            frame.pts = round(self._taken * self._plan.pace / base)
        elif frame.pts is None:
            frame.pts = 0 if self._last is None else self._last + (frame.duration or 1)
        self._taken += 1
        if self._last is not None:
            frame.pts = max(frame.pts, self._last + 1)  # encoders take no other
        self._until = frame.pts + frame.duration
        if self._is_one_too_many(frame.pts * base, base):
            return False
        self._last = frame.pts
        return True

    def _is_one_too_many(self, second: Fraction, base: Fraction) -> bool:
        most = self._plan.most_pictures
        if most is None or self._last is None:
            return False
        return floor(second * most) == floor(self._last * base * most)


class Heard:
    """Sound made anew: AAC in stereo, with silence where the source has none."""

    def __init__(self, output: av.container.OutputContainer, rate: int) -> None:
        """`rate`: bits per second."""
        self.written = 0
        self._output = output
        self._graph: av.filter.Graph | None = None
        self._shape: object = None
        self._samples = 0
        self._stream = output.add_stream("aac", rate=SOUND_RATE, layout="stereo")
        self._stream.bit_rate = rate

    def take(self, packet: "av.Packet[av.stream.Stream]") -> None:
        """Decode, fill and encode."""
        for frame in _frames(packet):
            if isinstance(frame, av.AudioFrame):
                if frame.pts is not None and frame.time_base:
                    # In ticks fine enough to be cut between.
                    frame.pts = round(frame.pts * frame.time_base * frame.sample_rate)
                    frame.time_base = Fraction(1, frame.sample_rate)
                self._fitting(frame).push(frame)
                self._encode()

    def end(self) -> None:
        """Let filter and encoder finish."""
        self._flush()
        self._output.mux(self._stream.encode(None))

    def _fitting(self, frame: av.AudioFrame) -> av.filter.Graph:
        """The filters for sound of its shape, which may change on the way."""
        shape = (frame.sample_rate, frame.format.name, frame.layout.name)
        if self._graph is None or shape != self._shape:
            self._flush()
            self._graph, self._shape = _sound_graph(frame, self._samples), shape
        return self._graph

    def _flush(self) -> None:
        if self._graph is not None:
            self._graph.push(None)
            self._encode()

    def _encode(self) -> None:
        assert self._graph is not None
        with suppress(av.BlockingIOError, av.EOFError):
            while True:
                filled = self._graph.pull()
                if isinstance(filled, av.AudioFrame):
                    self._samples += filled.samples
                    self._output.mux(self._stream.encode(filled))
                    self.written += 1


def _frames(packet: "av.Packet[av.stream.Stream]") -> Iterator[object]:
    """A packet's frames; a few damaged packets in a good file are skipped.

    Pictures are not, for which there is no memory.
    """
    try:
        yield from packet.decode()
    except MemoryError:
        raise
    except av.FFmpegError:
        return


def _video(
    output: av.container.OutputContainer, source: av.VideoStream, plan: Plan
) -> av.VideoStream:
    # A ceiling for quality below the ceiling for the rate: easy clips get smaller than they must.
    # No picture is decoded out of turn: x264 smears those beside a hole, and an MP4 ends with the
    # packet that is decoded last.
    options = {
        "preset": "veryfast",
        "crf": "20",
        "bf": "0",
        "maxrate": str(plan.video_rate),
        "bufsize": str(int(plan.video_rate * BUFFER_SECONDS)),
        "threads": str(plan.threads),
    }
    rate = plan.most_pictures or plan.rate  # its level follows from it
    stream = output.add_stream("libx264", rate=rate, options=options)
    stream.width, stream.height = plan.crop or (plan.width, plan.height)
    stream.pix_fmt = "yuv420p"
    stream.time_base = source.time_base
    context, original = stream.codec_context, source.codec_context
    # Ticks as fine as the source's: a dropped frame must not put two others on one tick.
    if source.time_base:
        context.time_base = source.time_base
    context.color_range = ColorRange.MPEG
    # Browsers do not believe the half of BT.709; what describes RGB or HDR would be untrue of ours.
    is_half = original.colorspace == Colorspace.ITU709 and original.color_trc == _UNTOLD
    if _keeps_colours(source) and not is_half:
        context.colorspace = original.colorspace
        context.color_primaries = original.color_primaries
        context.color_trc = original.color_trc
    else:
        context.colorspace = Colorspace.ITU709
        context.color_primaries = ColorPrimaries.BT709
        context.color_trc = ColorTrc.BT709
    return stream


def _picture_graph(
    source: av.VideoStream, plan: Plan, other: av.VideoFrame | None
) -> av.filter.Graph:
    """`other`: a picture of another shape than the first ones have; it is fitted into theirs."""
    scale = f"{plan.width}:{plan.height}:out_range=tv"
    if other:
        scale += ":force_original_aspect_ratio=decrease"
    is_same = _keeps_colours(source)
    if source.codec_context.color_trc in BRIGHT:
        scale += ":out_color_matrix=bt709:out_primaries=bt709:out_transfer=bt709"
    elif not _is_yuv(source):
        scale += ":out_color_matrix=bt709"
    graph = av.filter.Graph()
    graph.threads = plan.threads
    graph.link_nodes(
        _opening(graph, source, other),
        *([graph.add("bwdif", "send_frame:deint=interlaced")] if plan.is_interlaced else []),
        *(graph.add(name, argument) for name, argument in turns(plan.orientation)),
        *([graph.add("setparams", "colorspace=unknown")] if is_same else []),
        *(graph.add(name, argument) for name, argument in dimmed(source.codec_context.color_trc)),
        graph.add("scale", scale),
        *([graph.add("pad", f"{plan.width}:{plan.height}:-1:-1")] if other else []),
        *([graph.add("crop", "{}:{}:0:0".format(*plan.crop))] if plan.crop else []),
        graph.add("setsar", "1"),
        graph.add("format", "yuv420p"),
        graph.add("buffersink"),
    ).configure()
    return graph


def _opening(
    graph: av.filter.Graph, source: av.VideoStream, other: av.VideoFrame | None
) -> av.filter.context.FilterContext:
    if other is None:
        return graph.add_buffer(template=source)
    return graph.add_buffer(
        width=other.width,
        height=other.height,
        format=other.format,
        time_base=other.time_base or source.time_base,
    )


def _keeps_colours(source: av.VideoStream) -> bool:
    """Whether what describes the source's colours is true of ours."""
    return _is_yuv(source) and source.codec_context.color_trc not in BRIGHT


def _is_yuv(source: av.VideoStream) -> bool:
    return (source.codec_context.pix_fmt or "").startswith("yuv")


def _sound_graph(first: av.AudioFrame, samples: int) -> av.filter.Graph:
    """`samples`: those that there are already."""
    graph = av.filter.Graph()
    graph.threads = THREADS
    graph.link_nodes(
        graph.add_abuffer(
            sample_rate=first.sample_rate,
            format=first.format,
            layout=first.layout,
            time_base=Fraction(1, first.sample_rate),
        ),
        graph.add("aresample", f"{SOUND_RATE}:async=1:first_pts={samples}"),
        graph.add("aformat", f"sample_fmts=fltp:channel_layouts=stereo:sample_rates={SOUND_RATE}"),
        graph.add("abuffersink"),
    ).configure()
    return graph
