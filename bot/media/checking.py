"""Reading all of somebody else's video: whether it can be decoded, and what only that tells.

Runs in a worker process, like all that touches somebody else's file.
"""

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import av

from bot.core.containers import Container
from bot.core.errors import NotAVideo, VideoDamaged
from bot.media.facts import container_in
from bot.media.reading import WITH_EDITS, audio_stream, opened, translated, video_stream
from bot.media.times import Timeline

_MOST_DAMAGED = 0.05
"""Share of the pictures that may be damaged: a flicker is no reason to refuse a paid video."""
_MOST_MISSING = 0.1
"""Share of the promised time that may hold nothing; half a second may in any case."""
_CHECK_SECONDS = 45.0
_CHECK_PICTURES = 20_000
"""The checked part of a long video: nobody waits for the rest."""
_PICTURES = frozenset({Container.GIF, Container.APNG})
"""Containers of pictures, which are videos where they move."""
_HOLE = 0.1
"""Seconds without sound that are heard as a hole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Facts that only a look at all of a file tells."""

    shown: int | None = None
    """Pictures that an edit list leaves; None where there are too many to count."""
    at_once: int = 0
    """Pictures at the very time of another one."""
    starts_over: bool = False
    """Its times do, on the way."""
    has_one_size: bool = True
    """Known only once pictures are decoded."""
    has_holes: bool = False
    """Its AAC has times without any sound."""
    has_overlaps: bool = False
    """Two packets of its AAC have one time."""
    sound_changes: bool = False
    """The channels or the rate of its AAC do, on the way."""


def check(source: Path) -> Told:
    """Decode all pictures once.

    Raises `Broken("video_damaged")` where too many are damaged: a player would show what noise in a
    file makes of them, and no index tells. Pictures too large for us may be whole all the same.
    """
    with translated("not_a_video"), opened(source) as container:
        count = _counted(container, decodes=True)
        promised = (container.duration or 0) / av.time_base
    pictures, damaged, reached = count.pictures, count.damaged, float(count.timeline.end)
    if count.is_too_large:
        return count.told
    if pictures == 0 or (container_in(source) in _PICTURES and pictures < 2):
        raise NotAVideo()
    if damaged > pictures * _MOST_DAMAGED:
        raise VideoDamaged(damaged=damaged, pictures=pictures)
    is_promise = count.is_whole and not (count.timeline.starts_over or count.is_complete)
    missing = promised - reached if is_promise else 0.0
    if missing > max(0.5, promised * _MOST_MISSING):
        raise VideoDamaged(seconds=round(reached, 1), promised=round(promised, 1))
    return count.told


def told_of(source: Path) -> Told:
    """The same facts of a checked file, without decoding any picture."""
    with translated("not_a_video"), opened(source) as container:
        return _counted(container, decodes=False).told


class _Count:
    """Facts found in the packets of a file."""

    def __init__(self, container: av.container.InputContainer) -> None:
        self.pictures = 0
        self.damaged = 0
        self.is_whole = True
        """Whether all was read."""
        self.is_too_large = False
        """There is not enough memory for its pictures, which says nothing of their damage."""
        self.timeline = Timeline(container)
        # That of a video in parts, or of another container, comes piece by piece.
        is_listed = container.format.name in WITH_EDITS
        self._listed = len(video_stream(container).index_entries) if is_listed else None
        self._read = 0
        self._shown = 0
        self._at_once = 0
        self._times: set[int] = set()
        self._sizes: set[tuple[int, int]] = set()
        self._sounds: set[tuple[int, str]] = set()
        self._has_holes = False
        self._has_overlaps = False
        self._heard: float | None = None

    @property
    def told(self) -> Told:
        return Told(
            shown=self._shown if self.is_whole else None,
            at_once=self._at_once,
            starts_over=self.timeline.starts_over,
            has_one_size=len(self._sizes) < 2,
            has_holes=self._has_holes,
            has_overlaps=self._has_overlaps,
            sound_changes=len(self._sounds) > 1,
        )

    @property
    def is_complete(self) -> bool:
        """All pictures that an index lists are there, though an edit list may promise more."""
        return self._read == self._listed

    def hear(self, packet: "av.Packet[av.stream.Stream]", lasting: float) -> None:
        """MP4 lets the packet before a hole last until its end, so that only starts tell."""
        if packet.size and packet.pts is not None and packet.time_base is not None:
            at = float(packet.pts * packet.time_base)
            if self._heard is not None:
                self._has_holes |= at - self._heard > lasting + _HOLE
                self._has_overlaps |= at <= self._heard
            self._heard = at
        with suppress(av.FFmpegError):
            for frame in packet.decode():
                if isinstance(frame, av.AudioFrame):
                    self._sounds.add((frame.sample_rate, frame.layout.name))

    def see(self, packet: "av.Packet[av.stream.Stream]") -> None:
        self._read += packet.size > 0
        if packet.size and not packet.is_discard:
            self._shown += 1
            if packet.pts is not None:
                self._at_once += packet.pts in self._times
                self._times.add(packet.pts)

    def decode(self, packet: "av.Packet[av.stream.Stream]") -> None:
        try:
            frames = packet.decode()
        except MemoryError:
            self.is_too_large = True
            return
        except av.FFmpegError:
            self.pictures += 1
            self.damaged += 1
            return
        for frame in frames:
            self.pictures += 1
            if isinstance(frame, av.VideoFrame):
                self.damaged += frame.is_corrupt
                self._sizes.add((frame.width, frame.height))


def _counted(container: av.container.InputContainer, *, decodes: bool) -> _Count:
    video, sound = video_stream(container), audio_stream(container)
    video.thread_type = "AUTO"
    lasting = 0.0
    if sound is not None and sound.codec_context.name == "aac":
        lasting = (sound.codec_context.frame_size or 1024) / sound.codec_context.sample_rate
    count, until = _Count(container), time.monotonic() + _CHECK_SECONDS
    for packet in container.demux():
        if packet.stream in (video, sound):
            count.timeline.place(packet)
        if packet.stream is video:
            count.see(packet)
            if decodes and not count.is_too_large:
                count.decode(packet)
        elif packet.stream is sound and lasting:
            count.hear(packet, lasting)
        if count.pictures > _CHECK_PICTURES or time.monotonic() > until:
            count.is_whole = False
            break
    return count
