"""The chat networks that are switched on, each behind the same interface (`Chat`).

Each network runs under its own supervisor: a network that can't be reached does not stop the
others. Each network is built by its own function, and only that function imports its package, so
a network that is switched off costs nothing. To add a network, add a function here and a table in
the configuration.
"""

from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiohttp.web import AbstractRouteDef

from bot.config import Config
from bot.core.entry import Entry
from bot.core.errors import Broken
from bot.core.platforms import Platform
from bot.core.ports import Clock
from bot.core.supervision import Supervisor
from bot.parts import Parts
from bot.store.handles import Handles
from bot.store.proposals import Proposals
from bot.store.updates import Updates


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """The receiving half of a network. It is made once the service that takes orders exists."""

    run: Callable[[], Coroutine[Any, Any, None]]
    """Receive from the network until cancelled."""
    finish: Callable[[], Awaitable[None]] | None = None
    """Wait for work that continues after its answer was sent; None if there is no such work."""
    routes: Sequence[AbstractRouteDef] = ()
    path: str = ""
    """The path of the page that people open in a browser; empty if there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """A network: the platform that posts, and the function that makes its receiving half."""

    platform: Platform
    listen: Callable[[Entry], Receiver]
    private: bool = False
    """True if only the operator can reach this network. Access is open then, without an owner."""


CHECK_EVERY = 0.2
"""Seconds between two checks whether a network has accepted our login."""
Open = Callable[[Parts], AbstractAsyncContextManager[Chat]]


def switched_on(config: Config) -> list[Open]:
    """Return the function that opens each configured network. Raises `Broken` if there is none."""
    known: Mapping[str, Open] = {
        "discord": _discord,
        "telegram": _telegram,
        "playground": _playground,
    }
    if not config.platforms:
        raise Broken("platform_missing")
    return [known[name] for name in config.platforms]


def hearing(
    intakes: Sequence[Receiver],
    chats: Sequence[Chat],
    code: str | None,
    announce: Callable[[str], None],
    clock: Clock,
) -> Iterator[Coroutine[Any, Any, None]]:
    """Yield the loops that receive from networks, and one that announces the first owner's code.

    `code` is None if there is nothing to announce.
    """
    yield from (intake.run() for intake in intakes)
    if code:
        public = [chat.platform for chat in chats if not chat.private]
        yield _announced(code, public, announce, clock)


async def _announced(
    code: str, platforms: Sequence[Platform], announce: Callable[[str], None], clock: Clock
) -> None:
    """Announce the code once a network is connected.

    If the port is taken or the token is refused, the process ends before a code was announced.
    """
    while not any([await platform.is_connected() for platform in platforms]):
        await clock.sleep(CHECK_EVERY)
    announce(code)


@asynccontextmanager
async def _discord(parts: Parts) -> AsyncIterator[Chat]:
    from bot.platforms.discord.client import DiscordOptions, DiscordPlatform
    from bot.platforms.discord.commands import Commands

    table = parts.config.settings.discord
    assert table.token is not None
    settings = DiscordOptions(
        token=table.token.get_secret_value(),
        api_url=table.api_url,
        gateway_url=table.gateway_url,
        message_content=table.message_content_intent,
        upload_limit=round(table.upload_limit_mib * 1024 * 1024),
    )
    async with DiscordPlatform(settings, clock=parts.clock) as platform:

        def listen(entry: Entry) -> Receiver:
            commands = Commands(
                platform,
                entry=entry,
                facts=parts.store.settings,
                clock=parts.clock,
                stored=parts.studio.file,
                link=parts.pages.link,
            )
            return Receiver(run=commands.run, finish=commands.finish)

        yield Chat(platform=platform, listen=listen)


@asynccontextmanager
async def _telegram(parts: Parts) -> AsyncIterator[Chat]:
    from bot.platforms.telegram import albums
    from bot.platforms.telegram.client import TelegramOptions, TelegramPlatform
    from bot.platforms.telegram.listener import Listener

    table = parts.config.settings.telegram
    settings = TelegramOptions(
        token=table.token.get_secret_value() if table.token else "",
        api_url=table.api_url,
        local=table.local,
        upload_limit=round(table.upload_limit_mb * 1_000_000),
    )
    async with TelegramPlatform(
        settings,
        posts=parts.store.posts,
        handles=Handles(parts.store.database, settings.account),
        communities=parts.store.communities,
        stored=parts.studio.file,
        small_still=parts.studio.small_still,
        link=parts.pages.link,
        ways=parts.accounts.ways,
        clock=parts.clock,
    ) as platform:

        def listen(entry: Entry) -> Receiver:
            listener = Listener(
                platform,
                entry=entry,
                proposals=Proposals(parts.store.database),
                updates=Updates(parts.store.database, settings.account, keeps=albums.kept),
                facts=parts.store.settings,
                clock=parts.clock,
                currency=parts.config.settings.currency,
                webhook=parts.config.settings.web.public_url if table.webhook else None,
            )
            return Receiver(run=listener.run, routes=listener.routes)

        yield Chat(platform=platform, listen=listen)


@asynccontextmanager
async def _playground(parts: Parts) -> AsyncIterator[Chat]:
    from bot.platforms.playground.client import PlaygroundPlatform
    from bot.platforms.playground.commands import RoomCommands
    from bot.platforms.playground.routes import RoomRoutes

    async with PlaygroundPlatform(
        parts.config.data_dir / "playground",
        clock=parts.clock,
        stored=parts.studio.file,
        viewable=parts.studio.viewable,
    ) as platform:

        def listen(entry: Entry) -> Receiver:
            commands = RoomCommands(
                platform, entry=entry, note=parts.note, currency=parts.config.settings.currency
            )
            room_routes = RoomRoutes(platform, commands, clock=parts.clock)
            supervisor = Supervisor(platform.name, clock=parts.clock)
            return Receiver(
                run=partial(supervisor.keep, room_routes.run),
                finish=commands.finish,
                routes=room_routes.routes,
                path=room_routes.path,
            )

        yield Chat(platform=platform, listen=listen, private=True)
