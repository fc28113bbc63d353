"""Whether a video plays everywhere as it is, and what has to be done to it if it does not.

Pure: from what was seen in a file to a verdict. Phones, browsers and chats all play H.264 of 8 bits
and 4:2:0 with AAC, upright and with square pixels, in an MP4 whose index comes first. What only one
of them is known to play is made anew.
"""

from dataclasses import dataclass
from enum import StrEnum

from bot.core.containers import Container

MOST_SIDE = 4096
"""Pixels of the longest side that phones decode in hardware."""
MOST_LEVEL = 52
"""The level of H.264, in tenths, up to which phones decode it."""
MOST_PIXELS = 4096 * 2304
"""Of one picture at that level."""
MOST_PER_SECOND = 4096 * 2160 * 60
"""Pixels of a second at that level."""
MOST_PICTURES = 60
"""Of a second, as phones show them."""
_PROFILES = frozenset({"Constrained Baseline", "Baseline", "Main", "High", "Constrained High"})
"""Of H.264. The others lack a decoder on phones, even where the pixels are the usual ones."""
_SOUNDS = frozenset({"LC", "HE-AAC", "HE-AACv2"})
"""Profiles of AAC."""
_TAGS = frozenset({"avc1"})
"""How MP4 names H.264 whose parameters stand in the index; in the stream, Safari misses them."""
_MOST_SOUND_RATE = 48_000
_MOST_CHANNELS = 6
"""Android promises to decode so much of AAC."""
_LATEST_START = 0.1
"""Seconds before the first picture or sound that nobody minds."""


class Way(StrEnum):
    """How a video gets posted."""

    AS_IT_IS = "as_it_is"
    REMUXED = "remuxed"
    """The same pictures and sound in another file."""
    REENCODED = "reencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """The sound that a player would choose."""

    codec: str
    profile: str | None
    rate: int = 48_000
    channels: int = 2
    has_changes: bool = False
    """Its channels or its rate change on the way."""
    has_holes: bool = False
    """There are times without any sound; players play on, and run ahead of the pictures."""
    has_overlaps: bool = False
    """Two packets have one time, which no MP4 takes: parts of a stream may be cut like that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A file, as far as it matters to players."""

    container: Container
    codec: str
    profile: str | None
    pixels: str
    """libav's name of their format, such as `yuv420p`."""
    tag: str
    width: int
    height: int
    """As they are stored."""
    level: int = 0
    """Of H.264, in tenths."""
    is_interlaced: bool = False
    is_hdr: bool = False
    """Its colours are for bright screens, and pale on others."""
    tells_times: bool = True
    """The container says when each picture is shown, and not only in which order they come."""
    pictures_per_second: float = 0.0
    has_one_size: bool = True
    has_square_pixels: bool = True
    is_upright: bool = True
    is_cut: bool = False
    """An edit list leaves some of the pictures out, or shows them in another order."""
    has_odd_edits: bool = False
    """An edit list says what nobody does alike, so it is not followed."""
    sound: Sound | None = None
    has_one_track_each: bool = True
    """There is one video at most, and one sound."""
    begins_with_index: bool = True
    starts_at: float = 0.0
    """The second of the first picture or sound."""
    tells_length: bool = True
    """The index says how long it lasts; some that are written while they are sent do not."""
    has_tail: bool = False
    """Bytes that belong to nothing lie behind the last box of an MP4."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """All that is wrong with the pictures, the sound and the file; nothing if all plays."""

    pictures: tuple[str, ...] = ()
    sound: tuple[str, ...] = ()
    file: tuple[str, ...] = ()

    @property
    def way(self) -> Way:
        """The least that makes it play."""
        if self.pictures or self.sound:
            return Way.REENCODED
        return Way.REMUXED if self.file else Way.AS_IT_IS

    @property
    def reasons(self) -> tuple[str, ...]:
        """All of them, for logs."""
        return (*self.pictures, *self.sound, *self.file)


def judge(seen: Seen) -> Verdict:
    """The verdict on a file."""
    pictures = {
        "codec": seen.codec != "h264",
        "pixels": seen.pixels != "yuv420p",
        "profile": seen.codec == "h264" and seen.profile not in _PROFILES,
        "level": seen.codec == "h264" and seen.level > MOST_LEVEL,
        "interlaced": seen.is_interlaced,
        "hdr": seen.is_hdr,
        "times": not seen.tells_times,
        "odd_size": seen.width % 2 + seen.height % 2 > 0,
        "size": max(seen.width, seen.height) > MOST_SIDE or seen.width * seen.height > MOST_PIXELS,
        "rate": has_too_many(seen.pictures_per_second) or _is_too_fast(seen),
        "sizes": not seen.has_one_size,
        "pixel_shape": not seen.has_square_pixels,
        "turned": not seen.is_upright,
        "cut": seen.is_cut,
    }
    sound = {
        "sound": seen.sound is not None and not _is_heard(seen.sound),
        "sound_changes": seen.sound is not None and seen.sound.has_changes,
        "sound_holes": seen.sound is not None and seen.sound.has_holes,
        "sound_overlaps": seen.sound is not None and seen.sound.has_overlaps,
        # Cut with the pictures, or it would run ahead of them.
        "sound_cut": seen.sound is not None and seen.is_cut,
    }
    file = {
        "container": seen.container is not Container.MP4,
        "index": not seen.begins_with_index,
        "tag": seen.container is Container.MP4 and seen.tag not in _TAGS,
        "tracks": not seen.has_one_track_each,
        "start": seen.starts_at > _LATEST_START,
        "tail": seen.has_tail,
        "edits": seen.has_odd_edits,
        "length": seen.container is Container.MP4 and not seen.tells_length,
    }
    return Verdict(pictures=_true(pictures), sound=_true(sound), file=_true(file))


def has_too_many(pictures_per_second: float) -> bool:
    """Whether it has more pictures than phones show; some containers round their times."""
    return pictures_per_second > MOST_PICTURES * 1.02


def _is_too_fast(seen: Seen) -> bool:
    return seen.width * seen.height * seen.pictures_per_second > MOST_PER_SECOND * 1.02


def _is_heard(sound: Sound) -> bool:
    is_usual = sound.rate <= _MOST_SOUND_RATE and sound.channels <= _MOST_CHANNELS
    return sound.codec == "aac" and sound.profile in _SOUNDS and is_usual


def _true(claims: dict[str, bool]) -> tuple[str, ...]:
    return tuple(name for name, holds in claims.items() if holds)
