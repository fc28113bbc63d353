"""Lists and removes files of the data folder and of the storage, for the sweeps."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

from bot.core.errors import StorageAway
from bot.core.keeping import Stored
from bot.media.storage import Storage, is_key, video_key

OWNERS = "owners"
"""The folder in a storage where each database that uses it has put a file named by its id."""


class FileStore:
    """Implements the core's `FileStore`."""

    def __init__(self, storage: Storage, data: Path, *, owner: str) -> None:
        """`owner` is the id of our database."""
        self._storage = storage
        self._scratch = data / "scratch"
        self._received = data / "received"
        self._mine = f"{OWNERS}/{owner}"

    async def files(self) -> AsyncIterator[list[Stored]]:
        async for page in self._storage.listing():
            yield [file for file in page if is_key(file.key)]

    async def is_away(self) -> bool:
        if self._storage.is_bucket:
            return await self._storage.ask() is not None
        return self._storage.trouble() is not None

    async def delete(self, key: str) -> None:
        await self._storage.delete(key)

    def video_key(self, job_id: str) -> str:
        return video_key(job_id)

    async def claimed_at(self) -> float | None:
        marks = await self._marks()
        since = marks.pop(self._mine, float("inf"))
        return None if marks else since

    async def claim(self) -> None:
        if self._mine not in await self._marks():
            await self._storage.mark(self._mine)

    async def _marks(self) -> dict[str, float]:
        pages = [page async for page in self._storage.listing(OWNERS)]
        return {each.key: each.changed_at for page in pages for each in page}

    async def received(self) -> list[Stored]:
        try:
            return await asyncio.to_thread(lambda: list(self._unstored()))
        except FileNotFoundError:  # no service ran here yet
            return []
        except OSError as error:
            raise StorageAway(key="received") from error

    def _unstored(self) -> Iterator[Stored]:
        with os.scandir(self._received) as entries:
            for entry in entries:
                found = entry.stat(follow_symlinks=False)
                stem = Path(entry.name).stem
                key = f"originals/{stem[:2]}/{stem}.mp4"
                if is_key(key):
                    yield Stored(key=key, size=found.st_size, changed_at=found.st_mtime)

    async def drop_received(self, key: str) -> None:
        file = self._received / Path(key).name
        for each in (file, file.with_suffix(".part")):
            with suppress(FileNotFoundError):
                await asyncio.to_thread(each.unlink)

    async def clear_scratch(self, *, before: float) -> int:
        return await asyncio.to_thread(self._cleared, before)

    def _cleared(self, before: float) -> int:
        old = []
        with os.scandir(self._scratch) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    if entry.stat(follow_symlinks=False).st_mtime < before:
                        old.append(entry.path)
        for path in old:
            shutil.rmtree(path, ignore_errors=True)
        return len(old)
