"""Check whether the web port is free, and whether links to videos work.

The check requests our public address, as people do.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import aiohttp

from bot.cli.doctor.findings import Finding
from bot.cli.doctor.machine import is_running
from bot.config import Config
from bot.core.errors import Broken, PortTaken
from bot.web import server

ASK_TIME = 15.0
HEALTHY = "ok"


async def check(config: Config) -> AsyncIterator[Finding]:
    """Yield the findings about our port, then about the way from the public address to the port."""
    web = config.settings.web
    async with AsyncExitStack() as stack:
        try:
            ours = await stack.enter_async_context(server.serve([], host=web.host, port=web.port))
        except Broken as error:
            # If our service runs, it holds the port and will answer.
            if not isinstance(error, PortTaken) or not await is_running(config):
                yield Finding.of(error)
        else:
            yield Finding.ok("doctor.port", address=ours)
        if web.public_url is None:
            yield Finding.note("doctor.public_none")
        else:
            yield await _fetched(web.public_url, f"{web.host}:{web.port}")


async def _fetched(url: str, ours: str) -> Finding:
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ASK_TIME)) as session,
            session.get(f"{url}/healthz", allow_redirects=False) as response,
        ):
            status, body = response.status, (await response.content.read(100)).decode("latin-1")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        return Finding.problem("doctor.public_unreachable", url=url, why=why, ours=ours)
    if status != 200 or body.strip() != HEALTHY:
        return Finding.problem("doctor.public_other", url=url, status=status, ours=ours)
    return Finding.ok("doctor.public", url=url)
