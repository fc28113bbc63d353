"""Offer to restore a backup of an earlier installation, if the database is empty."""

import asyncio

from bot.backups import archive
from bot.cli.db.restore import restore
from bot.cli.init.talk import Talk
from bot.config import Config
from bot.core.clock import SystemClock
from bot.core.errors import BotError, DatabaseAbsent
from bot.store.reading import open_reading


def offer(talk: Talk, config: Config) -> None:
    """Restore the newest backup if the person wants it; else print how to restore another one."""
    if not asyncio.run(_is_empty(config)):
        return
    backup = archive.newest(config.backup_folder, now=SystemClock().now())
    if backup is None:
        talk.say("init.restorable")
        return
    count = sum(backup.manifest.jobs.values())
    if not talk.ask_yes("init.restore", folder=str(backup.folder), jobs=count):
        return
    try:
        restored = asyncio.run(restore(config, backup))
    except BotError as error:
        talk.complain(error)
    else:
        talk.say("init.restored", held=restored.settled.held)
        if restored.settled.stopped:
            talk.say("restore.stopped")


async def _is_empty(config: Config) -> bool:
    try:
        async with open_reading(config.database_url):
            return False
    except DatabaseAbsent:
        return True
    except Exception:  # noqa: BLE001 - `doctor` reports a server that does not answer
        return False
