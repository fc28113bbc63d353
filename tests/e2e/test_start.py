"""The start and the end of the service, as whoever starts it sees them."""

import asyncio
import signal

import pytest

from tests.e2e.command_line import zoetrope
from tests.e2e.world import WAIT, World
from tests.fakes.gateways import OddGateway


@pytest.mark.proof
async def test_a_start_that_fails_at_its_port_prints_no_code(world: World) -> None:
    """A code on the screen says that the bot is there to take it."""
    async with OddGateway().serve() as elsewhere:
        port = elsewhere.rpartition(":")[2]
        variables = world.written(ACCESS="closed", WEB__PORT=port)
        code, said = await zoetrope("run", folder=world.folder, **variables)
    assert code == 1
    assert f"Another program already listens at 127.0.0.1:{port}." in said
    assert "/claim" not in said


@pytest.mark.proof
async def test_a_start_that_fails_at_its_token_prints_no_code(world: World) -> None:
    variables = world.written(ACCESS="closed", DISCORD__TOKEN="wrong.token.and-long-enough")
    code, said = await zoetrope("run", folder=world.folder, **variables)
    assert code == 1
    assert "Discord does not accept the token" in said
    assert "/claim" not in said


@pytest.mark.proof
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
async def test_each_signal_to_stop_ends_in_an_orderly_way(world: World, name: str) -> None:
    """SIGHUP comes as somebody logs out; a shell and the kernel may both send it."""
    async with world.process() as process:
        await world.discord.connected(timeout=WAIT)
        process.send_signal(getattr(signal, name))
        if name == "SIGHUP":
            process.send_signal(signal.SIGHUP)
        async with asyncio.timeout(WAIT):
            _, said = await process.communicate()
    assert process.returncode == 0
    assert b"service.stopped" in said
