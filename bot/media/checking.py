"""Reads the whole of a foreign video: whether it can be decoded, and facts that need a full read.

Runs in a worker process, like all code that opens foreign files.
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
"""Share of the announced duration that may be missing; half a second may be missing anyway."""
_CHECK_SECONDS = 45.0
_CHECK_PICTURES = 20_000
"""Limits of the check of a long video; the rest is not checked."""
_PICTURES = frozenset({Container.GIF, Container.APNG})
"""Picture formats that count as videos if they are animated."""
_HOLE = 0.1
"""Seconds without sound that people hear as a gap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FullFacts:
    """Facts of a video that need a read of the whole file."""

    shown: int | None = None
    """Number of pictures that the edit list shows; None if there are too many to count."""
    at_once: int = 0
    """Number of pictures with the same timestamp as another picture."""
    starts_over: bool = False
    """Whether the timestamps start again within the file."""
    has_one_size: bool = True
    """Whether all pictures have one size. Known only if the pictures were decoded."""
    has_holes: bool = False
    """Whether the AAC track has gaps."""
    has_overlaps: bool = False
    """Whether two packets of the AAC track have the same timestamp."""
    sound_changes: bool = False
    """Whether the channels or the sample rate of the AAC track change within the file."""


def check(source: Path) -> FullFacts:
    """Decode all pictures of a video once and return its facts.

    Raises `Broken`: `not_a_video`, or `video_damaged` if too many pictures are damaged or too much
    of the announced duration is missing. An index does not show such damage. If there is not enough
    memory to decode the pictures, they count as whole.
    """
    with translated("not_a_video"), opened(source) as container:
        count = _counted(container, decodes=True)
        promised = (container.duration or 0) / av.time_base
    pictures, damaged, reached = count.pictures, count.damaged, float(count.timeline.end)
    if count.is_too_large:
        return count.full
    if pictures == 0 or (container_in(source) in _PICTURES and pictures < 2):
        raise NotAVideo()
    if damaged > pictures * _MOST_DAMAGED:
        raise VideoDamaged(damaged=damaged, pictures=pictures)
    is_promise = count.is_whole and not (count.timeline.starts_over or count.is_complete)
    missing = promised - reached if is_promise else 0.0
    if missing > max(0.5, promised * _MOST_MISSING):
        raise VideoDamaged(seconds=round(reached, 1), promised=round(promised, 1))
    return count.full


def full_facts(source: Path) -> FullFacts:
    """Return the same facts of a file that `check` has passed, without decoding any picture."""
    with translated("not_a_video"), opened(source) as container:
        return _counted(container, decodes=False).full


class _Count:
    """A collector of facts from the packets of a file."""

    def __init__(self, container: av.container.InputContainer) -> None:
        self.pictures = 0
        self.damaged = 0
        self.is_whole = True
        """Whether the whole file was read."""
        self.is_too_large = False
        """Whether the pictures need too much memory; they may be undamaged all the same."""
        self.timeline = Timeline(container)
        # The index of other containers, and of a fragmented MP4, grows while they are read.
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
    def full(self) -> FullFacts:
        return FullFacts(
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
        """Whether all pictures in the index are there; an edit list may announce more time."""
        return self._read == self._listed

    def hear(self, packet: "av.Packet[av.stream.Stream]", lasting: float) -> None:
        """Take a packet of AAC. In MP4 the packet before a gap lasts until the gap's end, so only
        the start times show gaps.
        """
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
            count.timeline.add(packet)
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
