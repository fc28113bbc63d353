"""Handle what people do on Discord: slash commands, the message menu, mentions and buttons.

The handlers pass orders and commands to the intake; the core decides. The list of commands is
registered at Discord only when it changed.
"""

import asyncio
import hashlib
import json
import re
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any, Self

import discord
from discord import app_commands
from discord.app_commands import AppCommandContext, AppInstallationType
from discord.ui import Button, DynamicItem, Item, View

from bot.core import presses
from bot.core.access import Facts
from bot.core.answers import Answer
from bot.core.commands import COMMANDS, Who
from bot.core.entry import Entry
from bot.core.errors import Refused
from bot.core.jobs import Job
from bot.core.ports import Clock
from bot.core.posting import Link
from bot.core.presses import Press
from bot.core.replies import Action
from bot.core.supervision import Outage
from bot.core.variations import ASKING
from bot.log import get_logger
from bot.platforms.discord import errors, forms, lists, menu, slash, uploads
from bot.platforms.discord.answering import refuse
from bot.platforms.discord.client import DiscordPlatform
from bot.platforms.discord.intake import PATIENCE, Intake
from bot.platforms.discord.mentions import Mentions
from bot.platforms.discord.reading import call_of, check_interaction, moderates_of
from bot.platforms.discord.videos import Videos

REGISTERED = "discord.commands"
"""The name of the fact that stores the digest of the registered commands."""
SYNC_TIME = 15.0
REFUSED_TIME = 3600.0
"""Seconds until the registration is retried after Discord refused the commands."""

log = get_logger()


@dataclass
class Commands:
    """Registers handlers at the platform's client. Await `finish` before the store is closed."""

    platform: DiscordPlatform
    _: KW_ONLY
    entry: Entry
    facts: Facts
    clock: Clock
    stored: Callable[[str], AbstractAsyncContextManager[Path]]
    link: Callable[[Job], Link | None]
    patience: float = PATIENCE

    def __post_init__(self) -> None:
        ways = self.entry.service.accounts.ways
        videos = Videos(self.platform, stored=self.stored, link=self.link, ways=ways)
        self.intake = Intake(
            entry=self.entry, videos=videos, platform=self.platform, patience=self.patience
        )
        self._mentions = Mentions(self.intake)
        self._client = self.platform.client
        self._stale = asyncio.Event()
        """Set if the commands registered at Discord may be out of date."""
        self._stale.set()
        self._tree = Tree(self._client)
        for command in (
            *slash.commands(self.intake),
            *uploads.commands(self.intake),
            *lists.commands(self.intake, claimed=self._stale.set),
        ):
            self._tree.add_command(command)
        for entry in (menu.command(self.intake), *uploads.menus(self.intake)):
            self._tree.add_command(entry)
        for listener in (self.setup_hook, self.on_message, self.on_interaction, self.on_error):
            self._client.event(listener)

    async def run(self) -> None:
        """Run the platform until cancelled, and keep the registered commands up to date."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._insist())
            await self.platform.run()

    async def finish(self) -> None:
        """Wait for the transactions that are still running after their answer."""
        await self.intake.finish()

    async def setup_hook(self) -> None:
        """Register buttons and commands. discord.py calls this after login, before it connects."""
        self._client.add_dynamic_items(press_item(self.intake))
        with suppress(Exception):  # `_insist` retries it
            await self._register()

    async def _insist(self) -> None:
        """Register the commands when they changed, and retry until Discord accepts them. Commands
        registered earlier work meanwhile."""
        await self._client.wait_until_ready()
        outage = Outage(self.clock)
        while await self._stale.wait():
            try:
                await self._register()
            except Exception as error:  # noqa: BLE001 - must not stop the bot
                problem = errors.lost(error)
                wait = REFUSED_TIME if isinstance(problem, Refused) else outage.wait()
                log.warning(
                    "discord.commands_refused",
                    why=problem.code,
                    error=type(error).__name__,
                    seconds=round(wait, 1),
                )
                await self.clock.sleep(wait)
            else:
                outage = Outage(self.clock)

    async def on_message(self, message: discord.Message) -> None:
        """Handle a message."""
        if self._client.user is not None:
            await self._mentions.hear(message, own_id=self._client.user.id)

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """Answer the interactions that no other handler knows: a form sent before a restart, a
        button of an earlier version."""
        form = interaction.type is discord.InteractionType.modal_submit
        button = interaction.type is discord.InteractionType.component
        if form and not forms.is_known(interaction):
            await refuse(interaction, Refused("form_lost"))
        if button and not is_ours(interaction):
            await refuse(interaction, Refused("button_unknown"))

    async def on_error(self, event: str, *_: object) -> None:
        """Log that a listener failed, without the message that it handled."""
        log.exception("discord.listener_failed", listener=event)

    async def _register(self) -> None:
        """Register the commands at Discord if they changed; Discord limits how often a bot may."""
        self._stale.clear()
        try:
            if not await self.entry.access.is_claimable():
                for each in COMMANDS.values():
                    if each.who is Who.FIRST_OWNER:
                        self._tree.remove_command(each.name)
            await self._sync()
        except BaseException:
            self._stale.set()
            raise

    async def _sync(self) -> None:
        translator = slash.Translator()
        await self._tree.set_translator(translator)
        payload = [
            await command.get_translated_payload(self._tree, translator)
            for command in self._tree.get_commands()
        ]
        known = json.dumps([self._client.application_id, payload], sort_keys=True)
        digest = hashlib.sha256(known.encode()).hexdigest()
        if await self.facts.get(REGISTERED) != digest:
            async with asyncio.timeout(SYNC_TIME):
                await self._tree.sync()
            await self.facts.put(REGISTERED, digest)
            log.info("discord.commands_registered", count=len(payload))


class Tree(app_commands.CommandTree[discord.Client]):
    """The commands, for servers and direct messages with the bot. Each error becomes an answer."""

    def __init__(self, client: discord.Client) -> None:
        super().__init__(
            client,
            allowed_contexts=AppCommandContext(guild=True, dm_channel=True, private_channel=False),
            allowed_installs=AppInstallationType(guild=True, user=False),
        )

    async def _call(self, interaction: discord.Interaction[discord.Client]) -> None:
        """Run a command; answer also if discord.py can't parse it."""
        try:
            await super()._call(interaction)
        except app_commands.AppCommandError:
            raise
        except Exception as error:  # noqa: BLE001 - parsing may raise anything
            log.warning("discord.command_unread", error=type(error).__name__)
            await refuse(interaction, Refused("internal"))

    async def on_error(
        self, interaction: discord.Interaction, error: app_commands.AppCommandError, /
    ) -> None:
        """Answer with the error of a command."""
        await refuse(interaction, error)


# --- buttons --------------------------------------------------------------------------------------


def press_item(intake: Intake) -> type[DynamicItem[Button[View]]]:
    """Return the class of which discord.py makes an item for each press.

    It is found by the button's custom id alone, so that buttons work after a restart. It is made
    here, as a closure, because discord.py passes it none of our objects.
    """

    class Pressed(DynamicItem[Button[View]], template=presses.CODE):
        @classmethod
        async def from_custom_id(
            cls, _: discord.Interaction, __: Item[Any], match: re.Match[str], /
        ) -> Self:
            return cls(Button(custom_id=match[0]))

        async def callback(self, interaction: discord.Interaction) -> Any:
            try:
                await press(intake, interaction, _carried(interaction))
            except Exception as problem:  # noqa: BLE001 - discord.py would only log it
                await refuse(interaction, problem)

    return Pressed


def is_ours(interaction: discord.Interaction) -> bool:
    """Whether the press is of a button or menu that `press_item` handles."""
    return presses.CODE.fullmatch(_carried(interaction)) is not None


def _carried(interaction: discord.Interaction) -> str:
    """Return the custom id of the pressed button, or the value chosen in a menu."""
    data = dict(interaction.data or {})
    chosen = data.get("values")
    return str(chosen[0] if isinstance(chosen, list) and chosen else data.get("custom_id"))


async def press(intake: Intake, interaction: discord.Interaction, carried: str) -> None:
    """Carry out a button press."""
    pressed, call = presses.read(carried), call_of(interaction)
    if pressed.action in presses.MAKING | ASKING:
        check_interaction(interaction)

    def done(pressed: Press) -> Coroutine[Any, Any, Answer]:
        return presses.press(intake.entry, call, pressed, moderates=moderates_of(interaction))

    if pressed.action is Action.OWNER:
        await intake.wait(interaction, done(pressed))
    else:
        await intake.hear(interaction, lambda: done(pressed), about=pressed.about)
