"""How long things are kept, by the whole service: swept, told in links, looked at by commands."""

import asyncio
import json
import time
from pathlib import Path

import pytest
from aiohttp import ClientSession

from bot.core.clock import SystemClock
from bot.core.retention import EVERY
from tests.e2e.test_cli import zoetrope
from tests.e2e.world import World

PUBLIC = "https://videos.example"
DAY = 86_400.0


class Ahead(SystemClock):
    """The system's clock, and how much more time a test has let pass."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._sweepers: list[asyncio.Future[None]] = []
        super().__init__(
            wall=lambda: time.time() + self.seconds,
            steady=lambda: time.monotonic() + self.seconds,
        )

    async def sleep(self, seconds: float) -> None:
        """Sweeps wait for the test; all else takes the time that it takes."""
        if seconds < EVERY:
            await super().sleep(seconds)
            return
        waits = asyncio.get_running_loop().create_future()
        self._sweepers.append(waits)
        await waits

    async def sweep(self) -> None:
        """Let a sweep begin, and come to its end."""
        waiting, self._sweepers = self._sweepers, []
        for each in waiting:
            each.set_result(None)
        while len(self._sweepers) < len(waiting):
            await asyncio.sleep(0.01)


async def test_a_link_to_a_video_that_was_kept_for_its_time_says_so(world: World) -> None:
    world.clock = clock = Ahead()
    # Backups wait for long times as well, and would be taken for sweeps.
    app = world.app(
        BACKUP__DAILY="false", DISCORD__UPLOAD_LIMIT_MIB="0.001", WEB__PUBLIC_URL=PUBLIC
    )
    async with app as address, ClientSession() as session:
        await world.discord.person("ann").slash("video", prompt="a cat")
        said = (await world.result()).content
        path = said[said.index(f"{PUBLIC}/v/") + len(PUBLIC) :].split()[0].rstrip(")>")

        async def page() -> tuple[int, str]:
            async with session.get(f"{address}{path}") as answer:
                return answer.status, await answer.text()

        await clock.sweep()
        assert (await page())[0] == 200
        clock.seconds += 31 * DAY
        assert "There is no video here" in (await page())[1]
        assert len(stored(world, "videos")) == 1
        await clock.sweep()
        status, text = await page()
        assert (status, "This video was kept for 31 days and is gone." in text) == (404, True)
        assert stored(world, "videos") == stored(world, "thumbnails") == []


@pytest.mark.proof
async def test_an_operator_sees_what_would_go_and_lets_it_go(world: World) -> None:
    async with world.app():
        await world.discord.person("ann").slash("video", prompt="a cat")
        await world.result()
        code, said = await _media(world, "verify", "--json")
        found = json.loads(said)
        assert (code, found["missing"]["count"], found["without_row"]["count"]) == (0, 0, 0)
        days = {"ZOETROPE_RETENTION__VIDEOS_DAYS": "0.0000001"}
        code, said = await _media(world, "sweep", "--dry-run", "--json", **days)
        assert (code, json.loads(said)["videos"]["rows"]) == (0, 1), said
        code, said = await _media(world, "sweep", **days)
        assert (code, "clock" in said, "--yes" in said) == (1, True, True), said
        code, said = await _media(world, "sweep", "--yes", "--json", **days)
        assert (code, json.loads(said)["videos"]["rows"]) == (0, 0), "the service has its own rules"
    code, said = await _media(world, "sweep", "--yes", **days)
    assert (code, said.splitlines()[0], len(stored(world, "videos"))) == (0, "This went:", 0), said


@pytest.mark.proof
async def test_verify_names_what_is_missing_and_ends_with_1(world: World) -> None:
    async with world.app():
        await world.discord.person("ann").slash("video", prompt="a cat")
        await world.result()
    (video,) = stored(world, "videos")
    video.unlink()
    code, said = await _media(world, "verify")
    assert (code, video.name in said) == (1, True), said
    (world.folder / "data" / "media").rename(world.folder / "elsewhere")
    code, said = await _media(world, "verify")
    assert (code, "the media are kept there" in said) == (1, True), said
    assert not (world.folder / "data" / "media").exists()


def stored(world: World, kind: str) -> list[Path]:
    folder = world.folder / "data" / "media" / kind
    return sorted(each for each in folder.rglob("*") if each.is_file())


async def _media(world: World, *arguments: str, **more: str) -> tuple[int | None, str]:
    variables = {**world.written(), **more}
    return await zoetrope("media", *arguments, folder=world.folder, **variables)
