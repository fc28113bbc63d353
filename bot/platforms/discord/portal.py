"""Discord's knowledge of a bot by its token: its name, its servers, its rights there.

Only asks, and only by REST: for setting up and looking over, whether or not a client is connected.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import discord

from bot.core.errors import Broken, Forbidden, Refused, Temporary
from bot.platforms.discord import errors, reading
from bot.platforms.discord.rights import Channel, channels_in

API = "https://discord.com/api/v10"
NEEDED = (*reading.NEEDED, "send_messages_in_threads")
PERMISSIONS = discord.Permissions(**dict.fromkeys((*NEEDED, "add_reactions"), True))
"""The invitation's permissions: those needed, and one that is nice to have."""
SCOPES = ("bot", "applications.commands")
PAGE = 200
"""Servers that one answer lists."""
ASK_TIME = 15.0
PATIENCE = 5.0
"""Seconds that we wait for Discord's sake before we ask once more."""
_TRIES = 3
_MESSAGE_CONTENT = (1 << 18) | (1 << 19)
"""Application flags: the intent for verified bots, and for those in few servers."""
# Discord turns away who does not name its library; ours it is.
_AGENT = f"DiscordBot (https://github.com/Rapptz/discord.py {discord.__version__})"

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The application that a token belongs to, and its bot."""

    application: str
    bot: str
    name: str
    sees_messages: bool
    """Message Content Intent is switched on in the developer portal."""

    @property
    def invitation(self) -> str:
        """The link that adds it to a server, with exactly the permissions it needs."""
        return discord.utils.oauth_url(
            int(self.application), permissions=PERMISSIONS, scopes=SCOPES
        )


@dataclass(frozen=True, slots=True)
class Community:
    """A server that the bot has joined."""

    id: str
    name: str


class Portal:
    """Asks with one token. `date` is what Discord's clock said in the last answer."""

    def __init__(self, session: aiohttp.ClientSession, *, token: str, api_url: str | None) -> None:
        self.date = ""
        self._session = session
        self._headers = {"Authorization": f"Bot {token}", "User-Agent": _AGENT}
        self._api = api_url or API

    async def identity(self) -> Identity:
        """Raises `Broken("discord_token_bad")`."""
        bot = await self._get("/users/@me")
        application = await self._get("/oauth2/applications/@me")
        with _reading():
            return Identity(
                application=str(int(application["id"])),
                bot=str(int(bot["id"])),
                name=str(bot["username"]),
                sees_messages=bool(int(application.get("flags") or 0) & _MESSAGE_CONTENT),
            )

    async def communities(self) -> list[Community]:
        """Every server that the bot has joined."""
        found: list[Community] = []
        while True:
            after = f"&after={found[-1].id}" if found else ""
            page = await self._get(f"/users/@me/guilds?limit={PAGE}{after}")
            with _reading():
                found += [Community(str(each["id"]), str(each["name"])) for each in page]
            if len(page) < PAGE:
                return found

    async def commands(self, identity: Identity) -> list[str]:
        """The names of the registered commands."""
        listed = await self._get(f"/applications/{identity.application}/commands")
        with _reading():
            return [str(each["name"]) for each in listed]

    async def has_commands(self, identity: Identity, community: Community) -> bool:
        """Whether the bot was invited with the scope applications.commands, too."""
        path = f"/applications/{identity.application}/guilds/{community.id}/commands"
        try:
            await self._get(path)
        except Refused:
            return False
        return True

    async def channels(self, identity: Identity, community: Community) -> list[Channel]:
        """The text channels in which the bot may write. `Refused` if that can't be seen."""
        place = f"/guilds/{community.id}"
        guild = await self._get(place)
        member = await self._get(f"{place}/members/{identity.bot}")
        channels = await self._get(f"{place}/channels")
        with _reading():
            return channels_in(guild, member, channels, needed=NEEDED)

    async def _get(self, path: str) -> Any:
        """The answer to one question; asked again where Discord wants us to be slower."""
        for _ in range(_TRIES):
            try:
                status, answer = await self._answer(path)
            except ValueError as error:
                raise errors.Unreadable() from error
            except errors.FOREIGN as error:
                raise errors.Unreachable() from error
            if status != 429:
                break
            asked = answer.get("retry_after") if isinstance(answer, dict) else None
            wait = asked if isinstance(asked, int | float) else PATIENCE
            await asyncio.sleep(min(wait, PATIENCE))
        return _read(status, answer)

    async def _answer(self, path: str) -> tuple[int, Any]:
        url = f"{self._api}{path}"
        async with self._session.get(url, headers=self._headers, allow_redirects=False) as response:
            self.date = response.headers.get("Date", "")
            if response.status >= 500:
                return response.status, None  # often a page of what stands before Discord
            return response.status, await response.json(content_type=None)


@asynccontextmanager
async def open_portal(token: str, *, api_url: str | None = None) -> AsyncIterator[Portal]:
    """A portal for as long as the context lasts."""
    timeout = aiohttp.ClientTimeout(total=ASK_TIME)
    async with aiohttp.ClientSession(
        timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        yield Portal(session, token=token, api_url=api_url)


@contextmanager
def _reading() -> Iterator[None]:
    """An answer of another shape than Discord's comes from something else."""
    try:
        yield
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise errors.Unreadable() from error


def _read(status: int, answer: Any) -> Any:
    match status:
        case 200:
            return answer
        case 401:
            raise Broken("discord_token_bad")
        case 403 | 404 if isinstance(answer, dict) and answer.get("code"):
            raise Forbidden()
        case 429:
            raise Temporary("discord_busy")
        case _:
            raise errors.Unreachable()
