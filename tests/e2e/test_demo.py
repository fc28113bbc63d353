"""The demo as a process of its own: it opens a room, ends at Ctrl-C, and goes on the next time."""

import asyncio
import re
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse

from tests.e2e.test_cli import zoetrope
from tests.e2e.world import WAIT


async def test_the_demo_opens_a_room_and_ends_cleanly_at_ctrl_c(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "demo", "--no-browser", "--port", "0",
        cwd=tmp_path, stdout=PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(3 * WAIT):
        said = (await process.stdout.readline()).decode()
        async with ClientSession() as session, session.get(_address(said)) as page:
            assert page.status == 200
            assert "<title>Zoetrope</title>" in await page.text()
        process.send_signal(signal.SIGINT)
        rest, _ = await process.communicate()
    assert (process.returncode, rest.decode()) == (0, "Goodbye.\n")
    assert (tmp_path / "zoetrope-demo" / "zoetrope.db").exists()


async def test_a_demo_that_was_ended_in_the_middle_goes_on_when_it_is_started_again(
    tmp_path: Path,
) -> None:
    wish = {"nonce": "the-first", "person": "ann", "do": "say", "command": "video", "text": "a fox"}
    async with _demo(tmp_path) as room:
        await room.send_json(wish)
        await _told(room, lambda message: "being made" in str(message.get("look")))
    async with _demo(tmp_path) as room:
        done = await _told(room, lambda message: "video" in message)
    assert done["look"]["prompt"] == "a fox"


@asynccontextmanager
async def _demo(folder: Path) -> AsyncIterator[ClientWebSocketResponse]:
    """A page's socket into a demo of its own process, ended by Ctrl-C."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "demo", "--no-browser", "--port", "0",
        cwd=folder, stdout=PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(3 * WAIT):
        address = _address((await process.stdout.readline()).decode())
        headers = {"Origin": address.partition("/room/")[0]}
        async with (
            ClientSession() as session,
            session.ws_connect(f"{address}socket", headers=headers) as socket,
        ):
            yield socket
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0


async def _told(
    socket: ClientWebSocketResponse, wanted: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """The first message, standing or new, that is wanted."""
    while True:
        told = await socket.receive_json(timeout=WAIT)
        for message in told.get("messages") or [told.get("message", {})]:
            if wanted(message):
                return dict(message)


def _address(said: str) -> str:
    found = re.search(r"http://127\.0\.0\.1:\d+/room/[\w-]+/", said)
    assert found, said
    return found[0]


async def test_the_demo_takes_no_gateway_that_nobody_configured(tmp_path: Path) -> None:
    code, said = await zoetrope("demo", "--no-browser", "--gateway", "mine", folder=tmp_path)
    assert code == 78
    assert "No gateway is configured" in said


def test_discord_is_not_loaded_where_it_is_not_switched_on() -> None:
    code = "import sys, bot.app, bot.cli.demo; sys.exit('discord' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
