"""Times of a video's packets, which may begin anywhere and start over on the way.

They start over where two videos were written one behind the other, or a clock ran out of digits.
"""

from fractions import Fraction

import av

from bot.core.containers import Container
from bot.media.reading import WITH_EDITS, video_stream

_BACK = Fraction(1, 10)
"""Seconds back that are no mere jitter."""
_AHEAD = 10
"""Seconds ahead that a stream on the air takes for a new beginning."""
_ON_AIR = frozenset({Container.TRANSPORT.value, Container.MPEG.value})


class Timeline:
    """Counts all times from the start of a video, and goes on where they start over."""

    def __init__(self, container: av.container.InputContainer) -> None:
        self._has_edits = container.format.name in WITH_EDITS
        self._ahead = _AHEAD if container.format.name in _ON_AIR else None
        self._shifts = [-_start(container)]
        """Seconds to add, part by part; all tracks begin a part at the same one."""
        self._parts: dict[int, int] = {}
        self._last: dict[int, Fraction] = {}
        self.end = Fraction(0)
        """The second at which the last picture or sound so far ends."""

    @property
    def starts_over(self) -> bool:
        """Whether there has been more than one part."""
        return len(self._shifts) > 1

    def place(self, packet: "av.Packet[av.stream.Stream]") -> None:
        """Change a packet's times."""
        base, shown = packet.time_base, packet.dts if packet.pts is None else packet.pts
        if base is None or shown is None:
            return
        track = packet.stream.index
        # What an edit list leaves out is decoded for the sake of others, whatever times it has.
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
        placed = second + self._shifts[self._parts.get(track, 0)]
        is_ahead = self._ahead is not None and placed > self.end + self._ahead
        return is_ahead or second < last - _BACK


def _shorten(packet: "av.Packet[av.stream.Stream]", shown: int) -> None:
    """An edit list may end within the time of a picture."""
    stream = packet.stream
    if stream.duration and isinstance(stream, av.VideoStream):
        room = (stream.start_time or 0) + stream.duration - shown
        if 0 < room < (packet.duration or 0):
            packet.duration = room


def _start(container: av.container.InputContainer) -> Fraction:
    """The first second; sound before zero only helps a decoder, pictures there are shown."""
    start = max(Fraction(0), Fraction(container.start_time or 0, av.time_base))
    video = video_stream(container)
    first = (video.start_time or 0) * (video.time_base or Fraction(1))
    return min(start, first) if first < 0 else start
