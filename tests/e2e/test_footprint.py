"""The service's process stays small: modules for special work are imported by that work."""

import signal
from asyncio import timeout
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.simulator.render import Renderer
from bot.simulator.server import Simulator
from tests.e2e.processes import spawned
from tests.e2e.telegram import Hall, is_card
from tests.e2e.world import CATALOG, WAIT
from tests.fakes.discord import FakeDiscord
from tests.fakes.telegram import FakeTelegram

ELSEWHERE = (
    *("av", "PIL", "pi_heif", "numpy", "alembic", "mako"),
    *("sqlalchemy.orm", "sqlalchemy.ext.asyncio"),
    *("rich", "pygments", "markdown_it"),
)
"""Modules that the service must not import. Decoders belong to worker processes, Alembic to
upgrades, tables to commands that print, and SQLAlchemy's asyncio to PostgreSQL."""
LIBRARIES = ("/av/", "/av.libs/", "/PIL/", "/pillow.libs/", "/pi_heif", "libheif", "libavcodec")
"""Parts of the paths under which decoder libraries would appear in the process's memory map."""


@pytest.fixture
async def discord() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as discord:
        yield discord


@pytest.mark.proof
async def test_the_running_service_imports_no_decoder_no_migration_and_no_table_of_libraries(
    tmp_path: Path, renderer: Renderer, discord: FakeDiscord
) -> None:
    """Both networks are on, tables are made, and a video is made and posted with its thumbnail."""
    simulator = Simulator(render_time=0.1, renderer=renderer)
    async with FakeTelegram() as telegram, simulator.serve() as url:
        hall = Hall(telegram=telegram, simulator=simulator, gateway_url=url, folder=tmp_path)
        (tmp_path / "config.toml").write_text(CATALOG, "utf-8")
        found = tmp_path / "modules"
        variables = hall.environment(
            DISCORD__TOKEN=discord.token,
            DISCORD__API_URL=discord.api_url,
            DISCORD__GATEWAY_URL=discord.gateway_url,
        )
        arguments = ["run", "--config", str(tmp_path / "config.toml")]
        process = await spawned(
            "tests.e2e.modules", arguments, {**variables, "MODULES": str(found)}
        )
        try:
            await discord.connected(WAIT)
            await hall.ann.says("/video a cat")
            assert is_card(await hall.card())
            assert (await hall.video()).media
            process.send_signal(signal.SIGUSR1)
            process.send_signal(signal.SIGTERM)
            maps = Path(f"/proc/{process.pid}/maps").read_text("utf-8")
            async with timeout(WAIT):
                await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()
            telegram.updates.end_poll()
    imported = found.read_text("utf-8").splitlines()
    assert {"discord", "aiogram", "bot.store.tables"} <= set(imported)
    assert [name for name in ELSEWHERE if name in imported] == []
    assert [name for name in LIBRARIES if name in maps] == []
