"""Query Discord about a bot by its token: its name, its servers, and its rights there.

For setup and checks, by REST alone: it only reads, and works whether or not a client is connected.
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
"""The permissions in the invitation: those needed, and `add_reactions`, which is optional."""
SCOPES = ("bot", "applications.commands")
PAGE = 200
"""Most servers in one answer."""
ASK_TIME = 15.0
PATIENCE = 5.0
"""Most seconds to wait after a 429 before the retry."""
_TRIES = 3
_MESSAGE_CONTENT = (1 << 18) | (1 << 19)
"""Application flags of the Message Content intent: of verified bots, and of bots in few servers."""
# Discord refuses requests whose User-Agent doesn't name a library. We name ours.
_AGENT = f"DiscordBot (https://github.com/Rapptz/discord.py {discord.__version__})"

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The application that a token belongs to, and its bot."""

    application: str
    bot: str
    name: str
    sees_messages: bool
    """True if the Message Content intent is enabled in the developer portal."""

    @property
    def invitation(self) -> str:
        """Return the link that adds the bot to a server, with the permissions of `PERMISSIONS`."""
        return discord.utils.oauth_url(
            int(self.application), permissions=PERMISSIONS, scopes=SCOPES
        )


@dataclass(frozen=True, slots=True)
class Community:
    """A server that the bot has joined."""

    id: str
    name: str


class Portal:
    """Queries Discord with one token. `date` is the `Date` header of the latest answer."""

    def __init__(self, session: aiohttp.ClientSession, *, token: str, api_url: str | None) -> None:
        self.date = ""
        self._session = session
        self._headers = {"Authorization": f"Bot {token}", "User-Agent": _AGENT}
        self._api = api_url or API

    async def identity(self) -> Identity:
        """Return the token's account. Raises `Broken("discord_token_bad")` for a bad token."""
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
        """Return all servers that the bot has joined."""
        found: list[Community] = []
        while True:
            after = f"&after={found[-1].id}" if found else ""
            page = await self._get(f"/users/@me/guilds?limit={PAGE}{after}")
            with _reading():
                found += [Community(str(each["id"]), str(each["name"])) for each in page]
            if len(page) < PAGE:
                return found

    async def commands(self, identity: Identity) -> list[str]:
        """Return the names of the registered commands."""
        listed = await self._get(f"/applications/{identity.application}/commands")
        with _reading():
            return [str(each["name"]) for each in listed]

    async def has_commands(self, identity: Identity, community: Community) -> bool:
        """Whether the bot was invited with the scope `applications.commands`."""
        path = f"/applications/{identity.application}/guilds/{community.id}/commands"
        try:
            await self._get(path)
        except Refused:
            return False
        return True

    async def channels(self, identity: Identity, community: Community) -> list[Channel]:
        """Return the text channels in which the bot may write. Raises `Refused` if Discord denies
        the query."""
        base = f"/guilds/{community.id}"
        guild = await self._get(base)
        member = await self._get(f"{base}/members/{identity.bot}")
        channels = await self._get(f"{base}/channels")
        with _reading():
            return channels_in(guild, member, channels, needed=NEEDED)

    async def _get(self, path: str) -> Any:
        """Send a GET request and return the answer's body. A 429 is retried."""
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
                return response.status, None  # often an HTML page of a proxy
            return response.status, await response.json(content_type=None)


@asynccontextmanager
async def open_portal(token: str, *, api_url: str | None = None) -> AsyncIterator[Portal]:
    """Open a portal with an HTTP session of its own."""
    timeout = aiohttp.ClientTimeout(total=ASK_TIME)
    async with aiohttp.ClientSession(
        timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        yield Portal(session, token=token, api_url=api_url)


@contextmanager
def _reading() -> Iterator[None]:
    """Raise `Unreadable` for an answer of an unexpected shape."""
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
