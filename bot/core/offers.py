"""The choices for a wish as it is so far: nobody is refused a value that we offered.

Each candidate is put to the catalog together with everything else that was wished for, so a menu
shows what any model of a family makes, and nothing that none does.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from bot.core.catalog import Catalog
from bot.core.errors import Refused
from bot.core.orders import Order
from bot.core.wishes import ASPECTS, AUTO, DRAFT, QUALITIES, SWITCHES

Value = TypeVar("Value", str, int, bool)


def families(catalog: Catalog, order: Order) -> list[str]:
    """Ids of those that make it."""
    return _had(catalog, order, "family", catalog.families)


def lengths(catalog: Catalog, order: Order) -> list[int]:
    """Seconds, from short to long; before them `AUTO`, where the model may choose."""
    known = sorted({length for model in catalog.models for length in model.seconds})
    return _had(catalog, order, "seconds", [AUTO, *known])


def longest(catalog: Catalog, order: Order) -> int:
    """The seconds that count for a length that the model chooses."""
    return catalog.choose(order.wishing(replace(order.wish, seconds=AUTO)))[1].seconds


def positions(catalog: Catalog, order: Order, switch: str) -> list[bool]:
    """On and off, where both can be had; else there is nothing to choose."""
    able = _had(catalog, order, SWITCHES[switch], [True, False])
    return able if len(able) > 1 else []


def aspects(catalog: Catalog, order: Order) -> list[str]:
    """Shapes."""
    return _had(catalog, order, "aspect", ASPECTS)


def qualities(catalog: Catalog, order: Order) -> list[str]:
    """From small to large; a draft before them, where there is something better than that."""
    able = _had(catalog, order, "quality", QUALITIES)
    return [DRAFT, *able] if len(able) > 1 else able


def presets(catalog: Catalog, order: Order) -> list[str]:
    """Ids of words to ask with."""
    return _had(catalog, order, "preset", catalog.presets)


def takes(catalog: Catalog, order: Order) -> bool:
    """Whether some model makes it."""
    try:
        catalog.choose(order)
    except Refused:
        return False
    return True


def _had(catalog: Catalog, order: Order, name: str, values: Iterable[Value]) -> list[Value]:
    return [
        value
        for value in values
        if takes(catalog, order.wishing(order.wish.having(**{name: value})))
    ]
