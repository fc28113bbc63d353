"""The fake as a self-hosted Bot API server with --local: files have paths instead of links."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiogram import Bot

from tests.fakes.telegram import MIB, FakeTelegram

from .conftest import Clock
from .test_media import jpeg


@pytest.fixture
async def fake(clock: Clock, tmp_path: Path) -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram(clock=clock, local=tmp_path) as fake:
        yield fake


async def test_with_local_files_a_file_is_stored_under_its_path_and_has_no_link(
    fake: FakeTelegram, bot: Bot, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    path = (await bot.get_file(fake.files.store(b"a cat", folder="photos").id)).file_path
    assert path is not None
    assert Path(path).is_relative_to(tmp_path / fake.token)
    assert Path(path).read_bytes() == b"a cat"
    for link in (path, path.removeprefix(f"{tmp_path}/{fake.token}/")):
        async with http.get(f"{fake.api_url}/file/bot{fake.token}/{link}") as answer:
            assert answer.status == 404


async def test_with_local_files_the_size_limits_are_larger(fake: FakeTelegram, bot: Bot) -> None:
    large = fake.files.store(b"a cat", folder="photos", size=21 * MIB)
    assert (await bot.get_file(large.id)).file_size == 21 * MIB
    assert fake.desk.upload_limit == 2000 * MIB


async def test_the_profile_picture_of_the_bot_can_be_read(fake: FakeTelegram, bot: Bot) -> None:
    assert (await bot.get_user_profile_photos(bot.id)).photos == []
    fake.give_picture(jpeg())
    (sizes,) = (await bot.get_user_profile_photos(bot.id)).photos
    assert (await bot.get_file(sizes[-1].file_id)).file_path is not None
