"""The methods about the bot itself and about the members of a chat."""

import re
from typing import Any

from .access import readable_chat
from .calls import Call, Method, bad, method
from .model import Json, Size
from .payloads import few_rights, full_chat, member, size, user
from .world import World

COMMAND = re.compile(r"[a-z0-9_]{1,32}")
LANGUAGE = re.compile(r"([a-z]{2})?")
MOST_COMMANDS = 100
DESCRIPTION_LIMIT = 256
MOST_DESCRIPTION, MOST_SHORT_DESCRIPTION = 512, 120

WIDE_SCOPES = ("default", "all_private_chats", "all_group_chats", "all_chat_administrators")
NARROW_SCOPES = ("chat", "chat_administrators", "chat_member")

Key = tuple[str, str]
"""A scope, spelt out, or the kind of a description; and a language."""


class Account:
    """The methods getMe, getChat, getChatMember, those of commands and descriptions, and the bot's
    profile picture.
    """

    def __init__(self, world: World) -> None:
        self.picture: tuple[Size, ...] = ()
        self.commands: dict[Key, list[Json]] = {}
        self.descriptions: dict[Key, str] = {}
        self._world = world

    def methods(self) -> list[Method]:
        """Return the table of methods."""
        where = "scope language_code"
        return [
            method("getMe", "", self.get_me),
            method("setMyCommands", f"commands {where}", self.set_commands),
            method("getMyCommands", where, self.get_commands),
            method("deleteMyCommands", where, self.delete_commands),
            method("setMyDescription", "description language_code", self.set_description),
            method("setMyShortDescription", "short_description language_code", self.set_short),
            method("getChat", "chat_id", self.get_chat),
            method("getChatMember", "chat_id user_id", self.get_chat_member),
            method("getUserProfilePhotos", "user_id offset limit", self.get_photos),
        ]

    def get_me(self, _: Call) -> Json:
        """Return the bot's user."""
        return user(self._world.bot) | {
            "can_join_groups": True,
            "can_read_all_group_messages": not self._world.privacy.is_on,
            "supports_inline_queries": False,
            "can_connect_to_business": False,
            "has_main_web_app": False,
        }

    def set_commands(self, call: Call) -> bool:
        """Replace the commands of one scope and language."""
        given = call.parsed("commands", "Can't parse commands JSON object") or []
        if not isinstance(given, list):
            raise bad("Expected an Array of BotCommand")
        key = self._key(call)
        commands = [_checked(command) for command in given]
        if len(commands) > MOST_COMMANDS:
            raise bad("BOT_COMMANDS_TOO_MUCH")
        if len({command["command"] for command in commands}) < len(commands):
            raise bad("BOT_COMMAND_DUPLICATE")
        self.commands[key] = commands
        return True

    def get_commands(self, call: Call) -> list[Json]:
        """Return the commands of exactly one scope and language."""
        return self.commands.get(self._key(call), [])

    def delete_commands(self, call: Call) -> bool:
        """Delete the commands of one scope and language."""
        self.commands.pop(self._key(call), None)
        return True

    def set_description(self, call: Call) -> bool:
        """Set the text that an empty chat shows, in one language."""
        return self._describe(call, "description", MOST_DESCRIPTION)

    def set_short(self, call: Call) -> bool:
        """Set the text on the bot's profile page, in one language."""
        return self._describe(call, "short_description", MOST_SHORT_DESCRIPTION)

    def get_chat(self, call: Call) -> Json:
        """Return a chat."""
        return full_chat(readable_chat(self._world, call))

    def get_chat_member(self, call: Call) -> Json:
        """Return the membership of a user in a chat."""
        chat = readable_chat(self._world, call)
        if call.integer("user_id") <= 0:
            raise bad("Invalid user_id specified")
        known = self._world.users.get(call.integer("user_id"))
        if known is None:
            raise bad("PARTICIPANT_ID_INVALID")
        shown = member(known, chat.standing(known))
        return few_rights(shown) if self._world.quirks.knows_few_rights else shown

    def get_photos(self, call: Call) -> Json:
        """Return the bot's profile picture; people here have none."""
        if call.integer("user_id") not in self._world.users:
            raise bad("user not found")
        ours = self.picture and call.integer("user_id") == self._world.bot.id
        photos = [[size(each) for each in self.picture]] if ours else []
        return {"total_count": len(photos), "photos": photos}

    def _describe(self, call: Call, field: str, most: int) -> bool:
        words = call.text(field).strip()
        if len(words) > most:
            raise bad(f"{field.replace('_', ' ').capitalize()} length must not exceed {most}")
        self.descriptions[field, _language(call)] = words
        return True

    def _key(self, call: Call) -> Key:
        language = _language(call)
        scope = call.parsed("scope", "Can't parse BotCommandScope JSON object")
        if scope is None:
            return "default", language
        return self._scope(call, scope), language

    def _scope(self, call: Call, scope: Any) -> str:
        if not isinstance(scope, dict):
            raise bad("Can't parse BotCommandScope: BotCommandScope must be an Object")
        kind = str(scope.get("type"))
        if kind in WIDE_SCOPES:
            return kind
        if kind not in NARROW_SCOPES:
            raise bad("Can't parse BotCommandScope: Unsupported type specified")
        place = Call(
            method=call.method, at=call.at, raw={"chat_id": str(scope.get("chat_id") or "")}
        )
        chat = readable_chat(self._world, place)
        if kind != "chat" and chat.is_private:
            raise bad("Can't use specified scope in private chats")
        if kind != "chat_member":
            return f"{kind} {chat.id}"
        if not isinstance(scope.get("user_id"), int):
            raise bad("Can't parse BotCommandScope: Invalid user_id specified")
        return f"{kind} {chat.id} {scope['user_id']}"


def _language(call: Call) -> str:
    language = call.text("language_code")
    if not LANGUAGE.fullmatch(language):
        raise bad("Invalid language code specified")
    return language


def _checked(command: Any) -> Json:
    if not isinstance(command, dict):
        raise bad("Can't parse BotCommand: expected an Object")
    for name in ("command", "description"):
        if not isinstance(command.get(name), str):
            raise bad(f"Can't parse BotCommand: Can't find field \"{name}\"")
    name = command["command"].strip().removeprefix("/")
    description = command["description"].strip()
    if not name:
        raise bad("Command must be non-empty")
    if not COMMAND.fullmatch(name):
        raise bad("BOT_COMMAND_INVALID")
    if not description:
        raise bad("Command description must be non-empty")
    if len(description) > DESCRIPTION_LIMIT:
        raise bad(f"Command description length must not exceed {DESCRIPTION_LIMIT}")
    return {"command": name, "description": description}
