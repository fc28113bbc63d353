"""The catalogue: from what a person wants to a checked request and its cost.

Whatever a model can't do is refused here, before it costs anything, with what it can do instead.
The tables come from `catalog.toml` and the operator's configuration, already resolved for the
dialect of each model's gateway.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from bot.core.errors import Refused
from bot.core.orders import Fit, Kind, Order, Picture, Transport, VideoRequest
from bot.core.prompts import clean

ASPECTS: Mapping[str, float] = {
    "16:9": 16 / 9,
    "9:16": 9 / 16,
    "1:1": 1.0,
    "4:3": 4 / 3,
    "3:4": 3 / 4,
}
"""The words people see, and their width over height."""
QUALITIES: Mapping[str, int] = {"480p": 480, "720p": 720, "1080p": 1080}
"""The words people see, and the short side in pixels."""

MICRO = 1_000_000
"""Micro-units in one unit of the currency: costs are whole numbers of them."""

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRule:
    """How pictures travel to one model, and what of them fits; see `Fit` for the units."""

    transport: Transport
    place: str
    exact: bool = False
    """The picture must have exactly the size of the video."""
    least_side: int = 1
    most_side: int = 4096
    widest: float = 4.0
    most_bytes: int = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One wire model at one gateway."""

    name: str
    family: str
    label: str
    gateway: str
    dialect: str
    kinds: tuple[Kind, ...]
    seconds: tuple[int, ...]
    sizes: Mapping[str, str | Mapping[str, str]]
    prompt_limit: int
    typical: float
    """Seconds such a video usually takes."""
    picture: PictureRule | None = None
    extras: Mapping[str, str | int | bool] = field(default_factory=dict)
    price: int | None = None
    """Micro-units of the currency for one second of video."""

    def cost(self, seconds: int) -> int:
        """Micro-units of the currency; 1 where no price is set, so that every video counts."""
        return max(1, (self.price or 0) * seconds)

    @property
    def qualities(self) -> tuple[str, ...]:
        """What this model makes, from small to large; its default is the first of `sizes`."""
        return tuple(quality for quality in QUALITIES if quality in self.sizes)

    @property
    def aspects(self) -> tuple[str, ...]:
        """The shapes this model makes; all of them where the video follows the picture."""
        shapes = [s for s in self.sizes.values() if not isinstance(s, str)]
        known = {aspect for shape in shapes for aspect in shape}
        return tuple(a for a in ASPECTS if a in known or len(shapes) < len(self.sizes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """Every enabled model, in the order people see them."""

    models: tuple[Model, ...]
    default: str | None = None
    """The family for people who name none; None: the first that can."""
    preset: str = ""
    """The prompt that goes with a picture when the person wrote none."""

    @property
    def families(self) -> tuple[str, ...]:
        """Family ids, in order, each once."""
        return tuple(dict.fromkeys(model.family for model in self.models))

    def label(self, family: str) -> str:
        """The name people see; the id itself for a family that is gone."""
        return next((m.label for m in self.models if m.family == family), family)

    def model(self, name: str) -> Model | None:
        """The model with this wire name."""
        return next((model for model in self.models if model.name == name), None)

    def choose(self, order: Order) -> tuple[Model, VideoRequest]:
        """The model for `order` and the request to send; `Refused` says what can be had instead."""
        kind = _kind(order.pictures)
        model = self._model_for(order.family, kind)
        quality = _one_of(order.quality, tuple(model.sizes), "quality", model)
        aspect, size = _shape(model, quality, order)
        return model, VideoRequest(
            model=model.name,
            kind=kind,
            prompt=self._prompt(model, order),
            seconds=_one_of(order.seconds, model.seconds, "seconds", model),
            size=size,
            dialect=model.dialect,
            transport=model.picture.transport if model.picture and order.pictures else None,
            place=model.picture.place if model.picture and order.pictures else None,
            fit=_fit(model, order, quality=quality, aspect=aspect, size=size),
            extras=tuple(sorted(model.extras.items())),
            family=model.family,
            label=model.label,
            aspect=aspect,
            quality=quality,
        )

    def _model_for(self, wanted: str | None, kind: Kind) -> Model:
        able = [model for model in self.models if kind in model.kinds]
        if not able:
            raise Refused("kind_unavailable", kind=kind)
        if wanted is None:
            first = [model for model in able if model.family == self.default]
            return (first or able)[0]
        named = [m for m in self.models if wanted.casefold() in _names(m)]
        if not named:
            raise Refused(
                "family_unknown", family=wanted, can=_listed(m.label for m in self.models)
            )
        for model in named:
            if kind in model.kinds:
                return model
        raise Refused(
            f"family_lacks_{kind}", family=named[0].label, can=_listed(m.label for m in able)
        )

    def _prompt(self, model: Model, order: Order) -> str:
        prompt = clean(order.prompt) or (self.preset if order.pictures else "")
        if not prompt:
            raise Refused("prompt_missing")
        if len(prompt) > model.prompt_limit:
            raise Refused(
                "prompt_too_long",
                length=len(prompt),
                limit=model.prompt_limit,
                family=model.label,
            )
        return prompt


def _kind(pictures: tuple[Picture, ...]) -> Kind:
    match len(pictures):
        case 0:
            return Kind.TEXT
        case 1:
            return Kind.PICTURE
        case 2:
            return Kind.KEY_FRAMES
        case many:
            raise Refused("too_many_pictures", count=many)


def _one_of(wanted: Value | None, can: tuple[Value, ...], what: str, model: Model) -> Value:
    if wanted is None:
        return can[0]
    if wanted not in can:
        raise Refused(f"{what}_unavailable", wanted=wanted, family=model.label, can=_listed(can))
    return wanted


def _shape(model: Model, quality: str, order: Order) -> tuple[str | None, str]:
    """Aspect and the wire's word for it; without a wish, the picture's own shape decides."""
    sizes = model.sizes[quality]
    if isinstance(sizes, str):
        aspect = order.aspect and _one_of(order.aspect, tuple(ASPECTS), "aspect", model)
        return aspect, sizes
    can = tuple(sizes)
    wanted = order.aspect or _nearest(can, order.pictures)
    aspect = _one_of(wanted, can, "aspect", model)
    return aspect, sizes[aspect]


def _nearest(can: tuple[str, ...], pictures: tuple[Picture, ...]) -> str | None:
    first = pictures[0] if pictures else None
    if first is None or not first.width or not first.height:
        return None
    ratio = first.width / first.height
    return min(can, key=lambda aspect: max(ASPECTS[aspect] / ratio, ratio / ASPECTS[aspect]))


def _fit(model: Model, order: Order, *, quality: str, aspect: str | None, size: str) -> Fit | None:
    rule = model.picture
    if rule is None or not order.pictures:
        return None
    width = height = None
    if rule.exact:
        width, height = (int(side) for side in size.replace("*", "x").split("x"))
    elif aspect and order.aspect:
        # The video follows the picture, so a wish for a shape is met by cropping the picture.
        width, height = _pixels(quality, aspect)
    return Fit(
        width=width,
        height=height,
        least_side=rule.least_side,
        most_side=rule.most_side,
        widest=rule.widest,
        most_bytes=rule.most_bytes,
    )


def _pixels(quality: str, aspect: str) -> tuple[int, int]:
    short, ratio = QUALITIES[quality], ASPECTS[aspect]
    long = round(short * max(ratio, 1 / ratio) / 2) * 2
    return (long, short) if ratio >= 1 else (short, long)


def _names(model: Model) -> set[str]:
    return {model.family.casefold(), model.label.casefold(), model.name.casefold()}


def _listed(values: Iterable[object]) -> str:
    return ", ".join(dict.fromkeys(str(value) for value in values))
