"""The start and the end of the service, as the operator sees them."""

import asyncio
import signal

import pytest

from tests.e2e.command_line import zoetrope
from tests.e2e.world import WAIT, World
from tests.fakes.gateways import OddGateway


@pytest.mark.proof
async def test_a_start_that_fails_at_its_port_prints_no_claim_code(world: World) -> None:
    """A claim code on the screen would promise a bot that takes the code."""
    async with OddGateway().serve() as elsewhere:
        port = elsewhere.rpartition(":")[2]
        variables = world.written(ACCESS="closed", WEB__PORT=port)
        code, said = await zoetrope("run", folder=world.folder, **variables)
    assert code == 1
    assert f"Another program already listens at 127.0.0.1:{port}." in said
    assert "/claim" not in said


@pytest.mark.proof
async def test_a_start_that_fails_at_its_token_prints_no_claim_code(world: World) -> None:
    variables = world.written(ACCESS="closed", DISCORD__TOKEN="wrong.token.and-long-enough")
    code, said = await zoetrope("run", folder=world.folder, **variables)
    assert code == 1
    assert "Discord does not accept the token" in said
    assert "/claim" not in said


@pytest.mark.proof
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
async def test_sigterm_sigint_and_sighup_each_stop_the_service_in_order(
    world: World, name: str
) -> None:
    """SIGHUP comes when somebody logs out; the shell and the kernel may both send it."""
    async with world.process() as process:
        await world.discord.connected(timeout=WAIT)
        process.send_signal(getattr(signal, name))
        if name == "SIGHUP":
            process.send_signal(signal.SIGHUP)
        async with asyncio.timeout(WAIT):
            _, said = await process.communicate()
    assert process.returncode == 0
    assert b"service.stopped" in said
