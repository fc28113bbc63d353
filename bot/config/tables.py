"""The shape of a model's table in `catalog.toml` and in the operator's configuration."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, PositiveInt, Tag

from bot.config.settings import Dialect
from bot.core.orders import Extra, Kind, Shaping, Transport

DEAREST = 1_000_000
"""The most that a second may cost: beyond it, sums of a day no longer fit into a column."""
_PLACE = re.compile(r"(?!(prompt|model|seconds)$|metadata(\.model)?$)(metadata\.)?[\w*][\w*.-]*")


def _place(value: str) -> str:
    """Never one that is taken; gateways refuse a model in the metadata."""
    if not _PLACE.fullmatch(value):
        raise ValueError("place")
    return value


_One = Annotated[float, Field(ge=0, le=DEAREST)]
Price = Annotated[
    Annotated[_One, Tag("float")] | Annotated[dict[str, _One], Tag("dict[str,float]")],
    Discriminator(lambda given: "dict[str,float]" if isinstance(given, dict) else "float"),
]
"""Of one second: one for all qualities, or one for each."""
Shapes = Annotated[dict[str, str], Field(min_length=1)]
"""Aspect → the wire's word for it."""
Place = Annotated[str, AfterValidator(_place)]
"""A field of the body, or a key of its metadata."""
Places = tuple[Place, ...]
Files = tuple[Annotated[Places, Field(min_length=1)], ...]
"""One entry per file."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class PresetTable(_Table):
    """`[presets.<name>]`"""

    label: str | None = None
    """What people choose by; by default its name."""
    prompt: str = Field(min_length=1)
    hidden: bool = False


class PictureTable(_Table):
    """`[models.<name>.picture]`"""

    transport: Transport = Transport.UPLOAD
    url_above: int | None = Field(None, ge=10_000)
    exact: bool = False
    follows: bool = False
    fit: Shaping = Shaping.CROP
    least_side: int = Field(1, ge=1)
    most_side: int = Field(4096, ge=16)
    widest: float = Field(4.0, ge=1)
    most_bytes: int = Field(10_000_000, ge=10_000)


class SoundTable(_Table):
    """`[models.<name>.sound]`"""

    least_seconds: float = Field(3, ge=0)
    most_seconds: PositiveInt = 30
    most_bytes: int = Field(15_000_000, ge=10_000)


class PlacesTable(_Table):
    """`[models.<name>.places]`"""

    size: Places = ("size",)
    aspect: Places = ()
    extras: Places | None = None
    negative_prompt: Places | None = None
    i2v: Files = (("input_reference",),)
    kf2v: Files = ()
    s2v: Files = ()

    def files(self, kind: Kind) -> Files:
        """Where the files of this kind go."""
        match kind:
            case Kind.TEXT | Kind.REMIX:
                return ()
            case Kind.PICTURE:
                return self.i2v
            case Kind.KEY_FRAMES:
                return self.kf2v
            case Kind.SOUND:
                return self.s2v


class ModelTable(_Table):
    """`[models.<name>]`"""

    family: str
    wire: str | None = None
    kinds: tuple[Kind, ...] = Field(min_length=1)
    seconds: tuple[PositiveInt, ...] = Field(min_length=1)
    sizes: dict[str, str | Shapes] = Field(min_length=1)
    prompt_limit: int = Field(gt=0, le=200_000)
    typical: float = Field(180, gt=0)
    places: PlacesTable = PlacesTable()
    picture: PictureTable | None = None
    sound: SoundTable = SoundTable()
    extras: dict[str, str | int | bool] = Field(default_factory=dict)
    takes: tuple[Extra, ...] = ()
    negative_limit: int = Field(500, gt=0, le=20_000)
    silent: bool = False
    at_once: PositiveInt | None = None
    price: Price | None = None
    hidden: bool = False
    gateway: str | None = None


class Route(BaseModel):
    """What has to be known of a table before others can be laid under and over it."""

    gateway: str | None = None
    wire: str | None = None
    dialects: dict[Dialect, dict[str, Any]] = Field(default_factory=dict)
