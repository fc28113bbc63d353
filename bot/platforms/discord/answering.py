"""Answers to an interaction: within three seconds, or nobody sees them.

An answer that does not arrive is not missed: what was asked for is done, and a card is owed.
"""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager

import discord
from discord import app_commands

from bot.core import replies
from bot.core.door import shown
from bot.core.errors import BotError
from bot.core.jobs import Job
from bot.core.posts import PostKind
from bot.log import get_logger
from bot.platforms.discord import errors, messages
from bot.platforms.discord.client import NAME

ANSWER_TIME = 3.0
"""Seconds after which Discord takes no answer any more."""

log = get_logger()


async def refuse(interaction: discord.Interaction, problem: Exception) -> None:
    """Tell this person, and nobody else, what stands in the way; never raises."""
    error = told(problem)
    if not interaction.response.is_done():
        await say(interaction, messages.notice(replies.error(error), str(interaction.locale)))


async def say(interaction: discord.Interaction, rendered: messages.Rendered) -> None:
    """Answer this person, and nobody else; an answer that does not arrive is not missed."""
    await _attempted(interaction.response.send_message(**rendered.words, ephemeral=True))


async def _attempted(answer: Awaitable[object]) -> None:
    with perhaps_unanswered():
        async with asyncio.timeout(ANSWER_TIME):
            await answer


@contextmanager
def perhaps_unanswered() -> Iterator[None]:
    """A lost answer is only logged: the wish is done, and a card's edit is owed."""
    try:
        yield
    except errors.FOREIGN as error:
        log.info("discord.unanswered", error=type(error).__name__)


async def turn(interaction: discord.Interaction, rendered: messages.Rendered) -> None:
    """Put this in the place of the list or the question that was pressed; else say it."""
    pressed = interaction.message
    if pressed is None or not pressed.flags.ephemeral:
        await say(interaction, rendered)
    else:
        await _attempted(interaction.response.edit_message(**rendered.words))


async def think(interaction: discord.Interaction, *, alone: bool = True) -> None:
    """Let it say "is thinking": what comes may take longer than Discord waits for an answer."""
    with errors.translation():
        async with asyncio.timeout(ANSWER_TIME):
            await interaction.response.defer(ephemeral=alone, thinking=True)


async def finish(interaction: discord.Interaction, rendered: messages.Rendered) -> None:
    """Let this take the place of "is thinking"."""
    await _attempted(interaction.edit_original_response(**rendered.words))


def told(problem: Exception) -> BotError:
    """The error whose sentence a person is told."""
    if isinstance(problem, app_commands.CommandInvokeError):
        problem = problem.original
    return shown(problem, platform=NAME)


async def answered(
    interaction: discord.Interaction, rendered: messages.Rendered, job: Job
) -> int | None:
    """Answer with the card: its message id, or None if nobody saw an answer."""
    try:
        async with asyncio.timeout(ANSWER_TIME):
            return (await interaction.response.send_message(**rendered.whole)).message_id
    except errors.FOREIGN as error:
        code = error.code if isinstance(error, discord.HTTPException) else None
        log.warning("discord.unanswered", job=job.id, error=type(error).__name__, code=code)
        if code == errors.UNKNOWN_INTERACTION:
            return None
    return await _standing(interaction, job)


async def _standing(interaction: discord.Interaction, job: Job) -> int | None:
    """After an answer with an unknown end, or one given before: does the card stand?"""
    try:
        async with asyncio.timeout(ANSWER_TIME):
            message = await interaction.original_response()
    except errors.FOREIGN:
        return None
    return message.id if messages.is_about(message, job.id, PostKind.CARD) else None
