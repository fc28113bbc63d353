"""The life of one job in the simulator, for several test modules."""

from collections.abc import Mapping

import aiohttp

from bot.simulator.server import Simulator

from .conftest import Clock
from .test_life import create, poll


async def life(
    client: aiohttp.ClientSession, simulator: Simulator, clock: Clock, name: str
) -> tuple[Mapping[str, object], Mapping[str, object], str]:
    """Return the poll answer of a running video, the poll answer when it is over, and its path."""
    video = await create(client, f"a cat [{name}]")
    await simulator.rendered()
    early = await poll(client, video)
    clock.time += 8
    return early, await poll(client, video), f"/v1/videos/{video}"


async def status(client: aiohttp.ClientSession, path: str) -> int:
    """Return the status of a GET request."""
    async with client.get(path, allow_redirects=False) as answer:
        return answer.status
