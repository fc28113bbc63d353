"""Reads the JSON of a foreign server as a list of its tables, however deeply they are nested.

Names are normalized: no case, no separators. Everything that is read has a limit, and no body
makes this module raise.
"""

import json
import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass

LONGEST = 4096
"""Characters of an id, an address or a message that are read."""
_MOST = 200
"""Values of one table or list that are read."""
_MOST_TABLES = 600
_DEEPEST = 6
_TRIES = 8
"""The most braces in a text at which a table is tried."""
_BRACE = re.compile(r"\{")
_PLAIN = re.compile(r"[\w.-]{1,40}")
_MOST_SHAPE = 200

Table = dict[str, object]


@dataclass(frozen=True, slots=True)
class Spot:
    """One table of a body, and its location."""

    table: Table
    path: tuple[str, ...] = ()
    """The names that lead to the table."""
    above: "Spot | None" = None
    row: int = 0
    """The table's index in its list, which has `of` items; `of` is 0 outside a list."""
    of: int = 0

    @property
    def around(self) -> "Iterator[Spot]":
        """The tables that contain this one, innermost first."""
        if self.above:
            yield self.above
            yield from self.above.around

    def is_under(self, names: Collection[str]) -> bool:
        """Whether only these names lead to the table."""
        return all(name in names for name in self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """A reader of tables that knows some special names."""

    codes: frozenset[str]
    """Names of codes. If a table has a code in two spellings, the second is named `othercode`."""
    texts: frozenset[str]
    """Names of texts that may contain a table: other words, followed by a JSON object."""

    def parsed(self, body: bytes | str) -> object:
        """Parse JSON with normalized names; None if `body` is no JSON or too deeply nested."""
        try:
            value: object = json.loads(body, object_pairs_hook=self._table)
        except (ValueError, RecursionError):
            return None
        return value

    def spots_in(self, body: Table) -> list[Spot]:
        """Return every table in a body, the outermost first."""
        spots = [Spot(body)]
        for spot in spots:  # It grows meanwhile.
            if len(spot.path) < _DEEPEST:
                for name, value in spot.table.items():
                    room = _MOST_TABLES - len(spots)
                    spots += self._under(value, spot, (*spot.path, name))[:room]
        return spots

    def _table(self, pairs: list[tuple[str, object]]) -> Table:
        """Normalize a table's names. Of two spellings the normalized one counts, else the first."""
        table: Table = {}
        for key, value in dict(pairs[:_MOST]).items():
            name, lost = name_of(key), value
            if not table.get(name) or (key == name and value not in (None, "")):
                lost, table[name] = table.get(name), value
            if lost and lost != table[name] and name in self.codes:
                table["othercode"] = lost
        return table

    def _under(self, value: object, above: Spot, path: tuple[str, ...]) -> list[Spot]:
        value = self._opened(value, path[-1])
        if isinstance(value, dict):
            return [Spot(value, path, above)]
        listed = leaves(value) if isinstance(value, list) else []
        rows = [self._opened(row, path[-1]) for row in listed]
        tables = ((at, row) for at, row in enumerate(rows) if isinstance(row, dict))
        return [Spot(row, path, above, at, len(rows)) for at, row in tables]

    def _opened(self, value: object, name: str) -> object:
        """Parse a table that is written as text; the words before it may contain braces."""
        if not isinstance(value, str):
            return value
        starts = [it.start() for it in _BRACE.finditer(value)] if name in self.texts else [0]
        for start in starts[:_TRIES]:
            text = value[start : start + 16 * LONGEST].lstrip()
            with suppress(ValueError, RecursionError):
                if text.startswith("{"):
                    return json.JSONDecoder(object_pairs_hook=self._table).raw_decode(text)[0]
        return value


def name_of(key: str) -> str:
    """Return a name in lower case without separators: `videoUrl` and `video_url` are equal."""
    return key.casefold().replace("_", "").replace("-", "")


def leaves(value: object) -> list[object]:
    """Return the items of a list and of the lists in it; any other value as a list of one."""
    if not isinstance(value, list):
        return [value]
    lists = (each if isinstance(each, list) else [each] for each in value[:_MOST])
    return [each for inner in lists for each in inner[:_MOST]][:_MOST]


def shape_of(value: object, *, shown: Collection[str]) -> str:
    """Return the names in `value` and the types of their values, but no texts or addresses.

    Only single words under the names in `shown` appear as they are.
    """
    try:
        shape = _shape(value, shown, "", 3)
    except RecursionError:
        return "{…}"
    return shape if len(shape) <= _MOST_SHAPE else shape[: _MOST_SHAPE - 1] + "…"


def _shape(value: object, shown: Collection[str], name: str, depth: int) -> str:
    match value:
        case None | bool():
            return {None: "null", True: "true", False: "false"}[value]
        case int() | float():
            return "number"
        case str():
            return f"“{value}”" if name_of(name) in shown and _PLAIN.fullmatch(value) else "text"
        case list():
            return f"[{_shape(value[0], shown, '', depth - 1)}]" if value and depth else "[]"
        case dict() if depth:
            names = [key for key in list(value)[:12] if _PLAIN.fullmatch(key)]
            inner = (f"{key}: {_shape(value[key], shown, key, depth - 1)}" for key in names)
            return "{" + ", ".join(inner) + "}"
    return "{…}"
