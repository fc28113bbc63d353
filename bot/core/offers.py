"""The values that a person can still choose for an unfinished order.

Each value is tried on the catalog together with the rest of the order. So every offered value leads
to an order that some model takes.
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
    """Return the ids of the families that can make this order."""
    return _had(catalog, order, "family", catalog.families)


def lengths(catalog: Catalog, order: Order) -> list[int]:
    """Return the lengths in seconds that this order can have, from short to long.

    `AUTO` comes first if the model can choose the length.
    """
    known = sorted({length for model in catalog.models for length in model.seconds})
    return _had(catalog, order, "seconds", [AUTO, *known])


def longest(catalog: Catalog, order: Order) -> int:
    """Return the seconds that are charged for this order if the model chooses the length."""
    return catalog.choose(order.wishing(replace(order.wish, seconds=AUTO)))[1].seconds


def positions(catalog: Catalog, order: Order, switch: str) -> list[bool]:
    """Return `[True, False]` if this order can have the switch on and off, else an empty list."""
    able = _had(catalog, order, SWITCHES[switch], [True, False])
    return able if len(able) > 1 else []


def aspects(catalog: Catalog, order: Order) -> list[str]:
    """Return the aspects that this order can have."""
    return _had(catalog, order, "aspect", ASPECTS)


def qualities(catalog: Catalog, order: Order) -> list[str]:
    """Return the qualities that this order can have, from small to large.

    `DRAFT` comes first if there is more than one quality.
    """
    able = _had(catalog, order, "quality", QUALITIES)
    return [DRAFT, *able] if len(able) > 1 else able


def presets(catalog: Catalog, order: Order) -> list[str]:
    """Return the ids of the presets that this order can have."""
    return _had(catalog, order, "preset", catalog.presets)


def takes(catalog: Catalog, order: Order) -> bool:
    """Whether some model of the catalog can make this order."""
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
