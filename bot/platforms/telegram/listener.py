"""Being there: log in, say which commands there are, and hear what people do until told to stop.

By default we ask Telegram (nothing has to be reachable from outside); as a webhook Telegram tells
us, and gets its "yes" only after what it told was committed.
"""

import asyncio
import hashlib
import json
from functools import partial

from aiogram.types import (
    BotCommand,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    User,
)
from aiohttp import web

from bot import i18n
from bot.core.access import Facts
from bot.core.door import Door
from bot.core.errors import BotError, Refused
from bot.core.ports import Clock
from bot.core.replies import Text
from bot.log import get_logger
from bot.platforms.telegram.client import TelegramPlatform
from bot.platforms.telegram.commands import Commands
from bot.platforms.telegram.drafts import Drafts
from bot.platforms.telegram.errors import WebhookSet, translation
from bot.platforms.telegram.inbox import Inbox, Updates
from bot.platforms.telegram.intake import Intake
from bot.platforms.telegram.line import CALL
from bot.platforms.telegram.webhook import Webhook

PRIVATE = ("video", "animate", "history", "quota", "models", "cancel", "help", "start")
GROUP = ("video", "animate", "cancel", "quota", "models", "help")
"""The menu's commands; owners know theirs."""
REGISTERED = "telegram.commands"

log = get_logger()


class Listener:
    """One account's ears."""

    def __init__(
        self,
        platform: TelegramPlatform,
        *,
        door: Door,
        drafts: Drafts,
        updates: Updates,
        facts: Facts,
        clock: Clock,
        currency: str,
        webhook: str | None,
    ) -> None:
        """`webhook`: our public address, where Telegram shall call us; None: we ask."""
        self._platform = platform
        self._supervisor = platform.supervisor
        self._bot = platform.line.bot
        self._intake = Intake(
            platform,
            door=door,
            drafts=drafts,
            clock=clock,
            currency=currency,
        )
        self._updates = updates
        self._facts = facts
        self._clock = clock
        self._inbox: Inbox | None = None
        self._is_asked_for = False
        """Telegram was told that we ask, by nobody's webhook."""
        self._webhook = (
            Webhook(self._bot, webhook, facts=facts, clock=clock, hears=self._hears)
            if webhook
            else None
        )

    @property
    def routes(self) -> list[web.AbstractRouteDef]:
        """Where Telegram may call."""
        return self._webhook.routes if self._webhook else []

    async def run(self) -> None:
        """Hear until cancelled. Raises `Broken` for a token or an address refused."""
        async with asyncio.TaskGroup() as group:
            await self._supervisor.keep(partial(self._listen, group))

    async def _listen(self, group: asyncio.TaskGroup) -> None:
        """Until Telegram is lost; what is stored already is handled on, beside."""
        if self._inbox is None:
            with translation():
                me = await self._bot.get_me(request_timeout=CALL)
            log.info("telegram.connected", bot=me.username)
            self._inbox = self._opened(me)
            group.create_task(self._inbox.work())
        await self._register()
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

    async def finish(self) -> None:
        """Nothing outlives its row."""

    def _opened(self, me: User) -> Inbox:
        commands = Commands(self._intake, me=me, updates=self._updates)
        return Inbox(
            self._bot,
            self._updates,
            commands.handle,
            clock=self._clock,
            hears=self._hears,
            move=self._platform.line.move,
            excuse=commands.excuse,
        )

    def _hears(self, does: bool) -> None:
        if does:
            self._supervisor.up()
        else:
            self._supervisor.down()

    # --- commands ------------------------------------------------------------------------------

    async def _register(self) -> None:
        """Tell Telegram of the commands, in every language, if they changed."""
        menus = [
            (scope, language, self._menu(names, language or i18n.DEFAULT))
            for scope, names in (
                (BotCommandScopeAllPrivateChats(), PRIVATE),
                (BotCommandScopeAllGroupChats(), GROUP),
            )
            for language in (None, *sorted({name[:2] for name in i18n.languages()}))
        ]
        plain = [[each[0].type, each[1], [it.model_dump() for it in each[2]]] for each in menus]
        known = json.dumps([self._bot.id, plain], sort_keys=True)
        digest = hashlib.sha256(known.encode()).hexdigest()
        if await self._facts.get(REGISTERED) == digest:
            return
        try:
            for scope, language, menu in menus:
                with translation():
                    await self._bot.set_my_commands(
                        menu, scope=scope, language_code=language, request_timeout=CALL
                    )
        except Refused as error:
            # The menu of former times still works; the next start tries again.
            log.error("telegram.commands_refused", code=error.code)
            return
        await self._facts.put(REGISTERED, digest)
        log.info("telegram.commands_registered", count=len(menus))

    def _menu(self, names: tuple[str, ...], language: str) -> list[BotCommand]:
        return [
            BotCommand(command=name, description=i18n.say(Text(id=f"command.{name}"), language))
            for name in names
        ]
