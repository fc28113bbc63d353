"""Read values as the scripts of new-api's plugins do: less strictly than Python does."""

import math
from collections.abc import Mapping, Sequence

Values = dict[str, object]


def text(value: object) -> str:
    """Return a value as text without surrounding space; "" for None, 0 and false."""
    return str(value).strip() if value else ""


def number(value: object) -> float:
    """Return a number, or the number that a text contains; `nan` for anything else."""
    try:
        return float(value) if isinstance(value, str | int | float) else math.nan
    except ValueError:
        return math.nan


def whole(value: object) -> int | None:
    """Return a whole number, or the one that a text contains; None for anything else."""
    found = number(value)
    return int(found) if math.isfinite(found) and found == int(found) else None


def mapping(value: object, name: str) -> Mapping[str, object]:
    """Return a JSON object, or an empty one for None. Raises `ValueError` for anything else."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} must be an object")
    return value


def array(value: object) -> list[object]:
    """Return the items of a list; an empty list for anything else."""
    return list(value) if isinstance(value, list | tuple) else []


def boolean(value: object, name: str) -> bool | None:
    """Return true, false or None. Raises `ValueError` for anything else."""
    if value is not None and not isinstance(value, bool):
        raise ValueError(f"{name} must be a boolean")
    return value


def sides(size: object) -> tuple[float, float] | None:
    """Return width and height from a text like `1280x720` or `1280*720`; None for other texts."""
    parts = text(size).lower().replace("*", "x").split("x")
    if len(parts) != 2:
        return None
    width, height = number(parts[0]), number(parts[1])
    return (width, height) if width > 0 and height > 0 else None


def crossed(size: object) -> tuple[float, float] | None:
    """Return width and height from a text like `1280x720`; None for `1280*720`, too."""
    return None if "*" in text(size) else sides(size)


def tier(size: object, steps: Sequence[tuple[int, str]], least: str) -> str:
    """Return the name of the tier that `size` reaches with its longest side.

    `steps` are the least side and the name of each tier, the largest first; `least` is the name of
    the lowest tier.
    """
    longest = max(sides(size) or (0, 0))
    return next((name for side, name in steps if longest >= side), least)


def nearest(width: float, height: float, ratios: Sequence[str]) -> str:
    """Return the aspect ratio in `ratios` that is nearest to these sides."""

    def distance(ratio: str) -> float:
        across, down = map(float, ratio.split(":"))
        return abs(math.log(width / height) - math.log(across / down))

    return min(ratios, key=distance)
