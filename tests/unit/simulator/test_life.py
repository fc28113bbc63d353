"""A simulated job from the order to the file: states by the clock, the content, and the charge."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from bot.simulator.render import Renderer
from bot.simulator.scenes import Scene
from bot.simulator.server import Simulator

from .conftest import BLANK, Clock
from .pictures import form


class NeverRenders(Renderer):
    """A renderer that never finishes."""

    async def render(self, scene: Scene, path: Path) -> None:
        await asyncio.Event().wait()


class Breaks(Renderer):
    """A renderer that raises."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    async def render(self, scene: Scene, path: Path) -> None:
        raise self.error


async def create(client: aiohttp.ClientSession, prompt: str = "a cat") -> str:
    async with client.post("/v1/videos", data=form({"prompt": prompt, "seconds": "5"})) as answer:
        assert answer.status == 201
        return str((await answer.json())["id"])


async def poll(client: aiohttp.ClientSession, name: str) -> dict[str, object]:
    async with client.get(f"/v1/videos/{name}") as answer:
        assert answer.status == 200
        body = await answer.json()
        assert isinstance(body, dict)
        return body


async def test_a_video_is_first_processing_and_then_succeeded(
    client: aiohttp.ClientSession, simulator: Simulator, clock: Clock
) -> None:
    name = await create(client)
    await simulator.rendered()
    progress = []
    for _ in range(4):
        body = await poll(client, name)
        assert (body["status"], body["error"], "url" in body) == ("processing", None, False)
        progress.append(body["progress"])
        clock.time += 2

    body = await poll(client, name)

    assert progress == [0, 25, 50, 75]
    url = body.pop("url")
    assert body == {
        "id": name,
        "object": "video",
        "model": "sora-2",
        "created_at": 1640995200,
        "status": "succeeded",
        "progress": 100,
        "expires_at": 1641081600,
        "size": "720x1280",
        "seconds": "5",
        "quality": "standard",
        "remixed_from_video_id": None,
        "error": None,
    }
    async with aiohttp.request("GET", str(url)) as answer:  # without the key
        assert (await answer.read(), answer.content_type) == (BLANK, "video/mp4")


async def test_a_video_that_is_never_rendered_stays_processing_at_99_percent(clock: Clock) -> None:
    """A video is only done if its file exists."""
    simulator = Simulator(now=clock, renderer=NeverRenders())
    headers = {"Authorization": "Bearer sk-sim"}
    async with (
        simulator.serve() as url,
        aiohttp.ClientSession(url, headers=headers) as client,
    ):
        name = await create(client)
        clock.time += 60
        body = await poll(client, name)
    assert (body["status"], body["progress"]) == ("processing", 99)


async def test_the_content_is_the_rendered_file_with_its_headers(
    client: aiohttp.ClientSession, simulator: Simulator, clock: Clock
) -> None:
    name = await create(client)
    await simulator.rendered()
    clock.time += 8
    async with client.get(f"/v1/videos/{name}/content") as answer:
        assert await answer.read() == BLANK
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "video/mp4"
    assert answer.headers["Content-Length"] == str(len(BLANK))
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}.mp4"'

    part = {"Range": "bytes=4-7"}
    async with client.get(f"/v1/videos/{name}/content", headers=part) as answer:
        assert (answer.status, await answer.read()) == (206, b"ftyp")


async def test_the_content_of_an_unfinished_or_unknown_video_is_refused(
    client: aiohttp.ClientSession,
) -> None:
    name = await create(client)
    for path, status in (
        (f"/v1/videos/{name}/content", 400),
        (f"/files/{name}.mp4", 404),
        ("/v1/videos/video_0", 404),
        ("/v1/videos/video_0/content", 404),
    ):
        async with client.get(path) as answer:
            assert (answer.status, "error" in await answer.json()) == (status, True)


async def test_fail_in_a_prompt_makes_a_failed_and_refunded_video(
    client: aiohttp.ClientSession, simulator: Simulator, clock: Clock
) -> None:
    name = await create(client, "a cat [fail]")
    await create(client)
    assert [entry.refunded for entry in simulator.journal] == [False, False]
    clock.time += 8

    body = await poll(client, name)

    assert (body["status"], body["progress"]) == ("failed", 100)
    assert body["error"] == {
        "message": "The prompt was rejected by the content policy.",
        "code": "moderation_blocked",
    }
    assert [entry.refunded for entry in simulator.journal] == [True, False, False]
    assert simulator.charges == 2
    async with client.get(f"/v1/videos/{name}/content") as answer:
        assert answer.status == 400


async def test_slow_in_a_prompt_makes_a_video_take_five_times_as_long(
    client: aiohttp.ClientSession, simulator: Simulator, clock: Clock
) -> None:
    name = await create(client, "a cat [slow]")
    await simulator.rendered()
    clock.time += 20
    assert (await poll(client, name))["progress"] == 50
    clock.time += 20
    assert (await poll(client, name))["status"] == "succeeded"


async def test_without_a_render_time_a_video_is_done_when_its_file_is_rendered() -> None:
    simulator = Simulator(render_time=0, key="k")
    headers = {"Authorization": "Bearer k"}
    async with simulator.serve() as url, aiohttp.ClientSession(url, headers=headers) as client:
        fields = {"prompt": "a cat", "size": "64x64", "seconds": "1"}
        async with client.post("/v1/videos", data=form(fields)) as answer:
            name = (await answer.json())["id"]
        await simulator.rendered()
        assert (await poll(client, name))["status"] == "succeeded"
        async with client.get(f"/v1/videos/{name}/content") as answer:
            assert (await answer.read())[4:8] == b"ftyp"


@pytest.mark.parametrize(
    ("error", "code"), [(ValueError(), "invalid_image"), (OSError(), "server_error")]
)
async def test_a_video_that_cannot_be_rendered_fails(
    clock: Clock, error: Exception, code: str
) -> None:
    simulator = Simulator(now=clock, renderer=Breaks(error))
    headers = {"Authorization": "Bearer sk-sim"}
    async with simulator.serve() as url, aiohttp.ClientSession(url, headers=headers) as client:
        name = await create(client)
        await simulator.rendered()
        clock.time += 8
        body = await poll(client, name)
    assert body["status"] == "failed"
    assert isinstance(body["error"], dict)
    assert body["error"]["code"] == code
