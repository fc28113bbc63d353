"""Decides whether a video plays everywhere as it is, or which conversion it needs.

Pure functions from the facts of a file to a verdict. Phones, browsers and chats all play H.264 of 8
bits and 4:2:0 with AAC, upright and with square pixels, in an MP4 whose index comes first. A video
that only some of them play is converted.
"""

from dataclasses import dataclass
from enum import StrEnum

from bot.core.containers import Container

MOST_SIDE = 4096
"""The longest side, in pixels, that phones decode in hardware."""
MOST_LEVEL = 52
"""The highest level of H.264, in tenths, that phones decode."""
MOST_PIXELS = 4096 * 2304
"""The most pixels of a frame at `MOST_LEVEL`."""
MOST_PER_SECOND = 4096 * 2160 * 60
"""The most pixels per second at `MOST_LEVEL`."""
MOST_PICTURES = 60
"""The most frames per second that phones show."""
_PROFILES = frozenset({"Constrained Baseline", "Baseline", "Main", "High", "Constrained High"})
"""Profiles of H.264. Phones have no decoder for others, even with the usual pixel format."""
_SOUNDS = frozenset({"LC", "HE-AAC", "HE-AACv2"})
"""Profiles of AAC that play everywhere."""
_TAGS = frozenset({"avc1"})
"""MP4's tag for H.264 with its parameters in the index; Safari does not find them in the stream."""
_MOST_SOUND_RATE = 48_000
_MOST_CHANNELS = 6
"""The sample rate and the channels of AAC that every Android device decodes."""
_LATEST_START = 0.1
"""Seconds before the first picture or sound that are too short to matter."""


class Way(StrEnum):
    """The processing of a video before it is posted."""

    AS_IT_IS = "as_it_is"
    REMUXED = "remuxed"
    """The frames and the sound are copied unchanged to a new file."""
    REENCODED = "reencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """The audio track that a player would choose."""

    codec: str
    profile: str | None
    rate: int = 48_000
    channels: int = 2
    has_changes: bool = False
    """Whether the channels or the sample rate change within the file."""
    has_holes: bool = False
    """Whether the sound has gaps; players skip them and run ahead of the pictures."""
    has_overlaps: bool = False
    """Whether two packets have one timestamp, as in badly cut streams; MP4 does not allow that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The facts of a file that matter to players."""

    container: Container
    codec: str
    profile: str | None
    pixels: str
    """libav's name of the pixel format, such as `yuv420p`."""
    tag: str
    width: int
    height: int
    """Height as stored, like `width`: not turned, not scaled."""
    level: int = 0
    """The level of H.264, in tenths."""
    is_interlaced: bool = False
    is_hdr: bool = False
    """Whether the colours are HDR, which looks pale on other screens."""
    tells_times: bool = True
    """Whether the container gives the time of each picture, and not only their order."""
    pictures_per_second: float = 0.0
    has_one_size: bool = True
    has_square_pixels: bool = True
    is_upright: bool = True
    is_cut: bool = False
    """Whether an edit list leaves out some pictures, or shows them in another order."""
    has_odd_edits: bool = False
    """Whether an edit list asks for effects that players treat differently, so we ignore it."""
    sound: Sound | None = None
    has_one_track_each: bool = True
    """Whether there is one video track and at most one audio track."""
    begins_with_index: bool = True
    starts_at: float = 0.0
    """The time of the first picture or sound, in seconds."""
    tells_length: bool = True
    """Whether the index has the duration. Files that are streamed while written may lack it."""
    has_tail: bool = False
    """Whether unknown bytes follow the last box of an MP4."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The problems of pictures, sound and file that keep a video from playing everywhere."""

    pictures: tuple[str, ...] = ()
    sound: tuple[str, ...] = ()
    file: tuple[str, ...] = ()

    @property
    def way(self) -> Way:
        """The least processing that makes the video play everywhere."""
        if self.pictures or self.sound:
            return Way.REENCODED
        return Way.REMUXED if self.file else Way.AS_IT_IS

    @property
    def reasons(self) -> tuple[str, ...]:
        """All problems, for logs."""
        return (*self.pictures, *self.sound, *self.file)


def judge(seen: Seen) -> Verdict:
    """Return the problems of a file."""
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
        # Sound must be cut together with the pictures, or it would run ahead of them.
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
    """Whether a video has more pictures than phones show; 2 % more is a rounding error."""
    return pictures_per_second > MOST_PICTURES * 1.02


def _is_too_fast(seen: Seen) -> bool:
    return seen.width * seen.height * seen.pictures_per_second > MOST_PER_SECOND * 1.02


def _is_heard(sound: Sound) -> bool:
    is_usual = sound.rate <= _MOST_SOUND_RATE and sound.channels <= _MOST_CHANNELS
    return sound.codec == "aac" and sound.profile in _SOUNDS and is_usual


def _true(claims: dict[str, bool]) -> tuple[str, ...]:
    return tuple(name for name, holds in claims.items() if holds)
