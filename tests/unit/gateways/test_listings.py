"""A gateway's list of videos is read page by page and within limits, whatever it contains."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from bot.core.outcomes import Listed, Listing, NoList, Trouble, VideoList
from bot.gateways.videos_api import GatewayOptions, open_gateways, read_page
from bot.net.answers import Answer
from bot.simulator.faults import Fault
from bot.simulator.profiles import DOCUMENTED, OPENAI
from bot.simulator.server import Simulator
from tests.contract.test_gateway import BlankRenderer
from tests.unit.simulator.pictures import form

Page = Callable[[Mapping[str, str]], object]
FULL = {"id": "v1", "model": "sora-2", "created_at": 1_700_000_000, "prompt": "a cat"}


def read(body: object, status: int = 200) -> Listing:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_page(Answer(status, {}, raw))


@pytest.mark.parametrize(
    ("row", "listed"),
    [
        (FULL, Listed(id="v1", model="sora-2", created_at=1.7e9, prompt="a cat")),
        ({"id": "v1", "createdAt": 1.7e12}, Listed(id="v1", created_at=1.7e9)),
        ({"id": "v1", "created": "1700000000"}, Listed(id="v1", created_at=1.7e9)),
        (
            {"id": "v1", "created_at": "2023-11-14T22:13:20+00:00"},
            Listed(id="v1", created_at=1.7e9),
        ),
        ({"id": "v1", "status": "queued", "prompt": 7}, Listed(id="v1", status="queued")),
        ({"id": "v1", "created_at": "soon", "model": None}, Listed(id="v1")),
        ({"id": "v1", "created_at": 10**400}, Listed(id="v1")),
    ],
)
def test_a_listed_video_is_read_with_the_fields_it_has(row: object, listed: Listed) -> None:
    assert read({"object": "list", "data": [row]}) == VideoList((listed,))


@pytest.mark.parametrize("row", [{}, {"id": ""}, {"id": None}, "v1", None, ["v1"]])
def test_a_listed_video_without_an_id_is_ignored(row: object) -> None:
    assert read({"data": [row, FULL]}) == read({"data": [FULL]})


@pytest.mark.parametrize("status", [400, 404, 405, 422, 501])
def test_a_4xx_or_501_answer_to_a_listing_means_that_the_gateway_has_no_list(status: int) -> None:
    assert read({"error": {"message": "Invalid URL (GET /v1/videos)"}}, status) == NoList()


@pytest.mark.parametrize("body", [b"<html>", b"", [], {}, {"data": {}}, {"data": "x"}, b"[" * 9999])
def test_an_answer_that_contains_no_list_means_that_the_gateway_has_no_list(body: object) -> None:
    assert read(body) == NoList()


@pytest.mark.parametrize("status", [302, 401, 403, 429, 500, 502])
def test_another_error_answer_to_a_listing_is_trouble(status: int) -> None:
    assert read({"error": {}}, status) == Trouble(f"HTTP {status}")


# --- pages ---------------------------------------------------------------------------------------


@asynccontextmanager
async def served(page: Page) -> AsyncIterator[tuple[str, list[Mapping[str, str]]]]:
    """Serve pages of a listing; yield the address and the queries."""
    asked: list[Mapping[str, str]] = []

    async def answer(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer sk-sim"
        asked.append(dict(request.query))
        body = page(request.query)
        return web.json_response(body) if body is not None else web.Response(status=500)

    app = web.Application()
    app.router.add_get("/v1/videos", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", asked
    finally:
        await runner.cleanup()


async def listed(url: str, *, since: float = 0.0) -> Listing:
    settings = GatewayOptions(name="g", base_url=url, api_key="sk-sim")
    async with open_gateways([settings]) as gateways:
        return await gateways["g"].listing(since=since)


def newest(count: int, *, more: bool) -> Page:
    """Return pages of two videos, newest first, each a second apart."""

    def page(query: Mapping[str, str]) -> object:
        start = int(query["after"][1:]) - 1 if "after" in query else count
        ids = [number for number in range(start, start - 2, -1) if number > 0]
        rows = [{"id": f"v{number}", "created_at": number} for number in ids]
        return {"data": rows, "has_more": more and start > 2}

    return page


async def test_pages_of_a_listing_are_read_to_the_end_or_to_the_requested_time() -> None:
    async with served(newest(6, more=True)) as (url, asked):
        everything = await listed(url)
        assert isinstance(everything, VideoList)
        assert [video.id for video in everything.videos] == ["v6", "v5", "v4", "v3", "v2", "v1"]
        assert everything.whole
        assert [query.get("after") for query in asked] == [None, "v5", "v3"]
        asked.clear()
        await listed(url, since=4.5)
        assert [query.get("after") for query in asked] == [None, "v5"]


async def test_a_listing_that_repeats_itself_or_never_ends_is_stopped() -> None:
    async with served(lambda _: {"data": [FULL], "has_more": True}) as (url, asked):
        found = await listed(url)
        assert isinstance(found, VideoList)
        assert (len(found.videos), found.whole, len(asked)) == (1, False, 2)
    async with served(newest(9999, more=True)) as (url, asked):
        found = await listed(url)
        assert isinstance(found, VideoList)
        assert (len(found.videos), found.whole, len(asked)) == (20, False, 10)


async def test_a_listing_that_breaks_off_returns_what_was_read_as_incomplete() -> None:
    pages = [{"data": [FULL], "has_more": True}, None]
    async with served(lambda _: pages.pop(0)) as (url, _):
        found = await listed(url)
    assert isinstance(found, VideoList)
    assert (len(found.videos), found.whole) == (1, False)
    assert isinstance(await listed("http://127.0.0.1:1"), Trouble)


async def test_the_simulated_openai_lists_its_videos_and_the_documented_gateway_has_no_list() -> (
    None
):
    fields = {"model": "sora-2", "prompt": "a cat", "seconds": "4", "size": "1280x720"}
    key = {"Authorization": "Bearer sk-sim"}
    for profile in (OPENAI, DOCUMENTED):
        simulator = Simulator(profile=profile, renderer=BlankRenderer(), now=lambda: 1.7e9)
        async with simulator.serve() as url, aiohttp.ClientSession(headers=key) as session:
            simulator.faults.add(Fault("create", "drop"))
            with pytest.raises(aiohttp.ClientError):
                await session.post(f"{url}/v1/videos", data=form(fields))
            found = await listed(url)
            (video,) = simulator._library.of("sk-sim")
        told = Listed(
            id=video.id, model="sora-2", created_at=1.7e9, prompt="a cat", status="queued"
        )
        assert found == (VideoList((told,)) if profile is OPENAI else NoList())
