"""The room of `zoetrope run`: open to anybody at this machine, whatever else is closed."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse

from bot.app import open_app
from bot.simulator.render import Renderer
from bot.simulator.server import Simulator
from tests.e2e.house import House
from tests.e2e.test_access import told
from tests.e2e.world import WAIT, Codes, World

CLOSED = {"ACCESS": "closed"}


@pytest.mark.proof
async def test_the_room_takes_orders_retries_and_remixes_without_a_claim_code(
    tmp_path: Path, renderer: Renderer
) -> None:
    codes: list[str] = []
    simulator = Simulator(render_time=0.2, renderer=renderer)
    async with simulator.serve() as url:
        house = House(simulator=simulator, gateway_url=url, folder=tmp_path)
        async with (
            open_app(house.config(**CLOSED), announce=codes.append) as address,
            page(address) as socket,
        ):
            made = await video(socket, do="say", command="video", text="a cat")
            job = made["look"]["job"]
            await video(socket, do="press", action="retry", about=job)
            await video(socket, do="press", action="remix", about=job, words="a dog")
    assert codes == []
    assert simulator.charges == 3


@pytest.mark.proof
async def test_beside_an_open_room_discord_stays_closed_and_has_a_claim_code(world: World) -> None:
    codes = Codes()
    async with world.app(announce=codes.append, PLAYGROUND__ENABLED="true", **CLOSED) as address:
        bob = world.discord.person("bob")
        assert "not switched on here" in await told(await bob.slash("video", prompt="a cat"))
        async with page(address) as socket:
            await video(socket, do="say", command="video", text="a dog")
        await codes.first()
    assert len(codes.all) == 1
    assert world.simulator.charges == 1


@pytest.mark.proof
async def test_everyone_in_the_room_is_told_of_a_gateway_key_that_is_refused(
    tmp_path: Path, renderer: Renderer
) -> None:
    simulator = Simulator(renderer=renderer)
    async with simulator.serve() as url:
        house = House(simulator=simulator, gateway_url=url, folder=tmp_path)
        async with house.open(GATEWAYS__MAIN__API_KEY="sk-old") as address, page(address) as socket:
            wish = {"do": "say", "command": "video", "text": "a cat"}
            await socket.send_json({"nonce": "0" * 16, "person": "ann", **wish})
            heard = ""
            while "ZOETROPE_GATEWAYS__MAIN__API_KEY" not in heard:
                heard = await socket.receive_str(timeout=WAIT)
    assert '"person"' not in heard, "it is for everybody"


@pytest.mark.proof
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
async def test_run_prints_a_room_address_that_opens_and_asks_for_no_claim(
    tmp_path: Path, host: str
) -> None:
    nobody = {"BASE_URL": "http://127.0.0.1:9", "API_KEY": "sk-nothing"}
    variables = {f"ZOETROPE_GATEWAYS__MAIN__{name}": value for name, value in nobody.items()}
    variables |= {"ZOETROPE_PLAYGROUND__ENABLED": "true", "ZOETROPE_WEB__PORT": "0"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "run",
        cwd=tmp_path, env={**os.environ, **variables, "ZOETROPE_WEB__HOST": host}, stdout=PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(3 * WAIT):
        said = (await process.stdout.readline()).decode()
        address = next(word for word in said.split() if word.startswith("http"))
        async with ClientSession() as session, session.get(address) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        rest, _ = await process.communicate()
    assert (process.returncode, rest) == (0, b"")


@asynccontextmanager
async def page(address: str) -> AsyncIterator[ClientWebSocketResponse]:
    """Yield the socket of an open page of the room."""
    headers = {"Origin": address.partition("/room/")[0]}
    async with (
        ClientSession() as session,
        session.ws_connect(f"{address}socket", headers=headers) as socket,
    ):
        yield socket


async def video(socket: ClientWebSocketResponse, **wish: Any) -> dict[str, Any]:
    """Send a request as Ann, and return the message with the video that follows."""
    nonce = f"{wish['do']}-{wish.get('action', 'nothing')}"
    await socket.send_json({"nonce": nonce, "person": "ann", **wish})
    while True:
        seen = await socket.receive_json(timeout=WAIT)
        assert "notice" not in seen, seen
        if seen["type"] == "post" and "video" in seen["message"]:
            return dict(seen["message"])
