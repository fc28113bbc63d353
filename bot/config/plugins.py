"""Versions of the software that serves a model behind new-api, as far as they are known.

Generation C of new-api runs each vendor as a plugin; each gateway updates its plugins on its own.
Earlier generations, and models without a plugin, use an older relay. A version is a tuple of
numbers.
"""

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator

RELAY = (0,)
"""The version of the older relay, which is not a plugin. It sorts before all plugin versions."""
FIRST = (1, 0, 0)
NOBODY = "none"
"""The word for `RELAY` in a configuration."""
_VERSION = re.compile(r"\d{1,9}\.\d{1,9}\.\d{1,9}", re.ASCII)
Generation = Literal["A", "B", "C"]


def _numbers(given: object) -> object:
    """Return `1.4.2` or `none` as a tuple of numbers. Raises `ValueError`, also for `1.4`.

    A partial version would sort before the full one.
    """
    if given == NOBODY:
        return RELAY
    if isinstance(given, str) and _VERSION.fullmatch(given):
        return tuple(int(each) for each in given.split("."))
    if isinstance(given, tuple):
        return given
    raise ValueError("version")


Version = Annotated[tuple[int, ...], BeforeValidator(_numbers)]


def known(
    generation: Generation | None, version: Version | None
) -> tuple[tuple[int, ...], tuple[int, ...] | None]:
    """Return the oldest and the newest version that may serve; () and None if unknown.

    () sorts before every version of new-api.
    """
    if version is not None:
        return version, version
    match generation:
        case "A" | "B":
            return RELAY, RELAY
        case "C":
            return FIRST, None
        case None:
            return (), None
