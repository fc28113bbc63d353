"""Lengths left to the model and switches set on or off reach the vendor from every platform."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.app import open_app
from bot.cli.main import app as command_line
from bot.config import load
from bot.simulator.journal import Entry
from bot.simulator.profiles import NEW_API_C
from bot.simulator.render import Renderer
from bot.simulator.server import Simulator
from tests.e2e.telegram import Hall
from tests.e2e.test_room import page
from tests.e2e.world import World
from tests.fakes.discord import FakeDiscord
from tests.fakes.telegram import FakeTelegram

SEEDANCE, WAN = "doubao-seedance-1-5-pro-251215", "wan3.0-video"
SAID = "a cat [fail]"
"""A prompt of which the vendor makes no video, so that no test waits for a video."""
PRICES = f"""
[models.{SEEDANCE}]
price = 0.1
silent_price = 0.04
"""


@dataclass
class Gateway:
    """A simulated new-api with its plugins, and the settings that lead to it."""

    simulator: Simulator
    url: str

    @property
    def settings(self) -> dict[str, Any]:
        main = {
            "BASE_URL": self.url,
            "API_KEY": "sk-sim",
            "DIALECT": "new-api",
            "GENERATION": "C",
            "PLUGINS": json.dumps({"doubao": "1.1.0", "alibaba": "1.4.2"}),
            "MODELS": json.dumps([SEEDANCE, WAN]),
            "POLL_STEP": "0.05",
        }
        named = {f"GATEWAYS__MAIN__{name}": value for name, value in main.items()}
        return named | {"DEFAULT_MODEL": "seedance-1.5"}

    async def got(self) -> Mapping[str, object]:
        """Return length and switches of the next order, under the vendor's own names."""
        entry: Entry = await self.simulator.next("create")
        assert entry.built is not None, entry
        found = entry.built["fields"]
        assert isinstance(found, dict)
        inner = found.get("parameters", {})
        assert isinstance(inner, dict)
        words = ("duration", "generate_audio", "watermark", "prompt_extend")
        return {word: value for word, value in (found | inner).items() if word in words}


@pytest.fixture
async def gateway(renderer: Renderer) -> AsyncIterator[Gateway]:
    simulator = Simulator(profile=NEW_API_C, render_time=0.1, tick=0, renderer=renderer)
    async with simulator.serve() as url:
        yield Gateway(simulator, url)


ASKED = {"duration": -1, "generate_audio": False, "watermark": True}
"""The fields that each platform sends for the first model."""


@pytest.mark.proof
async def test_seconds_sound_watermark_and_enhance_reach_the_gateway_from_discord(
    gateway: Gateway, tmp_path: Path
) -> None:
    async with FakeDiscord() as discord:
        world = World(
            discord=discord, simulator=gateway.simulator, gateway_url=gateway.url, folder=tmp_path
        )
        async with world.app(**gateway.settings):
            ann = discord.person("ann")
            await ann.slash("video", prompt=SAID, seconds=-1, sound="off", watermark="on")
            assert await gateway.got() == ASKED
            await ann.slash("video", prompt=SAID, model="wan-3.0", enhance="off")
            assert (await gateway.got())["prompt_extend"] is False
            await ann.slash("video", prompt=SAID)
            assert await gateway.got() == {"duration": 5}, "nothing that nobody asked for"


@pytest.mark.proof
async def test_seconds_sound_watermark_and_enhance_reach_the_gateway_from_telegram(
    gateway: Gateway, tmp_path: Path
) -> None:
    async with FakeTelegram() as telegram:
        hall = Hall(
            telegram=telegram,
            simulator=gateway.simulator,
            gateway_url=gateway.url,
            folder=tmp_path,
        )
        async with hall.app(**gateway.settings):
            await hall.ann.says(f"/video {SAID} --seconds auto --sound off --watermark on")
            assert await gateway.got() == ASKED
            await hall.ann.says(f"/video {SAID} --model wan-3.0 --enhance off")
            assert (await gateway.got())["prompt_extend"] is False


@pytest.mark.proof
async def test_seconds_sound_watermark_and_enhance_reach_the_gateway_from_the_room(
    gateway: Gateway, tmp_path: Path
) -> None:
    wish = {"do": "say", "command": "video", "text": SAID, "person": "ann"}
    room = gateway.settings | {
        "DATA_DIR": str(tmp_path / "data"),
        "PLAYGROUND__ENABLED": "true",
        "WEB__PORT": "0",
        "LIMITS__PERSON_AT_ONCE": "9",
    }
    variables = {f"ZOETROPE_{name}": value for name, value in room.items()}
    config = load(None, environment=variables)
    async with open_app(config) as address, page(address) as socket:
        switched = {"seconds": "auto", "sound": "off", "watermark": "on"}
        await socket.send_json({"nonce": "first-wish", **wish, "wish": switched})
        assert await gateway.got() == ASKED
        await socket.send_json(
            {"nonce": "second-wish", **wish, "wish": {"model": "wan-3.0", "enhance": "off"}}
        )
        assert (await gateway.got())["prompt_extend"] is False


async def generate(gateway: Gateway, folder: Path, *arguments: str) -> str:
    """Run `zoetrope generate` and return its output."""
    variables = {f"ZOETROPE_{name}": value for name, value in gateway.settings.items()}
    (folder / "config.toml").write_text(PRICES, "utf-8")
    given = ["generate", SAID, *arguments, "--config", str(folder / "config.toml")]
    made = await asyncio.to_thread(
        CliRunner().invoke, command_line, [*given, "-o", str(folder / "x.mp4")], env=variables
    )
    return made.output


async def test_seconds_sound_watermark_and_enhance_reach_the_gateway_from_the_command_line(
    gateway: Gateway, tmp_path: Path
) -> None:
    said = await generate(gateway, tmp_path, "--seconds", "auto", "--no-sound", "--watermark")
    assert "up to 12 s" in said
    assert {"Without sound", "With a watermark"} <= set(said.splitlines())
    assert await gateway.got() == ASKED
    await generate(gateway, tmp_path, "--model", "wan-3.0", "--no-enhance")
    assert (await gateway.got())["prompt_extend"] is False
    assert "as a length" in await generate(gateway, tmp_path, "--seconds", "long")
    assert gateway.simulator.charges == 2
