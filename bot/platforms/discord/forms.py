"""Forms: what a window on a person's screen sends back, as long as this process remembers it."""

import discord
from discord.ui import Label, Modal, TextInput

from bot import i18n
from bot.core.replies import Action, Text
from bot.platforms.discord.intake import Intake, refuse
from bot.platforms.discord.reading import call_of, check_interaction

PATIENCE = 15 * 60.0
"""Seconds a form is remembered: it may be put away without a word."""
MOST_LABEL = 45
"""Characters of a title or a label in a form: Discord's limit."""
MOST_PROMPT = 2000
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


async def ask_words(
    intake: Intake, interaction: discord.Interaction, job_id: str, action: Action
) -> None:
    """Show the form for the words, unless it is known already that they would be refused."""
    check_interaction(interaction)
    call = call_of(interaction)
    await intake.check(intake.service.check(call.address, call.person))
    job = await intake.job(job_id)
    await intake.check(intake.service.varied(job_id, action, call))
    # What happens next is another matter; the same with other words begins with the old ones.
    words = "" if action is Action.CONTINUE else job.order.wish.prompt
    form = WordsForm(intake, job_id, action, words, str(interaction.locale))
    await interaction.response.send_modal(form)


class WordsForm(Form):
    """Words for another video like one that was; nothing said is the same words."""

    def __init__(
        self, intake: Intake, job_id: str, action: Action, words: str, locale: str
    ) -> None:
        goes_on = action is Action.CONTINUE
        super().__init__(title=label("form.continue" if goes_on else "form.remix", locale))
        self._intake = intake
        self._job_id = job_id
        self._action = action
        self.prompt: TextInput[WordsForm] = TextInput(
            style=discord.TextStyle.paragraph,
            default=words[:MOST_PROMPT],
            max_length=MOST_PROMPT,
            required=not goes_on,
        )
        self.add_item(Label(text=label("option.prompt", locale), component=self.prompt))

    async def on_submit(self, interaction: discord.Interaction, /) -> None:
        """A new job, on the account of whoever sent the form."""
        await self._intake.take(
            interaction,
            lambda: self._intake.service.again(
                self._job_id, self._action, call_of(interaction), prompt=self.prompt.value
            ),
        )
