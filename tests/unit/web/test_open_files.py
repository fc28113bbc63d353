"""Files that are asked for again and again are opened once, and closed in the end."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.core.errors import FileMissing
from bot.core.ports import Media
from bot.web.open_files import MOST, OpenFiles

WAIT = 10.0


class FileStore:
    """Files in a folder; it counts those that are at hand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fetched = self.at_hand = 0
        self.given_back = asyncio.Event()

    @asynccontextmanager
    async def file(self, key: str) -> AsyncIterator[Path]:
        if not (self.folder / key).exists():
            raise FileMissing(key=key)
        self.fetched += 1
        self.at_hand += 1
        try:
            yield self.folder / key
        finally:
            self.at_hand -= 1
            if not self.at_hand:
                self.given_back.set()


@pytest.fixture
def file_store(tmp_path: Path) -> FileStore:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(name.encode())
    return FileStore(tmp_path)


def _files(file_store: FileStore, kept_open: float = 60.0) -> OpenFiles:
    media: Media = file_store  # type: ignore[assignment]
    return OpenFiles(media, kept_open)


async def test_part_after_part_opens_the_file_once(file_store: FileStore) -> None:
    files = _files(file_store)
    async with files.file("a") as first:
        pass
    async with files.file("a") as second, files.file("b") as other:
        assert second is first
        assert other.tag != first.tag
    assert file_store.fetched == 2
    await files.aclose()
    assert (file_store.at_hand, first.file.closed, other.file.closed) == (0, True, True)


async def test_a_file_that_nobody_reads_any_more_is_closed(file_store: FileStore) -> None:
    files = _files(file_store, kept_open=0.0)
    async with files.file("a") as opened:
        pass
    await file_store.given_back.wait()
    async with files.file("a") as anew:
        assert anew is not opened
    await files.aclose()


@pytest.mark.parametrize("links", [0, 1])
async def test_a_deleted_file_is_shown_to_nobody_new(file_store: FileStore, links: int) -> None:
    """Also where another name of it is left, as a backup by hard links has it."""
    files = _files(file_store)
    for _ in range(links):
        (file_store.folder / "kept").hardlink_to(file_store.folder / "a")
    async with files.file("a") as opened:
        (file_store.folder / "a").unlink()
        with pytest.raises(FileMissing):
            await files.file("a").__aenter__()
        assert os.pread(opened.file.fileno(), 9, 0) == b"a", "a reader has it to the end"
    await files.aclose()
    assert file_store.at_hand == 0


async def test_of_two_that_open_it_at_once_one_goes_and_the_other_is_given_on(
    file_store: FileStore,
) -> None:
    files = _files(file_store)
    two = [files.file("a") for _ in range(2)]
    opened = await asyncio.gather(*(each.__aenter__() for each in two))
    for each in two:
        await each.__aexit__(None, None, None)
    async with asyncio.timeout(WAIT):
        while file_store.at_hand > 1:
            await asyncio.sleep(0)
    async with files.file("a") as given:
        assert given in opened
    await files.aclose()
    assert (file_store.fetched, file_store.at_hand) == (2, 0)


async def test_not_more_than_so_many_stay_open_unread(file_store: FileStore) -> None:
    files = _files(file_store)
    for number in range(MOST + 1):
        (file_store.folder / str(number)).write_bytes(b"video")
        async with files.file(str(number)):
            pass
    async with files.file("0"):
        pass
    async with asyncio.timeout(WAIT):
        while file_store.at_hand > MOST:  # the one too many is being closed
            await asyncio.sleep(0)
    await files.aclose()
    assert file_store.at_hand == 0
