"""With a folder, a simulated gateway keeps its videos over a restart."""

import json
from pathlib import Path

import aiohttp
import pytest

from bot.simulator import saving
from bot.simulator.render import Renderer
from bot.simulator.scenes import Scene
from bot.simulator.server import Simulator
from bot.simulator.videos import MODERATED, Video

from .conftest import BlankRenderer, Clock
from .pictures import png
from .test_life import NeverRenders, create, poll

KEY = {"Authorization": "Bearer sk-sim"}


async def statuses(folder: Path, clock: Clock, renderer: Renderer, *names: str) -> list[object]:
    """Restart the simulator on this folder, and return the states of these videos."""
    simulator = Simulator(now=clock, renderer=renderer, folder=folder)
    async with simulator.serve() as url, aiohttp.ClientSession(url, headers=KEY) as session:
        await simulator.rendered()
        return [(await poll(session, name))["status"] for name in names]


async def test_unfinished_videos_are_finished_after_a_restart_of_the_simulator(
    tmp_path: Path, clock: Clock
) -> None:
    first = Simulator(now=clock, renderer=NeverRenders(), folder=tmp_path)
    async with first.serve() as url, aiohttp.ClientSession(url, headers=KEY) as session:
        cat, dog = await create(session), await create(session, "a dog [fail]")
    clock.time += 60
    blank = BlankRenderer()
    assert await statuses(tmp_path, clock, blank, cat, dog) == ["succeeded", "failed"]


async def test_videos_stored_by_an_earlier_version_without_owners_are_read(
    tmp_path: Path, clock: Clock
) -> None:
    blank = BlankRenderer()
    first = Simulator(now=clock, renderer=blank, folder=tmp_path)
    async with first.serve() as url, aiohttp.ClientSession(url, headers=KEY) as session:
        cat = await create(session)
    file = tmp_path / f"{cat}.json"
    words = json.loads(file.read_text("utf-8"))
    for name in ("owner", "tick", "sweep", "remixed_from", "repeated"):
        del words[name]
    del words["scene"]["voice"]
    file.write_text(json.dumps(words), "utf-8")
    clock.time += 60
    assert await statuses(tmp_path, clock, blank, cat) == ["succeeded"]


@pytest.mark.parametrize(
    "words",
    ["", "{", "[]", "null", "{}", '{"scene": 1}', '{"scene": {"pictures": []}}', "\x00\xff"],
)
async def test_an_unreadable_stored_file_is_logged_and_costs_only_its_own_video(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture, words: str
) -> None:
    blank = BlankRenderer()
    first = Simulator(now=clock, renderer=blank, folder=tmp_path)
    async with first.serve() as url, aiohttp.ClientSession(url, headers=KEY) as session:
        cat = await create(session)
    (tmp_path / "video_bad.json").write_bytes(words.encode("latin-1"))
    clock.time += 60
    assert await statuses(tmp_path, clock, blank, cat) == ["succeeded"]
    assert "video_bad.json" in caplog.text


def test_a_stored_video_is_read_back_unchanged(tmp_path: Path) -> None:
    pictures = (png(), "https://pictures.test/cat.png")
    scene = Scene(
        model="m", prompt="“a”", width=64, height=64, seconds=1, pictures=pictures, seed=7,
        voice=b"la",
    )  # fmt: skip
    video = Video(
        id="video_1", scene=scene, path=tmp_path / "video_1.mp4", created_at=1.5, takes=2.0,
        owner="ann", failure=MODERATED, stuck=True, tick=15.0, sweep=86400.0,
        remixed_from="video_0",
    )  # fmt: skip
    saving.keep(video)
    assert saving.kept(tmp_path) == [video]
