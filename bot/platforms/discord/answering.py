"""Answer interactions. Discord accepts an answer only within three seconds.

A lost answer does no harm: the command was carried out, and its card is sent from its row.
"""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager

import discord
from discord import app_commands

from bot.core import replies
from bot.core.entry import shown
from bot.core.errors import BotError
from bot.core.jobs import Job
from bot.core.posts import PostKind
from bot.log import get_logger
from bot.platforms.discord import errors, messages
from bot.platforms.discord.client import NAME

ANSWER_TIME = 3.0
"""Seconds within which Discord accepts an answer."""

log = get_logger()


async def refuse(interaction: discord.Interaction, problem: Exception, *, words: str = "") -> None:
    """Answer with the error's sentence, visible only to this person. Never raises.

    `words`: the text that the person typed, which the answer gives back.
    """
    error = error_of(problem)
    if not interaction.response.is_done():
        rendered = messages.notice(replies.error(error), str(interaction.locale))
        await say(interaction, messages.returning(rendered, words) if words else rendered)


async def say(interaction: discord.Interaction, rendered: messages.Rendered) -> None:
    """Answer with a message visible only to this person. A lost answer is only logged."""
    await _attempted(interaction.response.send_message(**rendered.words, ephemeral=True))


async def _attempted(answer: Awaitable[object]) -> None:
    with perhaps_unanswered():
        async with asyncio.timeout(ANSWER_TIME):
            await answer


@contextmanager
def perhaps_unanswered() -> Iterator[None]:
    """Log an answer's failure instead of raising it: the command was carried out, and a card is
    edited from its row later."""
    try:
        yield
    except errors.FOREIGN as error:
        log.info("discord.unanswered", error=type(error).__name__)


async def turn(interaction: discord.Interaction, rendered: messages.Rendered) -> None:
    """Replace the list or question whose button was pressed. If the message isn't ephemeral, answer
    with a new one."""
    pressed = interaction.message
    if pressed is None or not pressed.flags.ephemeral:
        await say(interaction, rendered)
    else:
        await _attempted(interaction.response.edit_message(**rendered.words))


async def think(interaction: discord.Interaction, *, alone: bool = True) -> None:
    """Defer the answer, so that it may take longer than three seconds. Discord shows "is thinking"
    meanwhile."""
    with errors.translation():
        async with asyncio.timeout(ANSWER_TIME):
            await interaction.response.defer(ephemeral=alone, thinking=True)


async def finish(interaction: discord.Interaction, rendered: messages.Rendered) -> None:
    """Replace "is thinking" with the answer."""
    await _attempted(interaction.edit_original_response(**rendered.words))


def error_of(problem: Exception) -> BotError:
    """Return the error whose sentence the person is shown."""
    if isinstance(problem, app_commands.CommandInvokeError):
        problem = problem.original
    return shown(problem, platform=NAME)


async def answered(
    interaction: discord.Interaction, rendered: messages.Rendered, job: Job
) -> int | None:
    """Answer with the card. Return its message id, or None if the answer didn't arrive."""
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
    """Return the card's message id if the interaction's answer is this card, else None.

    Called if the outcome of the answer is unknown, or if an answer was sent before.
    """
    try:
        async with asyncio.timeout(ANSWER_TIME):
            message = await interaction.original_response()
    except errors.FOREIGN:
        return None
    return message.id if messages.is_about(message, job.id, PostKind.CARD) else None
