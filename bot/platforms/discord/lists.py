"""Make slash commands of the core's commands that don't order a video."""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import AppCommandContext, Choice

from bot.core import commands as table
from bot.core.commands import COMMANDS, Argument, Who
from bot.core.prompts import shortened
from bot.platforms.discord.intake import Intake
from bot.platforms.discord.reading import call_of, moderates_of
from bot.platforms.discord.slash import MOST, MOST_NAME, Command, made_of

Line = app_commands.Range[str, 1, MOST_NAME]


def commands(intake: Intake, *, claimed: Callable[[], None]) -> tuple[Command, ...]:
    """Return the slash commands for a command tree. `claimed` is called when a first owner may have
    been set."""
    able = [each for each in COMMANDS.values() if each.act is not None]
    return tuple(_command(each, intake, claimed) for each in able)


def _command(command: table.Command, intake: Intake, claimed: Callable[[], None]) -> Command:
    async def callback(interaction: discord.Interaction, **typed: Any) -> None:
        filled = {name: value for name, value in typed.items() if value is not None}
        given = {
            name: str(value.id if isinstance(value, discord.abc.User) else value)
            for name, value in filled.items()
        }
        work = partial(
            table.run, intake.entry, call_of(interaction), command.name, given,
            moderates=moderates_of(interaction),
        )  # fmt: skip
        await intake.hear(interaction, work)
        if command.who is Who.FIRST_OWNER:
            claimed()

    given = {each.name: _type(each) for each in command.arguments}
    made = made_of(callback, given, name=command.name, says=command.says.id)
    if "job" in given:
        made.autocomplete("job")(_under_way(intake))
    if command.who is not Who.EVERYBODY:
        # Discord doesn't know the bot's owners; the nearest permission is to manage the server.
        made.default_permissions = discord.Permissions(manage_guild=True)
    if command.is_local:
        made.allowed_contexts = AppCommandContext(guild=True, dm_channel=False)
    return made


def _type(argument: Argument) -> Any:
    kind: Any = discord.User if argument.is_person else Line
    return kind if argument.is_needed else kind | None


def _under_way(
    intake: Intake,
) -> Callable[[discord.Interaction, str], Coroutine[Any, Any, list[Choice[str]]]]:
    async def suggestions(interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        jobs = await intake.entry.listings.under_way(call_of(interaction))
        wanted = typed.strip().casefold()
        named = [(shortened(it.request.shown or it.request.label, MOST_NAME), it) for it in jobs]
        found = [Choice(name=name, value=job.id) for name, job in named]
        return [each for each in found if wanted in each.name.casefold()][:MOST]

    return suggestions
