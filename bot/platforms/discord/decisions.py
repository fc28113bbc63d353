"""The buttons under notices to owners: decided elsewhere, answered to whoever pressed alone.

A gateway may be asked before there is an answer, which takes longer than Discord waits.
"""

import asyncio

import discord

from bot.core import replies
from bot.core.service import Service
from bot.log import get_logger
from bot.platforms.discord import errors, messages
from bot.platforms.discord.client import NAME
from bot.platforms.discord.intake import ANSWER_TIME, told
from bot.platforms.discord.reading import person_of

log = get_logger()


async def answer(
    service: Service, interaction: discord.Interaction, subject: str, wish: str | None
) -> None:
    """Do what it says, and tell what came of it."""
    locale = str(interaction.locale)
    with errors.translation():
        async with asyncio.timeout(ANSWER_TIME):
            await interaction.response.defer(ephemeral=True, thinking=True)
    try:
        said = await service.decide(NAME, person_of(interaction.user), subject, wish)
        look = messages.notice(said, locale)
    except Exception as problem:  # noqa: BLE001 - "is thinking" would stand there for ever
        look = messages.notice(replies.error(told(problem)), locale)
    try:
        async with asyncio.timeout(ANSWER_TIME):
            await interaction.edit_original_response(
                content=look.content, view=look.view, allowed_mentions=look.mentions
            )
    except errors.FOREIGN as error:  # it is done: the notice itself will say so
        log.info("discord.unanswered", error=type(error).__name__)
