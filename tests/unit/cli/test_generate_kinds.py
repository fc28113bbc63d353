"""`zoetrope generate` with several pictures and with a video, at a simulated gateway."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from PIL import Image

from bot.cli.generate import Ticket, generate
from bot.cli.output import Output
from bot.cli.wish import order_for
from bot.cli.words import explain
from bot.config import Config, load
from bot.core.errors import Refused
from bot.core.wishes import Use, Wish
from bot.simulator.profiles import NEW_API_C
from bot.simulator.server import Simulator
from tests.unit.media.samples import write_clip

SEEDANCE = "doubao-seedance-2-0-260128"
TABLE = f"""
[models.{SEEDANCE}]
video = {{ transport = "data-uri" }}

[gateways.main]
base_url = "URL"
dialect = "new-api"
poll_step = 0.1
models = ["{SEEDANCE}", "grok-imagine-video"]
"""


@pytest.fixture
def simulator() -> Simulator:
    return Simulator(profile=NEW_API_C, render_time=0.1)


async def made(simulator: Simulator, order: object, folder: Path) -> Path:
    """Make the video of this order and return its file."""
    async with simulator.serve() as url:
        (folder / "config.toml").write_text(TABLE.replace("URL", url))
        config: Config = load(
            folder / "config.toml", environment={"ZOETROPE_GATEWAYS__MAIN__API_KEY": "sk-sim"}
        )
        into = Output(folder / "out.mp4")
        await generate(order, into=into, config=config, ticket=Ticket())  # type: ignore[arg-type]
    return folder / "out.mp4"


def at_vendor(simulator: Simulator) -> Mapping[str, object]:
    """Return the request that the vendor got."""
    (built,) = (entry.built for entry in simulator.journal if entry.operation == "create")
    assert built is not None
    return built


async def test_generate_sends_each_picture_of_a_character(
    simulator: Simulator, tmp_path: Path
) -> None:
    pictures = [tmp_path / f"{number}.png" for number in range(3)]
    for file, size in zip(pictures, ((640, 360), (360, 640), (400, 400)), strict=True):
        Image.new("RGB", size, "red").save(file)
    wish = Wish(prompt="they dance", family="grok", seconds=1, quality="480p", use=Use.CHARACTER)
    video = await made(simulator, order_for(wish, pictures), tmp_path)
    assert video.stat().st_size > 0
    shots = at_vendor(simulator)["pictures"]
    assert isinstance(shots, list)
    assert [each["role"] for each in shots] == ["reference"] * 3
    # Each picture keeps its own shape, so no two are the same file.
    assert len({each["sha256"] for each in shots}) == 3


@pytest.mark.proof
async def test_generate_sends_a_copy_of_a_video(simulator: Simulator, tmp_path: Path) -> None:
    source = write_clip(
        tmp_path / "dance.mov", "libx264", "mov", size=(640, 640), times=range(60), sound="aac"
    )
    wish = Wish(prompt="as a cartoon", family="seedance", seconds=4, quality="480p")
    video = await made(simulator, order_for(wish, video=source), tmp_path)
    assert video.stat().st_size > 0
    shots = at_vendor(simulator)["videos"]
    assert isinstance(shots, list)
    assert [(each["role"], len(each["sha256"])) for each in shots] == [("reference", 64)]


async def test_generate_refuses_a_video_that_is_too_long_before_it_sends_anything(
    simulator: Simulator, tmp_path: Path
) -> None:
    source = write_clip(tmp_path / "long.mp4", "libx264", "mp4", times=range(0, 24 * 17, 24))
    wish = Wish(prompt="as a cartoon", family="seedance")
    with pytest.raises(Refused) as refused:
        await made(simulator, order_for(wish, video=source), tmp_path)
    assert explain(refused.value).startswith("That video is 1")
    assert "the most is 15 s" in explain(refused.value)
    assert not simulator.journal


def test_a_video_that_is_absent_is_named(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        order_for(Wish(), video=tmp_path / "none.mp4")
    assert explain(refused.value) == f"There is no file {tmp_path / 'none.mp4'}."
