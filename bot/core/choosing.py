"""Turn the wishes of an order into a request for one model: length, quality, shape and extras.

Each wish becomes a value that the model can make, or raises `Refused` with the values that it can.
The request field of each value is decided here too, so that a row holds everything to send.
"""

import math
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TypeVar

from bot.core import kinds
from bot.core.errors import AutoUnavailable, Refused
from bot.core.models import Model, PictureRule
from bot.core.orders import (
    SOUND_BYTES,
    Clip,
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
"""Seeds that every vendor accepts. Gateways drop a 0, and for vendors a 0 means any seed."""
_SWITCHES = {
    Extra.AUDIO: ("no_audio", "always_audio"),
    Extra.PROMPT_EXTEND: ("no_prompt_extend", "always_prompt_extend"),
    Extra.WATERMARK: ("no_watermark", "always_watermark"),
}
"""Extras that are on or off, each with the codes for "can't be on" and "can't be off"."""

_RUN = 3
"""The longest run of numbers that is listed one by one, and not as a range."""

Choice = TypeVar("Choice")


def request_of(
    model: Model, order: Order, kind: Kind, presets: Presets, *, spare_seed: int | None
) -> VideoRequest:
    """Return the request for `order` at this model. Raises `Refused` for what it can't make."""
    if kind is Kind.REFERENCES:
        kinds.check_count(model, order)
    kinds.check_video(model, order, kind)
    quality = quality_of(model, order, kind)
    is_needed = model.seeded or quality != model.qualities[-1]
    if order.wish.seed is None and Extra.SEED in model.takes and is_needed:
        order = order.wishing(replace(order.wish, seed=spare_seed))
    aspect, size = shape(model, quality, order)
    extras = {**model.extras, **model.differing(quality).extras, **asked(model, order)}
    chosen = {"size": size, **({"aspect": aspect} if aspect else {})}
    named = {**chosen, **extras, **chosen}
    in_fields = [(at, value) for name, value in named.items() for at in model.places.of(name)]
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
        parameters=tuple(in_fields),
        family=model.family,
        label=model.label,
        aspect=aspect,
        quality=quality,
        seed=order.wish.seed,
    )
    return _with_files(model, order, request)


def _with_files(model: Model, order: Order, request: VideoRequest) -> VideoRequest:
    if order.video is not None:
        return kinds.with_video(model, order, request)
    if request.kind is Kind.TEXT or model.picture is None:
        return request
    count = len(order.files)
    # A sound that is longer than declared is cut, so that it costs no more than was admitted.
    sound_fit = replace(model.sound, most_seconds=request.seconds)
    return replace(
        request,
        parameters=(*request.parameters, *model.places.constants(request.kind, count)),
        transport=model.picture.way(request.kind),
        url_above=model.picture.url_above,
        places=model.places.of_files(request.kind, count),
        fit=fit(model.picture, order, request),
        sound_fit=sound_fit if order.sound else None,
    )


def remix_of(made: Made, model: Model, order: Order, presets: Presets) -> VideoRequest:
    """Return the request for a remix: a new prompt, with all other values of the video `made`."""
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
    """Return the length, or `AUTO`. With a sound, the sound decides the length."""
    if order.sound is not None:
        return _sounding(model, order.sound, order.wish.seconds)
    if order.wish.seconds == AUTO and model.auto:
        return AUTO
    if order.wish.seconds == AUTO:
        can = alternatives(model.lengths(quality))
        raise AutoUnavailable(family=model.label, can=can)
    if order.video is not None and model.video and model.video.included:
        return _including(model, order, quality)
    return one_of(order.wish.seconds, model.lengths(quality), "seconds", model)


def _including(model: Model, order: Order, quality: str) -> int:
    """Return the length of a video that begins with the order's video.

    By default the model adds as many seconds as a video of its own has.
    """
    given, lengths = kinds.input_seconds(model, order), model.lengths(quality)
    if order.wish.seconds and order.video and model.video and not order.video.seconds:
        # The video is measured later, and refused if it is not shorter than the wished length.
        given = math.ceil(model.video.fit.least_seconds)
    can = tuple(sorted(each for each in lengths if each > given))
    if not can:
        raise Refused("video_leaves_nothing", family=model.label, most=max(lengths))
    enough = (each for each in can if each >= given + lengths[0])
    return one_of(order.wish.seconds, (next(enough, can[-1]), *can), "seconds", model)


def _sounding(model: Model, sound: Sound, wanted: int | None) -> int:
    """Return the sound's length, at most the model's; the model's longest if it is unknown."""
    rule = model.sound
    if sound.size > SOUND_BYTES:
        raise too_large(sound, sound.size)
    # Platforms say 0 for an unknown length, or for less than half a second.
    length = sound.seconds or rule.most_seconds
    rule.check(length)
    # Platforms may round to whole seconds. One second more keeps the end of the sound.
    whole = math.ceil(length) if sound.key else math.floor(length) + 1
    least, most = (min(each, rule.most_seconds) for each in (math.floor(length), whole))
    if wanted is not None and not least <= wanted <= most:
        raise Refused("sound_decides")
    return most


def quality_of(model: Model, order: Order, kind: Kind) -> str:
    """Return the wished quality. If there are several, the wish may also be a draft.

    Without a wish, return the first quality in which the model makes the wished length.
    """
    can = tuple(q for q in model.sizes if kind in (model.differing(q).kinds or model.kinds))
    if order.wish.quality == DRAFT:
        return _draft(model, can, order)
    if order.wish.quality is None:
        fitting = (q for q in can if order.wish.seconds in (None, *model.lengths(q)))
        return next(fitting, can[0])
    return one_of(order.wish.quality, (*can, DRAFT) if len(can) > 1 else can, "quality", model)


def _draft(model: Model, can: tuple[str, ...], order: Order) -> str:
    """Return the smallest quality with the wished aspect and length; else the smallest."""
    small = [quality for quality in model.qualities if quality in can]
    shaped = (
        quality
        for quality in small
        if isinstance(sizes := model.sizes[quality], str) or order.wish.aspect in (None, *sizes)
        if order.wish.seconds in (None, AUTO, *model.lengths(quality))
    )
    return next(shaped, small[0])


def shape(model: Model, quality: str, order: Order) -> tuple[str | None, str]:
    """Return the aspect and the value to send. Without a wish the picture's aspect counts."""
    sizes, wanted = model.sizes[quality], order.wish.aspect
    given = kinds.shaping(order)
    follows = model.picture is not None and model.picture.follows and bool(given)
    if isinstance(sizes, str) or follows:
        word = sizes if isinstance(sizes, str) else next(iter(sizes.values()))
        if model.shapes and not given:
            return one_of(wanted, model.shapes, "aspect", model), word
        return wanted and one_of(wanted, tuple(ASPECTS), "aspect", model), word
    can = tuple(sizes)
    aspect = one_of(wanted or _nearest(can, given), can, "aspect", model)
    return aspect, sizes[aspect]


def _nearest(can: tuple[str, ...], given: tuple[Picture | Clip, ...]) -> str | None:
    first = given[0] if given else None
    if first is None or not first.width or not first.height:
        return None
    ratio = first.width / first.height
    return min(can, key=lambda aspect: max(ASPECTS[aspect] / ratio, ratio / ASPECTS[aspect]))


def fit(rule: PictureRule, order: Order, request: VideoRequest) -> Fit:
    """Return the requirements for the pictures of `order`."""
    width = height = None
    if request.kind is Kind.REFERENCES:
        # The video shows what is in them, so none is cut to the shape of the video or of another.
        return replace(rule.fit, shaping=order.wish.fit or rule.fit.shaping, is_own=True)
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
    """Return the wished extras. Raises `Refused` for an extra that the model does not take."""
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
    """Return a random seed that every vendor accepts."""
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
    """Whether the model makes videos with this switch in this position, on request or always."""
    if extra is Extra.AUDIO and extra not in model.takes:
        return on is not model.silent
    return _arrives(model, extra, on=on) or model.unasked.get(extra) is on


def _arrives(model: Model, extra: Extra, *, on: bool) -> bool:
    """Whether this position of the switch can be sent and reaches the vendor."""
    return extra in model.takes and (on or extra not in model.drops_false)


def switches(models: Iterable[Model]) -> list[str]:
    """Return the switches that people can set both on and off among these models."""
    able = tuple(models)
    return [
        word
        for word, extra in SWITCHES.items()
        if all(any(makes(model, extra, on=on) for model in able) for on in (True, False))
    ]


def lengths(models: Iterable[Model]) -> str:
    """Return the lengths of these models as text for people."""
    able = tuple(models)
    known = listed(sorted({each for model in able for each in model.seconds}))
    return f"{known} s, {AUTO_WORD}" if any(model.auto for model in able) else f"{known} s"


def refusal(refused: Sequence[tuple[Model, Refused]], others: Sequence[Model]) -> Refused:
    """Return the first model's refusal, with what any model of its family can do instead.

    If other models have the missing extra, the refusal names the families among `others` with it.
    """
    first = refused[0][1]
    if "can" in first.values:
        alike = [each.values["can"] for _, each in refused if each.code == first.code]
        several = (each for each in alike if isinstance(each, tuple))
        first.values["can"] = alternatives(can for each in several for can in each)
    has = _haver(first)
    if has is None:
        return first
    # If another model of the family has the extra, that model's refusal is the true one.
    if own := [each for each in refused if has(each[0])]:
        return refusal(own, others)
    if able := listed(each.label for each in others if has(each)):
        return Refused(f"{first.code}_but", **first.values, others=able)
    return first


def _haver(refused: Refused) -> Callable[[Model], bool] | None:
    """Return a test for models that have the refused extra; None for other refusals."""
    match refused.values:
        case {"extra": Extra() as extra, "on": bool(on)}:
            return lambda model: makes(model, extra, on=on)
        case {"references": int(count)}:
            return lambda model: model.references.takes(count)
    return (lambda model: model.auto) if isinstance(refused, AutoUnavailable) else None


def check_length(text: str, limit: int, code: str, model: Model) -> None:
    """Raise `Refused(code)` if the text has too many characters for the model."""
    if len(text) > limit:
        raise Refused(code, length=len(text), limit=limit, family=model.label)


def one_of(wanted: Choice | None, can: tuple[Choice, ...], what: str, model: Model) -> Choice:
    """Return `wanted`, or the first of `can` if `wanted` is None.

    Raises `Refused` if `wanted` is not in `can`.
    """
    if wanted is None:
        return can[0]
    if wanted not in can:
        able = alternatives(can)
        raise Refused(f"{what}_unavailable", wanted=wanted, family=model.label, can=able)
    return wanted


def listed(values: Iterable[object]) -> str:
    """Return distinct values as text. Four or more consecutive integers become a range `2–15`."""
    return ", ".join(alternatives(values))


def alternatives(values: Iterable[object]) -> tuple[str, ...]:
    """Return distinct values to choose from. Ranges are those of `listed`."""
    each = list(dict.fromkeys(values))
    numbers = sorted(value for value in each if isinstance(value, int))
    runs = [
        [number for _, number in run]
        for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0])
    ]
    if any(len(run) > _RUN for run in runs):
        each = [part for run in runs for part in _run(run)]
    return tuple(str(value) for value in each)


def _run(numbers: Sequence[int]) -> Iterable[object]:
    return [f"{numbers[0]}–{numbers[-1]}"] if len(numbers) > _RUN else numbers
