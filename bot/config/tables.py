"""The shape of a model's table in `catalog.toml` and in the operator's configuration."""

import re
from collections.abc import Callable, Iterable
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    PositiveInt,
    Tag,
    computed_field,
    model_validator,
)

from bot.config.problems import wrong
from bot.config.settings import Dialect
from bot.config.table import Table
from bot.core.orders import Kind, Transport, Value
from bot.core.prices import MICRO
from bot.core.wishes import ASPECTS, QUALITIES, Extra, Shaping

DEAREST = 1_000_000
"""The most that a second may cost: beyond it, sums of a day no longer fit into a column."""
_PIXELS = re.compile(r"[1-9]\d{0,4}[x*][1-9]\d{0,4}")
_PLACE = re.compile(r"(?!(prompt|model)$|metadata(\.model)?$)[\w*-]+(\[\d\])?(\.[\w*-]+(\[\d\])?)*")


def _place(value: str) -> str:
    """A path like `metadata.input.seed` or `images[0]`, never one that is taken.

    Gateways refuse a model in the metadata.
    """
    if not _PLACE.fullmatch(value):
        raise ValueError("place")
    return value


def _lengths(given: object) -> object:
    """`[5, "2-15"]` as numbers."""
    if not isinstance(given, list | tuple):
        return given
    known: dict[object, None] = {}
    for each in given:
        span = re.fullmatch(r"(\d{1,3})-(\d{1,3})", each) if isinstance(each, str) else None
        known |= dict.fromkeys(range(int(span[1]), int(span[2]) + 1) if span else [each])
    return tuple(known)


def _one_of(known: Iterable[str]) -> Callable[[str], str]:
    def check(word: str) -> str:
        if word not in known:
            raise wrong("not_one_of", given=word, can=", ".join(known))
        return word

    return check


def _aspects(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(_one_of(ASPECTS), words))


QualityWord = Annotated[str, AfterValidator(_one_of(QUALITIES))]
_One = Annotated[float, Field(ge=0, le=DEAREST)]
Price = Annotated[
    Annotated[_One, Tag("float")] | Annotated[dict[QualityWord, _One], Tag("dict[str,float]")],
    Discriminator(lambda given: "dict[str,float]" if isinstance(given, dict) else "float"),
]
"""Of one second: one for all qualities, or one for each."""
Shapes = dict[Annotated[str, AfterValidator(_one_of(ASPECTS))], str]
"""Aspect → the wire's word for it."""
Sizes = Annotated[
    Annotated[str, Tag("str")] | Annotated[Shapes, Tag("dict[str,str]")],
    Discriminator(lambda given: "dict[str,str]" if given and isinstance(given, dict) else "str"),
]
Place = Annotated[str, AfterValidator(_place)]
"""A field of the body, or a key of its metadata."""
Places = tuple[Place, ...]
Lengths = Annotated[tuple[PositiveInt, ...], BeforeValidator(_lengths), Field(min_length=1)]
"""Seconds, the default first; `"2-15"` is all of them, after those that are named."""
Files = tuple[Annotated[Places, Field(min_length=1)], ...]
"""One entry per file."""


class PresetTable(Table):
    """`[presets.<name>]`"""

    label: str | None = None
    """The shown name; by default the table's."""
    prompt: str = Field(min_length=1)
    hidden: bool = False


class PictureTable(Table):
    """`[models.<name>.picture]`"""

    transport: Transport = Transport.UPLOAD
    url_above: int | None = Field(None, ge=10_000)
    exact: bool = False
    follows: bool = False
    shaping: Shaping = Field(Shaping.CROP, alias="fit")
    least_side: int = Field(1, ge=1)
    most_side: int = Field(4096, ge=16)
    widest: float = Field(4.0, ge=1)
    most_bytes: int = Field(10_000_000, ge=10_000)


class SoundTable(Table):
    """`[models.<name>.sound]`"""

    least_seconds: float = Field(3, ge=0)
    most_seconds: PositiveInt = 30
    most_bytes: int = Field(15_000_000, ge=10_000)


class PlacesTable(Table):
    """`[models.<name>.places]`"""

    size: Places = ("size",)
    aspect: Places = ()
    length: Places = ("seconds",)
    extras: Places | None = None
    named: dict[str, Places] = Field(default_factory=dict)
    fixed: dict[Kind, dict[Place, Value]] = Field(default_factory=dict)
    i2v: Files = (("input_reference",),)
    kf2v: Files = ()
    s2v: Files = ()


class QualityTable(Table):
    """`[models.<name>.at.<quality>]`"""

    seconds: Lengths | None = None
    kinds: tuple[Kind, ...] | None = Field(None, min_length=1)
    extras: dict[str, Value] = Field(default_factory=dict)


class ModelTable(Table):
    """`[models.<name>]`"""

    family: str
    wire: str | None = None
    only: tuple[Dialect, ...] | None = None
    """The dialects in which its spelling is known; None: all."""
    plugin: str | None = None
    """Of new-api: the one that serves it, where the gateway has such."""
    kinds: tuple[Kind, ...] = Field(min_length=1)
    lacks: tuple[Kind, ...] = ()
    """Kinds that can't be had this way."""
    seconds: Lengths
    auto: bool = False
    sizes: dict[QualityWord, Sizes] = Field(min_length=1)
    shapes: Annotated[tuple[str, ...], AfterValidator(_aspects)] = ()
    at: dict[QualityWord, QualityTable] = Field(default_factory=dict)
    body: Literal["form", "json"] = "form"
    prompt_limit: int = Field(gt=0, le=200_000)
    typical: float = Field(180, gt=0)
    places: PlacesTable = PlacesTable()
    picture: PictureTable | None = None
    sound: SoundTable = SoundTable()
    extras: dict[str, Value] = Field(default_factory=dict)
    takes: tuple[Extra, ...] = ()
    unasked: dict[Extra, bool] = Field(default_factory=dict)
    drops_false: tuple[Extra, ...] = ()
    negative_limit: int = Field(500, gt=0, le=20_000)
    silent: bool = False
    at_once: PositiveInt | None = None
    price: Price | None = None
    silent_price: Price | None = None
    sound_priced: bool = False
    """Whether the vendor's price hangs on its sound."""
    source: str = ""
    assumed: bool = False
    """Whether a gateway that lists no models is taken to have it."""
    hidden: bool = False
    gateway: str | None = None

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        if set(self.kinds) == {Kind.REMIX}:
            raise wrong("remix_alone", below="kinds")
        if self.picture is None and not {Kind.TEXT, Kind.REMIX}.issuperset(self.kinds):
            raise wrong("missing", below="picture")
        for extra in self.drops_false:
            # Left out on the way up, and up there it is true by default.
            if self.extras.get(extra) is False and self.unasked.get(extra):
                raise wrong("false_dropped", below=f"extras.{extra}")
        return self

    @model_validator(mode="after")
    def _is_cut_to_pixels(self) -> Self:
        """A picture can be cut to the video's size only where the wire's words are pixels."""
        if self.picture and self.picture.exact:
            for quality, sizes in self.sizes.items():
                for word in [sizes] if isinstance(sizes, str) else sizes.values():
                    if not _PIXELS.fullmatch(word):
                        wanted = {"given": repr(word), "wanted": "1280x720"}
                        raise wrong("wrong_type", below=f"sizes.{quality}", **wanted)
        return self

    @computed_field  # type: ignore[prop-decorator]
    @property
    def prices(self) -> dict[str, int]:
        """Micro-units, of every quality that it makes."""
        return self._in_micro(self.price)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def silent_prices(self) -> dict[str, int]:
        """The same without sound."""
        return self._in_micro(self.silent_price)

    def _in_micro(self, price: Price | None) -> dict[str, int]:
        if price is None:
            return {}
        each = price if isinstance(price, dict) else dict.fromkeys(self.sizes, price)
        return {quality: round(each[quality] * MICRO) for quality in self.sizes}

    @model_validator(mode="after")
    def _is_priced(self) -> Self:
        """Each quality that it makes, or none."""
        for key, price in (("price", self.price), ("silent_price", self.silent_price)):
            lacking = [each for each in self.sizes if isinstance(price, dict) and each not in price]
            if lacking:
                raise wrong("price_of_quality_missing", below=f"{key}.{lacking[0]}")
        return self
