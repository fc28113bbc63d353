"""The commands /character, /edit and /extend on each network, up to what the vendor gets."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot import i18n
from bot.core.commands import COMMANDS, Who
from bot.core.replies import Text
from bot.simulator.journal import Entry
from bot.simulator.profiles import NEW_API_C
from bot.simulator.render import Renderer
from tests.contract.conftest import SCENES
from tests.contract.scenes import File, Scene
from tests.e2e.world import png
from tests.unit.media.samples import write_video

PLUGGED = {
    "GATEWAYS__MAIN__DIALECT": "new-api",
    "GATEWAYS__MAIN__GENERATION": "C",
    "GATEWAYS__MAIN__PLUGINS": json.dumps({"alibaba": "1.4.2"}),
    "GATEWAYS__MAIN__MODELS": json.dumps(["wan3.0-video", "wan2.7-i2v"]),
    "DEFAULT_MODEL": "wan-3.0",
    "WEB__PUBLIC_URL": "https://videos.example",
}
"""A gateway whose models keep characters, change videos and go on from them."""
CAST = [File(f"{colour}.png", png(colour)) for colour in ("red", "green", "blue")]
WORDS = "they dance [fail]"
"""A prompt of which the vendor makes no video, so that no test waits for a video."""


@pytest.fixture(params=SCENES)
async def using(
    request: pytest.FixtureRequest, tmp_path: Path, renderer: Renderer
) -> AsyncIterator[Scene]:
    opened = SCENES[request.param](tmp_path, renderer, profile=NEW_API_C, **PLUGGED)
    async with opened as scene:
        yield scene


@pytest.fixture
def run(tmp_path: Path) -> File:
    """Return a real video of three seconds."""
    path = tmp_path / "run.mp4"
    write_video(path, seconds=3)
    return File("run.mp4", path.read_bytes())


def media(entry: Entry) -> list[str]:
    """Return the types of the files that the vendor got, in order."""
    assert entry.built is not None, entry
    fields = entry.built["fields"]
    assert isinstance(fields, dict)
    return [each["type"] for each in fields["input"]["media"]]


@pytest.mark.proof
async def test_each_picture_of_a_character_reaches_the_vendor(using: Scene) -> None:
    assert await using.order("ann", "character", WORDS, CAST) is None
    assert media(await using.simulator.next("create")) == ["reference_image"] * 3


@pytest.mark.proof
@pytest.mark.parametrize(
    ("command", "role"), [("edit", "reference_video"), ("extend", "first_clip")]
)
async def test_a_video_to_change_or_to_go_on_from_reaches_the_vendor(
    using: Scene, run: File, command: str, role: str
) -> None:
    assert await using.order("ann", command, WORDS, [run]) is None
    assert media(await using.simulator.next("create")) == [role]


@pytest.mark.proof
async def test_help_has_an_example_of_each_command_that_a_model_can_make(using: Scene) -> None:
    lines = (await using.command("ann", "help")).lines
    for each in COMMANDS.values():
        if each.who is Who.EVERYBODY:
            assert f"/{each.name}: {i18n.say(each.says, 'en')}" in lines
        if each.use is not None:
            assert len([line for line in lines if f"/{each.name}" in line]) > 1


@pytest.mark.proof
@pytest.mark.parametrize(
    ("command", "kind"), [("character", "r2v"), ("edit", "v2v"), ("extend", "extend")]
)
async def test_where_no_model_can_the_refusal_says_what_to_do_instead(
    scene: Scene, run: File, command: str, kind: str
) -> None:
    files = CAST if command == "character" else [run]
    told = await scene.order("ann", command, "they dance", files)
    assert told == i18n.say(Text(id=f"error.none_takes_{kind}"), "en")
    assert scene.simulator.journal == []
