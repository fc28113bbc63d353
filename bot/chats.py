"""The chat networks that are switched on, each as one part with the same handles, and each under a
supervisor of its own: one that can't be reached takes nobody else down.

Every network is built by its own function, which alone imports it: what is switched off costs
nothing. A new one is one more function here, and one more table in the configuration.
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
from pathlib import Path
from typing import Any

from aiohttp.web import AbstractRouteDef

from bot.config import Config
from bot.core.access import Facts
from bot.core.door import Door
from bot.core.errors import Broken
from bot.core.jobs import Job
from bot.core.ports import Clock, Platform, Posts
from bot.core.posting import Link
from bot.core.replies import Reply, Ways
from bot.core.supervision import Supervisor
from bot.store.communities import Communities
from bot.store.database import Database
from bot.store.drafts import Drafts
from bot.store.handles import Handles
from bot.store.updates import Updates

Card = Callable[[Job], Awaitable[Reply]]
"""Draws the card of a job as it is now: where a command's own answer becomes the card."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """The parts of the service that any network may need."""

    config: Config
    clock: Clock
    posts: Posts
    facts: Facts
    stored: Callable[[str], AbstractAsyncContextManager[Path]]
    viewable: Callable[[Path], AbstractAsyncContextManager[Path]]
    link: Callable[[Job], Link | None]
    ways: Callable[[Job, bool], Awaitable[Ways]]
    database: Database
    note: str
    """The line on top of the room: that its videos are paid for, say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """The half that hears people: it comes to life once there is a service to hand orders to."""

    run: Callable[[], Coroutine[Any, Any, None]]
    """Listens until cancelled."""
    finish: Callable[[], Awaitable[None]]
    """Waits for what outlived its answer."""
    routes: Sequence[AbstractRouteDef] = ()
    path: str = ""
    """Where people who come by browser come in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """One network: the platform that posts, and how to make the half that hears."""

    platform: Platform
    listen: Callable[[Door, Card], Intake]
    private: bool = False
    """Nobody comes in but whoever runs us: it is open from the start and needs no owner."""


LOOK = 0.2
"""Seconds between two looks whether a network has let us in."""
Open = Callable[[Needs], AbstractAsyncContextManager[Chat]]


def switched_on(config: Config) -> list[Open]:
    """How to open each network of this configuration. `Broken` if there is none."""
    known: Mapping[str, Open] = {
        "discord": _discord,
        "telegram": _telegram,
        "playground": _playground,
    }
    if not config.platforms:
        raise Broken("platform_missing")
    return [known[name] for name in config.platforms]


def hearing(
    intakes: Sequence[Intake],
    chats: Sequence[Chat],
    code: str | None,
    announce: Callable[[str], None],
    clock: Clock,
) -> Iterator[Coroutine[Any, Any, None]]:
    """Hear people; announce the first owner's code, if there is one, once it can be sent."""
    yield from (intake.run() for intake in intakes)
    if code:
        public = [chat.platform for chat in chats if not chat.private]
        yield _announced(code, public, announce, clock)


async def _announced(
    code: str, platforms: Sequence[Platform], announce: Callable[[str], None], clock: Clock
) -> None:
    """Where the port is taken or the token refused, the process ends without it."""
    while not any([await platform.is_connected() for platform in platforms]):
        await clock.sleep(LOOK)
    announce(code)


@asynccontextmanager
async def _discord(needs: Needs) -> AsyncIterator[Chat]:
    from bot.platforms.discord.client import DiscordPlatform, Settings
    from bot.platforms.discord.commands import Commands

    table = needs.config.settings.discord
    assert table.token is not None
    settings = Settings(
        token=table.token.get_secret_value(),
        api_url=table.api_url,
        gateway_url=table.gateway_url,
        message_content=table.message_content_intent,
        upload_limit=round(table.upload_limit_mib * 1024 * 1024),
    )
    async with DiscordPlatform(settings, posts=needs.posts, clock=needs.clock) as platform:

        def listen(door: Door, card: Card) -> Intake:
            commands = Commands(
                platform,
                door=door,
                card=card,
                facts=needs.facts,
                clock=needs.clock,
                stored=needs.stored,
                link=needs.link,
            )
            return Intake(run=commands.run, finish=commands.finish)

        yield Chat(platform=platform, listen=listen)


@asynccontextmanager
async def _telegram(needs: Needs) -> AsyncIterator[Chat]:
    from bot.platforms.telegram.client import Settings, TelegramPlatform
    from bot.platforms.telegram.listener import Listener

    table = needs.config.settings.telegram
    settings = Settings(
        token=table.token.get_secret_value() if table.token else "",
        api_url=table.api_url,
        local=table.local,
        upload_limit=round(table.upload_limit_mb * 1_000_000),
    )
    async with TelegramPlatform(
        settings,
        posts=needs.posts,
        handles=Handles(needs.database, settings.account),
        communities=Communities(needs.database),
        stored=needs.stored,
        link=needs.link,
        ways=needs.ways,
        clock=needs.clock,
    ) as platform:

        def listen(door: Door, _: Card) -> Intake:
            listener = Listener(
                platform,
                door=door,
                posts=needs.posts,
                drafts=Drafts(needs.database),
                updates=Updates(needs.database, settings.account),
                facts=needs.facts,
                clock=needs.clock,
                currency=needs.config.settings.currency,
                webhook=needs.config.settings.web.public_url if table.webhook else None,
            )
            return Intake(run=listener.run, finish=listener.finish, routes=listener.routes)

        yield Chat(platform=platform, listen=listen)


@asynccontextmanager
async def _playground(needs: Needs) -> AsyncIterator[Chat]:
    from bot.platforms.playground.client import PlaygroundPlatform
    from bot.platforms.playground.commands import Commands
    from bot.platforms.playground.doors import Doors

    async with PlaygroundPlatform(
        needs.config.data_dir / "playground",
        clock=needs.clock,
        posts=needs.posts,
        stored=needs.stored,
        viewable=needs.viewable,
    ) as platform:

        def listen(door: Door, card: Card) -> Intake:
            commands = Commands(
                platform,
                door=door,
                card=card,
                posts=needs.posts,
                note=needs.note,
                currency=needs.config.settings.currency,
            )
            doors = Doors(platform, commands, clock=needs.clock)
            supervisor = Supervisor(platform.name, clock=needs.clock)
            return Intake(
                run=partial(supervisor.keep, doors.run),
                finish=commands.finish,
                routes=doors.routes,
                path=doors.path,
            )

        yield Chat(platform=platform, listen=listen, private=True)
