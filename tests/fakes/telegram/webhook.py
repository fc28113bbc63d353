"""The webhook: Telegram posts each update to an address of the bot.

It sends one at a time, in order. An update not answered with 2xx stays pending. Telegram retries by
itself after a while; here the test calls `retry`.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import ClientError, ClientSession, ClientTimeout
from yarl import URL

from tests.fakes.streams import Stream

from .calls import Call, Method, bad, method
from .model import Json
from .updates import Update, Updates

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
SECRET_LIMIT = 256
PORTS = (443, 80, 88, 8443)
PATIENCE = 10.0
UNREACHED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One attempt to deliver an update; a status of 0 means that there was no answer."""

    update_id: int
    status: int

    @property
    def is_taken(self) -> bool:
        """Whether the bot accepted the update."""
        return 200 <= self.status < 300


class Webhook:
    """The method setWebhook and the deliveries after it. `deliveries` lists every attempt."""

    def __init__(self, updates: Updates, *, clock: Callable[[], float]) -> None:
        self.deliveries: list[Delivery] = []
        self.delivered: Stream[Delivery] = Stream("delivery")
        self._updates = updates
        self._clock = clock
        self._secret = ""
        self.last_error = ""
        self._failed_at = 0.0
        self._connections = 0
        self._work: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        updates.on_new = self._news.set

    def methods(self) -> list[Method]:
        """Return the table of methods."""
        drop = "drop_pending_updates"
        fields = f"url ip_address max_connections allowed_updates secret_token {drop}"
        return [
            method("setWebhook", fields, self.set),
            method("deleteWebhook", drop, self.delete),
            method("getWebhookInfo", "", self.info),
        ]

    @property
    def url(self) -> str:
        """The address for updates; empty while there is no webhook."""
        return self._updates.webhook_url

    def retry(self) -> None:
        """Retry the updates that were not accepted."""
        self._news.set()

    async def set(self, call: Call) -> bool:
        """Set the webhook's address; an empty one deletes the webhook."""
        if not call.text("url"):
            return await self.delete(call)
        _check_url(call.text("url"))
        secret = call.text("secret_token")
        if len(secret) > SECRET_LIMIT:
            raise bad("secret token is too long")
        if not all(letter.isascii() and (letter.isalnum() or letter in "_-") for letter in secret):
            raise bad("secret token contains unallowed characters")
        await self.delete(call)
        self._updates.allow(call)
        self._updates.interrupt("terminated by setWebhook request")
        self._updates.webhook_url, self._secret = call.text("url"), secret
        self._connections = call.integer("max_connections", 40)
        self._news.set()
        self._work = asyncio.create_task(self._deliver_all())
        return True

    async def delete(self, call: Call) -> bool:
        """Delete the webhook, so that updates wait for getUpdates again."""
        await self.stop()
        self._updates.webhook_url, self.last_error = "", ""
        if call.flag("drop_pending_updates"):
            self._updates.drop_pending()
        return True

    def info(self, _: Call) -> Json:
        """Return the state of the webhook."""
        shown: Json = {"url": self.url, "has_custom_certificate": False}
        shown["pending_update_count"] = len(self._updates.pending)
        if self.url:
            shown |= {"max_connections": self._connections, "ip_address": "127.0.0.1"}
        if self.last_error:
            when = int(self._failed_at)  # kept for ever: a success does not clear it
            shown |= {"last_error_message": self.last_error, "last_error_date": when}
        if self._updates.allowed:
            shown["allowed_updates"] = self._updates.allowed
        return shown

    async def stop(self) -> None:
        """Stop all deliveries."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)
            self._work = None

    async def _deliver_all(self) -> None:
        async with ClientSession(timeout=ClientTimeout(total=PATIENCE)) as http:
            while True:
                await self._news.wait()
                self._news.clear()
                for update in self._updates.pending:
                    if not await self._deliver(http, update):
                        break

    async def _deliver(self, http: ClientSession, update: Update) -> bool:
        headers = {SECRET_HEADER: self._secret} if self._secret else {}
        try:
            async with http.post(self.url, json=update.json, headers=headers) as answer:
                status, reason = answer.status, f"{answer.status} {answer.reason}"
        except (ClientError, TimeoutError) as error:
            status, reason = UNREACHED, type(error).__name__
        delivery = Delivery(update_id=update.id, status=status)
        if delivery.is_taken:
            self._updates.confirm(update)
        else:
            self.last_error = f"Wrong response from the webhook: {reason}"
            self._failed_at = self._clock()
        self.deliveries.append(delivery)
        self.delivered.add(delivery)
        return delivery.is_taken


def _check_url(text: str) -> None:
    url = URL(text)
    if url.host in ("127.0.0.1", "localhost"):
        return  # Telegram can't reach such an address; a test has no other.
    if url.scheme != "https":
        raise bad("bad webhook: An HTTPS URL must be provided for webhook")
    if url.port not in PORTS:
        raise bad("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
