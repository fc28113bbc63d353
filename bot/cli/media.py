"""`zoetrope media verify` and `media sweep`: the stored files, and the rows that name them."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.engine import make_url

from bot.cli import tables
from bot.cli.control import ask, configuration
from bot.cli.rim import unreachable
from bot.cli.words import tell
from bot.config import Config
from bot.core.inspection import Inspection
from bot.i18n import printable
from bot.keepers import inspection_beside

Values = Mapping[str, Any]
_PROBLEMS = {
    "missing": "media.no_missing",
    "other_size": "media.no_other_size",
    "without_row": "media.no_without_row",
}
"""Kinds of problems, and the sentence where it is not."""
_LISTED = 20
"""Files that are named; `--json` names more."""


def verify(file: Path | None, *, as_json: bool) -> None:
    """Print how rows and files agree; ends with 1 where a row's file is missing or cut."""
    found = asyncio.run(_verified(configuration(file)))
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        _show_files(found)
        _show_problems(found)
    if found["missing"]["count"] or found["other_size"]["count"]:
        raise typer.Exit(1)


def sweep(file: Path | None, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Sweep once, and print what went; or what would."""
    config = configuration(file)
    if dry_run:
        found: Values = asyncio.run(_would_go(config))
    else:
        found = ask(config, "media.sweep", sure=yes)
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=2))
        return
    print(tell("media.would_go" if dry_run else "media.went"))
    lines = [
        (tell(f"media.{kind}"), str(it["rows"]), str(it["files"]), _megabytes(it["bytes"]))
        for kind, it in found.items()
        if kind != "dry_run"
    ]
    _show(("kind", "rows", "files", "size"), lines)


async def _verified(config: Config) -> Values:
    """Beside the running service: many files take longer than it may work for a command."""
    async with _opened(config) as inspection:
        return await inspection.verify()


async def _would_go(config: Config) -> Values:
    async with _opened(config) as inspection:
        return await inspection.due()


@asynccontextmanager
async def _opened(config: Config) -> AsyncIterator[Inspection]:
    try:
        async with inspection_beside(config) as inspection:
            yield inspection
    except OSError as error:
        if make_url(config.database_url).host is None:
            raise
        raise unreachable(config.database_url, error) from error


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


def _show(headings: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in headings:
        right = heading != "kind"
        table.add_column(tell(f"media.{heading}"), justify="right" if right else "left")
    for line in lines:
        table.add_row(*line)
    tables.show(Console(highlight=False, markup=False), table)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
