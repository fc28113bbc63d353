"""Routes for the bot's account: its user, its commands, and the guilds and people that it asks
about.
"""

import re

from . import payloads
from .model import Guild, Json
from .rest import Body, Refused, Request, Route, invalid
from .world import World

SLASH = 1
COMMAND_NAME = re.compile(r"[-_'\w]{1,32}")


class AccountRoutes:
    """The routes for login, command registration and look-ups."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Return the table of routes."""
        return [
            Route("GET", "/users/@me", lambda _: payloads.user(self._world.bot)),
            Route("GET", "/oauth2/applications/@me", self.application),
            Route("GET", "/applications/@me", self.application),
            Route("GET", "/gateway", lambda _: {"url": self._world.gateway.url}),
            Route("GET", "/gateway/bot", self.gateway),
            Route("GET", "/applications/{app}/commands", self.commands),
            Route("PUT", "/applications/{app}/commands", self.register),
            Route("GET", "/applications/{app}/guilds/{guild}/commands", self.guild_commands),
            Route("GET", "/users/@me/guilds", self.guilds),
            Route("GET", "/users/{user}", self.user),
            Route("GET", "/guilds/{guild}", self.guild),
            Route("GET", "/guilds/{guild}/channels", self.channels),
            Route("GET", "/guilds/{guild}/members/{user}", self.member),
        ]

    def application(self, _: Request) -> Body:
        """Return the application of the bot."""
        return payloads.application(self._world.bot, flags=self._world.application_flags)

    def gateway(self, _: Request) -> Body:
        """Return the gateway's address and the limit of sessions."""
        left = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
        return {"url": self._world.gateway.url, "shards": 1, "session_start_limit": left}

    def commands(self, _: Request, app: int) -> Body:
        """Return the bot's global commands."""
        return self._world.commands

    def guild_commands(self, _: Request, app: int, guild: int) -> Body:
        """Return the guild's own commands, always none.

        Refuse a bot that was invited without the scope for commands.
        """
        if not self._joined(guild).commands_scope:
            raise Refused(403, 50001, "Missing Access")
        return []

    def guilds(self, request: Request) -> Body:
        """Return a page of the guilds that the bot is in, ordered by id."""
        after, limit = int(request.query.get("after", 0)), int(request.query.get("limit", 200))
        joined = [guild for guild in self._world.guilds.values() if guild.bot_is_member]
        page = sorted((g for g in joined if g.id > after), key=lambda guild: guild.id)[:limit]
        return [payloads.guild_listed(guild) for guild in page]

    def register(self, request: Request, app: int) -> Body:
        """Replace all commands by the given ones.

        A command that keeps type and name keeps its id.
        """
        known = {_identity(command): command["id"] for command in self._world.commands}
        for command in request.json:
            _check_command(command)
        if len({_identity(command) for command in request.json}) < len(request.json):
            raise invalid("name", "Application command names must be unique")
        self._world.commands = [
            {"type": SLASH, "description": "", "default_member_permissions": None}
            | command
            | {
                "id": known.get(_identity(command)) or str(self._world.ids.next()),
                "application_id": str(app),
                "version": str(self._world.ids.next()),
            }
            for command in request.json
        ]
        self._world.offers.set()
        return self._world.commands

    def user(self, _: Request, user: int) -> Body:
        """Return a user by id."""
        found = self._world.users.get(user)
        if found is None:
            raise Refused(404, 10013, "Unknown User")
        return payloads.user(found)

    def guild(self, _: Request, guild: int) -> Body:
        """Return a guild that the bot is in."""
        return payloads.guild(self._joined(guild), self._world.bot)

    def channels(self, _: Request, guild: int) -> Body:
        """Return the channels of a guild."""
        return [payloads.channel(each, self._world.bot) for each in self._joined(guild).channels]

    def member(self, _: Request, guild: int, user: int) -> Body:
        """Return a guild member; every user is a member of every guild."""
        found = self._world.users.get(user)
        if found is None:
            raise Refused(404, 10007, "Unknown Member")
        return payloads.member(found, self._joined(guild)) | {"user": payloads.user(found)}

    def _joined(self, number: int) -> Guild:
        found = self._world.guilds.get(number)
        if found is None or not found.bot_is_member:
            raise Refused(404, 10004, "Unknown Guild")
        return found


def _identity(command: Json) -> tuple[int, str]:
    return command.get("type", SLASH), command["name"]


def _check_command(command: Json) -> None:
    if command.get("type", SLASH) != SLASH:
        if not 1 <= len(command["name"]) <= 32 or command.get("description"):
            raise invalid("name", "Context menus have a name of 1 to 32 and no description.")
        return
    _check_named(command)


def _check_named(item: Json) -> None:
    """Check name and description of a slash command or option, and of all its options."""
    if not COMMAND_NAME.fullmatch(item["name"]) or item["name"] != item["name"].lower():
        raise invalid("name", "Command name is invalid", "APPLICATION_COMMAND_INVALID_NAME")
    if not 1 <= len(item.get("description") or "") <= 100:
        raise invalid("description", "Must be between 1 and 100 in length.")
    if len(item.get("options") or ()) > 25 or len(item.get("choices") or ()) > 25:
        raise invalid("options", "Must be 25 or fewer in length.")
    for option in item.get("options") or ():
        _check_named(option)
