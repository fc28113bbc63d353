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

This page shows whether an order arrives correctly at the vendor behind new-api. Each kind of each
model was ordered with all its options, through the real client, at six simulated gateways:

- *A* and *B*: new-api of generations A and B;
- *C newest*: generation C with the newest plugins;
- *C 1.0.0*: generation C with the first version of each plugin;
- *C mixed*: generation C with some newest and some first versions;
- *C bare*: generation C without plugins for these models, so that the older relay serves them.

`python -m docs.reach_page` writes this page. `tests/contract/test_reach_plugins.py` makes the same
orders, compares what the vendor got with what was ordered, and checks the tables below. In no cell
is a wrong video paid.

| cell | meaning |
|---|---|
| {RIGHT} | right: the vendor got each picture in its field, the length, the size and each option |
| {FREE} | the gateway refuses before anything is paid, for example because it lacks the model |
| – | Zoetrope refuses before it sends a request: the kind is not offered |

A cell with slashes depends on what you have configured about the gateway: nothing / its
`generation` / the versions of its `plugins` ([docs/gateways.md](gateways.md)). No simulated gateway
has HappyHorse.
"""
FIELDS = """
## The vendor's fields

This table shows the bodies that the plugins built from the orders under `new-api`, without the
model's name. `<one>` and `<two>` are the first and the last picture. Each order of
`r2v` has three pictures.

| models | kind | plugin | fields |
|---|---|---|---|
"""
SOURCES = """
## Where the facts are from

The limits of each model were read from these documents. A vendor's document has its own date. A
gateway's code has its repository, its commit and the day when it was read.

| document, date | models |
|---|---|
"""
Row = tuple[str, str, str]
"""The gateway, its dialect, and what is configured about it."""
Cell = tuple[str, str]
"""A model and a kind."""


async def seen() -> tuple[dict[Row, dict[Cell, str]], dict[tuple[Cell, str], str]]:
    """Order everything; return each cell's mark, and the vendor's fields by cell and gateway."""
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
    """Return the page as Markdown."""
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
    """Return the marks of a row on the existing page, without kinds that are not offered."""
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
    """Return what may be configured about a gateway in a dialect, from nothing on."""
    return [known for name, spoken, known in ROWS if (name, spoken) == (serves, dialect)]


def _cells(marks: Mapping[Row, Mapping[Cell, str]], dialect: str) -> Iterable[Cell]:
    """Return the cells that any row of the dialect has, in the order of the catalog."""
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
    """Yield the table's lines; models with the same text share a line."""
    groups: dict[tuple[str, str], list[str]] = {}
    for (model, kind), said in rows.items():
        for line in said.splitlines():
            groups.setdefault((kind, line), []).append(model)
    for (kind, said), models in groups.items():
        yield f"| {_code(models)} | {kind} | {said} |\n"


def _code(names: Iterable[str]) -> str:
    return " ".join(f"`{name}`" for name in names)


def _drawn(vendors: Mapping[str, object], pictures: Iterable[Path]) -> str:
    """Return path and value of each field in one line of Markdown."""
    names = {sha256(file.read_bytes()).hexdigest(): f"<{file.stem}>" for file in pictures}
    said = [
        f"{path} {value}"
        for path, value in bodies.leaves(_named(vendors, names))
        if path not in ("model", "model_name", "req_key")
    ]
    return f"`{' · '.join(said)}`"


def _named(value: object, names: Mapping[str, str]) -> object:
    """Return the value with each picture replaced by its name."""
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
