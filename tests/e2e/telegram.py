"""The app with Telegram as its network: a fake Bot API and the simulated gateway."""

from asyncio import timeout
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from bot.app import open_app
from bot.config import load
from bot.core.preferences import Preferences
from bot.simulator.server import Simulator
from tests.e2e.processes import Running, spawned
from tests.e2e.world import CATALOG, WAIT, prefer
from tests.fakes.telegram import FakeTelegram, Message, Person


class Hall:
    """One fake Telegram, one gateway and one data directory.

    A test may start the app several times.
    """

    def __init__(
        self, *, telegram: FakeTelegram, simulator: Simulator, gateway_url: str, folder: Path
    ) -> None:
        self.telegram = telegram
        self.simulator = simulator
        self.folder = folder
        self.ann = telegram.person("ann", started=True)
        self._gateway_url = gateway_url
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
            "TELEGRAM__TOKEN": self.telegram.token,
            "TELEGRAM__API_URL": self.telegram.api_url,
            "GATEWAYS__MAIN__BASE_URL": self._gateway_url,
            "GATEWAYS__MAIN__API_KEY": "sk-sim",
            "GATEWAYS__MAIN__DIALECT": "documented",
            "GATEWAYS__MAIN__POLL_STEP": "0.05",
        }
        return {f"ZOETROPE_{name}": value for name, value in (ours | changes).items()}

    @asynccontextmanager
    async def app(
        self, announce: Callable[[str], None] | None = None, **changes: str
    ) -> AsyncIterator[str]:
        """Run the app in this process, connected to Telegram; yield its web address."""
        config = load(self._file(), environment=self.environment(**changes))
        async with open_app(config, announce=announce or (lambda _code: None)) as address:
            if "TELEGRAM__WEBHOOK" not in changes:
                await self.telegram.next("poll", timeout=WAIT)
            yield address
        self.telegram.updates.end_poll()

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
            self.telegram.updates.end_poll()

    async def prefers(self, person: str, preferences: Preferences) -> None:
        """Store a person's settings before the app starts."""
        config = load(self._file(), environment=self.environment())
        await prefer(config.database_url, "telegram", person, preferences)

    async def card(self) -> Message:
        """Return the next card of a job."""
        return await self.telegram.next("message", where=is_card, timeout=WAIT)

    async def video(self) -> Message:
        """Return the next message with a video."""
        return await self.telegram.next("message", where=lambda it: bool(it.media), timeout=WAIT)

    async def words(self) -> Message:
        """Return the next text message that is no card."""
        return await self.telegram.next(
            "message", where=lambda it: not it.media and not is_card(it), timeout=WAIT
        )

    async def posts_again(self, listed: Message) -> Message:
        """Press the first entry of the list `listed` and "Post it again"; return the video that
        comes.
        """
        await self.ann.presses(listed, listed.buttons[0]["text"])
        entry = await self.telegram.next("edit", where=lambda it: it.id == listed.id, timeout=WAIT)
        await self.ann.presses(entry, "Post it again")
        return await self.video()

    async def told(self, person: Person, text: str) -> str:
        """Say `text` in private, and return the text of the answer."""
        await person.says(text)
        return (await self.words()).text

    def _file(self) -> Path:
        file = self.folder / "config.toml"
        file.write_text(CATALOG, "utf-8")
        return file


def is_card(message: Message) -> bool:
    """Whether the message is the card of a job in progress."""
    begins = ("Got it!", "Sending your order", "Your video is being", "Your video is made")
    return message.text.startswith(begins)
