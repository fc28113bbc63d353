"""The slash commands /video and /animate, and the suggestions for their options.

Only values that the catalog accepts together with the options filled in so far are suggested.
"""

import inspect
from collections.abc import Callable, Container, Coroutine, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar, get_args

import discord
from discord import app_commands
from discord.app_commands import Choice, locale_str

from bot import i18n
from bot.core import offers
from bot.core.catalog import Catalog
from bot.core.commands import COMMANDS
from bot.core.errors import Refused, in_turn
from bot.core.kinds import MOST_PICTURES
from bot.core.orders import Call, Clip, Order, Picture, Sound
from bot.core.replies import Text, position
from bot.core.wishes import AUTO, DRAFT, ON_OFF, OPTIONS, SWITCHES, Option, Use, Wish, wish_of
from bot.platforms.discord.intake import Intake
from bot.platforms.discord.reading import call_of, picture_of, sound_of

MOST = 25
MOST_NAME = 100
"""Discord's limits: the number of choices, and the characters of a choice's name."""
SOME_PICTURE = Picture(source=None, filename="", size=0)
"""Stands for a picture that will be attached and of which nothing else is known yet."""
SOME_SOUND = Sound(source=None, filename="", size=0)
SOME_CLIP = Clip(source=None, filename="", size=0)
SOME_WORDS = Wish(prompt="…")
"""Placeholders for a sound, a video and a prompt that are not known yet."""

Command = app_commands.Command[Any, ..., None]
Prompt = app_commands.Range[str, 1, 2000]
File = discord.Attachment
Value = TypeVar("Value", str, int)
Suggest = Callable[[Catalog, Order, str], Sequence[Choice[Any]]]
Offers = Callable[[Catalog, Order], Sequence[Any]]
Label = Callable[[Catalog, Order, Any], str]


def commands(intake: Intake) -> tuple[Command, ...]:
    """Return /video and /animate for a command tree."""
    pictures = {"image": File | None, "last_image": File | None}
    given = {"image": File, "prompt": Prompt | None, "last_image": File | None}
    return (
        _command("video", intake, {"prompt": Prompt, **pictures}),
        _command("animate", intake, {**given, "audio": File | None}),
    )


def _command(name: str, intake: Intake, given: Mapping[str, Any]) -> Command:
    """Return a command with these parameters and all options of a wish."""

    async def callback(interaction: discord.Interaction, **filled: Any) -> None:
        images = [filled.pop(each, None) for each in ("image", "last_image")]
        prompt, audio = filled.pop("prompt", None) or "", filled.pop("audio", None)
        order = Order(
            call=call_of(interaction),
            wish=wish_of(prompt, **filled),
            pictures=_pictures(interaction, *images),
            sound=sound_of(audio, author=str(interaction.user.id)) if audio else None,
        )
        await intake.take(interaction, order)

    return with_options(callback, intake, given, name=name)


def with_options(
    callback: Callable[..., Coroutine[Any, Any, None]],
    intake: Intake,
    given: Mapping[str, Any],
    *,
    name: str,
    but: Container[str] = (),
) -> Command:
    """Return a command with these parameters and the options of a wish, `but` some of them."""
    options = {each: _type(option) for each, option in OPTIONS.items() if each not in but}
    few = {each: choices for each, choices in _choices().items() if each in options}
    made = made_of(
        app_commands.choices(**few)(callback),
        {**given, **options},
        name=name,
        says=f"command.{name}",
    )
    for option, suggest in SUGGESTED.items():
        made.autocomplete(option)(_suggestions(made, intake, suggest))
    return made


def made_of(
    callback: Callable[..., Coroutine[Any, Any, None]],
    given: Mapping[str, Any],
    *,
    name: str,
    says: str,
) -> Command:
    """Return a command with these parameters, given by name and type. A parameter whose type allows
    None is optional."""
    first = inspect.Parameter("interaction", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    others = [_parameter(each, type_) for each, type_ in given.items()]
    vars(callback)["__signature__"] = inspect.Signature([first, *others])
    described = app_commands.describe(**{each: words(f"option.{each}") for each in given})
    make = app_commands.command(name=name, description=words(says))
    return make(described(callback))


def _parameter(name: str, type_: Any) -> inspect.Parameter:
    default = None if type(None) in get_args(type_) else inspect.Parameter.empty
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, annotation=type_, default=default)


def _type(option: Option) -> Any:
    """Return the type of an option's parameter."""
    if option.is_number:
        return int | None
    return (app_commands.Range[str, 1, option.most] if option.most else str) | None


def _choices() -> dict[str, list[Choice[str]]]:
    """Return the fixed choices of the options that don't depend on other options."""
    few = {name: it.words for name, it in OPTIONS.items() if it.words and name not in SUGGESTED}
    return {name: [_choice(each, each) for each in can] for name, can in few.items()}


def _pictures(
    interaction: discord.Interaction, *images: discord.Attachment | None
) -> tuple[Picture, ...]:
    """Return the pictures of a command; their author is the person who sent it.

    Raises `Refused` for a last picture without a first one.
    """
    if images[0] is None and any(images):
        raise Refused("last_alone")
    author, given = str(interaction.user.id), [image for image in images if image]
    return tuple(in_turn(lambda image: picture_of(image, author=author), given))


# --- suggestions ---------------------------------------------------------------------------------


def _suggestions(
    command: Command, intake: Intake, suggest: Suggest
) -> Callable[[discord.Interaction, str], Coroutine[Any, Any, list[Choice[Any]]]]:
    async def suggestions(interaction: discord.Interaction, typed: str) -> list[Choice[Any]]:
        address = call_of(interaction).address
        catalog = (await intake.service.accounts.terms(address)).catalog
        order = _order(interaction, command, catalog)
        return list(suggest(catalog, order, str(typed)))

    return suggestions


def _seconds(catalog: Catalog, order: Order, length: int) -> str:
    if length == AUTO:
        values = {"seconds": offers.longest(catalog, order)}
        return i18n.say(Text(id="choice.auto", values=values), order.call.locale)
    return i18n.say(Text(id="choice.seconds", values={"seconds": length}), order.call.locale)


def _quality(_: Catalog, order: Order, quality: str) -> str:
    draft = Text(id="choice.draft")
    return i18n.say(draft, order.call.locale) if quality == DRAFT else quality


_OFFERED: Mapping[str, tuple[Offers, Label]] = {
    "model": (offers.families, lambda catalog, _, family: catalog.label(family)),
    "seconds": (offers.lengths, _seconds),
    "aspect": (offers.aspects, lambda _, __, aspect: aspect),
    "quality": (offers.qualities, _quality),
    "preset": (offers.presets, lambda catalog, _, preset: catalog.presets[preset].label),
}


def _values(catalog: Catalog, order: Order, typed: str, *, option: str) -> list[Choice[Any]]:
    """Return the choices of an option that `order` allows."""
    can, label = _OFFERED[option]
    able = can(catalog, order)
    return _fitting([_choice(label(catalog, order, each), each) for each in able], typed)


def _positions(catalog: Catalog, order: Order, typed: str, *, switch: str) -> list[Choice[str]]:
    """Return the choices on and off of a switch, with labels that describe their effect, if `order`
    allows both."""
    able = offers.positions(catalog, order, switch)
    shown = {on: i18n.say(position(switch, on=on), order.call.locale) for on in able}
    choices = [_choice(shown[on], ON_OFF[on]) for on in able]
    return [each for each in choices if each.value == typed.casefold()] or _fitting(choices, typed)


SUGGESTED: Mapping[str, Suggest] = {
    **{each: partial(_values, option=each) for each in _OFFERED},
    **{each: partial(_positions, switch=each) for each in SWITCHES},
}
"""The functions that suggest values, by option."""


def _order(interaction: discord.Interaction, command: Command, catalog: Catalog) -> Order:
    """Return the order as filled in so far, without the option being typed and unreadable values.

    Discord doesn't send attached pictures yet, so `SOME_PICTURE` stands for them. /animate always
    has a picture. The files of a command with a use come later, in its form.
    """
    filled = interaction.namespace
    data: Any = interaction.data
    typing = next(each["name"] for each in data["options"] if each.get("focused"))
    wish = SOME_WORDS
    for name in SUGGESTED:
        if name in filled and name != typing:
            with suppress(Refused):
                wish = wish.having(**wish_of(**{name: filled[name]}).chosen)
    if (use := COMMANDS[command.name].use) is not None:
        can = some_orders(call_of(interaction), wish, use)
        return next((each for each in can if offers.takes(catalog, each)), can[0])
    pictured = "image" in filled or command.name == "animate"
    return Order(
        call=call_of(interaction),
        wish=wish,
        pictures=(SOME_PICTURE,) * (pictured + ("last_image" in filled)),
        sound=SOME_SOUND if "audio" in filled else None,
    )


def some_orders(call: Call, wish: Wish, use: Use) -> list[Order]:
    """Return orders with placeholders for the files that this use needs, one for each number."""
    wish = wish.having(use=use, prompt=wish.prompt or SOME_WORDS.prompt)
    if use is not Use.CHARACTER:
        return [Order(call=call, wish=wish, video=SOME_CLIP)]
    counts = range(1, MOST_PICTURES + 1)
    return [Order(call=call, wish=wish, pictures=(SOME_PICTURE,) * count) for count in counts]


def _choice(name: str, value: Value) -> Choice[Value]:
    return Choice(name=name[:MOST_NAME], value=value)


def _fitting(choices: list[Choice[Value]], typed: str) -> list[Choice[Value]]:
    wanted = typed.strip().casefold()
    return [choice for choice in choices if wanted in choice.name.casefold()][:MOST]


# --- the texts in Discord's own list of commands -------------------------------------------------


class Translator(app_commands.Translator):
    """Translates the texts of commands by the message ids that `words` attached."""

    async def translate(
        self,
        string: locale_str,
        locale: discord.Locale,
        _context: app_commands.TranslationContextTypes,
    ) -> str | None:
        """Return the text in a language, or None if we lack it: Discord then shows the default."""
        language = locale.value.replace("-", "_")
        spoken = {language, language.partition("_")[0]} & set(i18n.languages())
        if "id" not in string.extras or not spoken - {i18n.DEFAULT}:
            return None
        return i18n.say(Text(id=string.extras["id"]), locale.value)


def words(message_id: str) -> locale_str:
    """Return the English text, with the message id by which `Translator` finds translations."""
    return locale_str(i18n.say(Text(id=message_id), i18n.DEFAULT), id=message_id)
