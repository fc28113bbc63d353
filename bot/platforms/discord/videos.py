"""Send a finished video again, as the answer to an interaction, or its original.

The posted video may be a conversion, so that it plays everywhere. The original still has the
content credentials that it came with.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import KW_ONLY, dataclass, field, replace
from pathlib import Path

import discord

from bot.core import replies
from bot.core.answers import Shown
from bot.core.errors import FileMissing, FileTooLarge, Refused
from bot.core.jobs import Job
from bot.core.posting import Link
from bot.core.posts import PostKind
from bot.core.replies import Reply, Text, Ways
from bot.core.variations import video_gone
from bot.platforms.discord import errors, messages
from bot.platforms.discord.answering import error_of, finish, think
from bot.platforms.discord.client import DiscordPlatform, place_of

MOST_AT_ONCE = 4
"""Most simultaneous uploads that people asked for by a button. Uploads of results don't count."""


@dataclass(frozen=True, slots=True)
class Videos:
    """Answers with a video's file, or with a sentence and a link if the file is too large."""

    platform: DiscordPlatform
    _: KW_ONLY
    stored: Callable[[str], AbstractAsyncContextManager[Path]]
    link: Callable[[Job], Link | None]
    """A function that returns a new link to a job's video, or None without a public web address."""
    ways: Callable[[Job], Awaitable[Ways]]
    _uploads: asyncio.Semaphore = field(
        init=False, default_factory=lambda: asyncio.Semaphore(MOST_AT_ONCE)
    )

    async def show(self, interaction: discord.Interaction, answer: Shown) -> None:
        """Answer with a job's video or original. Raises `Refused` if there is no video."""
        job, video = answer.job, answer.job.video
        if video is None:
            raise video_gone(job)
        key, size = (video.key, video.size)
        if answer.as_original:
            key, size = video.original.key, video.original.size
        place, sizes = place_of(interaction.guild_id), self.platform.sizes
        fits = size <= sizes.most(interaction.filesize_limit, key, place=place)
        await think(interaction, alone=answer.alone)
        try:
            if not fits:
                await finish(interaction, await self._elsewhere(interaction, answer, size))
                return
            async with self._uploads:
                await self._upload(interaction, answer, key)
        except Exception as problem:  # noqa: BLE001 - else "is thinking" would stay
            rendered = messages.notice(replies.error(error_of(problem)), str(interaction.locale))
            if isinstance(problem, FileTooLarge):
                sizes.refused(size, key, place=place)
                rendered = await self._elsewhere(interaction, answer, size)
            await finish(interaction, rendered)

    async def _upload(self, interaction: discord.Interaction, answer: Shown, key: str) -> None:
        rendered = await self._rendered(interaction, answer)
        name = f"zoetrope-{answer.job.id}{'-original' if answer.as_original else ''}"
        try:
            async with self.stored(key) as path:
                attached = discord.File(path, filename=f"{name}{path.suffix}")
                with errors.translation(with_file=True):
                    async with asyncio.timeout(self.platform.settings.send_time):
                        await interaction.edit_original_response(
                            **rendered.words, attachments=[attached]
                        )
        except FileMissing as error:
            raise Refused("video_gone") from error

    async def _rendered(self, interaction: discord.Interaction, answer: Shown) -> messages.Rendered:
        locale = str(interaction.locale)
        if answer.as_original:
            return messages.notice(Reply(text=Text(id="original.here")), locale)
        said = replies.result(answer.job, ways=await self.ways(answer.job))
        return messages.post(replace(said, ping=None), locale, kind=PostKind.RESULT)

    async def _elsewhere(
        self, interaction: discord.Interaction, answer: Shown, size: int
    ) -> messages.Rendered:
        """Return the answer for a file that is too large, with a link if there is one."""
        link = self.link(answer.job)
        id_ = "original.too_large" if link is None else "original.linked"
        said = Reply(
            text=Text(id=id_, values={"megabytes": size / 1e6}), link=link.url if link else None
        )
        return messages.post(said, str(interaction.locale), kind=PostKind.RESULT)
