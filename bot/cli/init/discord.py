"""Set up Discord: the token, the invitation, the first server."""

import asyncio
from collections.abc import Awaitable, Callable

from bot.cli.init.answer import Found, secret
from bot.cli.init.setup import Setup
from bot.cli.init.talk import Skipped, Talk
from bot.cli.words import listed, tell
from bot.config.pasted import bot_token
from bot.core.errors import Broken, Temporary
from bot.platforms.discord.portal import Community, Identity, Portal, open_portal

CHECK_EVERY = 2.0
"""Seconds between two checks of which servers the bot is in."""
KEY = ("discord", "token")


def set_up(talk: Talk, setup: Setup) -> bool:
    """Ask until Discord accepts the token, then wait until the bot is in a server.

    The person may skip the wait. Return False if the person does not want Discord.
    """
    talk.say("init.discord")
    try:
        token, identity = _token(talk, setup)
    except Skipped:
        return False
    talk.say("init.bot_found", name=identity.name)
    if setup.get("discord", "message_content_intent") and not identity.sees_messages:
        talk.complain(Broken("discord_intents"))
    _invite(talk, setup, token, identity)
    return True


def _token(talk: Talk, setup: Setup) -> tuple[str, Identity]:
    if setup.get(*KEY) is None:
        talk.say("init.discord_portal")
    return secret(
        talk,
        setup,
        *KEY,
        ask=lambda: talk.ask_secret_or_skip("init.ask_token"),
        read=bot_token,
        test=lambda token: _asked(setup, token, Portal.identity),
    )


def _invite(talk: Talk, setup: Setup, token: str, identity: Identity) -> None:
    communities = _asked(setup, token, Portal.communities)
    if communities:
        talk.say("init.joined", name=identity.name, servers=_names(communities))
        _check_scope(talk, setup, token, identity, communities)
        return
    talk.say("init.invite", name=identity.name, url=identity.invitation)
    if setup.get("gateways"):
        return  # the person has passed this step before: don't wait again
    talk.lead(tell("init.waiting"))
    while not communities:
        if talk.is_skipped(CHECK_EVERY):
            talk.say("init.not_joined")
            return
        try:
            communities = _asked(setup, token, Portal.communities)
        except Temporary:
            continue
    talk.say("init.joined", name=identity.name, servers=_names(communities))
    _check_scope(talk, setup, token, identity, communities)


def _check_scope(
    talk: Talk, setup: Setup, token: str, identity: Identity, communities: list[Community]
) -> None:
    """Report an invitation without commands, the most common mistake. This is only a warning."""
    first = communities[0]
    if not _asked(setup, token, lambda portal: portal.has_commands(identity, first)):
        talk.say("doctor.scope_missing", server=first.name, url=identity.invitation)


def _names(communities: list[Community]) -> str:
    return listed([community.name for community in communities])


def _asked(setup: Setup, token: str, question: Callable[[Portal], Awaitable[Found]]) -> Found:
    async def ask() -> Found:
        async with open_portal(token, api_url=setup.get("discord", "api_url")) as portal:
            return await question(portal)

    return asyncio.run(ask())
