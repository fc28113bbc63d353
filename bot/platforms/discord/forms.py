"""Forms: what a window on a person's screen sends back, as long as this process remembers it."""

import discord
from discord.ui import Label, Modal, TextInput

from bot import i18n
from bot.core.replies import Text
from bot.platforms.discord.intake import Intake, refuse
from bot.platforms.discord.reading import address_of, check_interaction, person_of

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


async def open_remix(intake: Intake, interaction: discord.Interaction, job_id: str) -> None:
    """Show the form for other words, unless it is known already that they would be refused."""
    check_interaction(interaction)
    job = await intake.job(job_id)
    intake.service.check_pictures(job.order.pictures, person_of(interaction.user))
    form = RemixForm(intake, job_id, job.order.prompt, str(interaction.locale))
    await interaction.response.send_modal(form)


class RemixForm(Form):
    """Other words for the same video; the old ones stand there already."""

    def __init__(self, intake: Intake, job_id: str, prompt: str, locale: str) -> None:
        super().__init__(title=label("form.remix", locale))
        self._intake = intake
        self._job_id = job_id
        self.prompt: TextInput[RemixForm] = TextInput(
            style=discord.TextStyle.paragraph,
            default=prompt[:MOST_PROMPT],
            max_length=MOST_PROMPT,
        )
        self.add_item(Label(text=label("option.prompt", locale), component=self.prompt))

    async def on_submit(self, interaction: discord.Interaction, /) -> None:
        """A new job, on the account of whoever sent the form."""
        await self._intake.take(
            interaction,
            lambda: self._intake.service.remix(
                self._job_id,
                person_of(interaction.user),
                prompt=self.prompt.value,
                event_id=str(interaction.id),
                address=address_of(interaction),
                locale=str(interaction.locale),
            ),
        )
