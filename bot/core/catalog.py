"""The catalogue: from what a person wants to a checked request and its cost.

Whatever a model can't do is refused here, before it costs anything, with what it can do instead.
Which field of the body gets what is settled here too, so that a row holds all there is to send.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from bot.core.errors import Refused
from bot.core.models import ASPECTS, DRAFT, QUALITIES, Model, PictureRule, Places, Preset, money
from bot.core.orders import (
    SOUND_BYTES,
    Extra,
    Fit,
    Kind,
    Made,
    Order,
    Picture,
    Transport,
    Value,
    VideoRequest,
)
from bot.core.parts import room, within
from bot.core.prompts import clean

TYPICAL = 180.0
"""Seconds that a video takes of which nobody knows any more."""
SEEDS = range(1, 2**31)
"""What every vendor takes. Gateways drop a 0, and to vendors it means any."""

Choice = TypeVar("Choice")


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """Every enabled model, in the order people see them."""

    models: tuple[Model, ...]
    default: str | None = None
    """The family for people who name none; None: the first that can."""
    presets: Mapping[str, Preset] = field(default_factory=dict)
    """Id → words to ask with. The first goes with a picture when the person wrote none."""
    linked: bool = False
    """Whether our own copies of files can be linked to."""

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

    def typical(self, name: str) -> float:
        """Seconds that a video of this model usually takes."""
        model = self.model(name)
        return model.typical if model else TYPICAL

    def cost(self, request: VideoRequest, currency: str) -> str | None:
        """What it costs, for people; None where no price is known."""
        model = self.model(request.model)
        if model is None or not model.price(request.quality):
            return None
        return money(model.cost(request.seconds, request.quality), currency)

    def unlinked(self) -> "Catalog":
        """The same where nobody serves our copies: what takes only links takes words alone."""
        models = (
            replace(model, kinds=tuple(k for k in model.kinds if k in (Kind.TEXT, Kind.REMIX)))
            if model.picture and model.picture.transport is Transport.URL
            else model
            for model in self.models
        )
        return replace(self, models=tuple(m for m in models if m.kinds), linked=False)

    def knows(self, name: str) -> bool:
        """Whether a family goes by this name, in whatever case."""
        return any(name.casefold() in _names(model) for model in self.models)

    def choose(self, order: Order, *, spare_seed: int | None = None) -> tuple[Model, VideoRequest]:
        """The model for `order` and the request to send; `Refused` says what can be had instead.

        Of a family's models that take this kind, the first that can do everything asked for.
        `spare_seed` is sent where a better quality of the same video can be had later.
        """
        if order.remix_of and (model := self._remixer(order.remix_of)):
            return model, self._remixed(model, order, order.remix_of)
        kind = _kind(order)
        if order.fit and not order.pictures:
            raise Refused("fit_alone")
        if order.quality:
            order = replace(order, quality=order.quality.casefold())
        able: list[tuple[Model, VideoRequest]] = []
        refusals = []
        for model in self._models_for(order.family, kind):
            try:
                able.append((model, self._request(model, order, kind, spare_seed)))
            except Refused as refused:
                refusals.append(refused)
            if able and order.quality != DRAFT:
                break
        if not able:
            raise _joint(refusals)
        return min(able, key=_thrift)

    def _request(
        self, model: Model, order: Order, kind: Kind, spare_seed: int | None
    ) -> VideoRequest:
        quality = _quality(model, order)
        if order.seed is None and Extra.SEED in model.takes and quality != model.qualities[-1]:
            order = replace(order, seed=spare_seed)
        aspect, size = _shape(model, quality, order)
        extras = dict(model.extras) | _asked(model, order)
        request = VideoRequest(
            model=model.name,
            kind=kind,
            prompt=self._prompt(model, order),
            seconds=_seconds(model, order),
            size=size,
            dialect=model.dialect,
            parameters=tuple(_placed(model.places, size=size, aspect=aspect, extras=extras)),
            family=model.family,
            label=model.label,
            aspect=aspect,
            quality=quality,
            seed=order.seed,
        )
        if kind is Kind.TEXT or model.picture is None:
            return request
        # Cut to what was admitted: a sound that is longer than was declared costs no more.
        sound_fit = replace(model.sound, most_seconds=request.seconds)
        request = replace(
            request,
            transport=model.picture.transport,
            url_above=model.picture.url_above,
            places=model.places.files[kind],
            fit=_fit(model.picture, order, request),
            sound_fit=sound_fit if order.sound else None,
        )
        return within(request, room(request), linked=self.linked)

    def _remixer(self, made: Made) -> Model | None:
        """The model that takes other words for that video, at the gateway that has it."""
        named = (m for m in self.models if (m.name, m.gateway) == (made.model, made.gateway))
        return next((model for model in named if Kind.REMIX in model.kinds), None)

    def _remixed(self, model: Model, order: Order, made: Made) -> VideoRequest:
        """Words alone: all the rest is as it was."""
        return VideoRequest(
            model=model.name,
            kind=Kind.REMIX,
            prompt=self._prompt(model, order),
            seconds=made.seconds,
            size=made.size,
            dialect=model.dialect,
            remix_of=made.gateway_id,
            family=model.family,
            label=model.label,
            aspect=made.aspect,
            quality=made.quality,
        )

    def _models_for(self, wanted: str | None, kind: Kind) -> list[Model]:
        able = [model for model in self.models if kind in model.kinds]
        if not able:
            raise Refused("kind_unavailable", kind=kind)
        if wanted is None:
            first = [model for model in able if model.family == self.default]
            return first or [model for model in able if model.family == able[0].family]
        named = [m for m in self.models if wanted.casefold() in _names(m)]
        if not named:
            raise Refused(
                "family_unknown", family=wanted, can=_listed(m.label for m in self.models)
            )
        if both := [model for model in named if kind in model.kinds]:
            return both
        raise Refused(
            f"family_lacks_{kind}", family=named[0].label, can=_listed(m.label for m in able)
        )

    def _prompt(self, model: Model, order: Order) -> str:
        own = clean(order.prompt)
        preset = self._preset(order)
        prompt = f"{preset} {own}".strip() if order.preset else own or preset
        if not prompt:
            raise Refused("prompt_missing")
        _check_length(prompt, model.prompt_limit, "prompt_too_long", model)
        return prompt

    def _preset(self, order: Order) -> str:
        if order.preset is None:
            first = next(iter(self.presets.values()), None)
            return first.prompt if first and order.pictures else ""
        name = self.preset_of(order)
        if name is None:
            can = _listed(preset.label for preset in self.presets.values())
            raise Refused("preset_unknown", preset=order.preset, can=can)
        return self.presets[name].prompt

    def preset_of(self, order: Order) -> str | None:
        """The id of the preset that was asked for, by its id or its label."""
        wanted = (order.preset or "").casefold()
        known = self.presets.items()
        return next((n for n, p in known if wanted in (n.casefold(), p.label.casefold())), None)


def _kind(order: Order) -> Kind:
    if order.sound is not None:
        if not order.pictures:
            raise Refused("sound_alone")
        if len(order.pictures) > 1:
            raise Refused("sound_of_many", count=len(order.pictures))
        return Kind.SOUND
    match len(order.pictures):
        case 0:
            return Kind.TEXT
        case 1:
            return Kind.PICTURE
        case 2:
            return Kind.KEY_FRAMES
        case many:
            raise Refused("too_many_pictures", count=many)


def _joint(refusals: Sequence[Refused]) -> Refused:
    """The first model's reason, with what any model of the family can do instead."""
    first = refusals[0]
    if "can" in first.values:
        alike = [str(each.values["can"]) for each in refusals if each.code == first.code]
        first.values["can"] = _listed(can for each in alike for can in each.split(", "))
    return first


def _seconds(model: Model, order: Order) -> int:
    """The length; a sound brings its own, up to the longest, which counts while it is unknown."""
    sound, rule = order.sound, model.sound
    if sound is None:
        return _one_of(order.seconds, model.seconds, "seconds", model)
    if sound.size > SOUND_BYTES:
        raise Refused("sound_too_large", megabytes=sound.size / 1e6, most=SOUND_BYTES / 1e6)
    # Platforms say 0 where they don't know, or of what is shorter than half a second.
    length = sound.seconds or rule.most_seconds
    rule.check(length)
    # Whole seconds that a platform declares may be rounded: no sound loses its end to that.
    whole = math.ceil(length) if sound.key else math.floor(length) + 1
    least, most = (min(each, rule.most_seconds) for each in (math.floor(length), whole))
    if order.seconds is not None and not least <= order.seconds <= most:
        raise Refused("sound_decides")
    return most


def _asked(model: Model, order: Order) -> dict[str, Value]:
    """The extras that the person asked for. Raises `Refused` for those that the model lacks."""
    asked: dict[str, Value] = {}
    if negative := clean(order.negative_prompt):
        if Extra.NEGATIVE_PROMPT not in model.takes:
            raise Refused("no_negative_prompt", family=model.label)
        _check_length(negative, model.negative_limit, "negative_prompt_too_long", model)
        asked[Extra.NEGATIVE_PROMPT] = negative
    if order.seed is not None:
        if Extra.SEED not in model.takes:
            raise Refused("no_seed", family=model.label)
        if order.seed not in SEEDS:
            values = {"wanted": order.seed, "least": SEEDS[0], "most": SEEDS[-1]}
            raise Refused("seed_unavailable", family=model.label, **values)
        asked[Extra.SEED] = order.seed
    if order.audio is not None and Extra.AUDIO in model.takes:
        asked[Extra.AUDIO] = order.audio
    elif order.audio is model.silent:
        raise Refused("always_silent" if model.silent else "never_silent", family=model.label)
    return asked


def _check_length(text: str, limit: int, code: str, model: Model) -> None:
    if len(text) > limit:
        raise Refused(code, length=len(text), limit=limit, family=model.label)


def _placed(
    places: Places, *, size: str, aspect: str | None, extras: Mapping[str, Value]
) -> Iterator[tuple[str, Value]]:
    """Each parameter at each of its places."""
    yield from ((place, size) for place in places.size)
    if aspect:
        yield from ((place, aspect) for place in places.aspect)
    for name, value in extras.items():
        yield from ((place, value) for place in places.of(name))


def _one_of(wanted: Choice | None, can: tuple[Choice, ...], what: str, model: Model) -> Choice:
    if wanted is None:
        return can[0]
    if wanted not in can:
        raise Refused(f"{what}_unavailable", wanted=wanted, family=model.label, can=_listed(can))
    return wanted


def _thrift(made: tuple[Model, VideoRequest]) -> tuple[float, ...]:
    """What makes a draft a good one, the most important first; less is better."""
    model, request = made
    side = QUALITIES[request.quality or ""]
    return side, model.cost(request.seconds, request.quality), model.typical


def _quality(model: Model, order: Order) -> str:
    """The one asked for; where there are several, that may be a draft."""
    if order.quality == DRAFT:
        return _draft(model, order)
    can = tuple(model.sizes)
    return _one_of(order.quality, (*can, DRAFT) if len(can) > 1 else can, "quality", model)


def _draft(model: Model, order: Order) -> str:
    """The smallest quality; of those that come in the shape that was asked for, if any does."""
    shaped = (
        quality
        for quality in model.qualities
        if isinstance(sizes := model.sizes[quality], str) or order.aspect in (None, *sizes)
    )
    return next(shaped, model.qualities[0])


def _shape(model: Model, quality: str, order: Order) -> tuple[str | None, str]:
    """Aspect and the wire's word for it; without a wish, the picture's own shape decides."""
    sizes = model.sizes[quality]
    follows = model.picture is not None and model.picture.follows and bool(order.pictures)
    if isinstance(sizes, str) or follows:
        aspect = order.aspect and _one_of(order.aspect, tuple(ASPECTS), "aspect", model)
        return aspect, sizes if isinstance(sizes, str) else next(iter(sizes.values()))
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


def _fit(rule: PictureRule, order: Order, request: VideoRequest) -> Fit:
    width = height = None
    if rule.exact and request.size:
        width, height = (int(side) for side in request.size.replace("*", "x").split("x"))
    elif order.aspect and request.aspect and request.quality:
        # The video follows the picture, so a wish for a shape is met by reshaping the picture.
        width, height = _pixels(request.quality, request.aspect)
    return Fit(
        width=width,
        height=height,
        least_side=rule.least_side,
        most_side=rule.most_side,
        widest=rule.widest,
        most_bytes=rule.most_bytes,
        shaping=order.fit or rule.shaping,
    )


def _pixels(quality: str, aspect: str) -> tuple[int, int]:
    short, ratio = QUALITIES[quality], ASPECTS[aspect]
    long = round(short * max(ratio, 1 / ratio) / 2) * 2
    return (long, short) if ratio >= 1 else (short, long)


def _names(model: Model) -> set[str]:
    return {model.family.casefold(), model.label.casefold(), model.name.casefold()}


def _listed(values: Iterable[object]) -> str:
    return ", ".join(dict.fromkeys(str(value) for value in values))
