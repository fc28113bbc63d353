"""`zoetrope db backup`: copy rows and files, also while the service runs."""

import asyncio
from pathlib import Path

from bot.backups import making
from bot.backups.archive import Backup
from bot.cli import drawing
from bot.cli.control import configuration
from bot.cli.db import sheet
from bot.cli.errors import reached
from bot.cli.owner import check_user
from bot.cli.storage import storage_at
from bot.cli.words import tell
from bot.config import Config
from bot.core.clock import SystemClock


def back_up(file: Path | None, *, to: Path | None, as_json: bool) -> None:
    """Make a backup in `to` or the configured folder, and print its contents."""
    config = configuration(file)
    check_user(config)
    backup = asyncio.run(_make(config, to or config.backup_folder))
    if as_json:
        drawing.as_json({"folder": str(backup.folder), **sheet.values(backup.manifest)})
    else:
        print(tell("backup.made", folder=str(backup.folder)))
        sheet.show(backup.manifest)


async def _make(config: Config, folder: Path) -> Backup:
    with reached(config.database_url), storage_at(config.storage_url) as storage:
        return await making.make(config, storage, folder, now=SystemClock().now())
