"""Small real files, made by the real encoders."""

import array
import io
import math
import os
import random
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any

import av
from PIL import Image

RATE = 48_000
SAMPLES = 1024

_NAMES: dict[tuple[int, ...], str] = {
    (1, 0, 0): "R",
    (0, 1, 0): "G",
    (0, 0, 1): "B",
    (1, 1, 1): "W",
}


def encoded(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    body = io.BytesIO()
    picture.save(body, kind, **options)
    return body.getvalue()


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    grains = random.Random(seed).randbytes(width * height * 3)
    return Image.frombytes("RGB", (width, height), grains)


def quarters(width: int, height: int) -> Image.Image:
    """Return a picture with red and green above blue and white, by which every orientation can be
    recognized.
    """
    picture = Image.new("RGB", (2, 2))
    for place, colour in (((0, 0), "red"), ((1, 0), "lime"), ((0, 1), "blue"), ((1, 1), "white")):
        picture.paste(colour, (*place, place[0] + 1, place[1] + 1))
    return picture.resize((width, height), Image.Resampling.NEAREST)


def corners(picture: Image.Image) -> str:
    """Return the colours of `quarters`, read clockwise from the upper left."""
    width, height = picture.size
    left, right, upper, lower = width // 4, width * 3 // 4, height // 4, height * 3 // 4
    names = ""
    for place in ((left, upper), (right, upper), (right, lower), (left, lower)):
        pixel = picture.convert("RGB").getpixel(place)
        assert isinstance(pixel, tuple)
        names += _NAMES.get(tuple(round(value / 255) for value in pixel), "?")
    return names


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_of(width: int, height: int) -> bytes:
    """Return a PNG that declares this size and contains almost no data."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + png_chunk(b"IEND", b"")
    )


def write_video(
    path: Path,
    *,
    width: int = 320,
    height: int = 180,
    seconds: int = 2,
    sound: bool = True,
    still: Image.Image | None = None,
    faststart: bool = False,
) -> Path:
    """Write H.264 and AAC at 12 frames a second.

    The video shows noise, which is hard to compress, or `still`.
    """
    options = {"movflags": "+use_metadata_tags" + ("+faststart" if faststart else "")}
    with av.open(str(path), "w", format="mp4", options=options) as output:
        output.metadata["provenance"] = "made by a model"
        video = output.add_stream("libx264", rate=12, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        audio = output.add_stream("aac", rate=RATE, layout="mono") if sound else None
        for seed in range(seconds * 12):
            picture = still or noise(width, height, seed)
            output.mux(video.encode(av.VideoFrame.from_image(picture)))  # type: ignore[no-untyped-call]
        output.mux(video.encode(None))
        if audio:
            for start in range(0, seconds * RATE, SAMPLES):
                output.mux(audio.encode(tone(start)))
            output.mux(audio.encode(None))
    return path


def tone(start: int) -> av.AudioFrame:
    frame = av.AudioFrame(format="s16", layout="mono", samples=SAMPLES)
    frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
    wave = [int(8000 * math.sin((start + at) / 20)) for at in range(SAMPLES)]
    frame.planes[0].update(array.array("h", wave).tobytes())
    return frame


def write_sound(
    path: Path,
    container: str = "wav",
    codec: str = "pcm_s16le",
    *,
    seconds: float = 4,
    rate: int = RATE,
    layout: str | None = None,
    more: Mapping[str, str] = MappingProxyType({}),
) -> Path:
    """Write a tone, with a title in the metadata that must not be passed on."""
    options = {"strict": "experimental", **more}  # needed for libav's own Vorbis encoder
    with av.open(str(path), "w", format=container, options=options) as output:
        output.metadata["title"] = "at home"
        layout = layout or ("stereo" if codec == "vorbis" else "mono")
        stream = output.add_stream(codec, rate=rate, layout=layout, options=options)
        assert isinstance(stream, av.AudioStream)
        for start in range(0, round(seconds * RATE), SAMPLES):
            output.mux(stream.encode(tone(start)))
        output.mux(stream.encode(None))
    return path


def turned(video: bytes) -> bytes:
    """Return the same file with a quarter turn clockwise in the header of its first track."""
    at = video.index(b"tkhd") + 4 + 40
    matrix = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 180 << 16, 0, 1 << 30)
    return video[:at] + matrix + video[at + len(matrix) :]


@contextmanager
def ordinary_priority() -> Iterator[None]:
    """Restore the scheduling of this thread afterwards.

    SVT-AV1 turns the thread that opens it into a real-time thread for good if the process may do so
    (root). Other processes would then hardly run.
    """
    if not hasattr(os, "sched_getscheduler"):  # only Linux has it
        yield
        return
    policy, parameter = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameter)


@ordinary_priority()
def write_clip(
    path: Path,
    codec: str,
    container: str,
    *,
    times: Sequence[int] = tuple(range(24)),
    rate: int | Fraction = 24,
    size: tuple[int, int] = (64, 48),
    sound: str | None = None,
    second_sound: str | None = None,
    sound_rate: int = RATE,
    layout: str = "stereo",
    heard: float | None = None,
    pix_fmt: str = "yuv420p",
    flags: str = "",
    options: Mapping[str, str] | None = None,
    pixel: Fraction | None = None,
    matrix: tuple[int, int, int, int] | None = None,
    still: bool = False,
    quiet: tuple[float, float] = (0.0, 0.0),
    beside: Callable[[av.container.OutputContainer], None] | None = None,
) -> Path:
    """Write a video in any codec: a picture that moves a little, shown at these ticks of 1/`rate`
    s. `pixel` is the aspect ratio of a pixel; `matrix` is the rotation; `still` stops the movement;
    `heard` is the seconds of sound, by default as many as of frames; `quiet` is a span without any
    sound; `beside` adds more tracks to the file.
    """
    scene = quarters(size[0] if still else size[0] * 2, size[1])
    files = {"movflags": flags} if flags else {}
    with av.open(str(path), "w", format=container, options=files) as output:
        video = output.add_stream(
            codec, rate=rate, options={**_QUICK.get(codec, {}), **(options or {})}
        )
        assert isinstance(video, av.VideoStream)
        video.width, video.height, video.pix_fmt = *size, pix_fmt
        if pixel:
            video.codec_context.sample_aspect_ratio = pixel
        if matrix:
            a, b, c, d = (each << 16 for each in matrix)
            video.set_display_matrix([a, b, 0, c, d, 0, 0, 0, 1 << 30])
        tracks = [
            output.add_stream(
                each, rate=sound_rate, layout=layout, options={"strict": "experimental"}
            )
            for each in (sound, second_sound)
            if each
        ]
        if beside:
            beside(output)
        for tick in times:
            begin = 0 if still else tick % size[0]
            picture = scene.crop((begin, 0, begin + size[0], size[1]))
            frame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
            frame.pts, frame.time_base = tick, 1 / Fraction(rate)
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
        lasting = (max(times) + 1) / Fraction(rate) if heard is None else Fraction(heard)
        for track in tracks:
            assert isinstance(track, av.AudioStream)
            for start in range(0, int(lasting * RATE), SAMPLES):
                if not quiet[0] <= start / RATE < quiet[1]:
                    output.mux(track.encode(tone(start)))
            output.mux(track.encode(None))
    return path


_QUICK = {
    "libx264": {"preset": "ultrafast"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none"},
    "libsvtav1": {"preset": "12", "svtav1-params": "lp=1"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
    "libvpx": {"deadline": "realtime", "cpu-used": "8"},
}


def with_noise(video: bytes, *, of: float = 0.5) -> bytes:
    """Return the same file with noise instead of the content behind the share `of` of it."""
    begin = video.index(b"mdat") + 4
    end = begin - 8 + int.from_bytes(video[begin - 8 : begin - 4])
    start = begin + int((end - begin) * of)
    return video[:start] + random.Random(1).randbytes(end - start) + video[end:]
