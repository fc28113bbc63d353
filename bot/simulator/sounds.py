"""Reads the duration and the samples of sounds in requests; only MP3 and WAV."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

import av


def seconds(data: bytes) -> int:
    """Return the seconds of a video with this sound. Raises `ValueError` if `data` is no sound."""
    with _opened(data) as container:
        return max(1, math.ceil((container.duration or 0) / av.time_base))


def frames(data: bytes) -> Iterator[av.AudioFrame]:
    """Yield the samples of a sound. Raises `ValueError` if `data` is no sound."""
    with _opened(data) as container:
        for frame in container.decode(audio=0):
            frame.pts = None
            yield frame


@contextmanager
def _opened(data: bytes) -> Iterator[av.container.InputContainer]:
    kind = "wav" if data[:4] == b"RIFF" else "mp3"
    try:
        options = {"protocol_whitelist": ""}
        with av.open(BytesIO(data), "r", format=kind, options=options) as container:
            if not container.streams.audio:
                raise ValueError("not a sound")
            yield container
    except av.FFmpegError as error:
        raise ValueError("not a sound") from error
