"""Removal of people's texts, file names included, from the JSON of a row."""

from collections.abc import Mapping
from typing import Any

from bot.core.wishes import WORDS

_EMPTY = dict.fromkeys(WORDS, "")
_NO_WORDS = {"prompt": "", "parameters": [], "extras": []}


def wordless_order(order: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value of `order_data` without people's texts."""
    pictures = [{**each, "filename": ""} for each in order.get("pictures") or ()]
    single = {name: order.get(name) for name in ("video", "sound")}
    return {
        **order,
        "wish": {**(order.get("wish") or {}), **_EMPTY},
        "pictures": pictures,
        **{name: {**each, "filename": ""} if each else None for name, each in single.items()},
    }


def wordless_request(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value of `request_data` without people's texts."""
    return {**request, **_NO_WORDS}
