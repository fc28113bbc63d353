"""Buttons: a press finds its way by the custom id alone, also after a restart."""

import re
from functools import partial
from typing import Any, Self

import discord
from discord.ui import Button, DynamicItem, Item, View

from bot.core.errors import Refused
from bot.core.replies import Action
from bot.core.service import Actor
from bot.platforms.discord import messages
from bot.platforms.discord.answers import refuse
from bot.platforms.discord.intake import Intake
from bot.platforms.discord.reading import address_of, person_of


def press_item(intake: Intake) -> type[DynamicItem[Button[View]]]:
    """The class discord.py makes an item of for each press; a closure, as it takes no arguments."""

    class Press(DynamicItem[Button[View]], template=messages.CUSTOM_ID):
        def __init__(self, custom_id: str, act: str, job_id: str) -> None:
            super().__init__(Button(custom_id=custom_id))
            self.act = act
            self.job_id = job_id

        @classmethod
        async def from_custom_id(
            cls, _: discord.Interaction, __: Item[Any], match: re.Match[str], /
        ) -> Self:
            return cls(match[0], match["act"], match["job"])

        async def callback(self, interaction: discord.Interaction) -> Any:
            try:
                await press(intake, interaction, self.act, self.job_id)
            except Exception as problem:  # noqa: BLE001 - discord.py would only log it
                await refuse(interaction, problem)

    return Press


def is_known(interaction: discord.Interaction) -> bool:
    """Whether this press reaches one of our items."""
    custom_id = dict(interaction.data or {}).get("custom_id")
    return re.fullmatch(messages.CUSTOM_ID, str(custom_id)) is not None


async def press(intake: Intake, interaction: discord.Interaction, act: str, job_id: str) -> None:
    """Do what a button says. Who may is decided by the rows, never by the button."""
    service = intake.service
    person = person_of(interaction.user)
    actor = Actor(person=person, moderates=interaction.permissions.manage_messages)
    match act:
        case Action.CANCEL:
            await intake.change(interaction, service.cancel(job_id, actor))
        case Action.DONT_POST:
            await intake.change(interaction, service.silence(job_id, actor))
        case Action.RETRY:
            again = partial(
                service.retry,
                job_id,
                person,
                event_id=str(interaction.id),
                address=address_of(interaction),
                locale=str(interaction.locale),
            )
            await intake.take(interaction, again)
        case _:
            raise Refused("button_unknown")
