"""The message menu "Animate": a form to order a video of a message's picture.

Discord sends the message with the interaction, so the Message Content intent isn't needed.
"""

from dataclasses import replace

import discord
from discord import SelectOption, app_commands
from discord.ui import Label, Select, TextInput

from bot import i18n
from bot.core.catalog import Catalog
from bot.core.errors import NoPicture
from bot.core.offers import longest, takes
from bot.core.orders import Given, Order, Picture
from bot.core.replies import Text
from bot.core.wishes import AUTO, Wish
from bot.platforms.discord.forms import MOST_PROMPT, Form, label
from bot.platforms.discord.intake import Intake
from bot.platforms.discord.reading import (
    call_of,
    check_interaction,
    check_shown,
    choices_of,
    parts_of,
    person_of,
)
from bot.platforms.discord.slash import MOST, MOST_NAME, SOME_WORDS, words


def command(intake: Intake) -> app_commands.ContextMenu:
    """Return the menu entry for a command tree."""

    async def animate(interaction: discord.Interaction, message: discord.Message) -> None:
        check_interaction(interaction)
        pictures, sound = choices_of(message, own_id=interaction.application_id)
        if not pictures and sound is None:
            check_shown(message, own_id=interaction.application_id)
            raise NoPicture()
        # Check before the person fills in the form; the service would refuse it afterwards.
        given: tuple[Given, ...] = (*pictures, sound) if sound else pictures
        intake.service.check_authors(given, person_of(interaction.user))
        order = Order(
            call=call_of(interaction), wish=SOME_WORDS, pictures=pictures[:1], sound=sound
        )
        await intake.check(intake.service.check(order.call.address, order.call.person))
        catalog = (await intake.service.accounts.terms(order.call.address)).catalog
        catalog.choose(order)
        attached = sum(len(part.attachments) for part in parts_of(message))
        form = AnimateForm(intake, pictures, catalog, order, named=attached > len(given))
        await interaction.response.send_modal(form)

    return app_commands.ContextMenu(name=words("command.animate_menu"), callback=animate)


def lengths_of(catalog: Catalog, order: Order) -> list[SelectOption]:
    """Return menu options for all pairs of model and length that fit `order`. One menu for both
    makes sure that they fit together.

    If there are more than Discord shows, the first lengths of each model take precedence.
    """
    found: dict[tuple[str, int], int] = {}
    for model in catalog.models:
        first, *others = model.seconds
        for rank, length in enumerate((first, AUTO, *others)):
            pair = (model.family, length)
            wish = replace(order.wish, family=model.family, seconds=length)
            if pair not in found and takes(catalog, order.wishing(wish)):
                found[pair] = rank
    shown = set(sorted(found, key=lambda pair: found[pair])[:MOST])
    return [_video(catalog, order, *pair) for pair in found if pair in shown]


def presets_of(catalog: Catalog) -> list[SelectOption]:
    """Return menu options for the presets."""
    return [
        SelectOption(label=preset.label[:MOST_NAME], value=name)
        for name, preset in list(catalog.presets.items())[:MOST]
    ]


class AnimateForm(Form):
    """A form for prompt, preset, model and length, and for the picture if there are several.

    `named`: the picture is shown even if it is the only one, since other files can't be used.
    """

    def __init__(
        self,
        intake: Intake,
        pictures: tuple[Picture, ...],
        catalog: Catalog,
        order: Order,
        *,
        named: bool,
    ) -> None:
        locale = order.call.locale
        super().__init__(title=label("form.title", locale))
        self._intake = intake
        self._pictures = pictures
        self._sound = order.sound
        self.picture = _select([_numbered(number, each) for number, each in enumerate(pictures)])
        self.prompt: TextInput[AnimateForm] = TextInput(
            style=discord.TextStyle.paragraph, required=False, max_length=MOST_PROMPT
        )
        self.preset = _select(presets_of(catalog))
        self.video = _select(lengths_of(catalog, order))
        if len(pictures) > 1 or named:
            self.add_item(Label(text=label("form.picture", locale), component=self.picture))
        self.add_item(Label(text=label("option.prompt", locale), component=self.prompt))
        if self.preset.options:
            self.add_item(Label(text=label("form.preset", locale), component=self.preset))
        if self.video.options:
            self.add_item(Label(text=label("form.video", locale), component=self.video))

    async def on_submit(self, interaction: discord.Interaction, /) -> None:
        """Order the video. The catalog fills in choices that were left out."""
        picture = self._pictures[int(_first(self.picture) or 0)]
        length, _, family = (_first(self.video) or "").partition(" ")
        wish = Wish(
            prompt=self.prompt.value,
            family=family or None,
            seconds=int(length) if length else None,
            preset=_first(self.preset),
        )
        order = Order(call=call_of(interaction), wish=wish, pictures=(picture,), sound=self._sound)
        await self._intake.take(interaction, order)


def _video(catalog: Catalog, order: Order, family: str, length: int) -> SelectOption:
    word = "choice.video"
    seconds = length
    if length == AUTO:
        of_family = order.wishing(replace(order.wish, family=family))
        word, seconds = "choice.video_auto", longest(catalog, of_family)
    values = {"family": catalog.label(family), "seconds": seconds}
    shown = i18n.say(Text(id=word, values=values), order.call.locale)
    return SelectOption(label=shown[:MOST_NAME], value=f"{length} {family}")


def _select(options: list[SelectOption]) -> "Select[AnimateForm]":
    return Select(options=options, required=False, min_values=0)


def _numbered(number: int, picture: Picture) -> SelectOption:
    return SelectOption(label=picture.filename[:MOST_NAME], value=str(number))


def _first(select: "Select[AnimateForm]") -> str | None:
    return select.values[0] if select.values else None
