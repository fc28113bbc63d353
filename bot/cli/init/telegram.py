"""Set up Telegram: the token, and the bot's address."""

import asyncio

from bot.cli.init.answer import secret
from bot.cli.init.setup import Setup
from bot.cli.init.talk import Talk
from bot.config.pasted import telegram_token
from bot.platforms.telegram.portal import Identity, open_portal

KEY = ("telegram", "token")


def set_up(talk: Talk, setup: Setup) -> None:
    """Ask until Telegram accepts the token; then print the bot's address."""
    talk.say("init.telegram")
    if setup.get(*KEY) is None:
        talk.say("init.telegram_botfather")
    _, identity = secret(
        talk,
        setup,
        *KEY,
        ask=lambda: talk.ask_secret("init.ask_telegram"),
        read=telegram_token,
        test=lambda token: asyncio.run(_identity(token, setup)),
    )
    talk.say("init.telegram_found", name=identity.name, url=identity.address)


async def _identity(token: str, setup: Setup) -> Identity:
    async with open_portal(token, api_url=setup.get("telegram", "api_url")) as portal:
        return await portal.identity()
