"""Forms: what a window on a person's screen sends back, as long as this process remembers it."""

from collections.abc import Awaitable, Callable

import discord
from discord.ui import Label, Modal, TextInput

from bot import i18n
from bot.core.answers import Asked
from bot.core.replies import Action, Text
from bot.platforms.discord.answering import refuse
from bot.platforms.discord.reading import check_interaction

PATIENCE = 15 * 60.0
"""Seconds a form is remembered: it may be put away without a word."""
MOST_LABEL = 45
"""Characters of a title or a label in a form: Discord's limit."""
MOST_PROMPT = 2000
Sent = Callable[[discord.Interaction, str], Awaitable[None]]
"""Takes the form as it was sent, with its words."""
_KNOWN = "form"


def is_known(interaction: discord.Interaction) -> bool:
    """Whether a submitted form is one we remember: discord.py calls the form first."""
    return _KNOWN in interaction.extras


def label(message_id: str, locale: str) -> str:
    """The words over a form or over one of its fields."""
    return i18n.say(Text(id=message_id), locale)[:MOST_LABEL]


class Form(Modal):
    """Marks what it is sent, and answers every error. Lost with the process."""

    def __init__(self, *, title: str) -> None:
        super().__init__(title=title, timeout=PATIENCE)

    async def interaction_check(self, interaction: discord.Interaction, /) -> bool:
        """Everybody may: the form went to one person."""
        interaction.extras[_KNOWN] = True
        return True

    async def on_error(  # type: ignore[override]  # discord.py's own modals have no item here
        self, interaction: discord.Interaction, error: Exception, /
    ) -> None:
        """The rim of the form."""
        await refuse(interaction, error)


class WordsForm(Form):
    """Words for another video like one that was; nothing said is the same words."""

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
        """A new job, on the account of whoever sent the form."""
        check_interaction(interaction)
        await self._sent(interaction, self.prompt.value)
