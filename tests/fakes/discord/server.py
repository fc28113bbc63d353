"""`FakeDiscord`: one local port that is all of Discord to the bot, and the hands of the test on it.

Put together here, from the world, the desk, the gateway and the CDN; nothing is decided here.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Literal, Self, overload

import yarl
from aiohttp import web

from tests.fakes.streams import Stream, within

from .account import AccountRoutes
from .cdn import Cdn, Download
from .desk import StepContext
from .faults import Faults, Hold
from .gateway import Gateway, Intent
from .interaction import Interaction
from .messages import MessageRoutes
from .model import (
    MEMBER,
    Attachment,
    Channel,
    ChannelType,
    Guild,
    Json,
    Message,
    Permission,
    Role,
    User,
)
from .person import Person
from .responses import ResponseRoutes
from .rest import Request
from .world import World


def _any(_: Any) -> bool:
    return True


class FakeDiscord:
    """Use as `async with FakeDiscord() as discord`.

    A bot, in this process or another, gets `api_url`, `gateway_url` and `token`; it may die and
    identify again at any moment. `clock` gives unix seconds and rules message times, the nonce
    window, links and token lives. Dials such as `nonce_window` are on `world`.
    """

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self.world = World(clock=clock)
        routes = [
            *MessageRoutes(self.world).routes(),
            *ResponseRoutes(self.world).routes(),
            *AccountRoutes(self.world).routes(),
        ]
        self.desk = StepContext(token=self.token, routes=routes, clock=clock)
        self._streams: dict[str, Stream[Any]] = {
            "message": self.world.posted,
            "edit": self.world.edited,
            "delete": self.world.removed,
            "reaction": self.world.reacted,
            "interaction": self.world.acknowledged,
            "request": self.desk.answered,
        }
        self.cdn = Cdn(self.world)
        self.guild = self.add_guild("The Workshop")
        self.channel = self.add_channel(self.guild, "general")
        self._runner = self._build()

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.world.cdn_url = f"http://127.0.0.1:{port}"
        self.gateway.url = f"ws://127.0.0.1:{port}/gw/"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.faults.clear()
        for attachment in self.world.attachments.values():
            attachment.resume()
        await self.gateway.drop()
        await self._runner.cleanup()
        if error is None and self.desk.crashes:
            raise self.desk.crashes[0]

    # ---- where the bot finds it

    @property
    def token(self) -> str:
        """The bot's token, without "Bot "."""
        return self.world.token

    @property
    def api_url(self) -> str:
        """The base of the REST API, as discord.py's Route.BASE."""
        return f"{self.world.cdn_url}/api/v10"

    @property
    def gateway_url(self) -> str:
        """The gateway, as discord.py's DEFAULT_GATEWAY."""
        return self.gateway.url

    @property
    def cdn_url(self) -> str:
        """The origin of attachment links."""
        return self.world.cdn_url

    @contextmanager
    def redirect_dpy(self) -> Iterator[None]:
        """Send the discord.py of this process here, and back where it pointed afterwards."""
        from discord.gateway import DiscordWebSocket
        from discord.http import Route

        before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = self.api_url, yarl.URL(self.gateway_url)
        try:
            yield
        finally:
            Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = before

    # ---- what there is

    def add_guild(self, name: str, *, premium_tier: int = 0, bot_is_member: bool = True) -> Guild:
        """A server. Where the bot is no member, only people who installed the app can use it."""
        return self.world.add_guild(name, premium_tier=premium_tier, bot_is_member=bot_is_member)

    def add_channel(self, guild: Guild, name: str) -> Channel:
        """A text channel."""
        return self.world.add_channel(Channel(id=self.world.ids.next(), name=name, guild=guild))

    def add_group_dm(self, *people: User) -> Channel:
        """A group conversation, in which the bot is never a member."""
        group = ChannelType.GROUP_DM
        number = self.world.ids.next()
        return self.world.add_channel(
            Channel(id=number, name=f"group-{number}", type=group, recipients=people)
        )

    def add_role(self, name: str, guild: Guild | None = None) -> Role:
        """A role in the default guild or another."""
        return self.world.add_role(name, guild or self.guild)

    def remove_channel(self, channel: Channel) -> None:
        """Delete a channel with everything in it."""
        self.world.remove_channel(channel)

    def deny(self, channel: Channel, permission: Permission) -> None:
        """Take rights from the bot in one channel."""
        channel.denied |= permission
        self.world.tell_of(channel, "CHANNEL_UPDATE")

    def allow(self, channel: Channel, permission: Permission) -> None:
        """Give denied rights back."""
        channel.denied &= ~permission
        self.world.tell_of(channel, "CHANNEL_UPDATE")

    def grant(self, intents: Intent) -> None:
        """Grant privileged intents, as the developer portal does."""
        self.gateway.granted |= intents

    def person(
        self,
        name: str,
        *,
        permissions: Permission = MEMBER,
        roles: Sequence[Role] = (),
        locale: str = "en-US",
        installed_app: bool = False,
        home: Channel | None = None,
    ) -> Person:
        """Somebody who acts in `home`, by default the default channel; a member of every guild."""
        person = Person(
            id=self.world.ids.next(),
            name=name,
            permissions=permissions,
            roles=list(roles),
            locale=locale,
            installed_app=installed_app,
            home=home or self.channel,
            world=self.world,
        )
        self.world.users[person.id] = person
        return person

    def attachment(self, content: bytes, filename: str, *, ephemeral: bool = False) -> Attachment:
        """A file on the CDN, to give to a command, a modal or a message."""
        return self.world.store(filename, content, ephemeral=ephemeral)

    # ---- what happened

    @property
    def bot(self) -> User:
        """The bot's account; its id is the application's too."""
        return self.world.bot

    @property
    def commands(self) -> list[Json]:
        """The bot's commands."""
        return self.world.commands

    @property
    def requests(self) -> list[Request]:
        """Every REST request in the order of arrival."""
        return self.desk.requests

    @property
    def unknown_routes(self) -> list[Request]:
        """The requests for which there is no route: a gap in this fake, or a fault in the bot."""
        return self.desk.unknown

    @property
    def downloads(self) -> list[Download]:
        """Every GET of an attachment's link."""
        return self.cdn.downloads

    def messages(self, channel: Channel | None = None) -> list[Message]:
        """The messages in a channel now, in order; ephemeral ones too, "is thinking" not."""
        standing = (channel or self.channel).messages.values()
        return sorted((item for item in standing if not item.loading), key=lambda item: item.id)

    def posts(self, channel: Channel | None = None) -> list[Message]:
        """Those of them that the bot wrote."""
        return [item for item in self.messages(channel) if item.author is self.bot]

    @overload
    async def next(
        self,
        kind: Literal["message", "edit", "delete", "reaction"],
        where: Callable[[Message], bool] = _any,
        timeout: float = 10,
    ) -> Message: ...

    @overload
    async def next(
        self,
        kind: Literal["interaction"],
        where: Callable[[Interaction], bool] = _any,
        timeout: float = 10,
    ) -> Interaction: ...

    @overload
    async def next(
        self,
        kind: Literal["request"],
        where: Callable[[Request], bool] = _any,
        timeout: float = 10,
    ) -> Request: ...

    async def next(
        self, kind: str, where: Callable[[Any], bool] = _any, timeout: float = 10
    ) -> Message | Interaction | Request:
        """The oldest thing of this kind that happened and was not taken yet.

        "message": the bot made one visible. "edit": it changed one. "delete": one is gone.
        "reaction": it put a reaction under one.
        "interaction": it answered one. "request": a REST request came to its end.
        """
        found: Message | Interaction | Request = await self._streams[kind].take(where, timeout)
        return found

    # ---- what the test does to it

    @property
    def faults(self) -> Faults:
        """The faults to come; see `faults`."""
        return self.desk.faults

    def hold(self, method: str, path: str) -> Hold:
        """Stop the next such request when it took effect but is not answered."""
        return self.faults.hold(method, path)

    def hold_before(self, method: str, path: str) -> Hold:
        """Stop the next such request when it arrived but had no effect yet."""
        return self.faults.hold_before(method, path)

    @property
    def gateway(self) -> Gateway:
        """The gateway with its sessions."""
        return self.world.gateway

    async def connected(self, timeout: float = 10) -> None:
        """Return once the bot is on the gateway. After a kill, wait for `disconnected` first."""
        await self.gateway.connected(timeout)

    async def offers(self, timeout: float = 10) -> None:
        """Return once people are offered the bot's commands: on a busy machine that may be later
        than the gateway, as the bot then tries again."""
        await within(timeout, self.world.offers, "the bot registered no commands")

    async def disconnected(self, timeout: float = 10) -> None:
        """Return once no bot is on the gateway."""
        await self.gateway.disconnected(timeout)

    async def drop_gateway(self, *, code: int | None = None, resumable: bool = True) -> None:
        """Cut the gateway, without a word or with a close code; not resumable means that the next
        RESUME is refused and the bot has to identify anew."""
        if not resumable:
            self.gateway.forget()
        await self.gateway.drop(code=code)

    def _build(self) -> web.AppRunner:
        app = web.Application(client_max_size=1 << 30)
        app.router.add_get("/gw/", self.gateway.serve)
        for folder in ("attachments", "ephemeral-attachments"):
            app.router.add_get(f"/{folder}/{{owner}}/{{number}}/{{filename}}", self.cdn.serve)
        app.router.add_route("*", "/api/v10/{path:.*}", self.desk.serve)
        return web.AppRunner(app, access_log=None, shutdown_timeout=1)
