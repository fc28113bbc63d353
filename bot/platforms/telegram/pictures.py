"""Download files from Telegram.

The URL of a file contains the bot's token, so it never leaves this module.
"""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

from aiogram import Bot

from bot.core.errors import BotError, GivenTooLarge, PictureGone, Temporary
from bot.core.orders import Given, too_large
from bot.log import get_logger
from bot.net.files import save
from bot.platforms.telegram.errors import translation

TIME = 60
"""Timeout of one request, in seconds."""

log = get_logger()


class PictureDownloads:
    """Downloads pictures and sounds that people sent."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    async def fetch(self, given: Given, into: Path, *, most: int) -> None:
        """Download a file. Raises `Refused` if it is gone or has more than `most` bytes, or
        `Temporary` if a retry may succeed."""
        if given.source is None:
            raise PictureGone()
        try:
            with translation():
                file = await self._bot.get_file(given.source, request_timeout=TIME)
        except GivenTooLarge:
            raise too_large(given, given.size) from None  # Telegram doesn't tell its size
        size = file.file_size or 0
        if size <= most and file.file_path is not None:
            with translation():
                size = await save(self._chunks(file.file_path), into, most=most)
        if size > most or file.file_path is None:
            raise too_large(given, size)

    def _chunks(self, path: str) -> AsyncGenerator[bytes, None]:
        server = self._bot.session.api
        # Only a server that runs with --local returns absolute paths, whatever the settings say.
        if server.is_local and Path(path).is_absolute():
            return _laid_down(Path(path))
        return self._bot.session.stream_content(
            server.file_url(self._bot.token, path), timeout=TIME
        )


async def _laid_down(path: Path) -> AsyncGenerator[bytes, None]:
    """Yield a file that a Bot API server on this machine stored. Its path contains the token."""
    try:
        source = await asyncio.to_thread(path.open, "rb")
    except OSError as error:
        raise _unreadable(path, error) from None
    with source:
        while chunk := await asyncio.to_thread(source.read, 65_536):
            yield chunk


def _unreadable(path: Path, error: OSError) -> BotError:
    if isinstance(error, FileNotFoundError) and path.parent.is_dir():
        return PictureGone()
    log.error("telegram.files_apart", why=type(error).__name__)
    return Temporary("telegram_files_apart")
