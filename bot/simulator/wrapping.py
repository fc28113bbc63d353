"""Wrap a video as some gateways deliver it: compressed, as a 206, as WebM, or damaged."""

import gzip
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import BytesIO

import av
from aiohttp import hdrs

from bot.simulator.scenes import FPS, Scene, frames
from bot.simulator.stills import shrunk


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A response that contains a file."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def _packed(data: bytes) -> Wrapped:
    return Wrapped(gzip.compress(data, 1), headers={hdrs.CONTENT_ENCODING: "gzip"})


def _part(data: bytes) -> Wrapped:
    """Return the whole file as a response with status 206."""
    span = f"bytes 0-{len(data) - 1}/{len(data)}"
    return Wrapped(data, 206, {hdrs.CONTENT_RANGE: span})


def _tailed(data: bytes) -> Wrapped:
    return Wrapped(data + b"\r\n" + bytes(512))


def _noisy(data: bytes) -> Wrapped:
    """Replace the second half of the video's data by noise. The boxes of the MP4 stay valid."""
    start, end = _content(data)
    middle = (start + end) // 2
    noise = random.Random(0).randbytes(end - middle)
    return Wrapped(data[:middle] + noise + data[end:])


def _content(data: bytes) -> tuple[int, int]:
    at = data.find(b"mdat") - 4
    return (at + 8, at + int.from_bytes(data[at : at + 4])) if at >= 0 else (0, 0)


WAYS: Mapping[str, Callable[[bytes], Wrapped]] = {
    "gzip": _packed,
    "part": _part,
    "tail": _tailed,
    "noise": _noisy,
}


def webm(scene: Scene) -> bytes:
    """Render the video small, as VP9 in WebM. Call this in a thread."""
    small, file = shrunk(scene), BytesIO()
    with av.open(file, "w", format="webm") as output:
        options = {"deadline": "realtime", "cpu-used": "8"}
        stream = output.add_stream("libvpx-vp9", rate=FPS, options=options)
        stream.width, stream.height, stream.pix_fmt = small.width, small.height, "yuv420p"
        for picture in frames(small):
            output.mux(stream.encode(av.VideoFrame.from_image(picture)))  # type: ignore[no-untyped-call]
        output.mux(stream.encode(None))
    return file.getvalue()
