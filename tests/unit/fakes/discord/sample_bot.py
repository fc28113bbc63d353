"""A small bot on the unmodified discord.py that stands in for ours.

Also a script that tests can kill.

As a script it logs in, posts one message with a fixed nonce, and stays.
"""

import asyncio
import re
import sys
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

import yarl

with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
    import discord  # discord imports audioop, which Python 3.11 announces as deprecated.

import discord.gateway
import discord.http
from discord import app_commands
from discord.ui import Button, DynamicItem, FileUpload, Label, Modal, Select, TextInput, View

__all__ = ["NONCE", "SampleBot", "discord", "running", "view"]

NONCE = "job-1-file"


class Again(DynamicItem[Button[View]], template=r"v1:again:(?P<job>\w+)"):
    """A button that a process which never sent it can answer too."""

    def __init__(self, job: str) -> None:
        super().__init__(Button(label="Again", custom_id=f"v1:again:{job}"))
        self.job = job

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction,
        item: discord.ui.Item[View],
        match: re.Match[str],
    ) -> Self:
        """Build the item from its custom id alone."""
        return cls(match["job"])

    async def callback(self, interaction: discord.Interaction) -> None:
        """Edit the message that carries the button."""
        await interaction.response.edit_message(content=f"{self.job} again", view=None)


class Remix(Modal):
    """A modal with a text, a choice and a file."""

    def __init__(self) -> None:
        super().__init__(title="Remix")
        models = [discord.SelectOption(label=name) for name in ("Wan", "Kling")]
        self.prompt: TextInput[Self] = TextInput(default="a cat")
        self.model: Select[Self] = Select(options=models)
        self.image: FileUpload[Self] = FileUpload(required=False)
        self.add_item(Label(text="Prompt", component=self.prompt))
        self.add_item(Label(text="Model", component=self.model))
        self.add_item(Label(text="Image", component=self.image))

    async def on_submit(self, interaction: discord.Interaction) -> None:
        """Post the submitted values."""
        files = [each.filename for each in self.image.values]
        text = f"{self.prompt.value} {self.model.values} {files}"
        await interaction.response.send_message(text)


class SampleBot(discord.Client):
    """A bot that answers a few commands and keeps what it was told."""

    def __init__(self, *, content_intent: bool = False) -> None:
        intents = discord.Intents(guilds=True, guild_messages=True, dm_messages=True)
        intents.message_content = content_intent
        super().__init__(
            intents=intents,
            guild_ready_timeout=0,
            chunk_guilds_at_startup=False,
            max_messages=None,
        )
        self.tree = app_commands.CommandTree(self)
        self.heard: asyncio.Queue[discord.Message] = asyncio.Queue()
        self.resumed = asyncio.Event()
        self.sent_ids: list[int | None] = []
        self.tree.add_command(_video(self))
        self.tree.add_command(_remix)
        self.tree.add_command(_animate)

    async def setup_hook(self) -> None:
        """Register all commands and the button with Discord."""
        self.add_dynamic_items(Again)
        await self.tree.sync()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Identify at once; by default discord.py waits five seconds before a second time."""

    async def on_message(self, message: discord.Message) -> None:
        """Keep the messages that people send."""
        if message.author != self.user:
            self.heard.put_nowait(message)

    async def on_resumed(self) -> None:
        """Record that the gateway resumed the session."""
        self.resumed.set()


@asynccontextmanager
async def running(token: str, bot: SampleBot) -> AsyncIterator[SampleBot]:
    """Run the bot in this process. Raises what stops it from getting ready."""
    async with bot:
        work = asyncio.create_task(bot.start(token))
        ready = asyncio.ensure_future(bot.wait_until_ready())
        try:
            await asyncio.wait([work, ready], timeout=10, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                await work
            assert ready.done(), "the bot did not get ready"
            yield bot
        finally:
            ready.cancel()
            await bot.close()
            await asyncio.wait([work], timeout=10)


def view(job: str) -> View:
    """Return a persistent view with one button."""
    buttons = View(timeout=None)
    buttons.add_item(Again(job))
    return buttons


def _video(bot: SampleBot) -> app_commands.Command[app_commands.Group, ..., None]:
    @app_commands.command(name="video", description="Make a video")
    async def video(
        interaction: discord.Interaction,
        prompt: str,
        image: discord.Attachment | None = None,
        model: str = "Wan",
    ) -> None:
        sent = await interaction.response.send_message(f"queued: {prompt}", view=view("1"))
        bot.sent_ids.append(sent.message_id)
        size = 0 if image is None else len(await image.read())
        await interaction.followup.send(f"{model}, {size} bytes", ephemeral=True)

    @video.autocomplete("model")
    async def models(
        interaction: discord.Interaction, typed: str
    ) -> list[app_commands.Choice[str]]:
        names = [name for name in ("Wan 2.5", "Wan 2.2", "Kling") if typed in name.lower()]
        return [app_commands.Choice(name=name, value=name) for name in names]

    return video


@app_commands.command(name="remix", description="Change it")
async def _remix(interaction: discord.Interaction) -> None:
    await interaction.response.send_modal(Remix())


@app_commands.context_menu(name="Animate")
async def _animate(interaction: discord.Interaction, message: discord.Message) -> None:
    await interaction.response.defer(ephemeral=True, thinking=True)
    names = [each.filename for each in message.attachments]
    await interaction.followup.send(f"{message.content} {names}")


async def main(api_url: str, gateway_url: str, token: str, channel: str) -> None:
    """Post once with the fixed nonce, and stay."""
    discord.http.Route.BASE = api_url
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway_url)
    async with running(token, SampleBot()) as bot:
        await bot.get_partial_messageable(int(channel)).send("done", nonce=NONCE)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
