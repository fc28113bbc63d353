"""What people can do on Discord: slash commands, the picture menu, mentions and buttons.

Each handler makes an `Order` and hands it to the intake; nothing is decided here. The list of
commands is registered only when it changed.
"""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Protocol

import discord
from discord import app_commands
from discord.app_commands import AppCommandContext, AppInstallationType

from bot.core.errors import Refused
from bot.core.jobs import Job
from bot.core.ports import Posts
from bot.core.replies import Reply
from bot.core.service import Service
from bot.log import get_logger
from bot.platforms.discord import buttons, errors, mentions, menu, slash
from bot.platforms.discord.answers import refuse
from bot.platforms.discord.client import DiscordPlatform
from bot.platforms.discord.intake import PATIENCE, Intake
from bot.platforms.discord.words import Translator

REGISTERED = "discord.commands"
"""The fact under which the digest of the registered commands is kept."""
SYNC_TIME = 30.0

log = get_logger()


class Facts(Protocol):
    """Small things that outlast the process."""

    async def get(self, name: str) -> str | None: ...

    async def put(self, name: str, value: str) -> None: ...


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
        patience: float = PATIENCE,
    ) -> None:
        self.intake = Intake(
            service=service, card=card, posts=posts, platform=platform, patience=patience
        )
        self._client = platform.client
        self._facts = facts
        self._tree = Tree(self._client)
        for command in slash.commands(self.intake):
            self._tree.add_command(command)
        self._tree.add_command(menu.command(self.intake))
        for listener in (self.setup_hook, self.on_message, self.on_interaction, self.on_error):
            self._client.event(listener)

    async def finish(self) -> None:
        """Wait for transactions that outlived their answer."""
        await self.intake.finish()

    async def setup_hook(self) -> None:
        """Once, between login and connection."""
        self._client.add_dynamic_items(buttons.press_item(self.intake))
        await self._register()

    async def on_message(self, message: discord.Message) -> None:
        """Somebody wrote."""
        if self._client.user is not None:
            await mentions.hear(self.intake, message, own_id=self._client.user.id)

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """What nobody else answers: a form from before a restart, a button of former times."""
        form = interaction.type is discord.InteractionType.modal_submit
        button = interaction.type is discord.InteractionType.component
        if form and not menu.is_known(interaction):
            await refuse(interaction, Refused("form_lost"))
        if button and not buttons.is_known(interaction):
            await refuse(interaction, Refused("button_unknown"))

    async def on_error(self, event: str, *_: object) -> None:
        """A listener failed: named, but never with the message it was about."""
        log.exception("discord.listener_failed", listener=event)

    async def _register(self) -> None:
        """Tell Discord of the commands if they changed: it counts how often a bot does so."""
        translator = Translator()
        await self._tree.set_translator(translator)
        payload = [
            await command.get_translated_payload(self._tree, translator)
            for command in self._tree.get_commands()
        ]
        known = json.dumps([self._client.application_id, payload], sort_keys=True)
        digest = hashlib.sha256(known.encode()).hexdigest()
        if await self._facts.get(REGISTERED) == digest:
            return
        try:
            async with asyncio.timeout(SYNC_TIME):
                await self._tree.sync()
        except errors.FOREIGN as error:
            # The commands registered earlier still work; the next start tries again.
            log.error("discord.commands_refused", error=str(error))
            return
        await self._facts.put(REGISTERED, digest)
        log.info("discord.commands_registered", count=len(payload))


class Tree(app_commands.CommandTree[discord.Client]):
    """Commands for servers and the bot's own direct messages; every error becomes an answer."""

    def __init__(self, client: discord.Client) -> None:
        super().__init__(
            client,
            allowed_contexts=AppCommandContext(guild=True, dm_channel=True, private_channel=False),
            allowed_installs=AppInstallationType(guild=True, user=False),
        )

    async def on_error(
        self, interaction: discord.Interaction, error: app_commands.AppCommandError, /
    ) -> None:
        """The rim of all commands."""
        await refuse(interaction, error)
