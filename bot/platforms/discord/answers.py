"""What is said to one person: the plain sentence that stands in the way, or a bit of help.

It goes to that person alone where Discord can do that; it never raises.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import discord
from discord import app_commands

from bot.core import replies
from bot.core.errors import BotError, Broken, Refused, Temporary
from bot.core.replies import Reply
from bot.log import get_logger
from bot.platforms.discord import errors, messages
from bot.platforms.discord.reading import locale_of

ANSWER_TIME = 3.0
"""Seconds after which Discord takes no answer any more."""

log = get_logger()


async def refuse(interaction: discord.Interaction, problem: Exception) -> None:
    """Tell this person, and nobody else, what stands in the way."""
    if interaction.response.is_done():
        _told(problem)
        return
    await say(interaction, replies.error(_told(problem)))


async def say(interaction: discord.Interaction, reply: Reply) -> None:
    """One plain sentence that only this person sees."""
    look = messages.notice(reply, str(interaction.locale))
    try:
        async with asyncio.timeout(ANSWER_TIME):
            await interaction.response.send_message(
                look.content, ephemeral=True, allowed_mentions=look.mentions
            )
    except errors.FOREIGN as error:
        log.info("discord.unanswered", error=type(error).__name__)


async def refuse_message(message: discord.Message, problem: Exception) -> None:
    """The same where somebody only wrote: as a reply, or directly if we may not speak there."""
    await say_to(message, replies.error(_told(problem)))


async def say_to(message: discord.Message, reply: Reply) -> None:
    """One plain sentence in reply to a message; the nonce makes a repetition harmless."""
    look = messages.notice(reply, locale_of(message))
    here = partial(message.channel.send, nonce=f"{message.id}-n")
    target = message.to_reference(fail_if_not_exists=False)
    ways: tuple[Callable[..., Awaitable[object]], ...] = (
        partial(here, reference=target),
        here,
        message.author.send,
    )
    for way in ways:
        try:
            async with asyncio.timeout(ANSWER_TIME):
                await way(look.content, allowed_mentions=look.mentions)
        except errors.FOREIGN as error:
            log.info("discord.unanswered", error=type(error).__name__)
            if not isinstance(errors.translated(error), Refused):
                return
        else:
            return


def _told(problem: Exception) -> BotError:
    """The error whose sentence a person is told; what nobody foresaw is logged."""
    if isinstance(problem, app_commands.CommandInvokeError):
        problem = problem.original
    match problem:
        case Refused():
            return problem
        case Temporary():
            return Temporary("busy")
        case _:
            log.error("discord.failed", error=type(problem).__name__, exc_info=problem)
            return Broken("internal")
