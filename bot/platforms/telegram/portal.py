"""Telegram's knowledge of a bot by its token: its name, and who else asks for its updates.

Only asks: for setting up and looking over. It does without aiogram, which takes seconds to load.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from bot.core.errors import Broken, Refused, Temporary

API = "https://api.telegram.org"
PATH = "/telegram"
"""Where it calls, below our public address."""
ASK_TIME = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The account that a token belongs to."""

    username: str
    name: str
    sees_everything: bool
    """Privacy mode is off: it is told of everything that is said in its groups."""

    @property
    def address(self) -> str:
        """Where people write to it; with `?startgroup=true` it is added to a group."""
        return f"https://t.me/{self.username}"


class Portal:
    """Asks with one token. `date` is what Telegram's clock said in the last answer."""

    def __init__(self, session: aiohttp.ClientSession, *, token: str, api_url: str | None) -> None:
        self.date = ""
        self._session = session
        self._id = int(token.partition(":")[0])
        self._base = f"{api_url or API}/bot{token}/"

    async def identity(self) -> Identity:
        """Raises `Broken("telegram_token_bad")`."""
        match await self._ask("getMe"):
            case {"username": str(username), "first_name": str(name), **more}:
                sees = bool(more.get("can_read_all_group_messages"))
                return Identity(username=username, name=name, sees_everything=sees)
            case _:
                raise Temporary("telegram_unreadable")

    async def webhook(self) -> str:
        """Where Telegram calls somebody; empty where it is asked instead."""
        match await self._ask("getWebhookInfo"):
            case {"url": str(url)}:
                return url
            case _:
                raise Temporary("telegram_unreadable")

    async def file_path(self) -> str | None:
        """Where the server says that a file of the bot's is, its own picture; None without one.

        It holds the token where it is a path on the server's disk.
        """
        try:
            match await self._ask("getUserProfilePhotos", user_id=self._id, limit=1):
                case {"photos": [[{"file_id": str(file_id)}, *_], *_]}:
                    file = await self._ask("getFile", file_id=file_id)
                case _:
                    return None
        except Temporary:
            return None  # whatever it refuses: then this can't be found out
        match file:
            case {"file_path": str(path)}:
                return path
            case _:
                return None

    async def check_listener(self) -> None:
        """Raise `Refused("telegram_another_listens")` if another program asks at this moment.

        Confirms nothing, but interrupts whoever is asking: not for while we run ourselves.
        """
        for _ in range(2):  # the first question ends the other's, the second meets its next one
            await self._ask("getUpdates", timeout=1, limit=1)

    async def _ask(self, method: str, **fields: int | str) -> Any:
        try:
            async with self._session.post(self._base + method, json=fields) as response:
                self.date = response.headers.get("Date", "")
                if response.status >= 500:  # often a page of what stands before Telegram
                    raise Temporary("telegram_unreachable")
                answer = await response.json(content_type=None)
        except ValueError:
            raise Temporary("telegram_unreadable") from None
        except (aiohttp.ClientError, OSError, TimeoutError):
            raise Temporary("telegram_unreachable") from None  # its text would hold the token
        match answer:
            case {"ok": True}:
                return answer.get("result")
            case {"error_code": 401 | 404}:
                raise Broken("telegram_token_bad")
            case {"error_code": 409} if "webhook" not in str(answer.get("description")):
                raise Refused("telegram_another_listens")
            case {"error_code": 409}:
                return []
            case {"error_code": int()}:
                raise Temporary("telegram_unreachable")
            case _:
                raise Temporary("telegram_unreadable")


@asynccontextmanager
async def open_portal(token: str, *, api_url: str | None) -> AsyncIterator[Portal]:
    """Ask with this token for as long as the context lasts."""
    timeout = aiohttp.ClientTimeout(total=ASK_TIME)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        yield Portal(session, token=token, api_url=api_url)
