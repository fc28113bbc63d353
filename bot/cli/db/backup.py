"""`zoetrope db backup`: a copy of rows and files, made beside the running service."""

import asyncio
import json
import tempfile
from pathlib import Path

from bot import log
from bot.backups import making
from bot.backups.archive import Backup
from bot.cli.db import sheet
from bot.cli.owner import check_user
from bot.cli.rim import reached
from bot.cli.words import tell
from bot.config import Config, load
from bot.core.clock import SystemClock
from bot.media.storage import Storage


def back_up(file: Path | None, *, to: Path | None, as_json: bool) -> None:
    """Make one in `to`, or where the configuration says, and print what is in it."""
    config = load(file)
    log.configure(level="ERROR", secrets=config.secrets)
    check_user(config)
    backup = asyncio.run(_make(config, to or config.backup_folder))
    if as_json:
        shown = {"folder": str(backup.folder), **sheet.values(backup.manifest)}
        print(json.dumps(shown, ensure_ascii=False, indent=2))
    else:
        print(tell("backup.made", folder=str(backup.folder)))
        sheet.show(backup.manifest)


async def _make(config: Config, folder: Path) -> Backup:
    with reached(config.database_url), tempfile.TemporaryDirectory() as scratch:
        storage = Storage(config.storage_url, scratch=Path(scratch))
        return await making.make(config, storage, folder, now=SystemClock().now())
