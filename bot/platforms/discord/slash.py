"""The slash commands /video and /animate, and what they suggest while being filled in.

Only what the catalogue would take of what is filled in so far is suggested.
"""

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Any, Literal, TypeVar

import discord
from discord import app_commands
from discord.app_commands import Choice, locale_str

from bot import i18n
from bot.core import offers
from bot.core.catalog import Catalog
from bot.core.errors import Refused, in_turn
from bot.core.models import DRAFT
from bot.core.orders import AUTO, ON_OFF, SWITCHES, Order, Picture, Sound, shaping_of, switch_of
from bot.core.replies import Text, position
from bot.platforms.discord.intake import Intake
from bot.platforms.discord.reading import order_of, picture_of, sound_of

CHOICES = ("model", "seconds", "aspect", "quality", "preset")
"""Options that suggest what can be had."""
MORE = ("fit", "negative", "seed", *SWITCHES)
"""Options for whoever knows what they want; switches suggest what can be had too."""
FIELDS = {"model": "family", **SWITCHES}
"""Options that are a field of an `Order` by another name."""
MOST = 25
MOST_NAME = 100
"""Discord's limits: choices, and characters of one."""

Command = app_commands.Command[Any, ..., None]
Prompt = app_commands.Range[str, 1, 2000]
Negative = app_commands.Range[str, 1, 1000]
Fit = Literal["crop", "pad"]
Value = TypeVar("Value", str, int)

SOME_PICTURE = Picture(source=None, filename="", size=0)
"""Stands for one of which nothing is known yet but that it will be there."""
SOME_SOUND = Sound(source=None, filename="", size=0)
"""Likewise."""


def commands(intake: Intake) -> tuple[Command, ...]:
    """Both, ready for a tree."""
    return _video(intake), _animate(intake)


def _video(intake: Intake) -> Command:
    @_described("video", "prompt", "image", "last_image", *CHOICES, *MORE)
    async def video(
        interaction: discord.Interaction,
        prompt: Prompt,
        image: discord.Attachment | None = None,
        last_image: discord.Attachment | None = None,
        model: str | None = None,
        seconds: int | None = None,
        aspect: str | None = None,
        quality: str | None = None,
        preset: str | None = None,
        fit: Fit | None = None,
        negative: Negative | None = None,
        seed: int | None = None,
        sound: str | None = None,
        enhance: str | None = None,
        watermark: str | None = None,
    ) -> None:
        order = order_of(
            interaction,
            prompt=prompt,
            pictures=_pictures(interaction, image, last_image),
            family=model,
            seconds=seconds,
            aspect=aspect,
            quality=quality,
            preset=preset,
            fit=shaping_of(fit) if fit else None,
            negative_prompt=negative or "",
            seed=seed,
            **_switched(sound=sound, enhance=enhance, watermark=watermark),
        )
        await intake.take(interaction, order)

    return _suggesting(video, intake)


def _animate(intake: Intake) -> Command:
    @_described("animate", "prompt", "image", "last_image", "audio", *CHOICES, *MORE)
    async def animate(
        interaction: discord.Interaction,
        image: discord.Attachment,
        prompt: Prompt | None = None,
        last_image: discord.Attachment | None = None,
        audio: discord.Attachment | None = None,
        model: str | None = None,
        seconds: int | None = None,
        aspect: str | None = None,
        quality: str | None = None,
        preset: str | None = None,
        fit: Fit | None = None,
        negative: Negative | None = None,
        seed: int | None = None,
        sound: str | None = None,
        enhance: str | None = None,
        watermark: str | None = None,
    ) -> None:
        order = order_of(
            interaction,
            prompt=prompt or "",
            pictures=_pictures(interaction, image, last_image),
            sound=sound_of(audio, author=str(interaction.user.id)) if audio else None,
            family=model,
            seconds=seconds,
            aspect=aspect,
            quality=quality,
            preset=preset,
            fit=shaping_of(fit) if fit else None,
            negative_prompt=negative or "",
            seed=seed,
            **_switched(sound=sound, enhance=enhance, watermark=watermark),
        )
        await intake.take(interaction, order)

    return _suggesting(animate, intake)


def _described(name: str, *options: str) -> Callable[[Any], Command]:
    """The decorator that makes a command of a function, in every language."""
    described = app_commands.describe(**{each: words(f"option.{each}") for each in options})
    made = app_commands.command(name=name, description=words(f"command.{name}"))
    return lambda function: made(described(function))


def _pictures(
    interaction: discord.Interaction, *images: discord.Attachment | None
) -> tuple[Picture, ...]:
    """The pictures of a command are its person's own; a last picture needs a first."""
    if images[0] is None and any(images):
        raise Refused("last_alone")
    author, given = str(interaction.user.id), [image for image in images if image]
    return tuple(in_turn(lambda image: picture_of(image, author=author), given))


def _switched(**typed: str | None) -> dict[str, Any]:
    """Fields of an `Order`. Raises `Refused` for what is neither on nor off."""
    return {SWITCHES[name]: switch_of(word) for name, word in typed.items() if word}


# --- suggestions ---------------------------------------------------------------------------------


def _suggesting(command: Command, intake: Intake) -> Command:
    async def asked(interaction: discord.Interaction) -> tuple[Catalog, Order]:
        wish = _wish(interaction, command)
        return (await intake.service.terms(wish.address)).catalog, wish

    async def model(interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        return families(*await asked(interaction), typed)

    async def length(interaction: discord.Interaction, typed: str) -> list[Choice[int]]:
        return seconds(*await asked(interaction), str(typed))

    async def aspect(interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        return aspects(*await asked(interaction), typed)

    async def quality(interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        return qualities(*await asked(interaction), typed)

    async def preset(interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        return presets(*await asked(interaction), typed)

    command.autocomplete("model")(model)
    command.autocomplete("seconds")(length)
    command.autocomplete("aspect")(aspect)
    command.autocomplete("quality")(quality)
    command.autocomplete("preset")(preset)
    for name in SWITCHES:
        command.autocomplete(name)(_suggesting_switch(name, asked))
    return command


def _suggesting_switch(
    name: str, asked: Callable[[discord.Interaction], Awaitable[tuple[Catalog, Order]]]
) -> Callable[[discord.Interaction, str], Coroutine[Any, Any, list[Choice[str]]]]:
    async def switch(interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        return positions(*await asked(interaction), name, typed)

    return switch


def families(catalog: Catalog, wish: Order, typed: str = "") -> list[Choice[str]]:
    """The families that take `wish`, by label."""
    able = offers.families(catalog, wish)
    return _fitting([_choice(catalog.label(family), family) for family in able], typed)


def seconds(catalog: Catalog, wish: Order, typed: str = "") -> list[Choice[int]]:
    """The lengths that `wish` can have."""
    able = offers.lengths(catalog, wish)
    return _fitting([_choice(_seconds(catalog, wish, each), each) for each in able], typed)


def aspects(catalog: Catalog, wish: Order, typed: str = "") -> list[Choice[str]]:
    """The shapes that `wish` can have."""
    return _fitting([_choice(each, each) for each in offers.aspects(catalog, wish)], typed)


def qualities(catalog: Catalog, wish: Order, typed: str = "") -> list[Choice[str]]:
    """The qualities that `wish` can have."""
    able = offers.qualities(catalog, wish)
    return _fitting([_choice(_quality(each, wish.locale), each) for each in able], typed)


def presets(catalog: Catalog, wish: Order, typed: str = "") -> list[Choice[str]]:
    """The words that can be asked with, by label."""
    able = offers.presets(catalog, wish)
    return _fitting([_choice(catalog.presets[each].label, each) for each in able], typed)


def positions(catalog: Catalog, wish: Order, switch: str, typed: str = "") -> list[Choice[str]]:
    """On and off, by what that means, where `wish` can have both."""
    able = offers.positions(catalog, wish, switch)
    shown = {on: i18n.say(position(switch, on=on), wish.locale) for on in able}
    choices = [_choice(shown[on], ON_OFF[on]) for on in able]
    return [each for each in choices if each.value == typed.casefold()] or _fitting(choices, typed)


def wish_of(interaction: discord.Interaction, pictures: Iterable[Picture], **rest: Any) -> Order:
    """An order before its prompt is known: some prompt will come."""
    return order_of(interaction, prompt="…", pictures=tuple(pictures), **rest)


def _wish(interaction: discord.Interaction, command: Command) -> Order:
    """The options filled in by now, without the one being typed.

    A picture is not shown to us yet, and /animate will have one.
    """
    filled = interaction.namespace
    given: dict[str, Any] = {
        "family": filled.model,
        "seconds": filled.seconds,
        "aspect": filled.aspect,
        "quality": filled.quality,
        "preset": filled.preset,
        "sound": SOME_SOUND if "audio" in filled else None,
    } | {field: _position(filled, name) for name, field in SWITCHES.items()}
    data: Any = interaction.data
    typing = next(each["name"] for each in data["options"] if each.get("focused"))
    given[FIELDS.get(typing, typing)] = None
    pictured = "image" in filled or command.name == "animate"
    pictures = (SOME_PICTURE,) * (pictured + ("last_image" in filled))
    return wish_of(interaction, pictures, **given)


def _position(filled: app_commands.Namespace, switch: str) -> bool | None:
    """None for what is neither on nor off, as long as it is not sent."""
    with suppress(Refused):
        return switch_of(str(filled[switch])) if switch in filled else None
    return None


def _choice(name: str, value: Value) -> Choice[Value]:
    return Choice(name=name[:MOST_NAME], value=value)


def _fitting(choices: list[Choice[Value]], typed: str) -> list[Choice[Value]]:
    wanted = typed.strip().casefold()
    return [choice for choice in choices if wanted in choice.name.casefold()][:MOST]


def _quality(quality: str, locale: str) -> str:
    return i18n.say(Text(id="choice.draft"), locale) if quality == DRAFT else quality


def _seconds(catalog: Catalog, wish: Order, length: int) -> str:
    if length == AUTO:
        values = {"seconds": offers.longest(catalog, wish)}
        return i18n.say(Text(id="choice.auto", values=values), wish.locale)
    return i18n.say(Text(id="choice.seconds", values={"seconds": length}), wish.locale)


# --- the words in Discord's own list of commands -------------------------------------------------


class Translator(app_commands.Translator):
    """Looks the ids that `words` left behind up in our catalogues."""

    async def translate(
        self,
        string: locale_str,
        locale: discord.Locale,
        _context: app_commands.TranslationContextTypes,
    ) -> str | None:
        """None where we do not speak that language: Discord then shows the default."""
        language = locale.value.replace("-", "_")
        spoken = {language, language.partition("_")[0]} & set(i18n.languages())
        if "id" not in string.extras or not spoken - {i18n.DEFAULT}:
            return None
        return i18n.say(Text(id=string.extras["id"]), locale.value)


def words(message_id: str) -> locale_str:
    """The English sentence, with the id by which the others are found."""
    return locale_str(i18n.say(Text(id=message_id), i18n.DEFAULT), id=message_id)
