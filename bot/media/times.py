"""Timestamps of a video's packets, which may begin anywhere and may start over within a file.

They start over if two videos were joined, or if a clock overflowed.
"""

from fractions import Fraction

import av

from bot.core.containers import Container
from bot.media.reading import WITH_EDITS, video_stream

_BACK = Fraction(1, 10)
"""A jump back by more seconds than this is no jitter but a new part."""
_AHEAD = 10
"""A jump ahead by more seconds than this is a new part in a broadcast stream."""
_ON_AIR = frozenset({Container.TRANSPORT.value, Container.MPEG.value})


class Timeline:
    """Timestamps counted from the start of the video, continuous where they start over."""

    def __init__(self, container: av.container.InputContainer) -> None:
        self._has_edits = container.format.name in WITH_EDITS
        self._ahead = _AHEAD if container.format.name in _ON_AIR else None
        self._shifts = [-_start(container)]
        """Seconds to add to the timestamps of each part; the same for all tracks."""
        self._parts: dict[int, int] = {}
        self._last: dict[int, Fraction] = {}
        self.end = Fraction(0)
        """The time, in seconds, at which the latest picture or sound so far ends."""

    @property
    def starts_over(self) -> bool:
        """Whether there has been more than one part."""
        return len(self._shifts) > 1

    def add(self, packet: "av.Packet[av.stream.Stream]") -> None:
        """Change a packet's timestamps to those of this timeline."""
        base, shown = packet.time_base, packet.dts if packet.pts is None else packet.pts
        if base is None or shown is None:
            return
        track = packet.stream.index
        # Packets that an edit list leaves out are only decoded: their times mean nothing.
        if packet.dts is not None and not packet.is_discard:
            if self._is_new_part(track, packet.dts * base):
                self._parts[track] = self._parts.get(track, 0) + 1
                if self._parts[track] == len(self._shifts):
                    self._shifts.append(self.end - shown * base)
            self._last[track] = packet.dts * base
        if self._has_edits:
            _shorten(packet, shown)
        shift = self._shifts[self._parts.get(track, 0)]
        if not packet.is_discard:
            self.end = max(self.end, (shown + (packet.duration or 0)) * base + shift)
        ticks = round(shift / base)
        if packet.pts is not None:
            packet.pts += ticks
        if packet.dts is not None:
            packet.dts += ticks

    def _is_new_part(self, track: int, second: Fraction) -> bool:
        last = self._last.get(track)
        if last is None:
            return False
        shifted = second + self._shifts[self._parts.get(track, 0)]
        is_ahead = self._ahead is not None and shifted > self.end + self._ahead
        return is_ahead or second < last - _BACK


def _shorten(packet: "av.Packet[av.stream.Stream]", shown: int) -> None:
    """Shorten a packet if the edit list ends before the packet does."""
    stream = packet.stream
    if stream.duration and isinstance(stream, av.VideoStream):
        room = (stream.start_time or 0) + stream.duration - shown
        if 0 < room < (packet.duration or 0):
            packet.duration = room


def _start(container: av.container.InputContainer) -> Fraction:
    """Return the start time in seconds. Below zero only pictures count: they are shown there,
    while sound before zero only helps the decoder.
    """
    start = max(Fraction(0), Fraction(container.start_time or 0, av.time_base))
    video = video_stream(container)
    first = (video.start_time or 0) * (video.time_base or Fraction(1))
    return min(start, first) if first < 0 else start
