"""Query Telegram about a bot by its token: its name, its webhook, and other programs that poll.

For setup and checks only; nothing is changed at Telegram. It doesn't use aiogram, whose import
takes seconds.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from bot.core.errors import Broken, Refused, Temporary

API = "https://api.telegram.org"
PATH = "/telegram"
"""Path of the webhook below our public address."""
ASK_TIME = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The account that a token belongs to."""

    username: str
    name: str
    sees_everything: bool
    """True if privacy mode is off: the bot receives all messages of its groups."""

    @property
    def address(self) -> str:
        """Return the link that opens a chat with the bot. With `?startgroup=true` the link adds the
        bot to a group."""
        return f"https://t.me/{self.username}"


class Portal:
    """Queries Telegram with one token. `date` is the `Date` header of the latest answer."""

    def __init__(self, session: aiohttp.ClientSession, *, token: str, api_url: str | None) -> None:
        self.date = ""
        self._session = session
        self._id = int(token.partition(":")[0])
        self._base = f"{api_url or API}/bot{token}/"

    async def identity(self) -> Identity:
        """Return the token's account. Raises `Broken("telegram_token_bad")` for a bad token."""
        match await self._ask("getMe"):
            case {"username": str(username), "first_name": str(name), **more}:
                sees = bool(more.get("can_read_all_group_messages"))
                return Identity(username=username, name=name, sees_everything=sees)
            case _:
                raise Temporary("telegram_unreadable")

    async def webhook(self) -> str:
        """Return the URL of the webhook; "" if none is set."""
        match await self._ask("getWebhookInfo"):
            case {"url": str(url)}:
                return url
            case _:
                raise Temporary("telegram_unreadable")

    async def file_path(self) -> str | None:
        """Return the `file_path` that the server gives for the bot's profile picture, or None.

        If it is a path on the server's disk, it contains the token.
        """
        try:
            match await self._ask("getUserProfilePhotos", user_id=self._id, limit=1):
                case {"photos": [[{"file_id": str(file_id)}, *_], *_]}:
                    file = await self._ask("getFile", file_id=file_id)
                case _:
                    return None
        except Temporary:
            return None  # for any refusal: then the path stays unknown
        match file:
            case {"file_path": str(path)}:
                return path
            case _:
                return None

    async def check_listener(self) -> None:
        """Raise `Refused("telegram_another_listens")` if another program is polling for updates.

        The check confirms no updates, but it interrupts a program that is polling. So don't call it
        while our own service runs.
        """
        for _ in range(2):  # the first request ends the other's, the second meets its next one
            await self._ask("getUpdates", timeout=1, limit=1)

    async def _ask(self, method: str, **fields: int | str) -> Any:
        try:
            async with self._session.post(self._base + method, json=fields) as response:
                self.date = response.headers.get("Date", "")
                if response.status >= 500:  # often an HTML page of a proxy
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
    """Open an HTTP session for queries with this token."""
    timeout = aiohttp.ClientTimeout(total=ASK_TIME)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        yield Portal(session, token=token, api_url=api_url)
