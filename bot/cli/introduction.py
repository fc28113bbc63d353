"""The bot's name and where people find it, told once after the start, and any obstacle.

Asks the networks by REST, beside the service, and leaves out what it can't find out: an error in
earnest ends the service itself, in words of its own.
"""

import asyncio
from collections.abc import AsyncIterator

from bot.cli.words import tell
from bot.config import Config
from bot.log import get_logger

MOST_SERVERS = 20
"""Each takes a request; who is in more servers has seen it work."""

log = get_logger()


async def introduce(config: Config) -> None:
    """Print a few sentences, on standard output, as they are known; none waits for another."""
    await asyncio.gather(_print(_on_discord(config)), _print(_on_telegram(config)))


async def _print(sentences: AsyncIterator[str]) -> None:
    try:
        async for sentence in sentences:
            print(sentence, flush=True)
    except Exception as error:  # noqa: BLE001 - a rim: a courtesy must not end the service
        log.info("introduction.failed", why=type(error).__name__)


async def _on_discord(config: Config) -> AsyncIterator[str]:
    table = config.settings.discord
    if table.token is None:
        return
    from bot.platforms.discord.portal import open_portal

    async with open_portal(table.token.get_secret_value(), api_url=table.api_url) as portal:
        identity = await portal.identity()
        communities = await portal.communities()
        if not communities:
            yield tell("doctor.no_server", name=identity.name, url=identity.invitation)
            return
        yield tell("run.discord", count=len(communities), name=identity.name)
        for community in communities[:MOST_SERVERS]:
            if not await portal.has_commands(identity, community):
                yield tell("doctor.scope_missing", server=community.name, url=identity.invitation)


async def _on_telegram(config: Config) -> AsyncIterator[str]:
    table = config.settings.telegram
    if table.token is None:
        return
    from bot.platforms.telegram.portal import open_portal

    async with open_portal(table.token.get_secret_value(), api_url=table.api_url) as portal:
        identity = await portal.identity()
        yield tell("run.telegram", name=identity.name, url=identity.address)
