"""Pictures by path, from a Bot API server of one's own that runs with --local."""

import asyncio
import shutil
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from structlog.testing import capture_logs

from bot.core.errors import BotError, Refused, Temporary
from bot.core.orders import Picture
from bot.platforms.telegram.pictures import PictureDownloads
from tests.fakes.telegram import MIB, FakeTelegram

CAT = b"a cat" * 50_000
"""More than one read of it."""


@dataclass
class House:
    """A server, what fetches from it, and where it lays its files."""

    fake: FakeTelegram
    downloads: PictureDownloads
    folder: Path
    into: Path

    async def fetch(self, *, size: int | None = None, most: int = 10**6) -> bytes:
        file = self.fake.files.store(CAT, folder="photos", size=size)
        picture = Picture(source=file.id, filename="cat.png", size=len(CAT))
        await self.downloads.fetch(picture, self.into, most=most)
        return self.into.read_bytes()

    async def trouble(self, *, size: int | None = None, most: int = 10**6) -> BotError:
        with pytest.raises(BotError) as caught:
            await self.fetch(size=size, most=most)
        # A foreign one would bring the path along, hence the token.
        assert not self.fake.leaks("".join(traceback.format_exception(caught.value)))
        return caught.value

    async def trouble_after(self, happen: Callable[[Path], None]) -> BotError:
        """Something happens to the file between its path and its reading."""
        value = self.fake.hold("getFile")
        fetching = asyncio.create_task(self.trouble())
        await value.reached()
        (file,) = [it for it in self.folder.rglob("*") if it.is_file()]
        happen(file)
        value.release()
        return await fetching


@asynccontextmanager
async def opened(tmp_path: Path, fake: FakeTelegram) -> AsyncIterator[House]:
    server = TelegramAPIServer.from_base(fake.api_url, is_local=True)
    async with Bot(fake.token, session=AiohttpSession(api=server)) as bot:
        yield House(
            fake, PictureDownloads(bot), tmp_path / "server" / fake.token, tmp_path / "into"
        )
    fake.check()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with FakeTelegram(local=tmp_path / "server") as fake, opened(tmp_path, fake) as house:
        yield house


async def test_a_picture_is_read_where_the_server_laid_it(house: House) -> None:
    assert await house.fetch() == CAT
    assert house.fake.downloads == [], "it hands out no links"


async def test_a_picture_above_what_telegram_hands_out_comes_too(house: House) -> None:
    assert await house.fetch(size=21 * MIB, most=22 * MIB) == CAT


@pytest.mark.parametrize("claimed", [len(CAT), 1])
async def test_it_is_read_up_to_the_byte_cap(house: House, claimed: int) -> None:
    trouble = await house.trouble(size=claimed, most=len(CAT) - 1)
    assert isinstance(trouble, Refused)
    assert trouble.code == "picture_too_large"


async def test_a_file_that_the_server_threw_away_is_gone(house: House) -> None:
    with capture_logs() as logs:
        trouble = await house.trouble_after(lambda file: file.unlink())
    assert isinstance(trouble, Refused)
    assert trouble.code == "picture_gone"
    assert logs == []


def on_another_machine(file: Path) -> None:
    shutil.rmtree(file.parents[2])


def not_ours_to_read(file: Path) -> None:
    """Root may read anything, so a folder stands in for a file without permission."""
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize(
    ("happen", "why"),
    [(on_another_machine, "FileNotFoundError"), (not_ours_to_read, "IsADirectoryError")],
)
async def test_a_disk_that_is_not_shared_is_for_the_operator(
    house: House, happen: Callable[[Path], None], why: str
) -> None:
    with capture_logs() as logs:
        trouble = await house.trouble_after(happen)
    assert isinstance(trouble, Temporary), "it may be mended"
    assert [(it["event"], it["why"]) for it in logs] == [("telegram.files_apart", why)]
    assert not house.fake.leaks(repr(logs))


async def test_a_server_that_does_not_run_with_local_is_asked_for_its_links(tmp_path: Path) -> None:
    """Its paths lead nowhere from here."""
    async with FakeTelegram() as fake, opened(tmp_path, fake) as house:
        assert await house.fetch() == CAT
        assert [it.status for it in fake.downloads] == [200]
