"""A stranger's sound becomes a plain MP3 that a model accepts.

Runs in a worker process and trusts nothing: the first bytes fix what the file is taken for, no
other decoder and no other file is reached, and only samples leave. Titles, covers and whatever hid
behind the sound do not.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import av
from av.stream import Disposition

from bot.core.errors import Refused
from bot.core.orders import SoundFit

RATE = 44_100
"""Samples a second of what we make; one channel, as mouths are moved by one."""
BIT_RATES = (128_000, 64_000, 32_000)
MARGIN = 0.1
"""Seconds that stay free below the longest: an MP3 adds some silence at both ends."""

_CODECS = {
    "wav": ("pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le"),
    "mp3": ("mp3float", "mp3"),
    "ogg": ("opus", "libopus", "vorbis", "libvorbis"),
    "mp4": ("aac",),
    "aac": ("aac",),
}
"""Container → decoders that it may name."""
_RATES = range(8_000, 192_001)
"""Samples a second that a sound may say it has; with one a second, a few bytes last for ever."""


def fit_sound(source: Path, fit: SoundFit, target: Path) -> float:
    """Write the beginning of `source` to `target` as an MP3 that satisfies `fit`; its seconds.

    Raises `Refused`: `sound_format` (none that we read), `sound_broken`, `sound_short`, or
    `sound_stays_large` for bytes that no rate brings down.
    """
    kind = _kind(source)
    for bit_rate in BIT_RATES:
        with _translated():
            body, seconds = _encode(source, kind, most=fit.most_seconds - MARGIN, rate=bit_rate)
        if not seconds:
            raise Refused("sound_broken")
        fit.check(seconds)
        if len(body) <= fit.most_bytes:
            # Only here: a full disk is our failure, and no fault of the sound.
            target.write_bytes(body)
            return seconds
    raise Refused("sound_stays_large", kilobytes=len(body) / 1e3, most=fit.most_bytes / 1e3)


def _kind(source: Path) -> str:
    """The container, by its first bytes."""
    with source.open("rb") as file:
        head = file.read(12)
    sync = int.from_bytes(head[:2])
    known = {
        "wav": head[:4] == b"RIFF" and head[8:] == b"WAVE",
        "ogg": head[:4] == b"OggS",
        "mp4": head[4:8] == b"ftyp",
        "aac": sync & 0xFFF6 == 0xFFF0,  # ADTS: layer 0
        "mp3": head[:3] == b"ID3" or sync & 0xFFE6 == 0xFFE2,  # layer III
    }
    for kind, fits in known.items():
        if fits:
            return kind
    raise Refused("sound_format")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (av.FFmpegError, ValueError, MemoryError) as error:
        raise Refused("sound_broken") from error


def _encode(source: Path, kind: str, *, most: float, rate: int) -> tuple[bytes, float]:
    body = io.BytesIO()
    with (
        _opened(source, kind) as container,
        # Nothing is said in it, not even who wrote it.
        av.open(body, "w", format="mp3", options={"id3v2_version": "0"}) as output,
    ):
        made = output.add_stream("libmp3lame", rate=RATE, layout="mono")
        made.bit_rate = rate
        stream, written = _stream(container, kind), 0
        for frame in _frames(container, stream):
            if written + frame.samples > most * stream.rate:
                break
            frame.pts = None  # what the file says of time may be anything
            output.mux(made.encode(frame))
            written += frame.samples
        if written:
            output.mux(made.encode(None))
    return body.getvalue(), written / stream.rate


def _opened(source: Path, kind: str) -> av.container.InputContainer:
    # No guessing of formats and no other protocol: a playlist must not make us fetch things.
    options = {"protocol_whitelist": "file", "codec_whitelist": ",".join(_CODECS[kind])}
    return av.open(str(source), format=kind, options=options, metadata_errors="replace")


def _stream(container: av.container.InputContainer, kind: str) -> av.AudioStream:
    """The first sound. A film is none, though it has one; a cover is no film."""
    if any(not each.disposition & Disposition.attached_pic for each in container.streams.video):
        raise Refused("sound_format")
    for stream in container.streams.audio:
        context = stream.codec_context
        if context is not None and context.name in _CODECS[kind]:
            if context.sample_rate not in _RATES:
                raise Refused("sound_broken")
            return stream
    raise Refused("sound_format")


def _frames(
    container: av.container.InputContainer, stream: av.AudioStream
) -> Iterator[av.AudioFrame]:
    """Decodable frames; players skip the rest, too."""
    for packet in container.demux(stream):
        with suppress(av.InvalidDataError):
            yield from packet.decode()
