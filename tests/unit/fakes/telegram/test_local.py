"""The fake as a Bot API server of one's own that runs with --local: files have paths, not links."""

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


async def test_a_file_lies_where_its_path_says_in_a_folder_named_after_the_token(
    fake: FakeTelegram, bot: Bot, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    path = (await bot.get_file(fake.files.store(b"a cat", folder="photos").id)).file_path
    assert path is not None
    assert Path(path).is_relative_to(tmp_path / fake.token)
    assert Path(path).read_bytes() == b"a cat"
    for link in (path, path.removeprefix(f"{tmp_path}/{fake.token}/")):
        async with http.get(f"{fake.api_url}/file/bot{fake.token}/{link}") as answer:
            assert answer.status == 404


async def test_there_are_other_limits(fake: FakeTelegram, bot: Bot) -> None:
    large = fake.files.store(b"a cat", folder="photos", size=21 * MIB)
    assert (await bot.get_file(large.id)).file_size == 21 * MIB
    assert fake.desk.upload_limit == 2000 * MIB


async def test_the_bot_may_have_a_picture(fake: FakeTelegram, bot: Bot) -> None:
    assert (await bot.get_user_profile_photos(bot.id)).photos == []
    fake.give_picture(jpeg())
    (sizes,) = (await bot.get_user_profile_photos(bot.id)).photos
    assert (await bot.get_file(sizes[-1].file_id)).file_path is not None
