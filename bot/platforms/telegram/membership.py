"""Membership: where we are let in and sent away, as Telegram tells it.

It is read as it came: what else is said of members differs from server to server.
"""

from collections.abc import Mapping
from typing import Any

from bot import i18n
from bot.core.orders import Address
from bot.platforms.telegram.reading import NAME, locale_named


def left(data: Mapping[str, Any]) -> Address | None:
    """The place that we were thrown out of, or blocked in, if an update says so."""
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
    """The group that let us in, if an update says so: not the one where we only became admin."""
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
    """The language of whoever let us in."""
    match data:
        case {"my_chat_member": {"from": {"language_code": str(code)}}}:
            return locale_named(code)
        case _:
            return i18n.DEFAULT
