"""Fixtures of end-to-end tests: a new world for every test; the rendering processes are shared."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.simulator.render import Renderer
from bot.simulator.server import Simulator
from tests.e2e.telegram import Hall
from tests.e2e.world import World
from tests.fakes.discord import FakeDiscord
from tests.fakes.telegram import FakeTelegram


@pytest.fixture
async def world(tmp_path: Path, renderer: Renderer) -> AsyncIterator[World]:
    """A fake Discord and a simulated gateway that takes a fifth of a second for a video."""
    simulator = Simulator(render_time=0.2, renderer=renderer)
    async with FakeDiscord() as discord, simulator.serve() as url:
        yield World(discord=discord, simulator=simulator, gateway_url=url, folder=tmp_path)
        assert discord.unknown_routes == []


@pytest.fixture
async def hall(tmp_path: Path, renderer: Renderer) -> AsyncIterator[Hall]:
    """A fake Telegram and a simulated gateway that takes a fifth of a second for a video."""
    simulator = Simulator(render_time=0.2, renderer=renderer)
    async with FakeTelegram() as telegram, simulator.serve() as url:
        yield Hall(telegram=telegram, simulator=simulator, gateway_url=url, folder=tmp_path)
        telegram.check()


@pytest.fixture
async def only_looks(world: World) -> AsyncIterator[None]:
    """Check after the test that Discord got only GET requests and that nothing was paid."""
    yield
    assert {request.method for request in world.discord.requests} <= {"GET"}
    assert world.simulator.charges == 0


@pytest.fixture
async def nothing_is_paid_by_itself(world: World) -> AsyncIterator[None]:
    """Check after the test that Discord got only GET and PUT requests.

    A test that needs a POST does not use this fixture.
    """
    yield
    assert {request.method for request in world.discord.requests} <= {"GET", "PUT"}
