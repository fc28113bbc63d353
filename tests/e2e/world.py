"""The whole world around the app: a fake Discord, the simulated gateway, and a configuration.

The videos are tiny, so that rendering takes almost no time; everything else is real.
"""

import json
from asyncio import Event, timeout
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from sqlalchemy.engine import make_url

from bot.app import open_app
from bot.config import Config, load
from bot.core.preferences import Preferences
from bot.core.timekeeping import SettableClock
from bot.simulator.server import Simulator
from bot.store.database import open_database
from bot.store.preferences import PreferencesOf
from tests.e2e.processes import Running, spawned
from tests.fakes.discord import FakeDiscord, Message

CATALOG = """
[models.sora-2]
seconds = [1, 2]
[models.sora-2.sizes]
480p = { "16:9" = "128x72", "9:16" = "72x128" }
[models.sora-2.dialects.documented]
seconds = [1, 2]
[models.sora-2.dialects.documented.sizes]
480p = { "16:9" = "128x72", "9:16" = "72x128" }
[models."wan2.5-t2v-preview"]
seconds = [1]
[models."wan2.5-t2v-preview".sizes]
480p = { "16:9" = "832*480" }
[models."wan2.5-i2v-preview"]
seconds = [1]
sizes = { 480p = "480P" }
[models."wan3.0-video"]
seconds = [2]
typical = 1
[models."wan3.0-video".sizes]
480p = { "16:9" = "832*480" }
"""
WAIT = 40.0
"""Seconds until a test gives up on a step."""


def png(colour: str = "orange", size: tuple[int, int] = (400, 300)) -> bytes:
    """Return a small picture of one colour."""
    into = BytesIO()
    Image.new("RGB", size, colour).save(into, "PNG")
    return into.getvalue()


class Codes:
    """The claim codes that were announced.

    The service announces one after a network has accepted its token.
    """

    def __init__(self) -> None:
        self.all: list[str] = []
        self._there = Event()

    def append(self, code: str) -> None:
        self.all.append(code)
        self._there.set()

    async def first(self) -> str:
        async with timeout(WAIT):
            await self._there.wait()
        return self.all[0]


class World:
    """One fake Discord, one gateway and one data directory.

    A test may start the app several times.
    """

    def __init__(
        self, *, discord: FakeDiscord, simulator: Simulator, gateway_url: str, folder: Path
    ) -> None:
        self.discord = discord
        self.simulator = simulator
        self.gateway_url = gateway_url
        self.folder = folder
        self.clock: SettableClock | None = None
        """The app's clock, if the test needs to set it."""
        self.begin = spawned

    def environment(self, **changes: str) -> dict[str, str]:
        """Return the app's environment variables.

        `changes` are names without prefix, e.g. `LIMITS__…`.
        """
        ours = {
            "DATA_DIR": str(self.folder / "data"),
            "DEFAULT_MODEL": "sora-2",
            "WEB__PORT": "0",
            "ACCESS": "open",
            "LIMITS__PERSON_AT_ONCE": "9",
            "LIMITS__PERSON_VIDEOS_PER_DAY": "9",
            "DISCORD__TOKEN": self.discord.token,
            "DISCORD__API_URL": self.discord.api_url,
            "DISCORD__GATEWAY_URL": self.discord.gateway_url,
            "GATEWAYS__MAIN__BASE_URL": self.gateway_url,
            "GATEWAYS__MAIN__API_KEY": "sk-sim",
            "GATEWAYS__MAIN__DIALECT": "documented",
            "GATEWAYS__MAIN__POLL_STEP": "0.05",
        }
        return {f"ZOETROPE_{name}": value for name, value in (ours | changes).items()}

    def written(self, **changes: str) -> dict[str, str]:
        """Write the configuration file, and return the app's environment variables."""
        self._file()
        return self.environment(**changes)

    def config(self, **changes: str) -> Config:
        """Return the app's configuration."""
        return load(self._file(), environment=self.environment(**changes))

    @asynccontextmanager
    async def app(
        self, *, announce: Callable[[str], None] = lambda _code: None, **changes: str
    ) -> AsyncIterator[str]:
        """Run the app in this process, connected to Discord; yield its web address."""
        with self.discord.redirect_dpy():
            config = self.config(**changes)
            async with open_app(config, clock=self.clock, announce=announce) as address:
                await self.discord.connected(timeout=WAIT)
                await self.discord.offers(timeout=WAIT)
                yield address

    @asynccontextmanager
    async def process(
        self, *, victim: Mapping[str, str] | None = None, **changes: str
    ) -> AsyncIterator[Running]:
        """Run the app as a process of its own, to be killed; `victim` sets its kill points."""
        module = "bot" if victim is None else "tests.faults.victim"
        variables = {**self.environment(**changes), **(victim or {})}
        process = await self.begin(module, ["run", "--config", str(self._file())], variables)
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            async with timeout(WAIT):
                await process.communicate()
                await self.discord.disconnected()

    async def prefers(self, platform: str, person: str, preferences: Preferences) -> None:
        """Store a person's settings before the app starts."""
        await prefer(self.config().database_url, platform, person, preferences)

    async def result(self) -> Message:
        """Return the next message that is no card: a video, a link or a failure."""
        return await self.discord.next("message", where=is_result, timeout=WAIT)

    def _file(self) -> Path:
        file = self.folder / "config.toml"
        file.write_text(CATALOG, "utf-8")
        return file


async def prefer(url: str, platform: str, person: str, preferences: Preferences) -> None:
    """Write a person's settings into the database of an app that does not run."""
    Path(make_url(url).database or "").parent.mkdir(exist_ok=True)
    async with open_database(url) as database:
        await PreferencesOf(database).put(platform, person, preferences)


def is_card(message: Message) -> bool:
    """Whether the message is a card: only cards have embeds."""
    return bool(message.embeds) and not message.ephemeral


def is_result(message: Message) -> bool:
    """Whether the message is a result or a failure: a text without embeds, perhaps with a file."""
    return not message.embeds and not message.ephemeral


def card_text(message: Message) -> str:
    """Return all text of a card."""
    return json.dumps(message.embeds, ensure_ascii=False)
