"""Forms (Discord's modals). A form is lost if the process ends before it is sent."""

from collections.abc import Awaitable, Callable

import discord
from discord.ui import Label, Modal, TextInput

from bot import i18n
from bot.core.answers import Asked
from bot.core.replies import Action, Text
from bot.platforms.discord.answering import refuse
from bot.platforms.discord.reading import check_interaction

PATIENCE = 15 * 60.0
"""Seconds that a form is remembered. Discord doesn't report a form that a person closed."""
MOST_LABEL = 45
"""Discord's limit for titles and labels in a form, in characters."""
MOST_PROMPT = 2000
Sent = Callable[[discord.Interaction, str], Awaitable[None]]
"""A function that handles a submitted form: its interaction and its prompt."""
_KNOWN = "form"


def is_known(interaction: discord.Interaction) -> bool:
    """Whether a submitted form is still remembered. discord.py calls the form before this."""
    return _KNOWN in interaction.extras


def label(message_id: str, locale: str) -> str:
    """Return the title of a form or the label of a field."""
    return i18n.say(Text(id=message_id), locale)[:MOST_LABEL]


class Form(Modal):
    """A form that marks its interactions as known, and answers every error."""

    def __init__(self, *, title: str) -> None:
        super().__init__(title=title, timeout=PATIENCE)

    async def interaction_check(self, interaction: discord.Interaction, /) -> bool:
        """Mark the interaction as known. Allow everybody, as only one person sees the form."""
        interaction.extras[_KNOWN] = True
        return True

    async def on_error(  # type: ignore[override]  # discord.py's own modals have no item here
        self, interaction: discord.Interaction, error: Exception, /
    ) -> None:
        """Answer with the error."""
        await refuse(interaction, error)


class WordsForm(Form):
    """A form for the prompt of a remix or a continuation. The prompt of a continuation may be left
    empty; then the video's own prompt is used."""

    def __init__(self, asked: Asked, locale: str, sent: Sent) -> None:
        goes_on = asked.action is Action.CONTINUE
        super().__init__(title=label("form.continue" if goes_on else "form.remix", locale))
        self._sent = sent
        self.prompt: TextInput[WordsForm] = TextInput(
            style=discord.TextStyle.paragraph,
            default=asked.words[:MOST_PROMPT],
            max_length=MOST_PROMPT,
            required=not goes_on,
        )
        self.add_item(Label(text=label("option.prompt", locale), component=self.prompt))

    async def on_submit(self, interaction: discord.Interaction, /) -> None:
        """Order the video for the person who sent the form."""
        check_interaction(interaction)
        await self._sent(interaction, self.prompt.value)
