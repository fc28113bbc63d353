"""Retention by the whole service: sweeps, links to swept videos, and the commands about media."""

import asyncio
import json
import time
from datetime import datetime
from pathlib import Path

import pytest
from aiohttp import ClientSession

from bot.core.clock import SystemClock
from bot.core.retention import EVERY
from tests.e2e.command_line import zoetrope
from tests.e2e.world import World, png

PUBLIC = "https://videos.example"
DAY = 86_400.0
KINDS = ("originals", "pictures", "sounds", "thumbnails", "videos")


class Ahead(SystemClock):
    """The system's clock, plus the time that a test has let pass."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._sweepers: list[asyncio.Future[None]] = []
        super().__init__(
            wall=lambda: time.time() + self.seconds,
            steady=lambda: time.monotonic() + self.seconds,
        )

    async def sleep(self, seconds: float) -> None:
        """Let sweeps sleep until the test calls `sweep`; other sleepers sleep normally."""
        if seconds < EVERY:
            await super().sleep(seconds)
            return
        waits = asyncio.get_running_loop().create_future()
        self._sweepers.append(waits)
        await waits

    async def sweep(self) -> None:
        """Run one sweep to its end."""
        waiting, self._sweepers = self._sweepers, []
        for each in waiting:
            each.set_result(None)
        while len(self._sweepers) < len(waiting):
            await asyncio.sleep(0.01)


async def test_a_link_to_a_video_that_was_swept_says_how_long_the_video_was_kept(
    world: World,
) -> None:
    world.clock = clock = Ahead()
    # Backups sleep for long times as well, and would be taken for sweeps.
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
async def test_a_sweep_removes_nothing_at_once_the_picture_on_day_3_and_the_video_on_day_31(
    world: World,
) -> None:
    world.clock = clock = Ahead()
    picture = world.discord.attachment(png(), "cat.png", ephemeral=True)
    async with world.app(BACKUP__DAILY="false"):
        await world.discord.person("ann").slash("animate", image=picture, model="Sora 2")
        assert (await world.result()).attachments
        left = []
        for days in (0, 3, 31):
            clock.seconds = days * DAY
            await clock.sweep()
            left.append((len(stored(world, "pictures")), len(stored(world, "videos"))))
        assert left == [(1, 1), (0, 1), (0, 0)]
        code, said = await zoetrope(
            "jobs", "list", "--json", folder=world.folder, **world.written()
        )
    (job,) = json.loads(said)["jobs"]
    gone = datetime.fromisoformat(job["video_gone_at"]) - datetime.fromisoformat(job["ordered_at"])
    assert (code, job["status"], gone.days) == (0, "delivered", 31)


@pytest.mark.proof
async def test_while_orders_come_sweeps_remove_old_videos_and_each_new_video_is_posted_once(
    world: World,
) -> None:
    """Sweeps run without a break beside twelve orders; the storage has room for four videos."""
    orders, done = 12, asyncio.Event()
    async with world.app(BACKUP__DAILY="false"):
        await world.discord.person("ann").slash("video", prompt="a cat")
        await world.result()
        size = sum(each.stat().st_size for each in media(world))
    room = 4 * size
    world.clock = clock = Ahead()
    async with world.app(
        BACKUP__DAILY="false",
        RETENTION__MOST_GB=f"{room / 1e9:.9f}",
        LIMITS__PERSON_VIDEOS_PER_DAY="99",
        LIMITS__PERSON_AT_ONCE="99",
    ):

        async def sweep() -> None:
            while not done.is_set():
                await clock.sweep()
                await asyncio.sleep(0)

        sweeping = asyncio.create_task(sweep())
        for number in range(orders):
            await world.discord.person("ann").slash("video", prompt=f"cat {number}")
        posted = [await world.result() for _ in range(orders)]
        done.set()
        await sweeping
        await clock.sweep()
        left = media(world)
    assert all(each.attachments for each in posted)
    assert len({each.id for each in posted}) == orders
    assert world.simulator.charges == orders + 1
    assert 0 < sum(each.stat().st_size for each in left) <= room


@pytest.mark.proof
async def test_media_sweep_lists_what_it_would_remove_and_removes_it_after_yes(
    world: World,
) -> None:
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
    assert (code, said.splitlines()[0], len(stored(world, "videos"))) == (0, "Removed:", 0), said


@pytest.mark.proof
async def test_media_verify_names_a_missing_video_and_ends_with_1(world: World) -> None:
    async with world.app():
        await world.discord.person("ann").slash("video", prompt="a cat")
        await world.result()
    (video,) = stored(world, "videos")
    video.unlink()
    code, said = await _media(world, "verify")
    assert (code, video.name in said) == (1, True), said
    (world.folder / "data" / "media").rename(world.folder / "elsewhere")
    code, said = await _media(world, "verify")
    assert (code, "where the media are stored" in said) == (1, True), said
    assert not (world.folder / "data" / "media").exists()


def media(world: World) -> list[Path]:
    """Return the files that count against the storage's cap."""
    return [each for kind in KINDS for each in stored(world, kind)]


def stored(world: World, kind: str) -> list[Path]:
    folder = world.folder / "data" / "media" / kind
    return sorted(each for each in folder.rglob("*") if each.is_file())


async def _media(world: World, *arguments: str, **more: str) -> tuple[int | None, str]:
    variables = {**world.written(), **more}
    return await zoetrope("media", *arguments, folder=world.folder, **variables)
