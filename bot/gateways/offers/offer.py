"""One model of a gateway's list, and bounded reading of the values in a list."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from bot.core.orders import Kind
from bot.core.prompts import clean, shortened
from bot.core.wishes import ASPECTS, QUALITIES

MOST_ROWS, MOST_OFFERS = 20_000, 1_000
"""The most rows of a list that are read, and the most models that are kept."""
MOST_NAME, MOST_LABEL, MOST_WORDS = 120, 40, 100
"""The most characters of a model's name and of a label, and the most values of one fact."""
LONGEST = 3_600
"""The longest length in seconds that is believed."""
DEAREST = 10_000.0
"""The highest price of a second that is believed."""
_NAME = re.compile(rf"[!-~]{{1,{MOST_NAME}}}")
_PIXELS = re.compile(r"([1-9]\d{1,4})[x*]([1-9]\d{1,4})")
_CLOSE = 0.03
"""The most by which a size may differ from an aspect, as a part of it."""

Sizes = Mapping[str, Mapping[str, str]]
"""Quality → aspect → the value to send."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One model of a gateway's list. A fact that the list does not tell is empty or None."""

    model: str
    """The wire name."""
    label: str = ""
    family: str = ""
    kinds: tuple[Kind, ...] = ()
    seconds: tuple[int, ...] = ()
    sizes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    places: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The fields for `size` and `aspect`, where they differ from those of the dialect."""
    follows: bool = False
    """Whether a video has the aspect of its picture, because no field sets an aspect."""
    sound: bool | None = None
    """Whether people can choose a sound; False: the videos are silent."""
    seed: bool | None = None
    prices: Mapping[str, float] = field(default_factory=dict)
    """Quality → the price of a second."""
    silent_prices: Mapping[str, float] = field(default_factory=dict)
    """Quality → the price of a second without sound, if it differs."""
    guessed: tuple[str, ...] = ()
    """The names of the facts that are guesses."""
    passthrough: tuple[str, ...] = ()
    """The names of the vendor's own parameters that the gateway passes on. Zoetrope sends none."""
    endpoint_types: tuple[str, ...] = ()
    """The kinds of requests that new-api takes for the model."""


ReadList = Callable[[object], tuple[Offer, ...]]
"""Returns the models of a list. It never raises, whatever the list contains."""
Row = Mapping[str, object]


def rows(answer: object) -> Iterator[tuple[str, Row]]:
    """Yield name and row of each model in `data`. Of equal names only the first counts."""
    data = answer.get("data") if isinstance(answer, dict) else None
    seen: set[str] = set()
    for row in data[:MOST_ROWS] if isinstance(data, list) else ():
        name = row.get("id") if isinstance(row, dict) else None
        if isinstance(name, str) and _NAME.fullmatch(name) and name not in seen:
            seen.add(name)
            yield name, row


def label_of(given: object) -> str:
    """Return a text as a label: one line, without control characters, and short."""
    return shortened(clean(given[: 10 * MOST_LABEL]), MOST_LABEL) if isinstance(given, str) else ""


def family_of(name: str) -> str:
    """Return the family of a wire name: its last part, in lower case."""
    tail = name.rstrip("/").rpartition("/")[2].casefold()
    return re.sub(r"[^a-z0-9.]+", "-", tail).strip("-.")[:MOST_LABEL]


def words(given: object) -> list[str]:
    """Return the texts of a list, in lower case; an empty list for any other value."""
    some = given[:MOST_WORDS] if isinstance(given, list) else ()
    return [each.casefold() for each in some if isinstance(each, str) and len(each) <= MOST_LABEL]


def parameters(given: object) -> tuple[str, ...]:
    """Return the names of a list, each once and as they are written."""
    some = given[:MOST_WORDS] if isinstance(given, list) else ()
    known = (each for each in some if isinstance(each, str) and len(each) <= MOST_LABEL)
    return tuple(dict.fromkeys(each for each in known if _NAME.fullmatch(each)))


def lengths(given: object) -> tuple[int, ...]:
    """Return the lengths in seconds of a list, each once and in its order."""
    some = given[:MOST_WORDS] if isinstance(given, list) else ()
    whole = (each for each in some if isinstance(each, int) and not isinstance(each, bool))
    return tuple(dict.fromkeys(each for each in whole if 0 < each <= LONGEST))


def price_of(given: object) -> float | None:
    """Return a price as text or number; None for every value that is no sensible price."""
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        return None
    try:
        price = float(Decimal(given if isinstance(given, str) and len(given) < 40 else str(given)))
    except (InvalidOperation, OverflowError, ValueError):
        return None
    return price if math.isfinite(price) and 0 <= price <= DEAREST else None


def shapes(pixels: list[str]) -> Sizes:
    """Return sizes in pixels, by the quality and aspect that each is nearest to."""
    found: dict[str, dict[str, str]] = {}
    for word in pixels:
        if match := _PIXELS.fullmatch(word):
            wide, high = int(match[1]), int(match[2])
            ratio = wide / high
            aspect = min(ASPECTS, key=lambda it: abs(ASPECTS[it] / ratio - 1))
            quality = min(QUALITIES, key=lambda it: abs(QUALITIES[it] - min(wide, high)))
            is_near = abs(QUALITIES[quality] / min(wide, high) - 1) <= 2 * _CLOSE
            if is_near and abs(ASPECTS[aspect] / ratio - 1) <= _CLOSE:
                found.setdefault(quality, {}).setdefault(aspect, word)
    return found
