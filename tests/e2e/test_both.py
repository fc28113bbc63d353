"""Discord and Telegram in one process: a failure of one network does not affect the other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession

from bot.app import open_app
from bot.core.errors import Broken
from bot.simulator.render import Renderer
from bot.simulator.server import Simulator
from tests.e2e.telegram import Hall
from tests.e2e.world import WAIT, World, is_card, is_result
from tests.fakes.discord import FakeDiscord, Intent
from tests.fakes.discord import error as discord_error
from tests.fakes.discord import reset as discord_reset
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram import reset as telegram_reset

API = "/"
"""A pattern for every path of the API."""


class Street(World):
    """The app on Discord and Telegram at the same time."""

    hall: Hall

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """Run the app with the two networks, which need not be reachable; yield its web address."""
        changes = {
            "TELEGRAM__TOKEN": self.hall.telegram.token,
            "TELEGRAM__API_URL": self.hall.telegram.api_url,
        }
        with self.discord.redirect_dpy():
            async with open_app(self.config(**changes), clock=self.clock) as address:
                yield address
            self.hall.telegram.updates.end_poll()

    async def order_on_telegram(self) -> None:
        """Order a video on Telegram and wait until it is posted."""
        await self.hall.ann.says("/video a cat")
        await self.hall.video()

    def close_discord(self) -> None:
        """Make Discord's REST API and gateway unreachable."""
        for method in ("GET", "POST", "PUT", "PATCH"):
            self.discord.faults.add(method, API, discord_reset(), times=None)
        self.discord.gateway.refuse()

    def open_discord(self) -> None:
        """Make Discord reachable again."""
        self.discord.faults.clear()
        self.discord.gateway.refuse(until=True)


@pytest.fixture
async def street(tmp_path: Path, renderer: Renderer) -> AsyncIterator[Street]:
    """Yield the app with a fake Discord and a fake Telegram."""
    simulator = Simulator(render_time=0.2, renderer=renderer)
    async with (
        FakeDiscord() as discord,
        FakeTelegram() as telegram,
        simulator.serve() as url,
    ):
        parts = {"simulator": simulator, "gateway_url": url, "folder": tmp_path}
        street = Street(discord=discord, **parts)  # type: ignore[arg-type]
        street.hall = Hall(telegram=telegram, **parts)  # type: ignore[arg-type]
        yield street


async def readiness(address: str, *, until: str) -> None:
    """Wait until `/readyz` answers with the text `until`."""
    async with asyncio.timeout(WAIT), ClientSession() as session:
        said = ""
        while said != until:
            async with session.get(f"{address}/readyz") as response:
                said = await response.text()


@pytest.mark.proof
async def test_telegram_works_while_discord_is_down_at_the_start_and_discord_joins_later(
    street: Street,
) -> None:
    street.close_discord()
    async with street.open() as address:
        await street.order_on_telegram()
        await readiness(address, until="discord: not connected\n")
        street.open_discord()
        await street.discord.connected(timeout=WAIT)
        ann = street.discord.person("ann")
        await ann.slash("video", prompt="a cat")
        assert (await street.result()).attachments
        await readiness(address, until="ok\n")


@pytest.mark.proof
async def test_a_result_for_discord_waits_while_discord_is_down_and_is_posted_when_it_is_back(
    street: Street,
) -> None:
    async with street.open() as address:
        await street.discord.connected(timeout=WAIT)
        await readiness(address, until="ok\n")
        ann = street.discord.person("ann")
        asked = await ann.slash("video", prompt="a cat")
        card = (await asked.answered()).message
        assert card is not None
        street.close_discord()
        await street.discord.drop_gateway()
        await street.order_on_telegram()
        await readiness(address, until="discord: not connected\n")
        street.open_discord()
        result = await street.discord.next("message", where=is_result, timeout=2 * WAIT)
        assert result.attachments
        assert len([it for it in street.discord.posts() if is_result(it)]) == 1
        assert is_card(card)
    assert street.simulator.charges == 2


@pytest.mark.proof
async def test_discord_works_while_telegram_is_down_at_the_start(street: Street) -> None:
    street.hall.telegram.faults.add("*", telegram_reset(), times=None)
    async with street.open() as address:
        await street.discord.connected(timeout=WAIT)
        ann = street.discord.person("ann")
        await ann.slash("video", prompt="a cat")
        assert (await street.result()).attachments
        await readiness(address, until="telegram: not connected\n")
        street.hall.telegram.faults.clear()
        await street.order_on_telegram()
        await readiness(address, until="ok\n")


@pytest.mark.proof
async def test_a_malformed_discord_event_stops_neither_network(street: Street) -> None:
    async with street.open():
        await street.discord.connected(timeout=WAIT)
        nonsense = {"id": "77", "name": "x", "roles": None}
        street.discord.world.tell(Intent.GUILDS, "GUILD_CREATE", nonsense)
        await street.order_on_telegram()
        ann = street.discord.person("ann")
        await ann.slash("video", prompt="a cat")
        assert (await street.result()).attachments


async def test_a_bad_discord_token_at_the_start_ends_the_process(street: Street) -> None:
    street.discord.faults.add("GET", "/users/@me$", discord_error(401), times=None)
    with pytest.raises(Broken, match="discord_token_bad"):
        async with asyncio.timeout(WAIT), street.open():
            await asyncio.Event().wait()


@pytest.mark.proof
async def test_a_discord_token_revoked_later_leaves_telegram_running(street: Street) -> None:
    async with street.open() as address:
        await readiness(address, until="ok\n")
        street.discord.gateway._token = "another"
        await street.discord.drop_gateway(resumable=False)
        await readiness(address, until="discord: not connected\n")
        await street.order_on_telegram()
