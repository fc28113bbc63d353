"""Orders of a character, a changed video and a continued one: one form for files and words.

The commands /character, /edit and /extend open it with a field for files. *Apps › Change video* and
*Apps › Continue video* take the video of their message instead.
"""

from collections.abc import Sequence
from typing import Any

import discord
from discord import SelectOption, app_commands
from discord.ui import FileUpload, Label, Select, TextInput

from bot.core import offers
from bot.core.catalog import Catalog
from bot.core.commands import COMMANDS
from bot.core.errors import in_turn
from bot.core.handed import one_of, parted
from bot.core.kinds import MOST_PICTURES
from bot.core.orders import Call, Clip, Given, Order
from bot.core.wishes import Use, Wish, wish_of
from bot.platforms.discord.answering import refuse
from bot.platforms.discord.forms import Form, label
from bot.platforms.discord.intake import Intake
from bot.platforms.discord.messages import job_in
from bot.platforms.discord.reading import (
    call_of,
    check_interaction,
    clip_of,
    clips_of,
    picture_of,
)
from bot.platforms.discord.slash import (
    MOST,
    MOST_NAME,
    Command,
    some_orders,
    with_options,
    words,
)

MOST_WORDS = 1500
"""The most characters of a prompt in this form: a refusal gives them all back in one message."""


def commands(intake: Intake) -> tuple[Command, ...]:
    """Return the commands of the command tree that open the form."""
    uses = {name: each.use for name, each in COMMANDS.items() if each.use is not None}
    return tuple(_command(name, use, intake) for name, use in uses.items())


def menus(intake: Intake) -> tuple[app_commands.ContextMenu, ...]:
    """Return the menu entries of messages that open the form."""
    return _menu("command.edit_menu", Use.EDIT, intake), _menu(
        "command.extend_menu", Use.EXTEND, intake
    )


def _command(name: str, use: Use, intake: Intake) -> Command:
    async def callback(interaction: discord.Interaction, **filled: Any) -> None:
        await _open(interaction, intake, wish_of(**filled), use)

    return with_options(callback, intake, {}, name=name, but=("use",))


def _menu(text: str, use: Use, intake: Intake) -> app_commands.ContextMenu:
    async def opened(interaction: discord.Interaction, message: discord.Message) -> None:
        check_interaction(interaction)
        clip = await _clip(interaction, intake, message)
        intake.service.check_authors([clip], call_of(interaction).person)
        await _open(interaction, intake, Wish(), use, clip=clip)

    return app_commands.ContextMenu(name=words(text), callback=opened)


async def _clip(interaction: discord.Interaction, intake: Intake, message: discord.Message) -> Clip:
    """Return the video of a message: from our storage if it is one of ours."""
    if message.author.id == interaction.application_id and (job_id := job_in(message)):
        return await intake.check(intake.service.clip_of(job_id, call_of(interaction)))
    _, clip, _ = parted(clips_of(message, own_id=interaction.application_id))
    assert clip is not None
    return clip


async def _open(
    interaction: discord.Interaction,
    intake: Intake,
    wish: Wish,
    use: Use,
    *,
    clip: Clip | None = None,
) -> None:
    """Check all that can be checked before the person fills in the form, and open it."""
    check_interaction(interaction)
    call = call_of(interaction)
    await intake.check(intake.service.check(call.address, call.person))
    catalog = (await intake.service.accounts.terms(call.address)).catalog
    can = some_orders(call, wish, use)
    if clip is not None:
        can = [Order(call=call, wish=can[0].wish, video=clip)]
    able = [each for each in can if offers.takes(catalog, each)]
    if not able:
        catalog.choose(can[0])
    form = FilesForm(intake, catalog, able, wish, clip=clip)
    await interaction.response.send_modal(form)


class FilesForm(Form):
    """A form for the files of an order, its prompt, and its model if there are several.

    `able` has orders that models take, with placeholders for what the form asks for; `wish` has
    what the person chose before.
    """

    def __init__(
        self,
        intake: Intake,
        catalog: Catalog,
        able: Sequence[Order],
        wish: Wish,
        *,
        clip: Clip | None,
    ) -> None:
        order = able[0]
        use, locale = order.wish.use or Use.CHARACTER, order.call.locale
        super().__init__(title=label(f"form.{use}", locale))
        self._intake, self._wish, self._use, self._clip = intake, wish, use, clip
        most = MOST_PICTURES if use is Use.CHARACTER else 1
        self.files: FileUpload[FilesForm] = FileUpload(min_values=1, max_values=most)
        self.prompt: TextInput[FilesForm] = TextInput(
            style=discord.TextStyle.paragraph,
            max_length=MOST_WORDS,
            required=use is not Use.EXTEND,
        )
        self.model: Select[FilesForm] = Select(
            options=_models(catalog, able), required=False, min_values=0
        )
        if clip is None:
            self.add_item(Label(text=label(f"form_files.{use}", locale), component=self.files))
        self.add_item(Label(text=label(f"form_words.{use}", locale), component=self.prompt))
        if len(self.model.options) > 1:
            self.add_item(Label(text=label("form.model", locale), component=self.model))

    async def on_submit(self, interaction: discord.Interaction, /) -> None:
        """Order the video. The catalog chooses a model that was left open."""
        call = call_of(interaction)
        pictures, clip, _ = parted(self._given(interaction, call))
        wish = self._wish.having(use=self._use, prompt=self.prompt.value)
        if self.model.values:
            wish = wish.having(family=self.model.values[0])
        order = Order(call=call, wish=wish, pictures=pictures, video=clip)
        await self._intake.take(interaction, order, words=self.prompt.value)

    async def on_error(self, interaction: discord.Interaction, error: Exception, /) -> None:  # type: ignore[override]  # as in `Form`
        """Answer with the error, and give the person's words back."""
        await refuse(interaction, error, words=self.prompt.value)

    def _given(self, interaction: discord.Interaction, call: Call) -> Sequence[Given]:
        if self._clip is not None:
            return [self._clip]
        author = call.person.id
        read = picture_of if self._use is Use.CHARACTER else clip_of
        files = _in_order(interaction, self.files)
        return in_turn(lambda each: read(each, author=author), files, within=one_of)


def _models(catalog: Catalog, able: Sequence[Order]) -> list[SelectOption]:
    """Return menu options for the models that can make one of the orders."""
    open_ = [order for order in able if order.wish.family is None]
    can = {family for order in open_ for family in offers.families(catalog, order)}
    found = [each for each in catalog.families if each in can][:MOST]
    return [SelectOption(label=catalog.label(each)[:MOST_NAME], value=each) for each in found]


def _in_order(
    interaction: discord.Interaction, upload: "FileUpload[FilesForm]"
) -> list[discord.Attachment]:
    """Return the files of the field in the order in which the person added them.

    discord.py returns them in the order of Discord's table of attachments. A prompt may speak of
    the first picture.
    """
    data: Any = interaction.data or {}
    fields = [each.get("component") or {} for each in data.get("components") or []]
    ids = [id_ for each in fields if each.get("custom_id") == upload.custom_id
           for id_ in each.get("values") or []]  # fmt: skip
    return sorted(upload.values, key=lambda each: ids.index(str(each.id)))
