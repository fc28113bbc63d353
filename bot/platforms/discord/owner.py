"""The owner's commands: /claim, /allow, /disallow. All answers are for them alone."""

from typing import Any

import discord
from discord import app_commands

from bot.core.replies import Reply, Text
from bot.platforms.discord import messages
from bot.platforms.discord.intake import Intake, say
from bot.platforms.discord.reading import address_of, person_of
from bot.platforms.discord.slash import words

Command = app_commands.Command[Any, ..., None]


def commands(intake: Intake) -> tuple[Command, ...]:
    """All three, ready for a tree."""
    access = intake.service.access

    @app_commands.command(name="claim", description=words("command.claim"))
    @app_commands.describe(code=words("option.code"))
    async def claim(interaction: discord.Interaction, code: app_commands.Range[str, 1, 40]) -> None:
        await access.claim(code, person_of(interaction.user), address_of(interaction))
        await _say(interaction, "access.claimed")

    @app_commands.command(name="allow", description=words("command.allow"))
    @app_commands.describe(person=words("option.person"))
    async def allow(interaction: discord.Interaction, person: discord.User | None = None) -> None:
        whom = None if person is None else str(person.id)
        await access.allow(person_of(interaction.user), address_of(interaction), whom=whom)
        await _say(interaction, "access.allowed" if whom is None else "access.person_allowed")

    @app_commands.command(name="disallow", description=words("command.disallow"))
    @app_commands.describe(person=words("option.person"))
    async def disallow(
        interaction: discord.Interaction, person: discord.User | None = None
    ) -> None:
        whom = None if person is None else str(person.id)
        await access.disallow(person_of(interaction.user), address_of(interaction), whom=whom)
        await _say(interaction, "access.disallowed" if whom is None else "access.person_disallowed")

    return claim, allow, disallow


async def _say(interaction: discord.Interaction, message_id: str) -> None:
    reply = Reply(text=Text(id=message_id))
    await say(interaction, messages.notice(reply, str(interaction.locale)))
