"""How much is known of the software that serves a model behind new-api.

Its generation C runs each vendor as a plugin, which every gateway updates when it likes; before
that, and for models that no plugin claims, an older relay serves. A version is a tuple of numbers.
"""

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator

RELAY = (0,)
"""The older relay, which is no plugin: older than all of them."""
FIRST = (1, 0, 0)
NOBODY = "none"
"""How people write `RELAY`."""
_VERSION = re.compile(r"\d{1,9}\.\d{1,9}\.\d{1,9}", re.ASCII)
Generation = Literal["A", "B", "C"]


def _numbers(given: object) -> object:
    """`1.4.2` or `none` as numbers; a part of a version would count as older than it is."""
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
    """The oldest and the newest version that may serve; of what nobody knows, () and None.

    () is older than all that is new-api at all.
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
