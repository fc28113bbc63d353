"""A data folder with rows and files of every kind, and helpers to back it up, restore it and change
it.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection

from bot.backups import making, restoring
from bot.backups.archive import Backup
from bot.backups.restoring import Restored
from bot.config import Config, load
from bot.media.storage import Storage
from bot.store.database import open_database
from bot.store.engines import Result
from bot.store.identity import Home
from bot.store.tables import jobs
from tests.contract.rows import NOON
from tests.unit.store import former

LATER = NOON + 3600.0
VIDEO = b"a video of nine"

_rows: list[bytes] = []
"""The SQLite file with the former rows, made at the first use."""


class Site:
    """One configuration with its data; the database may be SQLite or PostgreSQL."""

    def __init__(
        self, folder: Path, database_url: str | None = None, *, backups: Path | None = None
    ) -> None:
        self.folder = folder
        self.data = folder / "data"
        ours = {
            "DATA_DIR": str(self.data),
            "GATEWAYS__MAIN__BASE_URL": "https://gateway.test",
            "GATEWAYS__MAIN__API_KEY": "sk-test",
        }
        ours |= {"DATABASE_URL": database_url} if database_url else {}
        ours |= {"BACKUP__FOLDER": str(backups)} if backups else {}
        environment = {f"ZOETROPE_{name}": value for name, value in ours.items()}
        self.config: Config = load(None, environment=environment)
        self.url = self.config.database_url
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def file(self) -> Path:
        """The database file, if the database is SQLite."""
        return self.data / "zoetrope.db"

    @property
    def storage(self) -> Storage:
        """The storage of the media."""
        return Storage(self.config.storage_url, scratch=self.folder)

    async def furnish(self) -> None:
        """Write jobs in each state, their posts, and the one video that two jobs share."""
        self.data.mkdir(exist_ok=True, mode=0o700)
        await self._write_rows()
        async with open_database(self.url, home=Home(self.data)):
            pass
        source = self.folder / "video"
        source.write_bytes(VIDEO)
        await self.storage.put(former.VIDEO.key, source)

    async def _write_rows(self) -> None:
        file = sa.make_url(self.url).database
        if not self.url.startswith("sqlite") or file is None:
            await former.write(self.url, former.REVISIONS[-1])
        elif _rows:
            Path(file).write_bytes(_rows[0])
        else:
            await former.write(self.url, former.REVISIONS[-1])
            with closing(sqlite3.connect(file)) as database:
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            _rows.append(Path(file).read_bytes())

    async def back_up(self, *, now: float = LATER, to: Path | None = None) -> Backup:
        """Make a backup."""
        return await making.make(
            self.config, self.storage, to or self.config.backup_folder, now=now
        )

    async def restore(self, backup: Backup, *, now: float = LATER + 60) -> Restored:
        """Restore a backup."""
        return await restoring.restore(self.config, self.storage, backup, now=now)

    async def rows(self, work: Callable[[Connection], Result]) -> Result:
        """Read or change the rows in the same way as the service."""
        async with open_database(self.url, home=Home(self.data)) as database:
            return await database.run(work)

    async def states(self) -> dict[str, str]:
        """Return the state of each job."""
        found = await self.rows(lambda it: it.execute(sa.select(jobs.c.id, jobs.c.status)).all())
        return {id_.removeprefix("job-"): status for id_, status in found}

    async def change(self, statement: str) -> None:
        """Run one statement of SQL."""
        await self.rows(lambda it: it.execute(sa.text(statement)))
