"""Read from updates where the bot was added, removed or blocked.

The raw update is read, without aiogram's types: the other fields of a member differ between
versions of the Bot API server.
"""

from collections.abc import Mapping
from typing import Any

from bot import i18n
from bot.core.orders import Address
from bot.platforms.telegram.reading import NAME, locale_named


def left(data: Mapping[str, Any]) -> Address | None:
    """Return the place where the bot was removed or blocked, if the update reports that."""
    match data:
        case {
            "my_chat_member": {
                "chat": {"id": int(chat), "type": str(kind)},
                "new_chat_member": {"status": "left" | "kicked"},
            }
        }:
            community = None if kind == "private" else str(chat)
            return Address(platform=NAME, channel=str(chat), community=community)
        case _:
            return None


def joined(data: Mapping[str, Any]) -> Address | None:
    """Return the group that added the bot, if the update reports that. A group that only made the
    bot an admin doesn't count."""
    match data:
        case {
            "my_chat_member": {
                "chat": {"id": int(chat), "type": "group" | "supergroup"},
                "old_chat_member": {"status": "left" | "kicked"},
                "new_chat_member": {"status": "member" | "administrator"},
            }
        }:
            return Address(platform=NAME, channel=str(chat), community=str(chat))
        case _:
            return None


def locale_of_adder(data: Mapping[str, Any]) -> str:
    """Return the language of the person who added the bot, else the default."""
    match data:
        case {"my_chat_member": {"from": {"language_code": str(code)}}}:
            return locale_named(code)
        case _:
            return i18n.DEFAULT
