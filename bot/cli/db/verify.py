"""`zoetrope db verify`: check rows and files, also while the service runs."""

import asyncio
from dataclasses import asdict
from pathlib import Path

import typer

from bot import control, installed
from bot.backups.archive import has
from bot.cli import drawing
from bot.cli.control import configuration
from bot.cli.errors import reached
from bot.cli.storage import storage_at
from bot.cli.words import tell
from bot.config import Config
from bot.store import migrations
from bot.store.reading import open_reading, version_of
from bot.store.spool import Spool
from bot.store.verifying import SHOWN, USAGE, Verdict, verify
from bot.store.wanted import wanted


def verify_database(file: Path | None, *, as_json: bool) -> None:
    """Print the result of each check. Exit code 1 if any check found trouble."""
    config = configuration(file)
    verdicts = asyncio.run(_verdicts(config))
    is_doubted = any(it.check == USAGE and it.trouble for it in verdicts)
    if is_doubted:
        # A running service compares too, and takes no orders on a difference. So does a start.
        asyncio.run(control.ask(config.data_dir, "usage.compare", {}))
    broken = [verdict for verdict in verdicts if verdict.trouble]
    if as_json:
        checks = [asdict(verdict) for verdict in verdicts]
        drawing.as_json({"sound": not broken, "checks": checks})
    else:
        _show(verdicts, len(broken))
        if is_doubted:
            print(tell("db.refusing", command=installed.command()))
    if broken:
        raise typer.Exit(1)


async def _verdicts(config: Config) -> list[Verdict]:
    with reached(config.database_url):
        async with open_reading(config.database_url) as rows:
            await rows.run(migrations.check_known)
            verdicts = await rows.run(verify)
            if await rows.run(version_of) != migrations.head():
                return verdicts
            needed = await rows.run(wanted)
    return [*verdicts, await _media(config, list(needed)), _spool(config)]


async def _media(config: Config, keys: list[str]) -> Verdict:
    with storage_at(config.storage_url) as storage:
        missing = [key for key in sorted(keys) if not await has(storage, key)]
    return Verdict("media", len(keys), tuple(missing[:SHOWN]))


def _spool(config: Config) -> Verdict:
    """Return the verdict on the gateway ids that are left in the spool.

    A start of the service writes each id into its job's row. So an id that is left has no row.
    """
    ids = [each.gateway_id for each in Spool(config.data_dir).read()]
    return Verdict("spool", len(ids), tuple(ids[:SHOWN]))


def _show(verdicts: list[Verdict], broken: int) -> None:
    headings = [tell("db.check"), tell("db.looked_at"), tell("db.found")]
    lines = [
        (tell(f"checked.{it.check}"), str(it.looked_at), "; ".join(it.trouble) or tell("db.sound"))
        for it in verdicts
    ]
    styles = ["bold red" if verdict.trouble else "" for verdict in verdicts]
    drawing.table(headings, lines, figures=(1,), styles=styles, gap=2)
    print()
    print(tell("db.unsound", count=broken) if broken else tell("db.all_sound"))
