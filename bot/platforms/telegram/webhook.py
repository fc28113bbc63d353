"""The webhook: receives updates from Telegram, and watches that Telegram still sends them.

Anyone who has the token can change or delete the webhook. Then calls just stop. So the state of the
webhook is requested from Telegram at intervals.
"""

import hmac
import json
import secrets
from collections.abc import Callable
from datetime import datetime

from aiogram import Bot
from aiogram.types import WebhookInfo
from aiohttp import web

from bot.core.access import Facts
from bot.core.errors import BotError, Broken, Refused
from bot.core.ports import Clock
from bot.log import get_logger
from bot.platforms.telegram.errors import translation
from bot.platforms.telegram.inbox import KINDS, Inbox
from bot.platforms.telegram.line import CALL
from bot.platforms.telegram.portal import PATH

SECRET = "telegram.webhook_secret"  # noqa: S105 - the name of a fact
HEADER = "X-Telegram-Bot-Api-Secret-Token"
CHECK_EVERY = 300.0
"""Seconds between two checks of the webhook. Telegram retries a failed call within two minutes, so
during an outage each check finds a new failure."""

log = get_logger()


class Webhook:
    """The webhook of one bot account."""

    def __init__(
        self, bot: Bot, public: str, *, facts: Facts, clock: Clock, hears: Callable[[bool], None]
    ) -> None:
        """Build the webhook. `public` is our public address; `hears` is told if calls reach us."""
        self._bot = bot
        self._address = f"{public}{PATH}"
        self._facts = facts
        self._clock = clock
        self._hears = hears
        self._inbox: Inbox | None = None
        self._secret = b""
        self._failed_at: datetime | None = None
        self._told: set[str] = set()
        """Events already logged in the current outage."""

    @property
    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the HTTP route of the webhook."""
        return [web.post(PATH, self._called)]

    async def open(self, inbox: Inbox) -> None:
        """Register the webhook at Telegram; updates go to `inbox`.

        Raises `Broken("telegram_webhook_refused")` if Telegram refuses the address.
        """
        self._inbox = inbox
        secret = await self._facts.get(SECRET)
        if secret is None:
            secret = secrets.token_urlsafe(32)
            await self._facts.put(SECRET, secret)
        self._secret = secret.encode()
        try:
            await self._set()
        except Refused:
            raise Broken("telegram_webhook_refused") from None
        self._hears(True)

    async def watch(self) -> None:
        """Check the webhook at intervals until cancelled. Raises `Broken` for a bad token."""
        while True:
            await self._clock.sleep(CHECK_EVERY)
            try:
                is_called = await self._is_called()
                self._hears(is_called)
            except Broken:
                raise
            except BotError as error:
                self._hears(False)
                self._warn("telegram.webhook_unknown", code=error.code)
            else:
                if is_called:
                    self._told.clear()

    async def _set(self) -> None:
        """Register our address and the secret that Telegram sends with each call."""
        with translation():
            await self._bot.set_webhook(
                self._address,
                secret_token=self._secret.decode(),
                allowed_updates=list(KINDS),
                request_timeout=CALL,
            )

    async def _is_called(self) -> bool:
        with translation():
            info = await self._bot.get_webhook_info(request_timeout=CALL)
        if info.url != self._address:
            self._hears(False)
            self._warn("telegram.webhook_lost", elsewhere=bool(info.url))
            await self._set()
            return False  # until the next check confirms it: another program may set its own
        return not self._fails(info)

    def _fails(self, info: WebhookInfo) -> bool:
        """Whether calls failed since the last check. Telegram never clears its latest failure."""
        before, self._failed_at = self._failed_at, info.last_error_date
        if not info.pending_update_count or info.last_error_date in (None, before):
            return False
        self._warn(
            "telegram.not_called",
            waiting=info.pending_update_count,
            why=_plain(info.last_error_message or ""),
        )
        return True

    def _warn(self, event: str, **values: object) -> None:
        """Log a warning once per outage."""
        if event not in self._told:
            self._told.add(event)
            log.warning(event, **values)

    async def _called(self, request: web.Request) -> web.Response:
        """Store one update and answer 200. After any other status Telegram retries the call."""
        given = request.headers.get(HEADER, "").encode(errors="replace")
        if self._inbox is None or not self._secret:
            raise web.HTTPServiceUnavailable
        if not hmac.compare_digest(given, self._secret):
            raise web.HTTPForbidden
        try:
            update = json.loads(await request.read())
        except ValueError as error:
            raise web.HTTPBadRequest from error
        await self._inbox.take([update])
        return web.Response()


def _plain(message: str) -> str:
    """Return Telegram's message without words that may contain a URL."""
    return " ".join(word for word in message.split() if word.strip(":,").isalnum())
