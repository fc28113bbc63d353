"""The Discord half of setting up: the token, the invitation, the first server."""

import asyncio

from bot import log
from bot.cli.init.draft import Draft
from bot.cli.init.talk import Talk
from bot.cli.words import listed
from bot.config import Problem
from bot.config.problems import variable
from bot.config.settings import bot_token
from bot.core.errors import BotError, Broken, Temporary
from bot.platforms.discord.portal import Community, Identity, open_portal

LOOK_EVERY = 2.0
"""Seconds between two looks at where the bot is."""
KEY = ("discord", "token")


def set_up(talk: Talk, draft: Draft) -> None:
    """Ask until Discord takes the token, then until the bot is in a server."""
    talk.say("init.discord")
    token, identity = _token(talk, draft)
    talk.say("init.bot_found", name=identity.name)
    if draft.get("discord", "message_content_intent") and not identity.sees_messages:
        talk.complain(Broken("discord_intents"))
    _invite(talk, draft, token, identity)


def _token(talk: Talk, draft: Draft) -> tuple[str, Identity]:
    given = draft.get(*KEY)
    if given is None:
        talk.say("init.discord_portal")
    while True:
        pasted = given or talk.ask_secret("init.ask_token")
        given = None
        try:
            token = bot_token(str(pasted))
            log.configure(level="ERROR", secrets=[token])
            identity = asyncio.run(_identity(token, draft))
        except ValueError as error:
            values = {"variable": variable(".".join(KEY))}
            talk.complain(Problem(".".join(KEY), str(error), values))
        except BotError as error:
            talk.complain(error)
        else:
            draft.keep(token, *KEY)
            return token, identity
        draft.check_ours(*KEY)


def _invite(talk: Talk, draft: Draft, token: str, identity: Identity) -> None:
    communities = asyncio.run(_communities(token, draft))
    if communities:
        talk.say("init.joined", name=identity.name, servers=_names(communities))
        _check_scope(talk, draft, token, identity, communities)
        return
    talk.say("init.invite", name=identity.name, url=identity.invitation)
    if draft.get("gateways"):
        return  # whoever has got past this question once is not kept waiting again
    talk.say("init.waiting")
    while not communities:
        if talk.is_skipped(LOOK_EVERY):
            talk.say("init.not_joined")
            return
        try:
            communities = asyncio.run(_communities(token, draft))
        except Temporary:
            continue
    talk.say("init.joined", name=identity.name, servers=_names(communities))
    _check_scope(talk, draft, token, identity, communities)


def _check_scope(
    talk: Talk, draft: Draft, token: str, identity: Identity, communities: list[Community]
) -> None:
    """An invitation without commands is the commonest wrong one; nothing else hangs on it."""
    first = communities[0]
    if not asyncio.run(_has_commands(token, draft, identity, first)):
        talk.say("doctor.scope_missing", server=first.name, url=identity.invitation)


def _names(communities: list[Community]) -> str:
    return listed([community.name for community in communities])


async def _identity(token: str, draft: Draft) -> Identity:
    async with open_portal(token, api_url=draft.get("discord", "api_url")) as portal:
        return await portal.identity()


async def _communities(token: str, draft: Draft) -> list[Community]:
    async with open_portal(token, api_url=draft.get("discord", "api_url")) as portal:
        return await portal.communities()


async def _has_commands(token: str, draft: Draft, identity: Identity, community: Community) -> bool:
    async with open_portal(token, api_url=draft.get("discord", "api_url")) as portal:
        return await portal.has_commands(identity, community)
