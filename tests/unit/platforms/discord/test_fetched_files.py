"""Files that the Discord client fetches."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.core.errors import BotError, Broken, GivenTooLarge, PictureGone, Temporary
from bot.core.orders import Picture
from bot.platforms.discord.client import DiscordPlatform
from tests.fakes.discord import (
    FakeDiscord,
)
from tests.unit.platforms.discord.bot import Bot

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100


@pytest.fixture
async def offline(idle: Bot) -> AsyncIterator[DiscordPlatform]:
    """Yield a client that is open but not logged in, as a worker's is."""
    async with idle.platform as platform:
        yield platform


async def test_a_discord_picture_is_streamed_to_the_disk(
    fake: FakeDiscord, offline: DiscordPlatform, tmp_path: Path
) -> None:
    image = fake.attachment(PNG, "cat.png")
    await offline.fetch(_picture(image.url), tmp_path / "p", most=1000)
    assert (tmp_path / "p").read_bytes() == PNG


@pytest.mark.parametrize(
    ("lie", "error"),
    [
        ({"expired": True}, PictureGone()),
        ({"content": PNG * 20, "content_length": None}, GivenTooLarge()),
        ({"content": PNG * 20, "content_length": 2160}, GivenTooLarge()),
        ({"content": PNG[:50]}, Temporary("picture_unreachable")),
        ({"content": PNG[:50], "content_length": 50}, Temporary("picture_incomplete")),
        ({"content": PNG * 2, "content_length": None}, Temporary("picture_incomplete")),
    ],
)
async def test_a_discord_file_that_is_not_as_declared_is_refused(
    fake: FakeDiscord,
    offline: DiscordPlatform,
    tmp_path: Path,
    lie: dict[str, Any],
    error: BotError,
) -> None:
    image = fake.attachment(PNG, "cat.png")
    for name, value in lie.items():
        setattr(image, name, value)
    with pytest.raises(type(error)) as caught:
        await offline.fetch(_picture(image.url), tmp_path / "p", most=1000)
    assert caught.value.code == error.code


@pytest.mark.parametrize(
    "source",
    [
        "http://cdn.discordapp.com/a.png",
        "https://cdn.discordapp.com:8443/a.png",
        "https://cdn.discordapp.com.evil.test/a.png",
        "https://evil.test/cdn.discordapp.com/a.png",
        "https://169.254.169.254/latest",
        "file:///etc/passwd",
        "",
    ],
)
async def test_a_picture_at_any_other_address_than_discords_is_never_requested(
    offline: DiscordPlatform, tmp_path: Path, source: str
) -> None:
    with pytest.raises(Broken) as caught:
        await offline.fetch(_picture(source), tmp_path / "p", most=1000)
    assert caught.value.code == "picture_elsewhere"


def _picture(source: str) -> Picture:
    return Picture(source=source, filename="cat.png", size=len(PNG))
