"""Whether the whole service says truly that it can work."""

import asyncio

from aiohttp import ClientSession

from bot.app import open_app
from tests.e2e.world import WAIT, World


async def test_it_is_ready_once_discord_is_there(world: World) -> None:
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
