"""Writes tracks into a new MP4: copied as they are, or encoded again.

All tracks keep the timestamps of the source, counted from its start (`Timeline`): gaps and frames
of unequal length stay where they were.
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
_UNSPECIFIED = ColorTrc.UNSPECIFIED
SOUND_RATE = 48_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The size and quality of the pictures and the sound to encode."""

    width: int
    height: int
    """Height of the picture as shown, like `width`; both are even unless there is a `crop`."""
    crop: tuple[int, int] | None = None
    """Width and height to crop to, both even; None if the size is even."""
    orientation: Orientation
    is_interlaced: bool = False
    video_rate: int
    audio_rate: int
    """Bits per second, as in `video_rate`."""
    pace: Fraction | None = None
    """Seconds per picture if the source's timestamps are unusable."""
    rate: Fraction
    """Pictures per second, on average."""
    most_pictures: int | None = None
    """The most pictures per second to keep; None to keep all."""
    threads: int = THREADS
    until: Fraction | None = None
    """Seconds at which the new file ends; None to keep all."""


class Track(Protocol):
    """One track of the new file."""

    written: int
    """Packets or pictures written so far."""

    def take(self, packet: "av.Packet[av.stream.Stream]") -> None:
        """Process the next packet of the source, and write what is ready to the new file."""

    def end(self) -> None:
        """Write the rest of the track, after the last packet."""


class Copied:
    """A track whose packets are copied as they are."""

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
        """The latest end of a picture or sound, in ticks."""

    def take(self, packet: "av.Packet[av.stream.Stream]") -> None:
        """Copy the next packet. A packet without a decoding time, as at the start of a Matroska
        file, waits for one that has it.
        """
        if not packet.size:
            return
        self._held.append(packet)
        self._until = max(self._until, (packet.pts or 0) + (packet.duration or 0))
        if packet.dts is None:
            return
        early = [each for each in self._held if each.dts is None]
        for number, each in enumerate(reversed(early), 1):
            expected = packet.dts - number * (packet.duration or 1)
            each.dts = expected if each.pts is None else min(expected, each.pts)
        while len(self._held) > 1:
            self._mux(self._held.pop(0))

    def end(self) -> None:
        """Write the packets that `take` held back.

        The packet that is written last gets a duration up to the end of the track, even if a
        packet that was written before it is shown after it.
        """
        for packet in self._held:
            if packet is self._held[-1] and packet.pts is not None:
                packet.duration = self._until - packet.pts
            self._mux(packet)
        self._held.clear()

    def _mux(self, packet: "av.Packet[av.stream.Stream]") -> None:
        if packet.pts is None:
            raise ValueError("a packet has no timestamp")  # otherwise libav would guess a time
        packet.dts = packet.pts if packet.dts is None else packet.dts
        packet.stream = self._stream
        self._output.mux(packet)
        self.written += 1


class Pictures:
    """A track of encoded pictures: H.264 of 8 bits and 4:2:0, upright, with square pixels."""

    def __init__(
        self, output: av.container.OutputContainer, source: av.VideoStream, plan: Plan
    ) -> None:
        self.written = 0
        self._output, self._source, self._plan = output, source, plan
        self._taken = 0
        self._last: int | None = None
        self._until = 0
        """The end of the latest picture, as `_last` is its start, in ticks of the source."""
        # AVI numbers packets in the order of decoding, so pictures get these times in order.
        self._slots: list[int] | None = [] if source.container.format.name == "avi" else None
        self._graph: av.filter.Graph | None = None
        self._shape: object = None
        self._stream = _video(output, source, plan)

    def take(self, packet: "av.Packet[av.stream.Stream]") -> None:
        """Decode a packet; rotate, scale and encode its frames."""
        if self._slots is not None and packet.size and packet.pts is not None:
            heapq.heappush(self._slots, packet.pts)
        for frame in _frames(packet):
            if isinstance(frame, av.VideoFrame) and self._advance(frame):
                self._fitting(frame).vpush(frame)
                self.written += 1
                self._encode()

    def end(self) -> None:
        """Write the frames that are still in the filters and the encoder.

        The last frame gets its duration.
        """
        self._flush()
        for packet in self._stream.encode(None):
            if packet.pts is not None and self._last == packet.pts < self._until:
                packet.duration = self._until - packet.pts
            self._output.mux(packet)

    def _fitting(self, frame: av.VideoFrame) -> av.filter.Graph:
        """Return the filters for the frame's size and format, which may change within a file."""
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
        """Encode all pictures that have passed the filters: a filter may hold the latest one."""
        assert self._graph is not None
        with suppress(av.BlockingIOError, av.EOFError):
            while True:
                fitted = self._graph.vpull()
                fitted.pict_type = PictureType.NONE  # or x264 repeats the old key frames
                self._output.mux(self._stream.encode(fitted))

    def _advance(self, frame: av.VideoFrame) -> bool:
        """Give a frame a time later than the frame before. Return whether to keep the frame."""
        base = frame.time_base or self._source.time_base or Fraction(1)
        if self._slots:
            frame.pts = heapq.heappop(self._slots)
        if self._plan.pace:
            frame.pts = round(self._taken * self._plan.pace / base)
        elif frame.pts is None:
            frame.pts = 0 if self._last is None else self._last + (frame.duration or 1)
        self._taken += 1
        if self._last is not None:
            frame.pts = max(frame.pts, self._last + 1)  # encoders need increasing times
        if _is_beyond(frame.pts * base, frame.duration * base, self._plan.until):
            return False
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
    """A track of encoded sound: AAC in stereo, with silence in the source's gaps."""

    def __init__(
        self, output: av.container.OutputContainer, rate: int, until: Fraction | None = None
    ) -> None:
        """`rate` is in bits per second; `until` as in `Plan`."""
        self.written = 0
        self._until = until
        self._output = output
        self._graph: av.filter.Graph | None = None
        self._shape: object = None
        self._samples = 0
        self._stream = output.add_stream("aac", rate=SOUND_RATE, layout="stereo")
        self._stream.bit_rate = rate

    def take(self, packet: "av.Packet[av.stream.Stream]") -> None:
        """Decode a packet of sound, fill gaps with silence, and encode."""
        for frame in _frames(packet):
            if isinstance(frame, av.AudioFrame):
                if frame.pts is not None and frame.time_base:
                    # One tick per sample, so that the filter can cut anywhere.
                    frame.pts = round(frame.pts * frame.time_base * frame.sample_rate)
                    frame.time_base = Fraction(1, frame.sample_rate)
                    lasting = Fraction(frame.samples, frame.sample_rate)
                    if _is_beyond(frame.pts * frame.time_base, lasting, self._until):
                        continue
                self._fitting(frame).push(frame)
                self._encode()

    def end(self) -> None:
        """Encode and write the sound that is still in the filter and the encoder."""
        self._flush()
        self._output.mux(self._stream.encode(None))

    def _fitting(self, frame: av.AudioFrame) -> av.filter.Graph:
        """Return the filters for the frame's rate and layout, which may change within a file."""
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
    """Yield a packet's frames. Damaged packets are skipped. Raises `MemoryError`."""
    try:
        yield from packet.decode()
    except MemoryError:
        raise
    except av.FFmpegError:
        return


def _is_beyond(begin: Fraction, lasting: Fraction, until: Fraction | None) -> bool:
    return until is not None and begin + lasting > until


def _video(
    output: av.container.OutputContainer, source: av.VideoStream, plan: Plan
) -> av.VideoStream:
    # `crf` limits the quality below the maximum rate: simple clips become smaller than they must.
    # No B-frames: x264 smears those beside a gap, and an MP4 ends with the packet decoded last.
    options = {
        "preset": "veryfast",
        "crf": "20",
        "bf": "0",
        "maxrate": str(plan.video_rate),
        "bufsize": str(int(plan.video_rate * BUFFER_SECONDS)),
        "threads": str(plan.threads),
    }
    rate = plan.most_pictures or plan.rate  # x264 derives the level from the rate
    stream = output.add_stream("libx264", rate=rate, options=options)
    stream.width, stream.height = plan.crop or (plan.width, plan.height)
    stream.pix_fmt = "yuv420p"
    stream.time_base = source.time_base
    context, original = stream.codec_context, source.codec_context
    # Ticks as fine as the source's: a dropped frame must not put two others on one tick.
    if source.time_base:
        context.time_base = source.time_base
    context.color_range = ColorRange.MPEG
    # Browsers ignore an incomplete BT.709 tag; tags of RGB or HDR are wrong for our pictures.
    is_half = original.colorspace == Colorspace.ITU709 and original.color_trc == _UNSPECIFIED
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
    """Return the filters. `other` is a picture of another size or format than the first ones; it
    is fitted into their size.
    """
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
    """Whether the source's colour tags are also right for our pictures."""
    return _is_yuv(source) and source.codec_context.color_trc not in BRIGHT


def _is_yuv(source: av.VideoStream) -> bool:
    return (source.codec_context.pix_fmt or "").startswith("yuv")


def _sound_graph(first: av.AudioFrame, samples: int) -> av.filter.Graph:
    """Return the filters for sound. `samples` is the number of samples written already."""
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
