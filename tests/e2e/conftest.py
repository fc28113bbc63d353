"""A fresh world for every test; the processes that render are shared."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.simulator.render import Renderer
from bot.simulator.server import Simulator
from tests.e2e.world import World
from tests.fakes.discord import FakeDiscord


@pytest.fixture
async def world(tmp_path: Path, renderer: Renderer) -> AsyncIterator[World]:
    """A fake Discord and a simulated gateway that takes a fifth of a second for a video."""
    simulator = Simulator(render_time=0.2, renderer=renderer)
    async with FakeDiscord() as discord, simulator.serve() as url:
        yield World(discord=discord, simulator=simulator, gateway_url=url, folder=tmp_path)
        assert discord.unknown_routes == []
