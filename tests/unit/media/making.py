"""Makers of videos of every kind that a gateway may return."""

import io
import re
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID

import av
from av.stream import Disposition

from tests.unit.media.samples import noise, write_clip

Matrix = tuple[int, int, int, int]
FAST = "+faststart"
LATE = range(34, 58)
"""The ticks of a transport stream, whose first time is not zero."""
HOLE = (*range(20), *range(90, 110))
CREDENTIALS = UUID("d8fec3d6-1b0e-483c-9297-5828877ec481").bytes
PACED = (0, 1, 2, 5, 6, 12, 13, 14, 30, 31, 47)
SIZE = (64, 48)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A sample video: how to make it, why it would not play, and the size of the posted video."""

    codec: str
    container: str
    how: Mapping[str, Any]
    """Further arguments for `write_clip`."""
    why: str
    """The reasons in the verdict; empty for a video that is kept as it is."""
    posted: tuple[int, int] = SIZE
    after: Callable[[Path], None] | None = None
    """Changes the file after it is made."""
    is_large: bool = False
    """Whether the sample takes seconds to make."""

    def write(self, path: Path) -> Path:
        """Make the file."""
        write_clip(path, self.codec, self.container, **self.how)
        if self.after:
            self.after(path)
        return path


def video(
    codec: str,
    container: str,
    why: str = "",
    *,
    posted: tuple[int, int] = SIZE,
    after: Callable[[Path], None] | None = None,
    is_large: bool = False,
    **how: Any,
) -> Sample:
    """Return a sample that is made in this way."""
    return Sample(
        codec=codec,
        container=container,
        how=how,
        why=why,
        posted=posted,
        after=after,
        is_large=is_large,
    )


def good(why: str = "", *, flags: str = FAST, **how: Any) -> Sample:
    """Return a sample of H.264 in an MP4 with the index in front, apart from the given changes."""
    return video("libx264", "mp4", why, flags=flags, **how)


def with_edit(source: Path, *, first: int, seconds: float) -> None:
    """Set the edit list so that the video begins with frame `first` and lasts `seconds`."""
    body = bytearray(source.read_bytes())
    at = body.index(b"elst") + 12
    (begin,) = struct.unpack_from(">i", body, at + 4)
    struct.pack_into(">Ii", body, at, round(seconds * 1000), begin + first * 512)
    source.write_bytes(body)


def cut(path: Path) -> None:
    with_edit(path, first=10, seconds=1.0)


NORMAL, HALF, STILL = 1 << 16, 1 << 15, 0
"""Playback rates in an edit list."""
Edit = tuple[float, float | None, int]
"""One entry of an edit list: its seconds, the second of the video at which it begins (None shows
nothing), and its rate."""


def with_edits(source: Path, edits: Sequence[Edit], *, track: int = 0) -> None:
    """Replace the edit list of a track, and correct all sizes and offsets behind it."""
    body = bytearray(source.read_bytes())
    path, begin, end = _place(body, track)
    (late,) = struct.unpack_from(">i", body, begin + 12)
    ticks = _ticks(body, path[1])
    made = struct.pack(">II", 0, len(edits))
    for seconds, first, rate in edits:
        shown = -1 if first is None else late + round(first * ticks)
        made += struct.pack(">Iii", round(seconds * 1000), shown, rate)
    body[begin:end] = made
    grown = len(made) - (end - begin)
    for at in path:
        struct.pack_into(">I", body, at, struct.unpack_from(">I", body, at)[0] + grown)
    for found in re.finditer(b"stco", bytes(body)):
        (count,) = struct.unpack_from(">I", body, found.end() + 4)
        for at in range(found.end() + 8, found.end() + 8 + count * 4, 4):
            struct.pack_into(">I", body, at, struct.unpack_from(">I", body, at)[0] + grown)
    source.write_bytes(body)


def _place(body: bytearray, track: int) -> tuple[list[int], int, int]:
    """Return the offsets of the boxes around an edit list, and its own begin and end."""
    path: list[int] = []
    begin, end = 0, len(body)
    for name in (b"moov", b"trak", b"edts", b"elst"):
        found = []
        while begin < end:
            size, kind = struct.unpack_from(">I4s", body, begin)
            found += [(begin, begin + size)] if kind == name else []
            begin += size
        at, end = found[track if name == b"trak" else 0]
        path, begin = [*path, at], at + 8
    return path, begin, end


def _ticks(body: bytearray, track: int) -> int:
    """Return the ticks per second in this track."""
    at = body.index(b"mdhd", track) + 4 + 12
    (ticks,) = struct.unpack_from(">I", body, at)
    return int(ticks)


def edited(*edits: Edit) -> Callable[[Path], None]:
    """Return a function that gives a file such an edit list for its frames."""
    return lambda path: with_edits(path, edits)


def with_credentials(path: Path) -> None:
    """Append a box for content credentials (C2PA), with plain words instead of credentials."""
    body = CREDENTIALS + b"\0\0\0\0manifest\0" + bytes(8) + b"signed by a model"
    with path.open("ab") as file:
        file.write((8 + len(body)).to_bytes(4) + b"uuid" + body)


def with_tail(path: Path) -> None:
    """Append content credentials, and behind them bytes that a server on the way added."""
    with_credentials(path)
    with path.open("ab") as file:
        file.write(b"<html>" * 9)


def twice(path: Path) -> None:
    path.write_bytes(path.read_bytes() * 2)


def followed_by(codec: str, **how: Any) -> Callable[[Path], None]:
    """Return a function that appends another transport stream to a file."""

    def follow(path: Path) -> None:
        other = write_clip(path.with_name("other"), codec, "mpegts", **how)
        path.write_bytes(path.read_bytes() + other.read_bytes())

    return follow


def standing_still(path: Path) -> None:
    """Give all frames the same time."""
    body = bytearray(path.read_bytes())
    at = body.index(b"stts") + 8
    (count,) = struct.unpack_from(">I", body, at)
    for number in range(count):
        struct.pack_into(">I", body, at + 8 + number * 8, 0)
    path.write_bytes(body)


def without_length(path: Path) -> None:
    """Remove every duration from the index, as in a file that is still being written."""
    body = bytearray(path.read_bytes())
    for name, at in ((b"mvhd", 16), (b"tkhd", 20), (b"mdhd", 16)):
        for found in re.finditer(name, bytes(body)):
            body[found.end() + at : found.end() + at + 4] = b"\xff" * 4
    path.write_bytes(body)


def as_avc3(path: Path) -> None:
    """Declare that the parameters of H.264 are inside the stream."""
    path.write_bytes(path.read_bytes().replace(b"avc1\0\0\0\0\0\0\0\1", b"avc3\0\0\0\0\0\0\0\1"))


def with_cover(output: av.container.OutputContainer) -> None:
    cover = output.add_stream("mjpeg", rate=1)
    assert isinstance(cover, av.VideoStream)
    cover.width, cover.height, cover.pix_fmt = 32, 32, "yuvj420p"
    cover.disposition = Disposition.attached_pic
    _mux_one(output, cover)


def with_second_video(output: av.container.OutputContainer) -> None:
    second = output.add_stream("libx264", rate=24)
    assert isinstance(second, av.VideoStream)
    second.width, second.height, second.pix_fmt = 32, 32, "yuv420p"
    _mux_one(output, second)


def _mux_one(output: av.container.OutputContainer, stream: av.VideoStream) -> None:
    frame = av.VideoFrame.from_image(noise(32, 32))  # type: ignore[no-untyped-call]
    frame.pts, frame.time_base = 0, Fraction(1, 24)
    output.mux([*stream.encode(frame), *stream.encode(None)])


def with_chapters(output: av.container.OutputContainer) -> None:
    output.set_chapters(
        [
            {
                "id": number,
                "start": number * 500,
                "end": number * 500 + 500,
                "time_base": Fraction(1, 1000),
                "metadata": {"title": f"part {number}"},
            }
            for number in range(2)
        ]
    )


def with_time_code(output: av.container.OutputContainer) -> None:
    output.streams.video[0].metadata["timecode"] = "00:00:00:00"


def _with_subtitles(output: av.container.OutputContainer) -> None:
    words = io.BytesIO(b"1\n00:00:00,000 --> 00:00:00,800\nMeow.\n\n")
    with av.open(words, "r", format="srt") as container:
        track = output.add_stream_from_template(container.streams.subtitles[0])
        for packet in container.demux():
            if packet.size:
                packet.stream = track
                output.mux(packet)


def with_chapters_and_subtitles(output: av.container.OutputContainer) -> None:
    with_chapters(output)
    _with_subtitles(output)


def x264(**params: object) -> dict[str, str]:
    """Return options of the x264 encoder, by the encoder's own names."""
    return {"x264-params": ":".join(f"{name}={value}" for name, value in params.items())}


def x265(**params: object) -> dict[str, str]:
    """Return options of the x265 encoder, by the encoder's own names."""
    told = {"log-level": "none", **params}
    return {"x265-params": ":".join(f"{name}={value}" for name, value in told.items())}


B_FRAMES = {"preset": "veryfast"}
WIDE = {"colorprim": "bt2020", "colormatrix": "bt2020nc"}
PHONE: dict[str, Any] = {"sound_rate": 8000, "layout": "mono"}
