"""The bot's profile at Telegram: its commands and descriptions, in every language.

Requests are sent only after a change. Commands for owners appear only in the owners' private chats.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence

from aiogram import Bot
from aiogram.methods import (
    DeleteMyCommands,
    SetMyCommands,
    SetMyDescription,
    SetMyShortDescription,
    TelegramMethod,
)
from aiogram.types import (
    BotCommand,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    BotCommandScopeUnion,
)

from bot import i18n
from bot.core.access import Facts
from bot.core.commands import COMMANDS, Who
from bot.core.entry import Entry
from bot.core.errors import BotError, Refused
from bot.core.replies import Text
from bot.log import get_logger
from bot.platforms.telegram.errors import translation
from bot.platforms.telegram.line import CALL
from bot.platforms.telegram.reading import NAME

PUBLIC, OWNED = "telegram.commands", "telegram.owners"
"""Names of the facts that store a digest of what was sent to Telegram."""
_EVERYBODY = [each for each in COMMANDS.values() if each.who is Who.EVERYBODY]
PRIVATE = (*(each.name for each in _EVERYBODY), "start")
GROUP = tuple(each.name for each in _EVERYBODY if not each.alone)
OWN = (*PRIVATE, *(each.name for each in COMMANDS.values() if each.who is Who.OWNERS))
"""The commands in the menus of private chats (`PRIVATE`), groups, and owners' chats (`OWN`)."""

log = get_logger()

Calls = Sequence[TelegramMethod[bool]]


class Profile:
    """Registers the profile of one bot account."""

    def __init__(self, bot: Bot, *, entry: Entry, facts: Facts) -> None:
        self._bot = bot
        self._entry = entry
        self._facts = facts

    async def show(self) -> None:
        """Register all commands and descriptions. A refusal is logged: the former ones stay."""
        try:
            await self._tell(PUBLIC, list(_public()))
        except Refused as error:
            log.error("telegram.commands_refused", code=error.code)
        await self.show_owners()

    async def show_owners(self) -> None:
        """Register the owners' commands in the chats of the current owners; delete them in those of
        former owners. Errors of Telegram are only logged."""
        owners = [
            each for each in await self._entry.listings.contact.owners(NAME) if each.isdecimal()
        ]
        try:
            former = json.loads(await self._facts.get(f"{OWNED}.ids") or "[]")
            gone = [
                DeleteMyCommands(scope=_chat(each), language_code=language)
                for each in former
                if each not in owners
                for language in _all()
            ]
            own = [_menu(OWN, language, _chat(each)) for each in owners for language in _all()]
            await self._tell(OWNED, [*gone, *own])
            await self._facts.put(f"{OWNED}.ids", json.dumps(owners))
        except BotError as error:
            log.warning("telegram.commands_refused", code=error.code)

    async def _tell(self, fact: str, calls: Calls) -> None:
        plain = [[type(call).__name__, call.model_dump(mode="json")] for call in calls]
        known = json.dumps([self._bot.id, plain], sort_keys=True)
        digest = hashlib.sha256(known.encode()).hexdigest()
        if await self._facts.get(fact) == digest:
            return
        for call in calls:
            with translation():
                await self._bot(call, request_timeout=CALL)
        await self._facts.put(fact, digest)
        log.info("telegram.commands_registered", count=len(calls))


def _public() -> Iterator[TelegramMethod[bool]]:
    for language in _all():
        yield _menu(PRIVATE, language, BotCommandScopeAllPrivateChats())
        yield _menu(GROUP, language, BotCommandScopeAllGroupChats())
        words = i18n.say(Text(id="telegram.description"), language or i18n.DEFAULT)
        yield SetMyDescription(description=words, language_code=language)
        words = i18n.say(Text(id="telegram.short"), language or i18n.DEFAULT)
        yield SetMyShortDescription(short_description=words, language_code=language)


def _menu(names: Sequence[str], language: str | None, scope: BotCommandScopeUnion) -> SetMyCommands:
    said = language or i18n.DEFAULT
    commands = [
        BotCommand(command=name, description=i18n.say(Text(id=f"command.{name}"), said))
        for name in names
    ]
    return SetMyCommands(commands=commands, scope=scope, language_code=language)


def _chat(owner: str) -> BotCommandScopeChat:
    return BotCommandScopeChat(chat_id=int(owner))


def _all() -> tuple[str | None, ...]:
    """Return all language codes, and None, which means all other languages."""
    return (None, *sorted({name[:2] for name in i18n.languages()}))
