"""`zoetrope media verify` and `media sweep`: the stored files, and the rows that name them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any

import typer

from bot.cli import drawing
from bot.cli.control import ask, configuration
from bot.cli.errors import reached
from bot.cli.options import AsJson, ConfigFile
from bot.cli.words import tell
from bot.config import Config
from bot.core.inspection import Inspection
from bot.i18n import printable

Values = Mapping[str, Any]

app = typer.Typer(no_args_is_help=True)
_PROBLEMS = {
    "missing": "media.no_missing",
    "other_size": "media.no_other_size",
    "without_row": "media.no_without_row",
}
"""Kinds of problems, each with the sentence for no such problem."""
_LISTED = 20
"""The most files that are listed; `--json` lists more."""


@app.command()
def verify(as_json: AsJson = False, config: ConfigFile = None) -> None:
    """Compare rows and files: list missing files, and files that no row names."""
    found = asyncio.run(_beside(configuration(config), Inspection.verify))
    if as_json:
        drawing.as_json(found)
    else:
        _show_files(found)
        _show_problems(found)
    if found["missing"]["count"] or found["other_size"]["count"]:
        raise typer.Exit(1)


@app.command()
def sweep(
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Remove nothing, only count; works while the service runs."),
    ] = False,
    yes: Annotated[
        bool,
        typer.Option(
            "--yes", help="Sweep at once: you are sure that this machine's clock is right."
        ),
    ] = False,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Remove files and rows that were kept long enough; the service does so each minute."""
    known = configuration(config)
    if dry_run:
        found: Values = asyncio.run(_beside(known, Inspection.due))
    else:
        found = ask(known, "media.sweep", sure=yes)
    if as_json:
        drawing.as_json(found)
        return
    print(tell("media.would_go" if dry_run else "media.went"))
    lines = [
        (tell(f"media.{kind}"), str(it["rows"]), str(it["files"]), _megabytes(it["bytes"]))
        for kind, it in found.items()
        if kind != "dry_run"
    ]
    _show(("kind", "rows", "files", "size"), lines)


async def _beside(config: Config, look: Callable[[Inspection], Awaitable[Values]]) -> Values:
    """Inspect without asking the service: with many files its time limit would be too short."""
    from bot.keepers import inspection_beside

    with reached(config.database_url):
        async with inspection_beside(config) as inspection:
            return await look(inspection)


def _show_files(found: Values) -> None:
    lines = [
        (kind, str(it["files"]), _megabytes(it["bytes"])) for kind, it in found["kinds"].items()
    ]
    total = found["files"]
    lines.append((tell("media.total"), str(total["files"]), _megabytes(total["bytes"])))
    _show(("kind", "files", "size"), lines)
    if most := found["most_bytes"]:
        print(tell("media.most", size=_megabytes(most)))


def _show_problems(found: Values) -> None:
    for problem, none in _PROBLEMS.items():
        count, named = found[problem]["count"], found[problem]["named"]
        print(tell(f"media.{problem}", count=count) if count else tell(none))
        for each in named[:_LISTED]:
            print(printable(f"  {each['key']}  {each.get('job', '')}".rstrip()))
        if count > _LISTED:
            print(tell("media.more", count=count - _LISTED))


def _show(names: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    headings = [tell(f"media.{name}") for name in names]
    drawing.table(headings, lines, figures=range(1, len(names)), gap=2)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
