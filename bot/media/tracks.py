"""The tracks of a video on their way into an MP4 of ours: copied as they are, or made anew.

All count their times from the start of the source and keep them: gaps, holes and frames of unequal
length stay where they were.
"""

import heapq
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import av
from av.video.frame import PictureType
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from bot.media.orientation import Orientation, turns
from bot.media.reading import THREADS

BUFFER_SECONDS = 0.5
BRIGHT = frozenset({ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67})
"""Transfers of HDR: what does not know them shows such pictures pale."""
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


class Track(Protocol):
    """One track of the new file."""

    def take(self, packet: "av.Packet[av.stream.Stream]") -> None:
        """The next packet of the source."""

    def end(self) -> None:
        """There are no more."""


class Copied:
    """The packets of a track as they are."""

    def __init__(
        self,
        output: av.container.OutputContainer,
        source: av.VideoStream | av.AudioStream,
        start: Fraction,
    ) -> None:
        """`start`: in seconds, when the source begins to count."""
        self._output = output
        self._start = start
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
        shift = round(self._start / packet.time_base) if packet.time_base else 0
        packet.dts = (packet.pts if packet.dts is None else packet.dts) - shift
        packet.pts -= shift
        packet.stream = self._stream
        self._output.mux(packet)


class Pictures:
    """Pictures made anew: H.264 of 8 bits and 4:2:0, upright, with square pixels."""

    def __init__(
        self,
        output: av.container.OutputContainer,
        source: av.VideoStream,
        start: Fraction,
        plan: Plan,
    ) -> None:
        """`start`: in seconds, when the source begins to count."""
        self._output = output
        self._start = start
        self._last: int | None = None
        self._lasting = 0
        """The time of the latest picture, and how long it is shown, in ticks of the source."""
        # The times of packets, where the container numbers them and tells of pictures nothing.
        self._slots: list[int] | None = [] if source.container.format.name == "avi" else None
        self._graph = _picture_graph(source, plan)
        self._stream = _film(output, source, plan)

    def take(self, packet: "av.Packet[av.stream.Stream]") -> None:
        """Decode, turn, fit and encode."""
        if self._slots is not None and packet.size and packet.pts is not None:
            heapq.heappush(self._slots, packet.pts)
        for frame in _frames(packet):
            if isinstance(frame, av.VideoFrame) and self._advance(frame):
                self._graph.vpush(frame)
                self._encode()

    def end(self) -> None:
        """Let filters and encoder finish; no later picture tells how long the last one is shown."""
        self._graph.vpush(None)
        self._encode()
        for packet in self._stream.encode(None):
            if packet.pts == self._last and self._lasting:
                packet.duration = self._lasting
            self._output.mux(packet)

    def _encode(self) -> None:
        """Take all that has come through the filters: one of them waits for the next picture."""
        with suppress(av.BlockingIOError, av.EOFError):
            while True:
                fitted = self._graph.vpull()
                fitted.pict_type = PictureType.NONE  # or x264 repeats the old key frames
                self._output.mux(self._stream.encode(fitted))

    def _advance(self, frame: av.VideoFrame) -> bool:
        """Count a picture's time from the start; whether it is later than the one before.

        Encoders take no other.
        """
        if self._slots:
            frame.pts = heapq.heappop(self._slots)
        if frame.pts is None:
            frame.pts = 0 if self._last is None else self._last + (frame.duration or 1)
        elif frame.time_base:
            frame.pts -= round(self._start / frame.time_base)
        if self._last is not None and frame.pts <= self._last:
            return False
        self._last, self._lasting = frame.pts, frame.duration
        return True


class Heard:
    """Sound made anew: AAC in stereo, with silence where the source has none."""

    def __init__(
        self,
        output: av.container.OutputContainer,
        start: Fraction,
        rate: int,
    ) -> None:
        """`start`: as above; `rate`: bits per second."""
        self._output = output
        self._start = start
        self._graph: av.filter.Graph | None = None
        self._stream = output.add_stream("aac", rate=SOUND_RATE, layout="stereo")
        self._stream.bit_rate = rate

    def take(self, packet: "av.Packet[av.stream.Stream]") -> None:
        """Decode, fill and encode."""
        for frame in _frames(packet):
            if isinstance(frame, av.AudioFrame):
                if frame.pts is not None and frame.time_base:
                    # In ticks fine enough to be cut between.
                    second = frame.pts * frame.time_base - self._start
                    frame.pts = round(second * frame.sample_rate)
                    frame.time_base = Fraction(1, frame.sample_rate)
                self._graph = self._graph or _sound_graph(frame)
                self._graph.push(frame)
                self._encode(self._graph)

    def end(self) -> None:
        """Let filter and encoder finish."""
        if self._graph is not None:
            self._graph.push(None)
            self._encode(self._graph)
        self._output.mux(self._stream.encode(None))

    def _encode(self, graph: av.filter.Graph) -> None:
        with suppress(av.BlockingIOError, av.EOFError):
            while True:
                filled = graph.pull()
                if isinstance(filled, av.AudioFrame):
                    self._output.mux(self._stream.encode(filled))


def _frames(packet: "av.Packet[av.stream.Stream]") -> Iterator[object]:
    """A packet's frames; a few damaged packets in a good file are skipped."""
    try:
        yield from packet.decode()
    except av.FFmpegError:
        return


def _film(
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
        "threads": str(THREADS),
    }
    stream = output.add_stream("libx264", rate=source.average_rate or 25, options=options)
    stream.width, stream.height = plan.crop or (plan.width, plan.height)
    stream.pix_fmt = "yuv420p"
    stream.time_base = source.time_base
    context, original = stream.codec_context, source.codec_context
    # Ticks as fine as the source's: a dropped frame must not put two others on one tick.
    if source.time_base:
        context.time_base = source.time_base
    context.color_range = ColorRange.MPEG
    if _keeps_colours(source):
        context.colorspace = original.colorspace
        context.color_primaries = original.color_primaries
        context.color_trc = original.color_trc
        if original.colorspace == Colorspace.ITU709 and original.color_trc == _UNTOLD:
            # Browsers do not believe the half of it.
            context.color_primaries = ColorPrimaries.BT709
            context.color_trc = ColorTrc.BT709
    else:  # what describes RGB or HDR would be untrue of ours
        context.colorspace = Colorspace.ITU709
        context.color_primaries = ColorPrimaries.BT709
        context.color_trc = ColorTrc.BT709
    return stream


def _picture_graph(source: av.VideoStream, plan: Plan) -> av.filter.Graph:
    scale = f"{plan.width}:{plan.height}:out_range=tv"
    is_same = _keeps_colours(source)
    if source.codec_context.color_trc in BRIGHT:
        scale += ":out_color_matrix=bt709:out_primaries=bt709:out_transfer=bt709"
    elif not _is_yuv(source):
        scale += ":out_color_matrix=bt709"
    graph = av.filter.Graph()
    graph.threads = THREADS
    graph.link_nodes(
        graph.add_buffer(template=source),
        *([graph.add("bwdif", "send_frame:deint=interlaced")] if plan.is_interlaced else []),
        *(graph.add(name, argument) for name, argument in turns(plan.orientation)),
        *([graph.add("setparams", "colorspace=unknown")] if is_same else []),
        graph.add("scale", scale),
        *([graph.add("crop", "{}:{}:0:0".format(*plan.crop))] if plan.crop else []),
        graph.add("setsar", "1"),
        graph.add("format", "yuv420p"),
        graph.add("buffersink"),
    ).configure()
    return graph


def _keeps_colours(source: av.VideoStream) -> bool:
    """Whether what describes the source's colours is true of ours."""
    return _is_yuv(source) and source.codec_context.color_trc not in BRIGHT


def _is_yuv(source: av.VideoStream) -> bool:
    return (source.codec_context.pix_fmt or "").startswith("yuv")


def _sound_graph(first: av.AudioFrame) -> av.filter.Graph:
    graph = av.filter.Graph()
    graph.threads = THREADS
    graph.link_nodes(
        graph.add_abuffer(
            sample_rate=first.sample_rate,
            format=first.format,
            layout=first.layout,
            time_base=Fraction(1, first.sample_rate),
        ),
        graph.add("aresample", f"{SOUND_RATE}:async=1:first_pts=0"),
        graph.add("aformat", f"sample_fmts=fltp:channel_layouts=stereo:sample_rates={SOUND_RATE}"),
        graph.add("abuffersink"),
    ).configure()
    return graph
