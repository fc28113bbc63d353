"""`zoetrope db upgrade`: upgrade the tables without running the service."""

import asyncio
from pathlib import Path

from bot.cli.control import configuration
from bot.cli.errors import reached
from bot.cli.owner import check_user
from bot.cli.words import tell
from bot.config import Config
from bot.core.errors import DatabaseAbsent
from bot.store import migrations
from bot.store.database import open_database
from bot.store.identity import Home
from bot.store.reading import open_reading, version_of


def upgrade_tables(file: Path | None) -> None:
    """Upgrade the tables under the service's lock, and print the version that they had before."""
    config = configuration(file)
    check_user(config)
    found, known = asyncio.run(_upgrade(config)), str(migrations.head())
    if found == known:
        print(tell("db.current", known=known))
    else:
        print(tell("db.upgraded", found=found or "0", known=known))


async def _upgrade(config: Config) -> str | None:
    with reached(config.database_url):
        found = await _version(config.database_url)
        async with open_database(config.database_url, home=Home(config.data_dir)):
            return found


async def _version(url: str) -> str | None:
    """Return the version of the tables; None if there are no tables yet."""
    try:
        async with open_reading(url) as rows:
            return await rows.run(version_of)
    except DatabaseAbsent:
        return None
