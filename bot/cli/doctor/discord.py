"""Check the bot at Discord: its token, intents, servers, commands and permissions."""

import time
from collections.abc import AsyncIterator, Sequence

from bot.cli.doctor import clock
from bot.cli.doctor.findings import Finding
from bot.cli.words import listed, tell
from bot.config import Config
from bot.core.errors import Broken, Refused
from bot.platforms.discord.errors import Unreadable
from bot.platforms.discord.portal import Community, Identity, Portal, open_portal

MOST_SERVERS = 20
"""The most servers that are checked; each costs four requests."""


async def check(config: Config) -> AsyncIterator[Finding]:
    """Yield the findings, beginning with the token; none if Discord is not configured."""
    table = config.settings.discord
    if table.token is None:
        return
    token = table.token.get_secret_value()
    async with open_portal(token, api_url=table.api_url) as portal:
        async for finding in _findings(portal, asks_intent=table.message_content_intent):
            yield finding


async def _findings(portal: Portal, *, asks_intent: bool) -> AsyncIterator[Finding]:
    identity = await portal.identity()
    yield Finding.ok("doctor.token", name=identity.name)
    if drift := clock.compared("Discord", portal.date, now=time.time()):
        yield drift
    yield intents(identity, asks_intent=asks_intent)
    communities = await portal.communities()
    if not communities:
        yield Finding.problem("doctor.no_server", name=identity.name, url=identity.invitation)
        return
    yield Finding.ok(
        "doctor.servers", name=identity.name, servers=listed([each.name for each in communities])
    )
    for community in communities[:MOST_SERVERS]:
        async for finding in _in_server(portal, identity, community):
            yield finding
    yield commands(await portal.commands(identity))


def intents(identity: Identity, *, asks_intent: bool) -> Finding:
    """Check whether the intent that the configuration asks for is granted."""
    if not asks_intent:
        return Finding.ok("doctor.intents")
    if identity.sees_messages:
        return Finding.ok("doctor.intents_granted")
    return Finding.of(Broken("discord_intents"))


def commands(names: Sequence[str]) -> Finding:
    """Check the registered commands. A client may have to be reloaded to show them."""
    if not names:
        return Finding.note("doctor.commands_none")
    return Finding.ok("doctor.commands", names=", ".join(names))


async def _in_server(
    portal: Portal, identity: Identity, community: Community
) -> AsyncIterator[Finding]:
    server = community.name
    if not await portal.has_commands(identity, community):
        yield Finding.problem("doctor.scope_missing", server=server, url=identity.invitation)
    try:
        channels = await portal.channels(identity, community)
    except (Refused, Unreadable):
        # Also if the answer lacks a field: go on with the other servers.
        yield Finding.note("doctor.permissions_unseen", server=server)
        return
    lacking = [channel for channel in channels if channel.lacking]
    if not channels:
        yield Finding.problem("doctor.permissions_nowhere", server=server)
    elif not lacking:
        yield Finding.ok("doctor.permissions", server=server, channels=len(channels))
    for missing in sorted({channel.lacking for channel in lacking}):
        where = listed([f"#{channel.name}" for channel in lacking if channel.lacking == missing])
        words = ", ".join(tell(f"permission.{name}") for name in missing)
        yield Finding.problem(
            "doctor.permissions_missing", server=server, channels=where, permissions=words
        )
