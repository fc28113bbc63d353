"""Print the bot's name, where people find the bot, and any obstacle, once after the start.

The facts come from the networks' REST APIs, in parallel to the service. A fact that can't be
fetched is left out; a serious error ends the service itself, with its own message.
"""

import asyncio
from collections.abc import AsyncIterator

from bot.cli.words import tell
from bot.config import Config
from bot.log import get_logger

MOST_SERVERS = 20
"""The most servers that are checked; each costs a request. A bot in more servers surely works."""

log = get_logger()


async def introduce(config: Config) -> None:
    """Print a few sentences on standard output. The networks are asked in parallel."""
    await asyncio.gather(_print(_on_discord(config)), _print(_on_telegram(config)))


async def _print(sentences: AsyncIterator[str]) -> None:
    try:
        async for sentence in sentences:
            print(sentence, flush=True)
    except Exception as error:  # noqa: BLE001 - must not end the service
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
