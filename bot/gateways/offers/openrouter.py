"""Read OpenRouter's list `/v1/videos/models`: lengths, sizes, frames, sound and prices."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bot.core.orders import Kind
from bot.core.wishes import ASPECTS, QUALITIES
from bot.gateways.offers.offer import (
    MOST_OFFERS,
    MOST_WORDS,
    Offer,
    Row,
    Sizes,
    family_of,
    label_of,
    lengths,
    parameters,
    price_of,
    rows,
    shapes,
    words,
)

_UNITS = {
    "duration_seconds": 1.0,
    "per_video_second": 1.0,
    "cents_per_video_output_second": 0.01,
    "cents_per_second_output": 0.01,
}
"""The names of prices of a second, with the part of a dollar that each counts."""
_SKU = re.compile(rf"(?:(?:text|image)_to_video_)?({'|'.join(_UNITS)})((?:_[a-z0-9]+)*)")
_SOUNDS = {"": None, "with audio": True, "without audio": False}
Places = Mapping[str, tuple[str, ...]]
_USUAL_SIZE, _USUAL_ASPECT = "720p", "16:9"
"""The guesses for a quality or an aspect that can't be set and is not told."""
_LEAST, _PICTURE = "minimum_cents_per_generation", "cents_per_image_input"
"""The names of the least price of a video, and of the price of a picture."""


def read(answer: object) -> tuple[Offer, ...]:
    """Return the models that make videos from a prompt or from first and last pictures."""
    found: list[Offer] = []
    vendors: dict[str, str] = {}
    for name, row in rows(answer):
        # A model with these two makes a large video of a small one, from no prompt.
        if row.get("creativity") is not None or row.get("upscale_factor") is not None:
            continue
        family, vendor = family_of(name), name.partition("/")[0].casefold()
        if vendors.setdefault(family, vendor) != vendor:
            family = family_of(name.replace("/", "-"))
        found.append(_offer(name, row, family))
        if len(found) == MOST_OFFERS:
            break
    return tuple(found)


def _offer(name: str, row: Row, family: str) -> Offer:
    shaped = _sizes(row)
    sizes = shaped.sizes
    frames = set(words(row.get("supported_frame_images")))
    kinds = [Kind.TEXT, *[Kind.PICTURE] * ("first_frame" in frames)]
    kinds += [Kind.KEY_FRAMES] * (frames >= {"first_frame", "last_frame"})
    seconds = lengths(row.get("supported_durations"))
    sound = row.get("generate_audio")
    costs = _Prices(row.get("pricing_skus"), min(seconds, default=1), len(kinds) - 1)
    silent = costs.by_quality(sizes, sounds=False)
    # Without a word about sound, the video may have one.
    prices = silent if sound is False else costs.by_quality(sizes, sounds=True)
    if prices:  # A quality without a price could cost anything.
        sizes = {quality: each for quality, each in sizes.items() if quality in prices}
    title = label_of(row.get("name"))
    return Offer(
        model=name,
        label=title.partition(": ")[2] or title,
        family=family,
        kinds=tuple(kinds),
        seconds=seconds,
        sizes=sizes,
        places=shaped.places,
        follows=shaped.places == _NO_ASPECT,
        guessed=("sizes",) if shaped.places in (_NO_SIZE, _NO_ASPECT) else (),
        sound=sound is True,
        seed=row.get("seed") is True,
        passthrough=parameters(row.get("allowed_passthrough_parameters")),
        prices=prices,
        silent_prices=silent if sound is True and silent != prices else {},
    )


_PIXELS: Places = {"size": ("size",), "aspect": ()}
_NO_SIZE: Places = {"size": ()}
_NO_ASPECT: Places = {"aspect": ()}


@dataclass(frozen=True, slots=True)
class _Shaped:
    """The sizes of a model, and the fields for them."""

    sizes: Sizes
    places: Places = field(default_factory=dict)


def _sizes(row: Row) -> _Shaped:
    """Return the sizes: by resolutions and aspects, or in pixels, or half guessed."""
    aspects = [it for it in words(row.get("supported_aspect_ratios")) if it in ASPECTS]
    given = row.get("supported_resolutions")
    told = given[:MOST_WORDS] if isinstance(given, list) else ()
    spelt = {it.casefold(): it for it in told if isinstance(it, str)}
    known = {quality: word for quality, word in spelt.items() if quality in QUALITIES}
    if known and aspects:
        return _Shaped({quality: dict.fromkeys(aspects, word) for quality, word in known.items()})
    if pixels := shapes(words(row.get("supported_sizes"))):
        return _Shaped(pixels, _PIXELS)
    if known:
        return _Shaped({it: {_USUAL_ASPECT: word} for it, word in known.items()}, _NO_ASPECT)
    if aspects:
        return _Shaped({_USUAL_SIZE: dict.fromkeys(aspects, _USUAL_SIZE)}, _NO_SIZE)
    return _Shaped({})


class _Prices:
    """The prices of one model, as the highest price of a second that a video may cost."""

    def __init__(self, skus: object, shortest: int, frames: int) -> None:
        named = skus if isinstance(skus, dict) else {}
        self._each = list(_seconds(named))
        if any(price_of(each) != 0.0 for name, each in named.items() if not _is_counted(name)):
            # Beside a price by another unit, a second for 0 does not make a video free.
            self._each = [each for each in self._each if each[0] > 0]
        cents = {name: price_of(named.get(name)) or 0.0 for name in (_LEAST, _PICTURE)}
        # A price of the whole video is counted as if each video were the shortest.
        self._least = cents[_LEAST] / 100 / shortest
        self._more = cents[_PICTURE] / 100 / shortest * frames

    def by_quality(self, sizes: Sizes, *, sounds: bool) -> dict[str, float]:
        """Return the price of a second in each quality that has one, with or without sound."""
        found = {quality: self._second(quality, sounds=sounds) for quality in sizes}
        return {
            quality: round(max(price, self._least) + self._more, 9)
            for quality, price in found.items()
            if price is not None
        }

    def _second(self, quality: str, *, sounds: bool) -> float | None:
        """Return the price that says most about this video; the highest of several such prices."""
        for told in ({(quality, sounds)}, {(quality, None), (None, sounds)}, {(None, None)}):
            if able := [price for price, *about in self._each if tuple(about) in told]:
                return max(able)
        # Sound never makes a video cheaper.
        return None if sounds else self._second(quality, sounds=True)


def _is_counted(name: str) -> bool:
    """Whether a price of this name is one of those that are read."""
    return name in (_LEAST, _PICTURE) or _sku_of(name) is not None


def _sku_of(name: str) -> re.Match[str] | None:
    return _SKU.fullmatch(name.casefold().replace("-", "_")) if len(name) <= 99 else None


def _seconds(skus: Row) -> Iterator[tuple[float, str | None, bool | None]]:
    """Yield each price of a second, with the quality and the sound that it is for."""
    for name, given in list(skus.items())[:MOST_WORDS]:
        match = _sku_of(name)
        price = price_of(given)
        if match is None or price is None:
            continue
        told = [each for each in match[2].split("_") if each]
        quality = next((each for each in told if each in QUALITIES), None)
        sound = " ".join(each for each in told if each != quality)
        if sound in _SOUNDS:
            yield price * _UNITS[match[1]], quality, _SOUNDS[sound]
