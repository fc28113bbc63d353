"""The health endpoints of the whole service tell the truth about its ability to work."""

import asyncio
import resource
import socket
from contextlib import ExitStack

import pytest
from aiohttp import ClientSession, ClientTimeout

from bot.app import open_app
from bot.cli.control import asked as ask_service
from bot.media.presence import PATIENCE
from bot.web import descriptors
from tests.e2e.world import WAIT, World
from tests.fakes.buckets import URL, FakeBucket


@pytest.mark.proof
async def test_readyz_answers_503_until_discord_is_connected(world: World) -> None:
    hold = world.discord.hold_before("GET", "/users/@me$")
    with world.discord.redirect_dpy():
        async with open_app(world.config()) as address, ClientSession() as session:

            async def ask() -> tuple[int, str]:
                async with session.get(f"{address}/readyz") as response:
                    return response.status, await response.text()

            assert await ask() == (503, "discord: not connected\n")
            hold.release()
            async with asyncio.timeout(WAIT):
                while await ask() != (200, "ok\n"):
                    pass


@pytest.mark.proof
async def test_a_missing_media_folder_is_reported_and_not_replaced_by_a_new_one(
    world: World,
) -> None:
    """An unmounted disk leaves an empty folder. A finished video waits until the disk is back."""
    media, away = world.folder / "data" / "media", world.folder / "away"
    async with world.app() as address, ClientSession() as session:

        async def told() -> tuple[int, dict[str, str]]:
            async with asyncio.timeout(WAIT):
                while True:
                    async with session.get(f"{address}/readyz.json") as response:
                        parts = (await response.json())["parts"]
                        if parts["media"] != known:
                            return response.status, parts

        known = ""
        status, parts = await told()
        assert (status, set(parts.values())) == (200, {"ok"})
        assert set(parts) == {
            *("database", "media", "scratch", "disk", "media disk", "discord"),
            *("backlog", "operators", "gateway main"),
        }
        media.rename(away)
        known = "ok"
        status, parts = await told()
        assert (status, parts["media"]) == (503, "missing")
        media.mkdir()
        known = "missing"
        assert (await told())[1]["media"] == "replaced"
        await world.discord.person("ann").slash("video", prompt="a cat")
        async with asyncio.timeout(WAIT):
            for _ in range(2):  # a second try shows that the first video could not be kept
                await world.simulator.next("content")
        assert list(media.iterdir()) == []
        media.rmdir()
        away.rename(media)
        known = "replaced"
        assert (await told())[0] == 200
        assert (await world.result()).attachments


@pytest.mark.proof
async def test_readyz_reports_a_bucket_that_refuses_and_does_not_wait_for_a_silent_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = FakeBucket()
    async with bucket.serve() as variables, ClientSession() as session:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

        async def told(address: str) -> tuple[int, str]:
            async with session.get(f"{address}/readyz.json") as response:
                return response.status, (await response.json())["parts"]["media"]

        bucket.trouble = (403, "AccessDenied")
        async with world.app(STORAGE_URL=URL) as address, asyncio.timeout(WAIT):
            while await told(address) != (503, "refused"):
                pass
        bucket.trouble = None
        bucket.silent.clear()
        seen = len(bucket.requests)
        async with world.app(STORAGE_URL=URL) as address, asyncio.timeout(PATIENCE / 2):
            while len(bucket.requests) == seen:
                await asyncio.sleep(0)
            assert await told(address) == (200, "ok")


@pytest.mark.proof
async def test_readyz_names_a_gateway_that_refuses_our_key_and_stays_ready(world: World) -> None:
    """A restart would not pay the bill."""
    async with world.app(GATEWAYS__MAIN__API_KEY="sk-wrong") as address, ClientSession() as session:
        await world.discord.person("ann").slash("video", prompt="a cat")
        async with asyncio.timeout(WAIT):
            while True:
                async with session.get(f"{address}/readyz") as response:
                    status, text = response.status, await response.text()
                if "gateway" in text:
                    break
        assert (status, text) == (200, "ok\ngateway main: refuses us\n")


async def test_readyz_names_what_operators_stopped_and_stays_ready(world: World) -> None:
    async with world.app() as address, ClientSession() as session:

        async def told(part: str) -> tuple[int, str]:
            async with asyncio.timeout(WAIT):
                while True:
                    async with session.get(f"{address}/readyz") as response:
                        text = await response.text()
                        if part in text:
                            return response.status, text

        await told("ok\n")
        await ask_service(world.config(), "gateways.pause", {"name": "main"})
        assert await told("operators") == (200, "ok\noperators: main paused\n")
        await ask_service(world.config(), "stop", {})
        assert await told("operators: all") == (200, "ok\noperators: all stopped\n")


@pytest.mark.proof
async def test_half_open_connections_to_the_web_server_stop_neither_chat_nor_health_checks(
    world: World,
) -> None:
    """1,100 connections are half open.

    The service may open at most 1,024 files, the limit of many systems.
    """
    assert descriptors.raised() > 2000, "this machine allows too few descriptors for the proof"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with world.process(WEB__PORT=str(port)) as service, ClientSession() as session:
        resource.prlimit(service.pid, resource.RLIMIT_NOFILE, (1024, 1024))  # before its check
        await world.discord.connected(timeout=WAIT)
        with ExitStack() as stack:
            for _ in range(1100):
                half = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
                half.sendall(b"GET /healthz HTTP/1.1\r\nHost:")
            await world.discord.person("ann").slash("video", prompt="a cat")
            await world.result()
            for path in ("healthz", "readyz"):
                url, limit = f"http://127.0.0.1:{port}/{path}", ClientTimeout(total=3)
                async with session.get(url, timeout=limit) as response:
                    assert (response.status, await response.text()) == (200, "ok\n")
