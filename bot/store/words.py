"""The words of people in the JSON of a row, taken out; names of files are words, too."""

from collections.abc import Mapping
from typing import Any

from bot.core.wishes import WORDS

_EMPTY = dict.fromkeys(WORDS, "")
_NO_WORDS = {"prompt": "", "parameters": [], "extras": []}


def wordless_order(order: Mapping[str, Any]) -> dict[str, Any]:
    """The value of `order_data` without them."""
    pictures = [{**each, "filename": ""} for each in order.get("pictures") or ()]
    sound = order.get("sound")
    return {
        **order,
        "wish": {**(order.get("wish") or {}), **_EMPTY},
        "pictures": pictures,
        "sound": {**sound, "filename": ""} if sound else None,
    }


def wordless_request(request: Mapping[str, Any]) -> dict[str, Any]:
    """The value of `request_data` without them."""
    return {**request, **_NO_WORDS}
