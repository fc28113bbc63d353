"""The body of an answer as tables, whichever envelope they came in.

`envelopes.toml` has the names under which gateways put things. The body is walked through once, and
whoever looks for something picks the tables that stand under the names for it.
"""

import json
import re
import tomllib
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files

LONGEST = 4096
"""Characters of an id, an address or a message that are read."""
_MOST = 200
"""Values of one table or list that are read."""
_MOST_TABLES = 600
_DEEPEST = 6
_TRIES = 8
"""Braces at which a table is looked for."""
_ADDRESS = re.compile(r"https?://\S+")
_BRACE = re.compile(r"\{")

Table = dict[str, object]
NAMES: dict[str, tuple[str, ...]] = {
    kind: tuple(names)
    for kind, names in tomllib.loads(
        files("bot.gateways").joinpath("envelopes.toml").read_text("utf-8")
    ).items()
}
_ANSWERED = NAMES["answered"]
_MESSAGES = frozenset(NAMES["texts"] + NAMES["failures"])


@dataclass(frozen=True, slots=True)
class Spot:
    """One table of a body, and where it stands."""

    table: Table
    path: tuple[str, ...] = ()
    """The names on the way to it."""
    above: "Spot | None" = None
    row: int = 0
    """Its place in the list that it is in, of so many; of none: it is in no list."""
    of: int = 0

    @property
    def lineage(self) -> "Iterator[Spot]":
        """It and all that it stands in."""
        yield self
        if self.above:
            yield from self.above.lineage

    def is_under(self, names: Collection[str]) -> bool:
        """Whether nothing but these names leads to it."""
        return all(name in names for name in self.path)


def name_of(key: str) -> str:
    """A name without its case and its separators: `videoUrl` is `video_url`."""
    return key.casefold().replace("_", "").replace("-", "")


def parsed(body: bytes | str) -> object:
    """The JSON with plain names, or None. Hostile bodies raise more than JSONDecodeError (F10)."""
    try:
        value: object = json.loads(body, object_pairs_hook=_table)
    except (ValueError, RecursionError):
        return None
    return value


def _table(pairs: list[tuple[str, object]]) -> Table:
    """A table with plain names; of two spellings of one, the plain one counts, or the first."""
    table: Table = {}
    for key, value in dict(pairs[:_MOST]).items():
        name, lost = name_of(key), value
        if not table.get(name) or (key == name and value not in (None, "")):
            lost, table[name] = table.get(name), value
        if lost and lost != table[name] and name in NAMES["codes"]:
            table["othercode"] = lost  # two codes that differ may both say why
    return table


def enveloped(value: object) -> Table | None:
    """A list, a word or an address as the table that it stands for; None if it says nothing."""
    match value:
        case dict():
            return value
        case [dict() as alone]:
            return alone
        case [str() as word]:
            return enveloped(word)
        case [_, *_]:
            return {"data": value}
        case str() if _ADDRESS.fullmatch(value.strip()):
            return {"url": value.strip()}
        case str() if value.strip():
            return {"message" if value.strip().casefold() in _ANSWERED else "status": value}
    return None


def spots_in(body: Table) -> list[Spot]:
    """Every table in a body, the nearest to its surface first."""
    spots = [Spot(body)]
    for spot in spots:  # It grows meanwhile.
        if len(spot.path) < _DEEPEST:
            for name, value in spot.table.items():
                room = _MOST_TABLES - len(spots)
                spots += _tables(value, spot, (*spot.path, name))[:room]
    return spots


def _tables(value: object, above: Spot, path: tuple[str, ...]) -> list[Spot]:
    """The tables that stand under one name."""
    value = _opened(value, path[-1])
    if isinstance(value, dict):
        return [Spot(value, path, above)]
    rows = [_opened(row, path[-1]) for row in leaves(value)] if isinstance(value, list) else []
    tables = ((at, row) for at, row in enumerate(rows) if isinstance(row, dict))
    return [Spot(row, path, above, at, len(rows)) for at, row in tables]


def leaves(value: object) -> list[object]:
    """The items of a list, and of lists in it; or a value alone."""
    if not isinstance(value, list):
        return [value]
    lists = (each if isinstance(each, list) else [each] for each in value[:_MOST])
    return [each for inner in lists for each in inner[:_MOST]][:_MOST]


def _opened(value: object, name: str) -> object:
    """A table that is written as text: new-api passes on a vendor's whole answer in a message.

    Litellm puts words before it, and words may have braces of their own.
    """
    if not isinstance(value, str):
        return value
    starts = [it.start() for it in _BRACE.finditer(value)] if name in _MESSAGES else [0]
    for start in starts[:_TRIES]:
        text = value[start : start + 16 * LONGEST].lstrip()
        with suppress(ValueError, RecursionError):
            if text.startswith("{"):
                return json.JSONDecoder(object_pairs_hook=_table).raw_decode(text)[0]
    return value
