"""Change one value in a TOML text and keep every other character.

Only simple lines are understood. The result is parsed again and compared with the wanted values,
so a text that is not simple raises `NotSimple` and is never damaged.
"""

import json
import re
import tomllib
from typing import Any

Value = str | int | float | bool | list[str]


class NotSimple(Exception):
    """The text can't be changed line by line."""


def put(text: str, key: tuple[str, ...], value: Value) -> str:
    """Return `text` with `key` set to `value`. Raises `NotSimple` if that is not safe."""
    try:
        before = tomllib.loads(text)
        if _has(before, key, value):
            return text
        changed = _put(text, key, value)
        outcome = tomllib.loads(changed)
    except tomllib.TOMLDecodeError as error:
        raise NotSimple from error
    if outcome != _changed(before, key, value):
        raise NotSimple
    return changed


def _has(values: Any, key: tuple[str, ...], value: Value) -> bool:
    """Whether `key` already has this value, in any TOML notation."""
    for name in key:
        values = values.get(name) if isinstance(values, dict) else None
    return values == value and isinstance(values, bool) == isinstance(value, bool)


def _put(text: str, key: tuple[str, ...], value: Value) -> str:
    *table, name = key
    end = "\r\n" if "\r\n" in text else "\n"
    lines: list[str] = re.findall(r"[^\n]*\n|[^\n]+", text)
    section = _section(lines, tuple(table))
    if section is not None and _replace(lines, section, name, _written(value)):
        return "".join(lines)
    line = f"{_spelt(name)} = {_written(value)}{end}"
    if section is None:
        gap = [end] if lines and lines[-1].strip() else []
        lines += [*gap, f"[{'.'.join(map(_spelt, table))}]{end}", line]
    else:
        _insert(lines, section, line, end)
    *all_but_last, last = lines  # the former last line may lack a line end
    return "".join(each if each.endswith("\n") else each + end for each in all_but_last) + last


def _section(lines: list[str], table: tuple[str, ...]) -> range | None:
    """Return the line numbers of a table's body; for (), of the lines before the first header."""
    headers = [n for n, line in enumerate(lines) if line.lstrip().startswith("[")]
    ends = [*headers, len(lines)]
    if not table:
        return range(ends[0])
    for number, header in enumerate(headers):
        if _path(lines[header]) == table:
            return range(header + 1, ends[number + 1])
    return None


def _path(header: str) -> tuple[str, ...]:
    inner: Any = _read(header)
    path = []
    while isinstance(inner, dict) and inner:
        name, inner = next(iter(inner.items()))
        path.append(name)
    return tuple(path)


def _replace(lines: list[str], section: range, name: str, written: str) -> bool:
    """Replace the value in the line of `name`, or in a commented-out line. True if found."""
    for shown in ("", "#"):
        for number in section:
            line = re.match(rf"(\s*){shown}\s*({re.escape(_spelt(name))}\s*=\s*)", lines[number])
            if line and (rest := _after_value(name, lines[number][line.end() :])) is not None:
                lines[number] = f"{line[1]}{line[2]}{written}{rest}"
                return True
    return False


def _after_value(name: str, tail: str) -> str | None:
    """Return the part of `tail` after the value at its start; None if no value is found there."""
    for rest in re.finditer(r"\s*(#|$)", tail):
        if _read(f"{_spelt(name)} = {tail[: rest.start()]}"):
            return tail[rest.start() :]
    return None


def _insert(lines: list[str], section: range, line: str, end: str) -> None:
    """Insert the line after the last value of the table, or below its header."""
    filled = [n for n in section if lines[n].strip() and not lines[n].lstrip().startswith("#")]
    if filled or section.start:
        above = filled[-1] if filled else section.start - 1
        indent = re.match(r"[ \t]*", lines[above])
        lines.insert(above + 1, f"{indent[0] if indent else ''}{line}")
    else:
        lines[section.stop : section.stop] = [line] if section.stop == len(lines) else [line, end]


def _read(text: str) -> dict[str, Any]:
    """Parse a part of a TOML file; return {} if the part is not valid alone."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}


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
