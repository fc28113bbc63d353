"""The slash commands /video and /animate, with what they suggest while being filled in."""

from collections.abc import Callable
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import Choice

from bot.core.catalog import Catalog, Model
from bot.core.orders import Kind, Picture
from bot.platforms.discord import choices
from bot.platforms.discord.intake import Intake
from bot.platforms.discord.reading import order_of, picture_of
from bot.platforms.discord.words import words

Command = app_commands.Command[Any, ..., None]
Prompt = app_commands.Range[str, 1, 2000]


def commands(intake: Intake) -> tuple[Command, ...]:
    """Both, ready for a tree."""
    return _video(intake), _animate(intake)


def _video(intake: Intake) -> Command:
    @_described("video", "prompt", "image", "model", "seconds", "aspect", "quality")
    async def video(
        interaction: discord.Interaction,
        prompt: Prompt,
        image: discord.Attachment | None = None,
        model: str | None = None,
        seconds: int | None = None,
        aspect: str | None = None,
        quality: str | None = None,
    ) -> None:
        order = order_of(
            interaction,
            prompt=prompt,
            pictures=_pictures(interaction, image),
            family=model,
            seconds=seconds,
            aspect=aspect,
            quality=quality,
        )
        await intake.take(interaction, lambda: intake.service.submit(order))

    return _suggesting(video, intake.service.catalog)


def _animate(intake: Intake) -> Command:
    @_described("animate", "prompt", "image", "model", "seconds", "aspect", "quality")
    async def animate(
        interaction: discord.Interaction,
        image: discord.Attachment,
        prompt: Prompt | None = None,
        model: str | None = None,
        seconds: int | None = None,
        aspect: str | None = None,
        quality: str | None = None,
    ) -> None:
        order = order_of(
            interaction,
            prompt=prompt or "",
            pictures=_pictures(interaction, image),
            family=model,
            seconds=seconds,
            aspect=aspect,
            quality=quality,
        )
        await intake.take(interaction, lambda: intake.service.submit(order))

    return _suggesting(animate, intake.service.catalog)


def _described(name: str, *options: str) -> Callable[[Any], Command]:
    """The decorator that makes a command of a function, in every language."""
    described = app_commands.describe(**{each: words(f"option.{each}") for each in options})
    made = app_commands.command(name=name, description=words(f"command.{name}"))
    return lambda function: made(described(function))


def _pictures(
    interaction: discord.Interaction, image: discord.Attachment | None
) -> tuple[Picture, ...]:
    """What somebody attaches to a command is their own post."""
    return (picture_of(image, author=str(interaction.user.id)),) if image else ()


def _suggesting(command: Command, catalog: Catalog) -> Command:
    async def model(interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        return choices.families(catalog, _kind(interaction), typed)

    async def seconds(interaction: discord.Interaction, typed: str) -> list[Choice[int]]:
        return choices.seconds(_able(interaction, catalog), str(typed), str(interaction.locale))

    async def aspect(interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        return choices.aspects(_able(interaction, catalog), typed)

    async def quality(interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        return choices.qualities(_able(interaction, catalog), typed)

    command.autocomplete("model")(model)
    command.autocomplete("seconds")(seconds)
    command.autocomplete("aspect")(aspect)
    command.autocomplete("quality")(quality)
    return command


def _kind(interaction: discord.Interaction) -> Kind:
    """What goes in, as far as the command is filled in by now."""
    return Kind.PICTURE if "image" in interaction.namespace else Kind.TEXT


def _able(interaction: discord.Interaction, catalog: Catalog) -> list[Model]:
    return choices.models(catalog, _kind(interaction), family=interaction.namespace.model)
