"""The keys of a model's table, in `catalog.toml` and in the operator's configuration."""

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
from bot.core.kinds import MOST_PICTURES
from bot.core.orders import NO_FILES, VIDEO_BYTES, Kind, Transport, Value
from bot.core.prices import MICRO
from bot.core.wishes import ASPECTS, QUALITIES, Extra, Shaping

DEAREST = 1_000_000
"""The highest price of a second. With more, the sum of a day no longer fits into a column."""
_PIXELS = re.compile(r"[1-9]\d{0,4}[x*][1-9]\d{0,4}")
_FIELD_PATH = re.compile(
    r"(?!(prompt|model)$|metadata(\.model)?$)[\w*-]+(\[[\d*]\])?(\.[\w*-]+(\[[\d*]\])?)*"
)


def _field_path(value: str) -> str:
    """Return a field's path like `metadata.input.seed` or `images[0]`. Raises `ValueError`.

    Reserved fields are refused. `metadata.model` is refused because gateways refuse it.
    """
    if not _FIELD_PATH.fullmatch(value):
        raise ValueError("place")
    return value


def _lengths(given: object) -> object:
    """Return `[5, "2-15"]` as a tuple of numbers."""
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
"""The price of one second: one number for all qualities, or one per quality."""
Shapes = dict[Annotated[str, AfterValidator(_one_of(ASPECTS))], str]
"""The value that is sent for each aspect."""
Sizes = Annotated[
    Annotated[str, Tag("str")] | Annotated[Shapes, Tag("dict[str,str]")],
    Discriminator(lambda given: "dict[str,str]" if given and isinstance(given, dict) else "str"),
]
FieldPath = Annotated[str, AfterValidator(_field_path)]
"""The path of a field in the request body, or in its metadata."""
FieldPaths = tuple[FieldPath, ...]
Lengths = Annotated[tuple[PositiveInt, ...], BeforeValidator(_lengths), Field(min_length=1)]
"""Lengths in seconds, the default first. `"2-15"` adds every length from 2 to 15."""
Files = tuple[Annotated[FieldPaths, Field(min_length=1)], ...]
"""The fields of each file, one entry per file."""


class PresetTable(Table):
    """`[presets.<name>]`"""

    label: str | None = None
    """The shown name; the table's name by default."""
    prompt: str = Field(min_length=1)
    hidden: bool = False


class PictureTable(Table):
    """`[models.<name>.picture]`"""

    transport: Transport = Transport.UPLOAD
    transports: dict[Kind, Transport] = Field(default_factory=dict)
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


class VideoTable(Table):
    """`[models.<name>.video]`"""

    transport: Transport = Transport.UPLOAD
    url_above: int | None = Field(None, ge=10_000)
    least_seconds: float = Field(1, ge=0)
    most_seconds: float = Field(15, gt=0, le=600)
    most_bytes: int = Field(50_000_000, ge=100_000, le=VIDEO_BYTES)
    least_pixels: int = Field(1, ge=1)
    most_pixels: int = Field(8_300_000, ge=10_000)
    priced: bool = False
    included: bool = False

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        for what in ("seconds", "pixels"):
            _in_order(getattr(self, f"least_{what}"), getattr(self, f"most_{what}"), what)
        return self


class ReferencesTable(Table):
    """`[models.<name>.references]`"""

    least: int = Field(1, ge=1)
    most: int = Field(MOST_PICTURES, ge=1, le=MOST_PICTURES)

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        _in_order(self.least, self.most, "")
        return self


def _in_order(least: float, most: float, what: str) -> None:
    if least > most:
        below = f"least_{what}" if what else "least"
        raise wrong("number_less_than_equal", below=below, given=least, bound=most)


class FieldsTable(Table):
    """`[models.<name>.places]`"""

    size: FieldPaths = ("size",)
    aspect: FieldPaths = ()
    length: FieldPaths = ("seconds",)
    extras: FieldPaths | None = None
    named: dict[str, FieldPaths] = Field(default_factory=dict)
    fixed: dict[Kind, dict[FieldPath, Value]] = Field(default_factory=dict)
    i2v: Files = (("input_reference",),)
    kf2v: Files = ()
    s2v: Files = ()
    r2v: Files = ()
    v2v: Files = ()
    extend: Files = ()
    extend_id: FieldPaths = ()


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
    """The dialects in which this model can be ordered; None: all."""
    plugin: str | None = None
    """The name of the new-api plugin that serves this model, at gateways with plugins."""
    kinds: tuple[Kind, ...] = Field(min_length=1)
    lacks: tuple[Kind, ...] = ()
    """Kinds that this dialect or plugin can't serve."""
    seconds: Lengths
    auto: bool = False
    sizes: dict[QualityWord, Sizes] = Field(min_length=1)
    shapes: Annotated[tuple[str, ...], AfterValidator(_aspects)] = ()
    at: dict[QualityWord, QualityTable] = Field(default_factory=dict)
    body: Literal["form", "json"] = "form"
    prompt_limit: int = Field(gt=0, le=200_000)
    typical: float = Field(180, gt=0)
    places: FieldsTable = FieldsTable()
    picture: PictureTable | None = None
    sound: SoundTable = SoundTable()
    video: VideoTable | None = None
    references: ReferencesTable = ReferencesTable()
    extras: dict[str, Value] = Field(default_factory=dict)
    takes: tuple[Extra, ...] = ()
    unasked: dict[Extra, bool] = Field(default_factory=dict)
    drops_false: tuple[Extra, ...] = ()
    negative_limit: int = Field(500, gt=0, le=20_000)
    seeded: bool = False
    silent: bool = False
    at_once: PositiveInt | None = None
    price: Price | None = None
    silent_price: Price | None = None
    sound_priced: bool = False
    """Whether the vendor's price depends on sound."""
    source: str = ""
    assumed: bool = False
    """Whether we assume this model at a gateway that lists no models."""
    hidden: bool = False
    gateway: str | None = None

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        if set(self.kinds) == {Kind.REMIX}:
            raise wrong("remix_alone", below="kinds")
        of_video = {Kind.VIDEO, Kind.EXTEND}.intersection(self.kinds)
        if self.picture is None and not {*NO_FILES, *of_video}.issuperset(self.kinds):
            raise wrong("missing", below="picture")
        if self.video is None and of_video and not (of_video == {Kind.EXTEND} and self._by_id):
            raise wrong("missing", below="video")
        for extra in self.drops_false:
            # The gateway drops a false value, and the vendor's default is true.
            if self.extras.get(extra) is False and self.unasked.get(extra):
                raise wrong("false_dropped", below=f"extras.{extra}")
        return self

    @property
    def _by_id(self) -> bool:
        """Whether the model goes on from videos by their id alone, and gets no file for it."""
        return bool(self.places.extend_id) and not self.places.extend

    @model_validator(mode="after")
    def _is_cut_to_pixels(self) -> Self:
        """Raise if pictures must have the video's exact size but `sizes` are not in pixels."""
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
        """The price of a second by quality, in micro-units."""
        return self._in_micro(self.price)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def silent_prices(self) -> dict[str, int]:
        """The price of a second without sound by quality, in micro-units."""
        return self._in_micro(self.silent_price)

    def _in_micro(self, price: Price | None) -> dict[str, int]:
        if price is None:
            return {}
        each = price if isinstance(price, dict) else dict.fromkeys(self.sizes, price)
        return {quality: round(each[quality] * MICRO) for quality in self.sizes}

    @model_validator(mode="after")
    def _is_priced(self) -> Self:
        """Raise if a table of prices lacks a quality that the model makes."""
        for key, price in (("price", self.price), ("silent_price", self.silent_price)):
            lacking = [each for each in self.sizes if isinstance(price, dict) and each not in price]
            if lacking:
                raise wrong("price_of_quality_missing", below=f"{key}.{lacking[0]}")
        return self
