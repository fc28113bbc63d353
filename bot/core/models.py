"""One model's abilities, and how its gateway wants to be asked.

Plain facts: they come from `catalog.toml` and the operator's configuration, already resolved for
the dialect of the model's gateway.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.core.orders import Fit, Kind, SoundFit, Transport, Value
from bot.core.prices import Priced
from bot.core.wishes import ASPECTS, QUALITIES, Extra


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRule:
    """The demands of one model on pictures, and how they and sounds travel to it."""

    transport: Transport
    fit: Fit = field(default_factory=Fit)
    url_above: int | None = None
    """Bytes beyond which a file goes by link, where files can be linked to."""
    exact: bool = False
    """The picture must have exactly the size of the video."""
    follows: bool = False
    """With a picture, the video takes its shape, whatever shapes words alone can have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """Where things go in a body: paths like `size` or `metadata.input.seed`; several mean all."""

    size: tuple[str, ...] = ("size",)
    aspect: tuple[str, ...] = ()
    length: tuple[str, ...] = ("seconds",)
    extras: tuple[str, ...] = ()
    """`*` stands for the extra's name."""
    named: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Extra → where it goes instead."""
    files: Mapping[Kind, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    """One entry per file, the sound last."""
    fixed: Mapping[Kind, Mapping[str, Value]] = field(default_factory=dict)
    """Values that go with the files, by place: say, the word that makes a picture the first."""

    def of(self, name: str) -> tuple[str, ...]:
        named = {"size": self.size, "aspect": self.aspect, **self.named}
        return named.get(name, tuple(path.replace("*", name) for path in self.extras))


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """The facts that differ in one quality."""

    seconds: tuple[int, ...] | None = None
    kinds: tuple[Kind, ...] | None = None
    extras: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model(Priced):
    """One wire model at one gateway."""

    name: str
    family: str
    label: str
    note: str = ""
    gateway: str
    dialect: str
    kinds: tuple[Kind, ...]
    seconds: tuple[int, ...]
    """The first is the default."""
    auto: bool = False
    """The length can be left to the model."""
    sizes: Mapping[str, str | Mapping[str, str]]
    shapes: tuple[str, ...] = ()
    """The aspects for words alone, where `sizes` name none."""
    at: Mapping[str, Quality] = field(default_factory=dict)
    is_json: bool = False
    prompt_limit: int
    typical: float
    """Seconds."""
    places: Fields = Fields()
    picture: PictureRule | None = None
    sound: SoundFit = field(default_factory=SoundFit)
    extras: Mapping[str, Value] = field(default_factory=dict)
    """Sent with every request; `takes` are those that people may set."""
    takes: tuple[Extra, ...] = ()
    unasked: Mapping[Extra, bool] = field(default_factory=dict)
    """The vendor's choice where nothing is said."""
    drops_false: tuple[Extra, ...] = ()
    """Extras that the gateway leaves out on the way up when they are false."""
    negative_limit: int = 500
    silent: bool = False
    """Its videos have no sound; one that is not silent and takes no `audio` always makes some."""
    at_once: int | None = None
    """Videos that the vendor makes at a time for one account, where that is known."""
    sound_priced: bool = False
    """Sound costs something at its vendor: the operator is asked for both prices."""
    source: str = ""

    @property
    def longest(self) -> int:
        """Seconds of the longest video that can be ordered."""
        sound = self.sound.most_seconds if Kind.SOUND in self.kinds else 0
        return max(sound, *self.seconds, *(max(self.lengths(each)) for each in self.at))

    @property
    def dearest(self) -> int:
        """The cost of its longest video, with sound or not."""
        return max(self.cost(self.longest, None, audio=sound) for sound in (None, False))

    @property
    def cheapest(self) -> int:
        return min(
            self.cost(min(self.lengths(quality)), quality, audio=audio)
            for quality in self.qualities
            for audio in (None, False)
        )

    def differing(self, quality: str) -> Quality:
        return self.at.get(quality) or Quality()

    def lengths(self, quality: str) -> tuple[int, ...]:
        """Seconds that it makes in this quality, the default first."""
        return self.differing(quality).seconds or self.seconds

    @property
    def qualities(self) -> tuple[str, ...]:
        """Its qualities, from small to large; the default is the first of `sizes`."""
        return tuple(quality for quality in QUALITIES if quality in self.sizes)

    @property
    def aspects(self) -> tuple[str, ...]:
        """The shapes this model makes; all of them where the video follows the picture."""
        if self.shapes:
            return self.shapes
        shapes = [s for s in self.sizes.values() if not isinstance(s, str)]
        known = {aspect for shape in shapes for aspect in shape}
        return tuple(a for a in ASPECTS if a in known or len(shapes) < len(self.sizes))
