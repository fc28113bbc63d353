"""Originals: the very file that a gateway made, for its person alone.

What is posted may have been converted, so that it plays everywhere. The original keeps the content
credentials that it came with.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import discord

from bot.core import replies
from bot.core.errors import FileMissing, FileTooLarge, Refused
from bot.core.jobs import Job, Original
from bot.core.posting import Link
from bot.core.posts import PostKind
from bot.core.replies import Reply, Text
from bot.platforms.discord import errors, messages
from bot.platforms.discord.client import DiscordPlatform, place_of
from bot.platforms.discord.intake import ANSWER_TIME, say, told

MOST_AT_ONCE = 4
"""Uploads that people asked for by the button; results don't wait for them."""


class Originals:
    """Answers with the file where Discord takes it, else with a sentence and what link there is."""

    def __init__(
        self,
        platform: DiscordPlatform,
        *,
        stored: Callable[[str], AbstractAsyncContextManager[Path]],
        link: Callable[[Job], Link | None],
    ) -> None:
        """`link` is None for a video where the world does not see us."""
        self._platform = platform
        self._stored = stored
        self._link = link
        self._uploads = asyncio.Semaphore(MOST_AT_ONCE)

    async def show(self, interaction: discord.Interaction, job: Job) -> None:
        """Only this person sees the answer. Raises `Refused` where the video is not theirs, or
        gone."""
        if job.order.call.person.id != str(interaction.user.id):
            raise Refused("not_yours")
        if job.video is None:
            raise Refused("video_gone")
        file, place = job.video.original, place_of(interaction.guild_id)
        sizes = self._platform.sizes
        if file.size > sizes.most(interaction.filesize_limit, file.key, place=place):
            await say(interaction, self._elsewhere(interaction, job))
            return
        with errors.translation():
            async with asyncio.timeout(ANSWER_TIME):
                await interaction.response.defer(ephemeral=True, thinking=True)
        try:
            async with self._uploads:
                await self._upload(interaction, job, file)
        except Exception as problem:  # noqa: BLE001 - "is thinking" would stand there for ever
            look = messages.notice(replies.error(told(problem)), str(interaction.locale))
            if isinstance(problem, FileTooLarge):
                sizes.refused(file.size, file.key, place=place)
                look = self._elsewhere(interaction, job)
            await _finish(interaction, look)

    async def _upload(self, interaction: discord.Interaction, job: Job, file: Original) -> None:
        said = Reply(text=Text(id="original.here"))
        look = messages.notice(said, str(interaction.locale))
        try:
            async with self._stored(file.key) as path:
                attached = discord.File(path, filename=f"zoetrope-{job.id}-original{path.suffix}")
                with errors.translation(with_file=True):
                    async with asyncio.timeout(self._platform.settings.send_time):
                        await interaction.edit_original_response(
                            content=look.content, attachments=[attached]
                        )
        except FileMissing as missing:
            raise Refused("video_gone") from missing

    def _elsewhere(self, interaction: discord.Interaction, job: Job) -> messages.Look:
        """Where it is instead."""
        link, size = self._link(job), job.video.original.size if job.video else 0
        id_ = "original.too_large" if link is None else "original.linked"
        said = Reply(
            text=Text(id=id_, values={"megabytes": size / 1e6}), link=link.url if link else None
        )
        return messages.post(said, str(interaction.locale), kind=PostKind.RESULT)


async def _finish(interaction: discord.Interaction, look: messages.Look) -> None:
    """Let the sentence take the place of "is thinking"; one that does not arrive is not missed."""
    try:
        async with asyncio.timeout(ANSWER_TIME):
            await interaction.edit_original_response(
                content=look.content, allowed_mentions=look.mentions
            )
    except errors.FOREIGN as error:
        told(errors.translated(error))
