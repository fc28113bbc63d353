"""One model: what it can make, and how a request to its gateway must look.

Plain values from `catalog.toml` and the operator's configuration, already resolved for the dialect
of the model's gateway.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bot.core.clips import VideoFit
from bot.core.orders import NO_FILES, OF_VIDEO, Fit, Kind, SoundFit, Transport, Value
from bot.core.prices import Priced
from bot.core.wishes import ASPECTS, QUALITIES, Extra

EACH = "[*]"
"""In the path of a field: the number of each picture."""


class Origin(StrEnum):
    """Where a fact about a model comes from."""

    YOURS = "yours"
    """The operator's configuration."""
    CATALOG = "catalog"
    """The tables of Zoetrope."""
    LIST = "list"
    """The gateway's own list."""
    GUESS = "guess"
    """A guess from the model's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRule:
    """One model's requirements on pictures, and how pictures and sounds are sent to its gateway."""

    transport: Transport
    transports: Mapping[Kind, Transport] = field(default_factory=dict)
    """The transport of single kinds, where it differs."""
    fit: Fit = field(default_factory=Fit)
    url_above: int | None = None
    """Bytes above which a file is sent as a link, if the bot can publish links; None: never."""
    exact: bool = False
    """The picture must have exactly the size of the video."""
    follows: bool = False
    """The video takes the shape of the picture; `aspects` apply only to orders without one."""

    def way(self, kind: Kind) -> Transport:
        """Return how the files of this kind are sent."""
        return self.transports.get(kind, self.transport)


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoRule:
    """One model's requirements on videos of orders, and how they are sent to its gateway."""

    transport: Transport
    fit: VideoFit = field(default_factory=VideoFit)
    url_above: int | None = None
    """As in `PictureRule`."""
    priced: bool = False
    """The seconds of the order's video cost as much as those of the new one."""
    included: bool = False
    """The new video begins with the whole of the order's video, and its length includes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """The number of pictures that a model takes for the kind r2v."""

    least: int = 1
    most: int = 10

    def takes(self, count: int) -> bool:
        """Whether the model takes this many pictures."""
        return self.least <= count <= self.most


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """The fields of a request body for each value, as paths like `metadata.input.seed`."""

    size: tuple[str, ...] = ("size",)
    aspect: tuple[str, ...] = ()
    length: tuple[str, ...] = ("seconds",)
    extras: tuple[str, ...] = ()
    """Fields of each extra; `*` stands for the name of the extra."""
    named: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The fields of single extras, by the extra's name, used in place of `extras`."""
    files: Mapping[Kind, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    """The fields of the files, by kind: one entry for each file, the sound last.

    The kind r2v has one entry for all pictures: `[*]` in it stands for a picture's number.
    """
    extend_id: tuple[str, ...] = ()
    """The fields for the gateway's id of the video to go on from, in place of a file."""
    fixed: Mapping[Kind, Mapping[str, Value]] = field(default_factory=dict)
    """Constant values that are sent with the files, by kind and field."""

    def of(self, name: str) -> tuple[str, ...]:
        named = {"size": self.size, "aspect": self.aspect, **self.named}
        return named.get(name, tuple(path.replace("*", name) for path in self.extras))

    def of_files(self, kind: Kind, count: int) -> tuple[tuple[str, ...], ...]:
        """Return the fields of each of `count` files."""
        entries = self.files[kind]
        if kind is not Kind.REFERENCES:
            return entries
        return tuple(
            tuple(_numbered(path, number) for path in entries[0]) for number in range(count)
        )

    def constants(self, kind: Kind, count: int) -> tuple[tuple[str, Value], ...]:
        """Return the constant values that are sent with `count` files."""
        return tuple(
            (_numbered(path, number), value)
            for path, value in self.fixed.get(kind, {}).items()
            for number in range(count if EACH in path else 1)
        )


def _numbered(path: str, number: int) -> str:
    return path.replace(EACH, f"[{number}]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """The differences of a model in one quality. None means: as in `Model`."""

    seconds: tuple[int, ...] | None = None
    kinds: tuple[Kind, ...] | None = None
    extras: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model(Priced):
    """One exact model at one gateway, under the name that the gateway knows it by."""

    name: str
    family: str
    label: str
    note: str = ""
    gateway: str
    dialect: str
    kinds: tuple[Kind, ...]
    seconds: tuple[int, ...]
    """Lengths of videos that the model makes, in seconds; the first is the default."""
    auto: bool = False
    """The model can choose the length of the video itself."""
    sizes: Mapping[str, str | Mapping[str, str]]
    shapes: tuple[str, ...] = ()
    """The aspects of videos made from a prompt alone; empty if `sizes` tells the aspects."""
    at: Mapping[str, Quality] = field(default_factory=dict)
    is_json: bool = False
    prompt_limit: int
    typical: float
    """Seconds that the model usually takes to make a video."""
    places: Fields = Fields()
    picture: PictureRule | None = None
    sound: SoundFit = field(default_factory=SoundFit)
    video: VideoRule | None = None
    references: References = References()
    extras: Mapping[str, Value] = field(default_factory=dict)
    """Extra values sent with every request; `takes` lists the extras that people may set."""
    takes: tuple[Extra, ...] = ()
    unasked: Mapping[Extra, bool] = field(default_factory=dict)
    """The vendor's default of an extra, for a request that does not set the extra."""
    drops_false: tuple[Extra, ...] = ()
    """Extras that the gateway does not pass on to the vendor when their value is false."""
    negative_limit: int = 500
    seeded: bool = False
    """Each order needs a seed: without one the server makes the same video again."""
    silent: bool = False
    """The model's videos have no sound. If False and `takes` has no `audio`, all have sound."""
    at_once: int | None = None
    """Most videos that the vendor makes at the same time for one account; None: unknown."""
    sound_priced: bool = False
    """The vendor charges for sound, so `zoetrope init` asks the operator for both prices."""
    source: str = ""
    origins: Mapping[str, Origin] = field(default_factory=dict)
    """Where each fact comes from, by its key in the model's table."""

    @property
    def longest(self) -> int:
        """Seconds of the longest video that can be ordered."""
        sound = self.sound.most_seconds if Kind.SOUND in self.kinds else 0
        return max(sound, *self.seconds, *(max(self.lengths(each)) for each in self.at))

    @property
    def dearest(self) -> int:
        """The cost of the model's longest video in its dearest quality, with or without sound."""
        video = self.video.fit.most_seconds if self.video and self.video.priced else 0
        seconds = self.longest + math.ceil(video)
        return max(self.cost(seconds, None, audio=sound) for sound in (None, False))

    @property
    def cheapest(self) -> int:
        return min(
            self.cost(min(self.lengths(quality)), quality, audio=audio)
            for quality in self.qualities
            for audio in (None, False)
        )

    def links(self, kind: Kind) -> bool:
        """Whether the files of this kind are sent only as links."""
        if kind in OF_VIDEO:
            by_id = kind is Kind.EXTEND and self.places.extend_id
            return self.video is not None and self.video.transport is Transport.URL and not by_id
        if self.picture is None or kind in NO_FILES:
            return False
        return self.picture.way(kind) is Transport.URL

    def differing(self, quality: str) -> Quality:
        return self.at.get(quality) or Quality()

    def lengths(self, quality: str) -> tuple[int, ...]:
        """Return the lengths in seconds that the model makes in this quality, the default first."""
        return self.differing(quality).seconds or self.seconds

    @property
    def qualities(self) -> tuple[str, ...]:
        """The model's qualities, from small to large. The default is the first key of `sizes`."""
        return tuple(quality for quality in QUALITIES if quality in self.sizes)

    @property
    def aspects(self) -> tuple[str, ...]:
        """The aspects that the model makes; all if the size of some quality names no aspect."""
        if self.shapes:
            return self.shapes
        shapes = [s for s in self.sizes.values() if not isinstance(s, str)]
        known = {aspect for shape in shapes for aspect in shape}
        return tuple(a for a in ASPECTS if a in known or len(shapes) < len(self.sizes))
