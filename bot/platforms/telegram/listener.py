"""The listener: log in to Telegram, register the commands, and receive updates until cancelled.

The default is long polling, which needs no public address. With a webhook, Telegram sends each
update to us; it gets a 200 only after the update was committed.
"""

import asyncio
from functools import partial

from bot.core.access import Facts
from bot.core.entry import Entry
from bot.core.errors import BotError
from bot.core.ports import Clock
from bot.log import get_logger
from bot.platforms.telegram.client import TelegramPlatform
from bot.platforms.telegram.commands import Commands
from bot.platforms.telegram.errors import WebhookSet, translation
from bot.platforms.telegram.inbox import Inbox, Updates
from bot.platforms.telegram.intake import Intake
from bot.platforms.telegram.line import CALL
from bot.platforms.telegram.profile import Profile
from bot.platforms.telegram.proposals import Proposals
from bot.platforms.telegram.webhook import Webhook

log = get_logger()


class Listener:
    """Receives the updates of one bot account."""

    def __init__(
        self,
        platform: TelegramPlatform,
        *,
        entry: Entry,
        proposals: Proposals,
        updates: Updates,
        facts: Facts,
        clock: Clock,
        currency: str,
        webhook: str | None,
    ) -> None:
        """Build the listener. `webhook` is our public address; None means long polling."""
        self._platform = platform
        self._supervisor = platform.supervisor
        self._bot = platform.line.bot
        self._intake = Intake(
            platform, entry=entry, proposals=proposals, clock=clock, currency=currency
        )
        self._profile = Profile(self._bot, entry=entry, facts=facts)
        self._updates = updates
        self._clock = clock
        self._inbox: Inbox | None = None
        self._is_asked_for = False
        """True if any webhook was deleted, so that long polling is possible."""
        self._webhook = (
            Webhook(self._bot, webhook, facts=facts, clock=clock, hears=self._hears)
            if webhook
            else None
        )
        self.routes = self._webhook.routes if self._webhook else []
        """The HTTP routes of the webhook."""

    async def run(self) -> None:
        """Receive updates until cancelled. Raises `Broken` for a refused token or address."""
        async with asyncio.TaskGroup() as group:
            await self._supervisor.keep(partial(self._listen, group))

    async def _listen(self, group: asyncio.TaskGroup) -> None:
        """Receive updates until the connection fails. `group` handles stored updates meanwhile."""
        if self._inbox is None:
            with translation():
                me = await self._bot.get_me(request_timeout=CALL)
            log.info("telegram.connected", bot=me.username)
            commands = Commands(
                self._intake, me=me, updates=self._updates, claimed=self._profile.show_owners
            )
            self._inbox = Inbox(
                self._bot,
                self._updates,
                commands.handle,
                clock=self._clock,
                hears=self._hears,
                move=self._platform.line.move,
                excuse=commands.excuse,
            )
            group.create_task(self._inbox.work())
        await self._profile.show()
        if self._webhook:
            await self._webhook.open(self._inbox)
            await self._webhook.watch()
        else:
            await self._ask(self._inbox)

    async def _ask(self, inbox: Inbox) -> None:
        if not self._is_asked_for:
            with translation():
                await self._bot.delete_webhook(request_timeout=CALL)
            self._is_asked_for = True
        try:
            await inbox.ask()
        except BotError as error:
            self._is_asked_for = not isinstance(error, WebhookSet)
            raise

    def _hears(self, does: bool) -> None:
        if does:
            self._supervisor.up()
        else:
            self._supervisor.down()
