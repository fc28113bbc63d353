"""A vLLM-Omni server of one's own: set up without a key, and its copies of videos deleted."""

import asyncio
import re

import pytest

from bot.app import open_app
from bot.config import load
from bot.simulator.profiles import VLLM_OMNI
from bot.simulator.render import Renderer
from bot.simulator.server import Simulator
from tests.e2e.command_line import zoetrope
from tests.e2e.conversations import ADDRESS, SECRET, TOKEN, init, where, written
from tests.e2e.world import WAIT, World
from tests.unit.gateways import dialects

NAME = "Wan-AI/Wan2.2-TI2V-5B-Diffusers"


def table(url: str) -> str:
    """Return a configuration with the model of this server, in videos that take no time."""
    text = dialects.text("vllm-omni", url=url, name=NAME, gateway="own = true\npoll_step = 0.05")
    small = text.replace("832x480", "128x72").replace("480x832", "72x128")
    return small.replace("[4, 5]", "[1, 2]").replace('kinds = ["t2v", "i2v", "kf2v"]', KINDS)


KINDS = 'kinds = ["t2v", "i2v"]'


async def test_init_asks_for_no_key_at_a_server_that_needs_none(world: World) -> None:
    """It finds the dialect. `check` and `doctor` accept the gateway without a key."""
    simulator = Simulator(profile=VLLM_OMNI)
    async with simulator.serve() as url:
        file = world.folder / "config.toml"
        text = table(url).replace("[gateways.box]", "[gateways.main]")
        file.write_text(re.sub(r"(base_url|dialect|own) = .*", "", text), "utf-8")
        async with init(world) as person:
            await person.answers(TOKEN, world.discord.token)
            shown = await person.answers(ADDRESS, url)
            shown += await person.sees("USD")
        assert "The server needs no API key." in shown
        assert "The gateway runs vLLM-Omni" in shown
        assert SECRET not in shown
        assert 'dialect = "vllm-omni"' in written(world.folder)["config.toml"]
        given = where(world.discord)
        code, said = await zoetrope("check", folder=world.folder, **given)
        assert code == 0, said
        _, said = await zoetrope("doctor", folder=world.folder, **given)
        assert "Gateway main answers without a key." in said
    assert not any(entry.authorized for entry in simulator.journal)


async def test_init_at_a_server_whose_model_is_guessed_says_where_the_remedy_is(
    world: World,
) -> None:
    async with Simulator(profile=VLLM_OMNI).serve() as url, init(world) as person:
        await person.answers(TOKEN, world.discord.token)
        await person.answers(ADDRESS, url)
        shown = await person.sees("says what to write into")
    assert f"The list of the gateway has {NAME}, but facts about these models are" in shown
    assert "`zoetrope models --gateway main`" in shown
    assert "another key" not in shown


@pytest.mark.proof
async def test_a_copy_at_ones_own_server_is_deleted_once_the_video_is_posted(
    world: World, renderer: Renderer
) -> None:
    """The service is stopped after the post: the next process deletes the copy, once."""
    simulator = Simulator(profile=VLLM_OMNI, render_time=0.2, renderer=renderer)
    async with simulator.serve() as url:
        file = world.folder / "own.toml"
        file.write_text(table(url), "utf-8")
        given = world.environment(DEFAULT_MODEL="one").items()
        config = load(file, environment={name: it for name, it in given if "GATEWAYS" not in name})
        with world.discord.redirect_dpy():
            async with open_app(config):
                await world.discord.connected(timeout=WAIT)
                await world.discord.person("ann").slash("video", prompt="a kite")
                result = await world.result()
                assert [each.content_type for each in result.attachments] == ["video/mp4"]
            assert "delete" not in {entry.operation for entry in simulator.journal}
            async with open_app(config), asyncio.timeout(WAIT):
                await simulator.next("delete")
    sent = [entry.operation for entry in simulator.journal]
    assert sent.count("delete") == 1
    assert sent.index("content") < sent.index("delete")
