"""`zoetrope db verify`: rows and files looked through beside the running service."""

import asyncio
import json
import tempfile
from dataclasses import asdict
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from bot import log
from bot.backups.archive import has
from bot.cli import tables
from bot.cli.rim import reached
from bot.cli.words import tell
from bot.config import Config, load
from bot.i18n import printable
from bot.media.storage import Storage
from bot.store import migrations
from bot.store.reading import open_reading, version_of
from bot.store.spool import Spool
from bot.store.verifying import SHOWN, Verdict, verify
from bot.store.wanted import wanted


def verify_database(file: Path | None, *, as_json: bool) -> None:
    """Print what each check found; exit code 1 if that is anything."""
    config = load(file)
    log.configure(level="ERROR", secrets=config.secrets)
    verdicts = asyncio.run(_verdicts(config))
    broken = [verdict for verdict in verdicts if verdict.trouble]
    if as_json:
        checks = [asdict(verdict) for verdict in verdicts]
        print(json.dumps({"sound": not broken, "checks": checks}, ensure_ascii=False, indent=2))
    else:
        _show(verdicts, len(broken))
    if broken:
        raise typer.Exit(1)


async def _verdicts(config: Config) -> list[Verdict]:
    with reached(config.database_url):
        async with open_reading(config.database_url) as connection:
            await connection.run_sync(migrations.check_known)
            verdicts = await verify(connection)
            if await version_of(connection) != migrations.head():
                return verdicts
            needed = await connection.run_sync(wanted)
    return [*verdicts, await _media(config, list(needed)), _spool(config)]


async def _media(config: Config, keys: list[str]) -> Verdict:
    with tempfile.TemporaryDirectory() as scratch:
        storage = Storage(config.storage_url, scratch=Path(scratch))
        missing = [key for key in sorted(keys) if not await has(storage, key)]
    return Verdict("media", len(keys), tuple(missing[:SHOWN]))


def _spool(config: Config) -> Verdict:
    """A service that starts gives them to their rows; what is left has none."""
    ids = [each.gateway_id for each in Spool(config.data_dir).read()]
    return Verdict("spool", len(ids), tuple(ids[:SHOWN]))


def _show(verdicts: list[Verdict], broken: int) -> None:
    console = Console(highlight=False, markup=False)
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column(tell("db.check"), no_wrap=True)
    table.add_column(tell("db.looked_at"), justify="right")
    table.add_column(tell("db.found"), overflow="fold")
    for verdict in verdicts:
        found = printable("; ".join(verdict.trouble)) or tell("db.sound")
        style = "bold red" if verdict.trouble else ""
        row = (tell(f"checked.{verdict.check}"), str(verdict.looked_at), found)
        table.add_row(*row, style=style)
    tables.show(console, table)
    console.print()
    console.print(tell("db.unsound", count=broken) if broken else tell("db.all_sound"))
