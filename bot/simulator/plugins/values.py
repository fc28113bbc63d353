"""Values as the scripts of new-api's plugins understand them: loosely, where Python would not."""

import math
from collections.abc import Mapping, Sequence

Values = dict[str, object]


def text(value: object) -> str:
    """Return a text without the space around it; of nothing, zero and false an empty one."""
    return str(value).strip() if value else ""


def number(value: object) -> float:
    """Return a number that may stand in a text; `nan` if there is none."""
    try:
        return float(value) if isinstance(value, str | int | float) else math.nan
    except ValueError:
        return math.nan


def whole(value: object) -> int | None:
    """Return a whole number that may stand in a text; None if it is no whole number."""
    found = number(value)
    return int(found) if math.isfinite(found) and found == int(found) else None


def mapping(value: object, name: str) -> Mapping[str, object]:
    """Return what must be an object or nothing."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} must be an object")
    return value


def array(value: object) -> list[object]:
    """Return the items of a list; of anything else none."""
    return list(value) if isinstance(value, list | tuple) else []


def boolean(value: object, name: str) -> bool | None:
    """Return what must be true, false or nothing."""
    if value is not None and not isinstance(value, bool):
        raise ValueError(f"{name} must be a boolean")
    return value


def sides(size: object) -> tuple[float, float] | None:
    """Return width and height of `1280x720`, or with another sign between them; None: neither."""
    parts = text(size).lower().replace("*", "x").split("x")
    if len(parts) != 2:
        return None
    width, height = number(parts[0]), number(parts[1])
    return (width, height) if width > 0 and height > 0 else None


def crossed(size: object) -> tuple[float, float] | None:
    """The same, where only `x` will do."""
    return None if "*" in text(size) else sides(size)


def tier(size: object, steps: Sequence[tuple[int, str]], least: str) -> str:
    """Return the tier of the longest side; `steps` go down from the longest."""
    longest = max(sides(size) or (0, 0))
    return next((name for side, name in steps if longest >= side), least)


def nearest(width: float, height: float, ratios: Sequence[str]) -> str:
    """Return the ratio that is nearest to the sides."""

    def distance(ratio: str) -> float:
        across, down = map(float, ratio.split(":"))
        return abs(math.log(width / height) - math.log(across / down))

    return min(ratios, key=distance)
