"""Writes `docs/reach.md`, which shows what reaches each vendor: python -m docs.reach_page"""

import asyncio
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from tests.contract.reach import FREE, NAMES, PROFILES, RIGHT, ROWS, catalog, plain, way
from tests.unit.gateways import bodies

PAGE = Path(__file__).with_name("reach.md")
HEAD = f"""\
# What reaches the vendor

Each kind of each model was ordered with all that may be asked of it, through the real client, at
six simulated gateways that run new-api: its generations A and B, and C with the newest plugins,
with the first of each (1.0.0), with some of both, and bare, where no plugin claims a model and the
older relay serves it. This page is written by `python -m docs.reach_page`;
`tests/contract/test_reach_plugins.py` makes the same orders, compares
what the vendor got with what was asked for, and holds the tables of cells to it. No cell is paid
and wrong.

| a cell | says |
|---|---|
| {RIGHT} | right: the vendor got each picture in its place, the length, the size, each wish |
| {FREE} | refused by the gateway before it is paid, say because it does not have the model |
| – | refused before there is a request: the kind is not offered |

Where it matters what you know of the gateway, a cell has several: with nothing known / with its
`generation` / with the versions of its `plugins`, as [docs/gateways.md](gateways.md) says. No
simulated gateway has HappyHorse.
"""
FIELDS = """
## The vendor's fields

The bodies that the plugins built of the orders under `new-api`, without the name of the model.
`<one>` and `<two>` are the first and the last picture, told by their hash.

| models | kind | plugin | fields |
|---|---|---|---|
"""
SOURCES = """
## Where the facts are from

The limits of each model were read from these documents: the date of a vendor's, and the day on
which a gateway's code was read, with its repository and commit.

| document, date | models |
|---|---|
"""
Row = tuple[str, str, str]
"""The gateway, its dialect, and what is known of it."""
Cell = tuple[str, str]
"""Model and kind."""


async def seen() -> tuple[dict[Row, dict[Cell, str]], dict[tuple[Cell, str], str]]:
    """The mark of each cell, and the fields of each that a plugin passed on, by what serves."""
    marks: dict[Row, dict[Cell, str]] = {}
    fields: dict[tuple[Cell, str], str] = {}
    for row in ROWS:
        marks[row] = {}
        with tempfile.TemporaryDirectory() as folder:
            async with way(PROFILES[row[0]][0], row[1], Path(folder)) as it:
                async for model, kind, outcome in plain(it, catalog(*row)):
                    marks[row][model, kind.value] = outcome.mark
                    if outcome.vendors is not None and row[1] == "new-api":
                        drawn = _drawn(outcome.vendors, it.pictures)
                        fields.setdefault(((model, kind.value), row[0]), drawn)
    return marks, fields


def page() -> str:
    """The whole page."""
    marks, fields = asyncio.run(seen())
    parts = [HEAD]
    for dialect in bodies.DIALECTS:
        parts.append(f"\n## Under `{dialect}`\n\n| models | kind | {' | '.join(PROFILES)} |\n")
        parts.append(f"|---|---|{'---|' * len(PROFILES)}\n")
        rows = {cell: _row(marks, dialect, cell) for cell in _cells(marks, dialect)}
        parts += _grouped(rows)
    parts.append(FIELDS)
    bodies_of: dict[Cell, str] = {}
    for cell in dict.fromkeys(cell for cell, _ in fields):
        newest, first = (fields.get((cell, serves)) for serves in ("C newest", "C 1.0.0"))
        if newest == first:
            bodies_of[cell] = f"any | {newest}"
        else:
            both = {"newest": newest, "1.0.0": first}
            bodies_of[cell] = "\n".join(f"{name} | {it}" for name, it in both.items() if it)
    parts += _grouped(bodies_of)
    return "".join((*parts, SOURCES, *_sources()))


def _sources() -> Iterator[str]:
    known = {model.name: model.source for row in ROWS for model in catalog(*row).models}
    models: dict[str, list[str]] = {}
    for name in NAMES:
        models.setdefault(known[name], []).append(name)
    for source, names in models.items():
        yield f"| {source} | {_code(names)} |\n"


def shown(row: Row) -> dict[Cell, str]:
    """The marks that the page has for this row, without those of kinds that are not offered."""
    serves, dialect, known = row
    _, _, after = PAGE.read_text("utf-8").partition(f"\n## Under `{dialect}`\n")
    place = list(PROFILES).index(serves)
    marks: dict[Cell, str] = {}
    for models, kind, cells in re.findall(
        r"^\| (`.+`) \| (\w+) \| (.+) \|$", after.partition("\n## ")[0], re.MULTILINE
    ):
        levels = cells.split(" | ")[place].split(" / ")
        mark = levels[_levels(serves, dialect).index(known) if len(levels) > 1 else 0]
        if mark != "–":
            marks |= {(model, kind): mark for model in models[1:-1].split("` `")}
    return marks


def _levels(serves: str, dialect: str) -> list[str]:
    """How much may be known of it, from nothing on."""
    return [known for name, spoken, known in ROWS if (name, spoken) == (serves, dialect)]


def _cells(marks: Mapping[Row, Mapping[Cell, str]], dialect: str) -> Iterable[Cell]:
    """Those of any row of the dialect, in the order of the catalog."""
    cells = {cell for row, each in marks.items() if row[1] == dialect for cell in each}
    kinds = [kind.value for kind in bodies.FILES]
    return sorted(cells, key=lambda cell: (NAMES.index(cell[0]), kinds.index(cell[1])))


def _row(marks: Mapping[Row, Mapping[Cell, str]], dialect: str, cell: Cell) -> str:
    columns = []
    for serves in PROFILES:
        rows = [(serves, dialect, known) for known in _levels(serves, dialect)]
        said = [marks[row].get(cell, "–") for row in rows]
        columns.append(said[0] if len(set(said)) == 1 else " / ".join(said))
    return " | ".join(columns)


def _grouped(rows: Mapping[Cell, str]) -> Iterator[str]:
    """Lines of a table, one for all models of which the same is said."""
    groups: dict[tuple[str, str], list[str]] = {}
    for (model, kind), said in rows.items():
        for line in said.splitlines():
            groups.setdefault((kind, line), []).append(model)
    for (kind, said), models in groups.items():
        yield f"| {_code(models)} | {kind} | {said} |\n"


def _code(names: Iterable[str]) -> str:
    return " ".join(f"`{name}`" for name in names)


def _drawn(vendors: Mapping[str, object], pictures: Iterable[Path]) -> str:
    """Path and value of each field."""
    names = {sha256(file.read_bytes()).hexdigest(): f"<{file.stem}>" for file in pictures}
    said = [
        f"{path} {value}"
        for path, value in bodies.leaves(_named(vendors, names))
        if path not in ("model", "model_name", "req_key")
    ]
    return f"`{' · '.join(said)}`"


def _named(value: object, names: Mapping[str, str]) -> object:
    """The same with each picture by its name."""
    match value:
        case {"data_uri": {"sha256": str(digest)}} | {"base64": {"sha256": str(digest)}}:
            return names[digest]
        case Mapping():
            return {key: _named(inner, names) for key, inner in value.items()}
        case list() | tuple():
            return [_named(inner, names) for inner in value]
        case _:
            return value


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
