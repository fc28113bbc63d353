"""One wish after the other, put to one model: length, quality, shape, and what only some take.

Each is answered with a value that the model can make, or `Refused` says what it can make instead.
The field for each value is settled here too, so that a row holds all there is to send.
"""

import math
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TypeVar

from bot.core.errors import AutoUnavailable, Refused
from bot.core.models import Model, PictureRule
from bot.core.orders import (
    SOUND_BYTES,
    Fit,
    Kind,
    Made,
    Order,
    Picture,
    Sound,
    Value,
    VideoRequest,
    too_large,
)
from bot.core.presets import Presets, Words, words_of
from bot.core.prompts import clean
from bot.core.wishes import ASPECTS, AUTO, AUTO_WORD, DRAFT, QUALITIES, SWITCHES, Extra

SEEDS = range(1, 2**31)
"""Seeds that every vendor takes. Gateways drop a 0, and to vendors it means any."""
_SWITCHES = {
    Extra.AUDIO: ("no_audio", "always_audio"),
    Extra.PROMPT_EXTEND: ("no_prompt_extend", "always_prompt_extend"),
    Extra.WATERMARK: ("no_watermark", "always_watermark"),
}
"""Extras that are on or off, each with two refusals: it can't be on, it can't be off."""

_RUN = 3
"""Numbers in a row that are still named one by one."""

Choice = TypeVar("Choice")


def kind_of(order: Order) -> Kind:
    """By the files that it has, of which not all go together."""
    count = len(order.pictures)
    if order.sound is not None:
        if count != 1:
            raise Refused("sound_of_many" if count else "sound_alone", count=count)
        return Kind.SOUND
    if count > 2:
        raise Refused("too_many_pictures", count=count)
    return (Kind.TEXT, Kind.PICTURE, Kind.KEY_FRAMES)[count]


def request_of(
    model: Model, order: Order, kind: Kind, presets: Presets, *, spare_seed: int | None
) -> VideoRequest:
    """All of the order as this model makes it; how its files travel, and what of them fits."""
    quality = quality_of(model, order, kind)
    if order.wish.seed is None and Extra.SEED in model.takes and quality != model.qualities[-1]:
        order = order.wishing(replace(order.wish, seed=spare_seed))
    aspect, size = shape(model, quality, order)
    extras = {**model.extras, **model.differing(quality).extras, **asked(model, order)}
    chosen = {"size": size, **({"aspect": aspect} if aspect else {})}
    named = {**chosen, **extras, **chosen}
    placed = [(at, value) for name, value in named.items() for at in model.places.of(name)]
    sounding = extras.get(Extra.AUDIO, model.unasked.get(Extra.AUDIO))
    seconds = seconds_of(model, order, quality)
    words = _words(model, order, presets)
    request = VideoRequest(
        model=model.name,
        kind=kind,
        prompt=words.prompt,
        stock=words.stock,
        preset=presets[words.preset].label if words.preset else None,
        seconds=max(model.lengths(quality)) if seconds == AUTO else seconds,
        auto=seconds == AUTO,
        audio=None if sounding is None else bool(sounding),
        size=size,
        dialect=model.dialect,
        is_json=model.is_json,
        lengths=model.places.length,
        parameters=(*placed, *model.places.fixed.get(kind, {}).items()),
        family=model.family,
        label=model.label,
        aspect=aspect,
        quality=quality,
        seed=order.wish.seed,
    )
    return _with_files(model, order, request)


def _with_files(model: Model, order: Order, request: VideoRequest) -> VideoRequest:
    if request.kind is Kind.TEXT or model.picture is None:
        return request
    # Cut to what was admitted: a sound that is longer than was declared costs no more.
    sound_fit = replace(model.sound, most_seconds=request.seconds)
    return replace(
        request,
        transport=model.picture.transport,
        url_above=model.picture.url_above,
        places=model.places.files[request.kind],
        fit=fit(model.picture, order, request),
        sound_fit=sound_fit if order.sound else None,
    )


def remix_of(made: Made, model: Model, order: Order, presets: Presets) -> VideoRequest:
    """Words alone, all the rest as it was."""
    return VideoRequest(
        model=model.name,
        kind=Kind.REMIX,
        prompt=_words(model, order, presets).prompt,
        seconds=made.seconds,
        size=made.size,
        dialect=model.dialect,
        remix_of=made.gateway_id,
        family=model.family,
        label=model.label,
        aspect=made.aspect,
        quality=made.quality,
    )


def _words(model: Model, order: Order, presets: Presets) -> Words:
    words = words_of(order, presets)
    check_length(words.prompt, model.prompt_limit, "prompt_too_long", model)
    return words


def seconds_of(model: Model, order: Order, quality: str) -> int:
    """The length, or `AUTO`; a sound brings its own."""
    if order.sound is not None:
        return _sounding(model, order.sound, order.wish.seconds)
    if order.wish.seconds == AUTO and model.auto:
        return AUTO
    if order.wish.seconds == AUTO:
        can = listed(model.lengths(quality))
        raise AutoUnavailable(family=model.label, can=can)
    return one_of(order.wish.seconds, model.lengths(quality), "seconds", model)


def _sounding(model: Model, sound: Sound, wanted: int | None) -> int:
    """As long as the sound, up to the longest, which counts while its length is unknown."""
    rule = model.sound
    if sound.size > SOUND_BYTES:
        raise too_large(sound, sound.size)
    # Platforms say 0 where they don't know, or of what is shorter than half a second.
    length = sound.seconds or rule.most_seconds
    rule.check(length)
    # Whole seconds that a platform declares may be rounded: no sound loses its end to that.
    whole = math.ceil(length) if sound.key else math.floor(length) + 1
    least, most = (min(each, rule.most_seconds) for each in (math.floor(length), whole))
    if wanted is not None and not least <= wanted <= most:
        raise Refused("sound_decides")
    return most


def quality_of(model: Model, order: Order, kind: Kind) -> str:
    """The one asked for; where there are several, that may be a draft.

    Without a wish it is the first in which the model makes the length that was asked for.
    """
    can = tuple(q for q in model.sizes if kind in (model.differing(q).kinds or model.kinds))
    if order.wish.quality == DRAFT:
        return _draft(model, can, order)
    if order.wish.quality is None:
        fitting = (q for q in can if order.wish.seconds in (None, *model.lengths(q)))
        return next(fitting, can[0])
    return one_of(order.wish.quality, (*can, DRAFT) if len(can) > 1 else can, "quality", model)


def _draft(model: Model, can: tuple[str, ...], order: Order) -> str:
    """The smallest quality; of those that come as was asked for, if any does."""
    small = [quality for quality in model.qualities if quality in can]
    shaped = (
        quality
        for quality in small
        if isinstance(sizes := model.sizes[quality], str) or order.wish.aspect in (None, *sizes)
        if order.wish.seconds in (None, AUTO, *model.lengths(quality))
    )
    return next(shaped, small[0])


def shape(model: Model, quality: str, order: Order) -> tuple[str | None, str]:
    """Aspect and the wire's word for it; without a wish, the picture's own shape decides."""
    sizes, wanted = model.sizes[quality], order.wish.aspect
    follows = model.picture is not None and model.picture.follows and bool(order.pictures)
    if isinstance(sizes, str) or follows:
        word = sizes if isinstance(sizes, str) else next(iter(sizes.values()))
        if model.shapes and not order.pictures:
            return one_of(wanted, model.shapes, "aspect", model), word
        return wanted and one_of(wanted, tuple(ASPECTS), "aspect", model), word
    can = tuple(sizes)
    aspect = one_of(wanted or _nearest(can, order.pictures), can, "aspect", model)
    return aspect, sizes[aspect]


def _nearest(can: tuple[str, ...], pictures: tuple[Picture, ...]) -> str | None:
    first = pictures[0] if pictures else None
    if first is None or not first.width or not first.height:
        return None
    ratio = first.width / first.height
    return min(can, key=lambda aspect: max(ASPECTS[aspect] / ratio, ratio / ASPECTS[aspect]))


def fit(rule: PictureRule, order: Order, request: VideoRequest) -> Fit:
    """The demands on the pictures of `order`."""
    width = height = None
    if rule.exact and request.size:
        width, height = (int(side) for side in request.size.replace("*", "x").split("x"))
    elif order.wish.aspect and request.aspect and request.quality:
        # The video follows the picture, so a wish for a shape is met by reshaping the picture.
        width, height = _pixels(request.quality, request.aspect)
    shaping = order.wish.fit or rule.fit.shaping
    return replace(rule.fit, width=width, height=height, shaping=shaping)


def _pixels(quality: str, aspect: str) -> tuple[int, int]:
    short, ratio = QUALITIES[quality], ASPECTS[aspect]
    long = round(short * max(ratio, 1 / ratio) / 2) * 2
    return (long, short) if ratio >= 1 else (short, long)


def asked(model: Model, order: Order) -> dict[str, Value]:
    """The extras that the person asked for. Raises `Refused` for those that can't arrive."""
    wanted: dict[str, Value] = {}
    if negative := clean(order.wish.negative_prompt):
        if Extra.NEGATIVE_PROMPT not in model.takes:
            raise Refused("no_negative_prompt", **_lacking(model, Extra.NEGATIVE_PROMPT))
        check_length(negative, model.negative_limit, "negative_prompt_too_long", model)
        wanted[Extra.NEGATIVE_PROMPT] = negative
    if order.wish.seed is not None:
        wanted[Extra.SEED] = _seed(model, order.wish.seed)
    for extra in SWITCHES.values():
        wish: bool | None = getattr(order.wish, extra)
        if wish is None:
            continue
        if not makes(model, extra, on=wish):
            never, always = _SWITCHES[extra]
            code = never if wish else always
            raise Refused(code, **_lacking(model, extra, on=wish))
        if _arrives(model, extra, on=wish):
            wanted[extra] = wish
    return wanted


def new_seed() -> int:
    """Any that every vendor takes."""
    return secrets.choice(SEEDS)


def _seed(model: Model, seed: int) -> int:
    if Extra.SEED not in model.takes:
        raise Refused("no_seed", **_lacking(model, Extra.SEED))
    if seed not in SEEDS:
        values = {"wanted": seed, "least": SEEDS[0], "most": SEEDS[-1]}
        raise Refused("seed_unavailable", family=model.label, **values)
    return seed


def _lacking(model: Model, extra: Extra, *, on: bool = True) -> dict[str, object]:
    return {"family": model.label, "extra": extra, "on": on}


def makes(model: Model, extra: Extra, *, on: bool) -> bool:
    """Whether its videos can be had with this switch on, or off; asked for or as they are."""
    if extra is Extra.AUDIO and extra not in model.takes:
        return on is not model.silent
    return _arrives(model, extra, on=on) or model.unasked.get(extra) is on


def _arrives(model: Model, extra: Extra, *, on: bool) -> bool:
    """Whether it can be said so that the vendor hears it."""
    return extra in model.takes and (on or extra not in model.drops_false)


def switches(models: Iterable[Model]) -> list[str]:
    """The words of those that people have a choice of among these models."""
    able = tuple(models)
    return [
        word
        for word, extra in SWITCHES.items()
        if all(any(makes(model, extra, on=on) for model in able) for on in (True, False))
    ]


def lengths(models: Iterable[Model]) -> str:
    """The lengths of these models, as people read them."""
    able = tuple(models)
    known = listed(sorted({each for model in able for each in model.seconds}))
    return f"{known} s, {AUTO_WORD}" if any(model.auto for model in able) else f"{known} s"


def refusal(refused: Sequence[tuple[Model, Refused]], others: Sequence[Model]) -> Refused:
    """The first model's reason, with what any model of its family can do instead.

    Of what some have and some lack, with the families among `others` that have it.
    """
    first = refused[0][1]
    if "can" in first.values:
        alike = [str(each.values["can"]) for _, each in refused if each.code == first.code]
        first.values["can"] = listed(can for each in alike for can in each.split(", "))
    has = _haver(first)
    if has is None:
        return first
    # Where another model of the family has it, that one's own reason is the true one.
    if own := [each for each in refused if has(each[0])]:
        return refusal(own, others)
    if able := listed(each.label for each in others if has(each)):
        return Refused(f"{first.code}_but", **first.values, others=able)
    return first


def _haver(refused: Refused) -> Callable[[Model], bool] | None:
    """Whether a model has what was refused, where that is one thing to have."""
    match refused.values:
        case {"extra": Extra() as extra, "on": bool(on)}:
            return lambda model: makes(model, extra, on=on)
    return (lambda model: model.auto) if isinstance(refused, AutoUnavailable) else None


def check_length(text: str, limit: int, code: str, model: Model) -> None:
    """Raise `Refused(code)` if the text has too many characters for the model."""
    if len(text) > limit:
        raise Refused(code, length=len(text), limit=limit, family=model.label)


def one_of(wanted: Choice | None, can: tuple[Choice, ...], what: str, model: Model) -> Choice:
    """The wanted value, or the first; `Refused` if it is none of them."""
    if wanted is None:
        return can[0]
    if wanted not in can:
        raise Refused(f"{what}_unavailable", wanted=wanted, family=model.label, can=listed(can))
    return wanted


def listed(values: Iterable[object]) -> str:
    """Each once, as people read them; four or more whole numbers in a row as `2–15`."""
    each = list(dict.fromkeys(values))
    numbers = sorted(value for value in each if isinstance(value, int))
    runs = [
        [number for _, number in run]
        for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0])
    ]
    if any(len(run) > _RUN for run in runs):
        each = [part for run in runs for part in _run(run)]
    return ", ".join(str(value) for value in each)


def _run(numbers: Sequence[int]) -> Iterable[object]:
    return [f"{numbers[0]}–{numbers[-1]}"] if len(numbers) > _RUN else numbers
