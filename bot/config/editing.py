"""Changes one value in a TOML text and leaves every other character as it was.

It understands only simple lines, and knows it: the outcome is read back and compared.
"""

import json
import re
import tomllib
from typing import Any

Value = str | int | float | bool


class NotSimple(Exception):
    """The text can't be changed line by line."""


def put(text: str, key: tuple[str, ...], value: Value) -> str:
    """`text` with `key` set to `value`. Raises `NotSimple`, rather than to break anything."""
    *table, name = key
    lines = text.splitlines()
    line = f"{_spelt(name)} = {_written(value)}"
    place = _section(lines, tuple(table))
    if place is None:
        gap = [""] if lines and lines[-1].strip() else []
        lines += [*gap, f"[{'.'.join(map(_spelt, table))}]", line]
    else:
        _put_line(lines, place, name, line)
    changed = "\n".join([*lines, ""])
    try:
        outcome = tomllib.loads(changed)
    except tomllib.TOMLDecodeError as error:
        raise NotSimple from error
    if outcome != _changed(tomllib.loads(text), key, value):
        raise NotSimple
    return changed


def _section(lines: list[str], table: tuple[str, ...]) -> range | None:
    """The numbers of the lines below the table's header; of all before the first, for no table."""
    headers = [n for n, line in enumerate(lines) if line.startswith("[")]
    ends = [*headers, len(lines)]
    if not table:
        return range(ends[0])
    for number, header in enumerate(headers):
        if _path(lines[header]) == table:
            return range(header + 1, ends[number + 1])
    return None


def _path(header: str) -> tuple[str, ...]:
    try:
        inner: Any = tomllib.loads(header)
    except tomllib.TOMLDecodeError:
        return ()
    path = []
    while isinstance(inner, dict) and inner:
        name, inner = next(iter(inner.items()))
        path.append(name)
    return tuple(path)


def _put_line(lines: list[str], place: range, name: str, line: str) -> None:
    """In place of the name's line; or of the comment that shows it; or after the last value."""
    for shown in ("", "#"):
        for number in place:
            if re.match(rf"{shown}\s*{re.escape(_spelt(name))}\s*=", lines[number]):
                lines[number] = line
                return
    filled = [n for n in place if lines[n].strip() and not lines[n].startswith("#")]
    if filled:
        lines.insert(filled[-1] + 1, line)
    elif place.start:
        lines.insert(place.start, line)
    else:
        lines[place.stop : place.stop] = [line] if place.stop == len(lines) else [line, ""]


def _changed(values: Any, key: tuple[str, ...], value: Value) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise NotSimple
    first, *rest = key
    inner = values.get(first, {})
    return {**values, first: _changed(inner, tuple(rest), value) if rest else value}


def _spelt(name: str) -> str:
    return name if re.fullmatch(r"[\w-]+", name, re.ASCII) else json.dumps(name)


def _written(value: Value) -> str:
    return json.dumps(value, ensure_ascii=False)
