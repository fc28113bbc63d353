"""One table in the configuration is enough for a new model, from the list of models to the vendor's
field.
"""

import hashlib
import re
from dataclasses import replace
from pathlib import Path

import pytest

from bot.app import open_app
from bot.config import load
from bot.simulator.models import Model, Takes
from bot.simulator.profiles import DOCUMENTED
from bot.simulator.render import Renderer
from bot.simulator.server import Simulator
from tests.e2e.command_line import zoetrope
from tests.e2e.world import WAIT, World, png

PAGE = Path(__file__).parents[2] / "docs" / "gateways.md"
THEIRS = replace(DOCUMENTED, models={"aurora-1": Model(takes=Takes.ANY, urls_only=True)})


@pytest.mark.proof
async def test_one_table_in_the_configuration_makes_a_model_that_can_be_ordered(
    world: World, renderer: Renderer
) -> None:
    """The table is the one in the documentation.

    The model is listed, ordered in chat, and sent as its table says.
    """
    file = world.folder / "one.toml"
    file.write_text(table(), "utf-8")
    picture = world.discord.attachment(png("teal"), "cat.png", ephemeral=True)
    simulator = Simulator(profile=THEIRS, render_time=0.2, renderer=renderer)
    async with simulator.serve() as url:
        variables = world.environment(DEFAULT_MODEL="Aurora", GATEWAYS__MAIN__BASE_URL=url)
        variables["ZOETROPE_GATEWAYS__MAIN__MODELS"] = '["aurora-1"]'
        _, listed = await zoetrope(
            "models", "--config", str(file), folder=world.folder, **variables
        )
        with world.discord.redirect_dpy():
            async with open_app(load(file, environment=variables)):
                await world.discord.connected(timeout=WAIT)
                ann = world.discord.person("ann")
                await ann.slash(
                    "video", prompt="it waves", image=picture, model="Aurora", seed=7, aspect="9:16"
                )
                result = await world.result()
    assert re.search(r"^Aurora +aurora-1 +t2v i2v +1 2 +720p ", listed, re.MULTILINE)
    assert [each.content_type for each in result.attachments] == ["video/mp4"]
    (post,) = [entry for entry in simulator.journal if entry.operation == "create"]
    assert post.metadata is not None
    sent = post.metadata["img_url"]
    assert isinstance(sent, dict)
    assert sent["data_uri"]["sha256"] in copies(world.folder)
    assert (post.fields, post.metadata, post.files) == (
        {"model": "aurora-1", "prompt": "it waves", "seconds": "1", "size": "72x128"},
        {"seed": 7, "img_url": sent},
        {},
    )


def table() -> str:
    """Return the table from the documentation page, with a video so small and short that it takes
    no time.
    """
    tables = re.findall(r"```toml\n(.+?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (one,) = [each for each in tables if "aurora-1" in each]
    assert re.findall(r"^\[.+\]$", one, re.MULTILINE) == ['[models."aurora-1"]']
    for shown, small in {"1280x720": "128x72", "720x1280": "72x128", "[5, 10]": "[1, 2]"}.items():
        one = one.replace(shown, small)
    return str(one)


def copies(folder: Path) -> set[str]:
    """Return the hashes of our own copies of pictures."""
    files = folder.rglob("pictures/**/*.jpg")
    return {hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
