"""Converts a person's sound to a plain MP3 that a model accepts.

Runs in a worker process and does not trust the file: the first bytes select the demuxer, only audio
decoders run, no other file is opened, and only samples are kept. Titles, covers and data hidden
behind the sound are dropped.
"""

import array
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import av
from av.stream import Disposition

from bot.core.errors import Refused
from bot.core.orders import SoundFit
from bot.core.recordings import found_in

RATE = 44_100
"""Samples per second of our MP3s. They have one channel, which is enough to move a mouth."""
BIT_RATES = (128_000, 64_000, 32_000)
MARGIN = 0.1
"""Seconds below the longest sound allowed: an MP3 adds some silence at both ends."""

_RATES = range(4_000, 400_001)
"""Sample rates that we accept; at one sample per second, a few bytes would last for hours."""
_SILENCED = 20
"""If the mix of two channels is this many times softer than they are, they cancel each other."""
_GLANCE = 5
"""One of this many samples is used to compare the channels."""
_FEW = 5
"""A number of packets that is too small to judge a file by."""
_STILLS = frozenset({"mjpeg", "png", "bmp", "gif", "webp"})
"""Codecs of covers and of the chapter pictures in audio books."""


def fit_sound(source: Path, fit: SoundFit, target: Path) -> float:
    """Write the beginning of `source` to `target` as an MP3 that satisfies `fit`; return seconds.

    Raises `Refused`: `sound_format` (none that we read), `sound_broken`, `sound_short`, or
    `sound_stays_large` (too many bytes even at the lowest bit rate).
    """
    most = fit.most_seconds - MARGIN
    with _translated():
        side = _side(source, most)
    for bit_rate in BIT_RATES:
        with _translated():
            body, seconds = _encode(source, most=most, rate=bit_rate, side=side)
        if not seconds:
            raise Refused("sound_broken")
        fit.check(seconds)
        if len(body) <= fit.most_bytes:
            # Outside `_translated`: a full disk is our failure, not a fault of the sound.
            target.write_bytes(body)
            return seconds
    raise Refused("sound_stays_large", kilobytes=len(body) / 1e3, most=fit.most_bytes / 1e3)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (av.FFmpegError, ValueError, MemoryError) as error:
        raise Refused("sound_broken") from error


def _side(source: Path, most: float) -> int | None:
    """Return the louder of two channels if they cancel each other; None if their mix is audible.

    In recordings of cheap microphones and karaoke tracks one channel is the inverse of the other.
    """
    plain, seconds = _Plain("stereo"), 0.0
    left, right, mixed = 0, 0, 0
    with _opened(source) as container:
        for frame in _frames(container, _stream(container)):
            seconds += frame.samples / frame.sample_rate
            if frame.layout.nb_channels == 1 or seconds > most:
                break
            for each in plain.of(frame):
                sides = [_samples(each, side)[::_GLANCE] for side in (0, 1)]
                left += sum(map(abs, sides[0]))
                right += sum(map(abs, sides[1]))
                mixed += sum(abs(one + other) // 2 for one, other in zip(*sides, strict=True))
    loud = max(left, right)
    return (0 if left >= right else 1) if mixed * _SILENCED < loud else None


def _samples(frame: av.AudioFrame, side: int) -> "array.array[int]":
    samples = array.array("h")
    samples.frombytes(bytes(frame.planes[side])[: frame.samples * samples.itemsize])
    return samples


def _one_of(frame: av.AudioFrame, side: int) -> av.AudioFrame:
    alone = av.AudioFrame(format="s16p", layout="mono", samples=frame.samples)
    alone.sample_rate = frame.sample_rate
    room = alone.planes[0].buffer_size
    alone.planes[0].update(_samples(frame, side).tobytes().ljust(room, b"\0"))
    return alone


def _encode(source: Path, *, most: float, rate: int, side: int | None) -> tuple[bytes, float]:
    """Encode the mix of two channels, or only channel `side`; return the MP3 and its seconds."""
    body = io.BytesIO()
    with (
        _opened(source) as container,
        # No metadata at all, not even the encoder's name.
        av.open(body, "w", format="mp3", options={"id3v2_version": "0"}) as output,
    ):
        made = output.add_stream("libmp3lame", rate=RATE, layout="mono")
        made.bit_rate = rate
        plain, seconds = _Plain("mono" if side is None else "stereo"), 0.0
        for frame in _frames(container, _stream(container)):
            length = frame.samples / frame.sample_rate
            if seconds + length > most:
                break
            for each in plain.of(frame):
                output.mux(made.encode(each if side is None else _one_of(each, side)))
            seconds += length
        if seconds:
            for each in plain.rest():
                output.mux(made.encode(each if side is None else _one_of(each, side)))
            output.mux(made.encode(None))
    return body.getvalue(), seconds


class _Plain:
    """A resampler to one rate and layout that also handles changes within a file.

    Radio streams change them, and so does an AAC that turns out to be HE-AAC.
    """

    def __init__(self, layout: str) -> None:
        self._layout = layout
        self._shape: tuple[str, str, int] | None = None
        self._resampler: av.AudioResampler | None = None

    def of(self, frame: av.AudioFrame) -> Iterator[av.AudioFrame]:
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if shape != self._shape:
            yield from self.rest()
            self._shape = shape
            self._resampler = av.AudioResampler(format="s16p", layout=self._layout, rate=RATE)
        assert self._resampler is not None
        frame.pts = None  # timestamps of the file are not trusted
        yield from _timeless(self._resampler.resample(frame))

    def rest(self) -> Iterator[av.AudioFrame]:
        """Yield the samples that the resampler still holds."""
        if self._resampler is not None:
            yield from _timeless(self._resampler.resample(None))


def _timeless(frames: Iterable[av.AudioFrame]) -> Iterator[av.AudioFrame]:
    for frame in frames:
        frame.pts = None
        yield frame


def _opened(source: Path) -> av.container.InputContainer:
    with source.open("rb") as file:
        found = found_in(file)
        if found is None:
            raise Refused("sound_format")
        kind, start = found
        file.seek(start)
        body = io.BytesIO(file.read()) if start else str(source)
    # No format probing and no other protocol: a playlist must not make us fetch anything.
    options = {"protocol_whitelist": "file", "codec_whitelist": _decoders()}
    return av.open(body, "r", format=kind.value, options=options, metadata_errors="replace")


@cache
def _decoders() -> str:
    """Return the names of all audio decoders: no video decoder may open a person's sound."""
    return ",".join(sorted(name for name in av.codecs_available if _is_of_sound(name)))


def _is_of_sound(name: str) -> bool:
    try:
        return av.Codec(name, "r").type == "audio"
    except ValueError:
        return False  # it can only encode


def _stream(container: av.container.InputContainer) -> av.AudioStream:
    """Return the first decodable audio track.

    Raises `Refused("sound_format")` if there is none, or if the file is a video. Covers are fine.
    """
    if any(_is_video(stream) for stream in container.streams.video):
        raise Refused("sound_format")
    for stream in container.streams.audio:
        if stream.codec_context is not None:  # None: a codec that libav does not know
            return stream
    raise Refused("sound_format")


def _is_video(stream: av.VideoStream) -> bool:
    context = stream.codec_context
    is_still = context is not None and context.name in _STILLS
    return not (is_still or stream.disposition & Disposition.attached_pic)


def _frames(
    container: av.container.InputContainer, stream: av.AudioStream
) -> Iterator[av.AudioFrame]:
    """Yield decodable frames. Damaged packets are skipped, as in players, if they are not too many.

    Raises `Refused("sound_broken")`.
    """
    failed = 0
    for number, packet in enumerate(_packets(container, stream), 1):
        try:
            frames = packet.decode()
        except av.FFmpegError as error:
            # Random bytes may also look like a feature for which libav has no decoder.
            failed += 1
            if failed > _FEW and failed * 3 > number:
                raise Refused("sound_broken") from error
            continue
        for frame in frames:
            if frame.sample_rate not in _RATES:
                raise Refused("sound_broken")
            yield frame


def _packets(
    container: av.container.InputContainer, stream: av.AudioStream
) -> Iterator["av.Packet[av.AudioStream]"]:
    """Yield packets until the data becomes invalid: recorders leave unused space behind a sound."""
    found = 0
    try:
        for packet in container.demux(stream):
            found += 1
            yield packet
    except av.InvalidDataError:
        if found <= _FEW:
            raise
