"""Copies of backups in another location: a bucket, or a mounted folder.

    zoetrope-20260131T031500Z/manifest.json, zoetrope.db, pending-ids
    media/videos/ab/abcdef….mp4

Each media file is stored once for all backups that list it. Keys are never reused.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from bot.backups.archive import MANIFEST, MEDIA, Backup, Manifest, by_age, made_at, outdated, read
from bot.backups.room import is_full
from bot.core.errors import Broken, Temporary
from bot.media.storage import folder_of
from bot.net.files import save

_COPYING = 86_400.0
"""Seconds after which an incomplete copy counts as abandoned."""


class Remote:
    """A location of copies. Every method raises `Temporary` if the location can't be reached."""

    def __init__(self, url: str) -> None:
        """Open the location. `url`: a path, `file://…`, or an address that obstore understands."""
        self.url = url
        if folder := folder_of(url):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._store: ObjectStore = LocalStore(folder, automatic_cleanup=True)
        else:
            self._store = from_url(url)

    async def put(self, backup: Backup) -> None:
        """Upload a backup. Its list is uploaded last and completes it."""
        with self._translated():
            for file in backup.manifest.files:
                path = self._path(backup.folder.name, file.path)
                if file.path.startswith(f"{MEDIA}/") and await self._size(path) == file.bytes:
                    continue
                await obstore.put_async(self._store, path, backup.folder / file.path)
            manifest = backup.folder / MANIFEST
            path = self._path(backup.folder.name, MANIFEST)
            await obstore.put_async(self._store, path, manifest)

    async def names(self) -> list[str]:
        """Return the names of the complete backups, oldest first."""
        with self._translated():
            names = await self._begun()
            return [it for it in names if await self._size(f"{it}/{MANIFEST}") is not None]

    async def _begun(self) -> list[str]:
        """Return the names of all backups, also incomplete ones, oldest first."""
        found = await obstore.list_with_delimiter_async(self._store)
        names = [prefix.rstrip("/") for prefix in found["common_prefixes"]]
        return sorted(name for name in names if made_at(name) is not None)

    async def fetch(self, name: str, into: Path) -> Backup:
        """Download a backup into a folder. Raises `Broken("backup_absent")`."""
        folder = into / name
        with self._translated(name):
            await self._get(f"{name}/{MANIFEST}", folder / MANIFEST)
            backup = await asyncio.to_thread(read, folder)
            for file in backup.manifest.files:
                await self._get(self._path(name, file.path), folder / file.path)
        return backup

    async def age_out(self, *, keep: int, now: float) -> list[str]:
        """Remove backups beyond the newest `keep`, or older than `keep` days; never the newest.

        At most `AT_ONCE` are removed, oldest first. Parts of an interrupted copy or removal go
        after a day. Return the names of the removed backups.
        """
        names = await self.names()
        gone = outdated(names, keep=keep, now=now)
        with self._translated():
            half = [name for name in await self._begun() if name not in names]
            gone += [name for name in half if (made_at(name) or now) < now - _COPYING]
            for name in gone:
                # Delete the list first: a half removed backup must not look complete.
                await self._delete(f"{name}/{MANIFEST}")
                async for path in self._paths(name):
                    await self._delete(path)
            if gone:
                await self._sweep([name for name in names if name not in gone])
        return gone

    async def _sweep(self, names: list[str]) -> None:
        """Remove the media files that none of these backups lists."""
        wanted: set[str] = set()
        for name in names:
            text = await obstore.get_async(self._store, f"{name}/{MANIFEST}")
            manifest = Manifest.model_validate_json(bytes(await text.bytes_async()))
            wanted |= {file.path for file in manifest.files}
        async for path in self._paths(MEDIA):
            if path not in wanted:
                await self._delete(path)

    async def _paths(self, prefix: str) -> AsyncIterator[str]:
        async for chunk in obstore.list(self._store, prefix=prefix):
            for each in chunk:
                yield each["path"]

    async def _size(self, path: str) -> int | None:
        try:
            found = await obstore.head_async(self._store, path)
        except FileNotFoundError:
            return None
        return int(found["size"])

    async def _get(self, path: str, into: Path) -> None:
        found = await obstore.get_async(self._store, path)
        into.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        await save(found.stream(), into)

    async def _delete(self, path: str) -> None:
        with suppress(FileNotFoundError):
            await obstore.delete_async(self._store, path)

    @staticmethod
    def _path(name: str, path: str) -> str:
        return path if path.startswith(f"{MEDIA}/") else f"{name}/{path}"

    @contextmanager
    def _translated(self, name: str = "") -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise Broken("backup_absent", folder=f"{self.url}/{name}") from error
        except (BaseError, OSError) as error:
            if isinstance(error, OSError) and is_full(error):
                raise  # our own disk is full, not the remote location
            raise Temporary("backup_place_away", place=self.url) from error


async def newest(remote: Remote, into: Path, *, now: float) -> Backup:
    """Download the newest backup. Raises `Broken("backup_absent")`."""
    names = by_age(await remote.names(), now=now)
    if not names:
        raise Broken("backup_absent", folder=remote.url)
    return await remote.fetch(names[-1], into)
