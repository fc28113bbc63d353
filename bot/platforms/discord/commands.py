"""The inputs on Discord: slash commands, the picture menu, mentions and buttons.

Each handler makes an `Order` and hands it to the intake; nothing is decided here. The list of
commands is registered only when it changed.
"""

import asyncio
import hashlib
import json
import re
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Self

import discord
from discord import app_commands
from discord.app_commands import AppCommandContext, AppInstallationType
from discord.ui import Button, DynamicItem, Item, View

from bot.core.access import Facts
from bot.core.errors import Refused
from bot.core.jobs import Job
from bot.core.ports import Clock, Posts
from bot.core.posting import Link
from bot.core.replies import Action, Reply
from bot.core.service import Actor, Service
from bot.core.supervision import Outage
from bot.log import get_logger
from bot.platforms.discord import decisions, errors, forms, menu, messages, owner, slash
from bot.platforms.discord.client import DiscordPlatform
from bot.platforms.discord.intake import PATIENCE, Intake, refuse
from bot.platforms.discord.mentions import Mentions
from bot.platforms.discord.originals import Originals
from bot.platforms.discord.reading import call_of, person_of

REGISTERED = "discord.commands"
"""The fact under which the digest of the registered commands is kept."""
SYNC_TIME = 15.0
REFUSED_TIME = 3600.0
"""Seconds after which commands are offered again that were refused for good."""

log = get_logger()


class Commands:
    """Hangs itself onto the platform's client; await `finish` before the store is closed."""

    def __init__(
        self,
        platform: DiscordPlatform,
        *,
        service: Service,
        card: Callable[[Job], Awaitable[Reply]],
        posts: Posts,
        facts: Facts,
        clock: Clock,
        stored: Callable[[str], AbstractAsyncContextManager[Path]],
        link: Callable[[Job], Link | None],
        patience: float = PATIENCE,
    ) -> None:
        self.intake = Intake(
            service=service, card=card, posts=posts, platform=platform, patience=patience
        )
        self._mentions = Mentions(self.intake)
        self._originals = Originals(platform, stored=stored, link=link)
        self._platform = platform
        self._client = platform.client
        self._facts = facts
        self._clock = clock
        self._is_registered = False
        self._tree = Tree(self._client)
        for command in (*slash.commands(self.intake), *owner.commands(self.intake)):
            self._tree.add_command(command)
        self._tree.add_command(menu.command(self.intake))
        for listener in (self.setup_hook, self.on_message, self.on_interaction, self.on_error):
            self._client.event(listener)

    async def run(self) -> None:
        """Hear people until cancelled, and insist that they see the commands."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._insist())
            await self._platform.run()

    async def finish(self) -> None:
        """Wait for transactions that outlived their answer."""
        await self.intake.finish()

    async def setup_hook(self) -> None:
        """Between login and connection, so that the commands are there when people are heard."""
        self._client.add_dynamic_items(press_item(self.intake, self._originals))
        with suppress(Exception):  # it is tried again
            await self._register()

    async def _insist(self) -> None:
        """Those registered earlier still work meanwhile."""
        await self._client.wait_until_ready()
        outage = Outage(self._clock)
        while not self._is_registered:
            try:
                await self._register()
            except Exception as error:  # noqa: BLE001 - whatever it is, people are heard
                problem = errors.lost(error)
                wait = REFUSED_TIME if isinstance(problem, Refused) else outage.wait()
                log.warning(
                    "discord.commands_refused",
                    why=problem.code,
                    error=type(error).__name__,
                    seconds=round(wait, 1),
                )
                await self._clock.sleep(wait)

    async def on_message(self, message: discord.Message) -> None:
        """Somebody wrote."""
        if self._client.user is not None:
            await self._mentions.hear(message, own_id=self._client.user.id)

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """Answer the rest: a form from before a restart, a button of former times."""
        form = interaction.type is discord.InteractionType.modal_submit
        button = interaction.type is discord.InteractionType.component
        if form and not forms.is_known(interaction):
            await refuse(interaction, Refused("form_lost"))
        if button and not is_ours(interaction):
            await refuse(interaction, Refused("button_unknown"))

    async def on_error(self, event: str, *_: object) -> None:
        """A listener failed: named, but never with the message it was about."""
        log.exception("discord.listener_failed", listener=event)

    async def _register(self) -> None:
        """Tell Discord of the commands if they changed: it counts how often a bot does so."""
        translator = slash.Translator()
        await self._tree.set_translator(translator)
        payload = [
            await command.get_translated_payload(self._tree, translator)
            for command in self._tree.get_commands()
        ]
        known = json.dumps([self._client.application_id, payload], sort_keys=True)
        digest = hashlib.sha256(known.encode()).hexdigest()
        if await self._facts.get(REGISTERED) != digest:
            async with asyncio.timeout(SYNC_TIME):
                await self._tree.sync()
            await self._facts.put(REGISTERED, digest)
            log.info("discord.commands_registered", count=len(payload))
        self._is_registered = True


class Tree(app_commands.CommandTree[discord.Client]):
    """Commands for servers and the bot's own direct messages; every error becomes an answer."""

    def __init__(self, client: discord.Client) -> None:
        super().__init__(
            client,
            allowed_contexts=AppCommandContext(guild=True, dm_channel=True, private_channel=False),
            allowed_installs=AppInstallationType(guild=True, user=False),
        )

    async def _call(self, interaction: discord.Interaction[discord.Client]) -> None:
        """A command that discord.py can't read gets a sentence too, not a traceback."""
        try:
            await super()._call(interaction)
        except app_commands.AppCommandError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever shape it has
            log.warning("discord.command_unread", error=type(error).__name__)
            await refuse(interaction, Refused("internal"))

    async def on_error(
        self, interaction: discord.Interaction, error: app_commands.AppCommandError, /
    ) -> None:
        """The rim of all commands."""
        await refuse(interaction, error)


# --- buttons --------------------------------------------------------------------------------------


def press_item(intake: Intake, originals: Originals) -> type[DynamicItem[Button[View]]]:
    """The class discord.py makes an item of for each press: by the custom id alone, so that a
    button works after a restart too. A closure, as discord.py hands it no arguments of ours."""

    class Press(DynamicItem[Button[View]], template=messages.CUSTOM_ID):
        def __init__(self, custom_id: str, act: str, job_id: str, value: str | None) -> None:
            super().__init__(Button(custom_id=custom_id))
            self.act = act
            self.job_id = job_id
            self.value = value

        @classmethod
        async def from_custom_id(
            cls, _: discord.Interaction, __: Item[Any], match: re.Match[str], /
        ) -> Self:
            return cls(match[0], match["act"], match["job"], match["value"])

        async def callback(self, interaction: discord.Interaction) -> Any:
            try:
                if self.act == messages.ORIGINAL:
                    await originals.show(interaction, await intake.job(self.job_id))
                else:
                    await press(intake, interaction, self.act, self.job_id, self.value)
            except Exception as problem:  # noqa: BLE001 - discord.py would only log it
                await refuse(interaction, problem)

    return Press


def is_ours(interaction: discord.Interaction) -> bool:
    """Whether this press reaches one of our items."""
    custom_id = dict(interaction.data or {}).get("custom_id")
    return re.fullmatch(messages.CUSTOM_ID, str(custom_id)) is not None


async def press(
    intake: Intake, interaction: discord.Interaction, act: str, job_id: str, value: str | None
) -> None:
    """Do what a button says. The rows decide who may, never the button."""
    service = intake.service
    person = person_of(interaction.user)
    actor = Actor(person=person, moderates=interaction.permissions.manage_messages)
    match act:
        case Action.CANCEL:
            await intake.change(interaction, job_id, service.cancel(job_id, actor))
        case Action.DONT_POST:
            await intake.change(interaction, job_id, service.silence(job_id, actor))
        case Action.RETRY | Action.FINER | Action.SHORTER | Action.TRY_ON:
            call = call_of(interaction)
            again = partial(service.again, job_id, Action(act), call, value=value)
            await intake.take(interaction, again)
        case Action.REMIX | Action.EDIT | Action.CONTINUE:
            await forms.ask_words(intake, interaction, job_id, Action(act))
        case Action.DELETE:
            await intake.ask(interaction, service.check_delete(job_id, actor), job_id)
        case Action.OWNER:
            await decisions.answer(service, interaction, job_id, value)
        case messages.CONFIRM:
            await intake.confirm(interaction, service.delete(job_id, actor))
        case _:
            raise Refused("button_unknown")
