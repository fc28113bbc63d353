"""The room behind a real server, over real rows and the real service; the test moves the clock."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.core.accounts import Accounts, Terms
from bot.core.catalog import Catalog
from bot.core.posts import CARD_GRACE
from bot.core.quotas import Limits
from bot.core.service import Service
from bot.media.studio import Studio
from bot.platforms.playground.client import PlaygroundPlatform
from bot.platforms.playground.commands import RoomCommands
from bot.platforms.playground.routes import RoomRoutes
from bot.store.jobs import Jobs
from bot.store.posts import Posts
from bot.web.server import serve
from tests.databases import open_rows
from tests.fakes.clock import FakeClock
from tests.service import build_service, numbered, open_access
from tests.unit.core.entries import open_entry
from tests.unit.core.orders import CATALOG
from tests.unit.core.scripted import ScriptedStudio

FREE = Limits(person_videos=9, person_at_once=None, community_videos=None, purse_videos=None)

_new_id = numbered()


@dataclass
class Hall:
    """The parts of one open room, and a client session."""

    platform: PlaygroundPlatform
    commands: RoomCommands
    room_routes: RoomRoutes
    jobs: Jobs
    posts: Posts
    clock: FakeClock
    studio: ScriptedStudio
    origin: str
    session: aiohttp.ClientSession

    @property
    def url(self) -> str:
        return self.origin + self.room_routes.path

    @asynccontextmanager
    async def page(self) -> AsyncIterator["Page"]:
        """Open the room's page, and yield its side of the socket."""
        async with self.session.ws_connect(
            f"{self.url}socket?locale=en", headers={"Origin": self.origin}
        ) as socket:
            welcome = await socket.receive_json()
            yield Page(socket, welcome)


class Page:
    """The page's side of the room's socket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, welcome: dict[str, Any]) -> None:
        self.socket = socket
        self.welcome = welcome
        self.seen: list[dict[str, Any]] = []
        self._numbers = count(1)

    async def tell(self, nonce: str | None = None, **wish: Any) -> dict[str, Any]:
        """Send a request, and return all that the room answers up to its confirmation."""
        nonce = nonce or f"nonce{next(self._numbers):05}"
        await self.socket.send_json({"nonce": nonce, "person": "ann", **wish})
        while True:
            told = await self.socket.receive_json(timeout=10)
            if told["type"] == "heard" and told["nonce"] == nonce:
                return dict(told)
            self.seen.append(told)

    async def say(self, text: str, **wish: Any) -> dict[str, Any]:
        return await self.tell(do="say", command="video", text=text, **wish)


def words(told: dict[str, Any]) -> str:
    """Return the text of a notice as one string."""
    return "".join(str(each) for each in told["notice"]["text"])


def lines(told: dict[str, Any]) -> list[str]:
    """Return the facts of a notice as strings."""
    return ["".join(map(str, fact)) for fact in told["notice"]["facts"]]


def pressed(button: dict[str, Any]) -> dict[str, Any]:
    """Return the frame of a press of this button."""
    return {"do": "press", **{name: button[name] for name in ("action", "about", "value")}}


@asynccontextmanager
async def open_hall(
    folder: Path, *, limits: Limits = FREE, catalog: Catalog = CATALOG
) -> AsyncIterator[Hall]:
    """Open a room in the folder; opening the same folder again is a restart."""
    clock, studio = FakeClock(), ScriptedStudio(folder)
    async with open_rows(folder) as database:
        jobs, posts = Jobs(database), Posts(database)
        accounts = Accounts(Terms(catalog=catalog, limits=limits))
        access = open_access(database, clock)
        service = build_service(
            database,
            clock,
            accounts=accounts,
            access=access,
            jobs=jobs,
            media=studio,
            card_grace={"playground": CARD_GRACE},
            new_id=_new_id,
            kind=Service,
        )

        platform = PlaygroundPlatform(
            folder / "playground",
            clock=clock,
            stored=studio.file,
            viewable=(viewer := Studio(folder / "viewer")).viewable,
        )
        async with viewer, platform:
            entry = open_entry(service, access, database, clock)
            listings = replace(entry.listings, jobs=jobs, posts=posts)
            commands = RoomCommands(platform, entry=replace(entry, listings=listings))
            room_routes = RoomRoutes(platform, commands, clock=clock)
            async with serve(room_routes.routes, host="127.0.0.1", port=0) as origin:
                async with running(room_routes), aiohttp.ClientSession() as session:
                    yield Hall(
                        platform, commands, room_routes, jobs, posts, clock, studio, origin, session
                    )
                await commands.finish()


@asynccontextmanager
async def running(room_routes: RoomRoutes) -> AsyncIterator[None]:
    task = asyncio.create_task(room_routes.run())
    await asyncio.sleep(0)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Hall]:
    async with open_hall(tmp_path) as hall:
        yield hall
