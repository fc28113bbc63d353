"""Reading all of somebody else's video: whether it can be decoded, and what only that tells.

Runs in a worker process, like all that touches somebody else's file.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path

import av

from bot.core.containers import Container
from bot.core.errors import Broken
from bot.media.reading import audio_stream, container_in, opened, translated, video_stream

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
    has_holes: bool = False
    """Its AAC has times without any sound."""


def check(source: Path) -> Told:
    """Decode all pictures once.

    Raises `Broken("video_damaged")` where too many are damaged: a player would show what noise in a
    file makes of them, and no index tells.
    """
    with translated("not_a_video"), opened(source) as container:
        count = _counted(container, decodes=True)
        promised = (container.duration or 0) / av.time_base
    pictures, damaged, reached = count.pictures, count.damaged, count.reached
    if pictures == 0 or (container_in(source) in _PICTURES and pictures < 2):
        raise Broken("not_a_video")
    if damaged > pictures * _MOST_DAMAGED:
        raise Broken("video_damaged", damaged=damaged, pictures=pictures)
    missing = promised - reached if count.is_whole else 0.0
    if missing > max(0.5, promised * _MOST_MISSING):
        raise Broken("video_damaged", seconds=round(reached, 1), promised=round(promised, 1))
    return count.told


def told_of(source: Path) -> Told:
    """The same facts of a checked file, without decoding any picture."""
    with translated("not_a_video"), opened(source) as container:
        return _counted(container, decodes=False).told


@dataclass(slots=True)
class _Count:
    pictures: int = 0
    damaged: int = 0
    shown: int = 0
    reached: float = 0.0
    """The second that the file reaches."""
    is_whole: bool = True
    """Whether all was read."""
    has_holes: bool = False
    _heard: float | None = field(default=None, repr=False)

    @property
    def told(self) -> Told:
        return Told(shown=self.shown if self.is_whole else None, has_holes=self.has_holes)

    def time(self, packet: "av.Packet[av.stream.Stream]", begin: float) -> None:
        if packet.pts is not None and packet.time_base is not None:
            ends = float((packet.pts + (packet.duration or 0)) * packet.time_base)
            self.reached = max(self.reached, ends - begin)

    def hear(self, packet: "av.Packet[av.stream.Stream]", lasting: float) -> None:
        """MP4 lets the packet before a hole last until its end, so that only starts tell."""
        if packet.size and packet.pts is not None and packet.time_base is not None:
            at = float(packet.pts * packet.time_base)
            self.has_holes |= self._heard is not None and at - self._heard > lasting + _HOLE
            self._heard = at

    def see(self, packet: "av.Packet[av.stream.Stream]") -> None:
        self.shown += packet.size > 0 and not packet.is_discard

    def decode(self, packet: "av.Packet[av.stream.Stream]") -> None:
        try:
            frames = packet.decode()
        except av.FFmpegError:
            self.pictures += 1
            self.damaged += 1
            return
        self.pictures += len(frames)
        self.damaged += sum(it.is_corrupt for it in frames if isinstance(it, av.VideoFrame))


def _counted(container: av.container.InputContainer, *, decodes: bool) -> _Count:
    film, sound = video_stream(container), audio_stream(container)
    film.thread_type = "AUTO"
    lasting = 0.0
    if sound is not None and sound.codec_context.name == "aac":
        lasting = (sound.codec_context.frame_size or 1024) / sound.codec_context.sample_rate
    count, begin = _Count(), (container.start_time or 0) / av.time_base
    until = time.monotonic() + _CHECK_SECONDS
    for packet in container.demux():
        count.time(packet, begin)
        if packet.stream is film:
            count.see(packet)
            if decodes:
                count.decode(packet)
        elif packet.stream is sound and lasting:
            count.hear(packet, lasting)
        if count.pictures > _CHECK_PICTURES or time.monotonic() > until:
            count.is_whole = False
            break
    return count
