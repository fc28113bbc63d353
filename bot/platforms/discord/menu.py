"""The message menu "Animate": a form for the picture in somebody's message, no intent needed."""

import discord
from discord import app_commands
from discord.ui import Label, Modal, Select, TextInput

from bot import i18n
from bot.core.catalog import Catalog
from bot.core.errors import Refused
from bot.core.orders import Kind, Picture
from bot.core.replies import Text
from bot.platforms.discord import choices
from bot.platforms.discord.answers import refuse
from bot.platforms.discord.intake import Intake
from bot.platforms.discord.reading import check_interaction, order_of, pictures_of
from bot.platforms.discord.words import words

PATIENCE = 15 * 60.0
"""Seconds a form is remembered: it may be put away without a word."""
MOST_LABEL = 45
"""Characters of a title or a label in a form: Discord's limit."""
_KNOWN = "form"


def command(intake: Intake) -> app_commands.ContextMenu:
    """The menu entry, ready for a tree."""

    async def animate(interaction: discord.Interaction, message: discord.Message) -> None:
        check_interaction(interaction)
        pictures = pictures_of(message, own_id=interaction.application_id)
        if not pictures:
            raise Refused("no_picture")
        await interaction.response.send_modal(Form(intake, pictures, str(interaction.locale)))

    return app_commands.ContextMenu(name=words("command.animate_menu"), callback=animate)


def is_known(interaction: discord.Interaction) -> bool:
    """Whether a submitted form is one we remember: discord.py calls the form first."""
    return _KNOWN in interaction.extras


class Form(Modal):
    """Prompt, model, length, and which picture if there are several. Lost with the process."""

    def __init__(self, intake: Intake, pictures: tuple[Picture, ...], locale: str) -> None:
        super().__init__(title=_say("form.title", locale), timeout=PATIENCE)
        self._intake = intake
        self._pictures = pictures
        catalog = intake.service.catalog
        self.picture = _select([_numbered(number, each) for number, each in enumerate(pictures)])
        self.prompt: TextInput[Form] = TextInput(
            style=discord.TextStyle.paragraph, required=False, max_length=2000
        )
        self.model = _select(choices.options(choices.families(catalog, Kind.PICTURE)))
        self.seconds = _select(choices.options(_lengths(catalog, locale)))
        if len(pictures) > 1:
            self.add_item(Label(text=_say("form.picture", locale), component=self.picture))
        self.add_item(Label(text=_say("option.prompt", locale), component=self.prompt))
        self.add_item(Label(text=_say("option.model", locale), component=self.model))
        self.add_item(Label(text=_say("option.seconds", locale), component=self.seconds))

    async def interaction_check(self, interaction: discord.Interaction, /) -> bool:
        """Everybody may: the form went to one person."""
        interaction.extras[_KNOWN] = True
        return True

    async def on_submit(self, interaction: discord.Interaction, /) -> None:
        """Order what was filled in; what was left out is for the catalogue to choose."""
        picture = self._pictures[int(_first(self.picture) or 0)]
        length = _first(self.seconds)
        order = order_of(
            interaction,
            prompt=self.prompt.value,
            pictures=(picture,),
            family=_first(self.model),
            seconds=int(length) if length else None,
        )
        await self._intake.take(interaction, lambda: self._intake.service.submit(order))

    async def on_error(  # type: ignore[override]  # discord.py's own modals have no item here
        self, interaction: discord.Interaction, error: Exception, /
    ) -> None:
        """The rim of the form."""
        await refuse(interaction, error)


def _select(options: list[discord.SelectOption]) -> "Select[Form]":
    return Select(options=options, required=False, min_values=0)


def _numbered(number: int, picture: Picture) -> discord.SelectOption:
    return discord.SelectOption(label=picture.filename[: choices.MOST_NAME], value=str(number))


def _lengths(catalog: Catalog, locale: str) -> list[app_commands.Choice[int]]:
    return choices.seconds(choices.models(catalog, Kind.PICTURE), "", locale)


def _first(select: "Select[Form]") -> str | None:
    return select.values[0] if select.values else None


def _say(message_id: str, locale: str) -> str:
    return i18n.say(Text(id=message_id), locale)[:MOST_LABEL]
