"""The whole service with the room as its only platform."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.app import open_app
from bot.config import Config, load
from bot.simulator.server import Simulator
from tests.e2e.world import CATALOG


class House:
    """The service with one gateway and one data directory. A test may start it several times."""

    def __init__(self, *, simulator: Simulator, gateway_url: str, folder: Path) -> None:
        self.simulator = simulator
        self._gateway_url = gateway_url
        self._folder = folder
        self._port = 0

    def config(self, **changes: str) -> Config:
        """Return the configuration.

        A second start uses the same port, so that open pages find it again.
        """
        file = self._folder / "config.toml"
        file.write_text(CATALOG, "utf-8")
        ours = {
            "DATA_DIR": str(self._folder / "data"),
            "DEFAULT_MODEL": "sora-2",
            "PLAYGROUND__ENABLED": "true",
            "WEB__PORT": str(self._port),
            "LIMITS__PERSON_AT_ONCE": "2",
            "LIMITS__PERSON_VIDEOS_PER_DAY": "10",
            "GATEWAYS__MAIN__BASE_URL": self._gateway_url,
            "GATEWAYS__MAIN__API_KEY": "sk-sim",
            "GATEWAYS__MAIN__DIALECT": "documented",
            "GATEWAYS__MAIN__POLL_STEP": "0.1",
        }
        variables = {f"ZOETROPE_{name}": value for name, value in (ours | changes).items()}
        return load(file, environment=variables)

    @asynccontextmanager
    async def open(self, **changes: str) -> AsyncIterator[str]:
        """Run the service in this process; yield the room's address."""
        async with open_app(self.config(**changes)) as address:
            self._port = int(address.split("/")[2].rpartition(":")[2])
            yield address
