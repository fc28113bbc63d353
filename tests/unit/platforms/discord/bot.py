"""The Discord platform and its commands, over real rows and the real service."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bot.core import cards, ports
from bot.core.accounts import Accounts, Terms
from bot.core.cards import Cards
from bot.core.jobs import Job
from bot.core.orders import Order
from bot.core.posting import Link
from bot.core.posts import CARD_GRACE, Post
from bot.core.quotas import Limits
from bot.core.replies import Reply, Text
from bot.core.service import Service
from bot.platforms.discord.client import DiscordOptions, DiscordPlatform
from bot.platforms.discord.commands import Commands
from bot.store.database import Database
from bot.store.jobs import Jobs
from bot.store.posts import Posts
from bot.store.settings import StoredValues as Facts
from tests.fakes.clock import FakeClock
from tests.fakes.discord import (
    FakeDiscord,
)
from tests.service import build_service, numbered, open_access
from tests.unit.core.entries import open_entry
from tests.unit.core.orders import (
    CATALOG,
)
from tests.unit.core.scripted import ScriptedStudio

UNLIMITED = Limits(
    person_videos=None, person_at_once=None, community_videos=None, purse_videos=None
)


class OpenService(Service):
    """The real service with a record of its calls; while `go_on` is cleared it hangs as with a
    locked database.
    """

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.submitted: list[Job] = []
        self.submissions: asyncio.Queue[Job] = asyncio.Queue()
        self.withdrawing: list[Job] = []
        self.withdrawals: asyncio.Queue[Job] = asyncio.Queue()
        self.recorded: asyncio.Queue[Job] = asyncio.Queue()
        """Orders whose card was sent and recorded."""

    async def submit(self, order: Order) -> Job:
        await self.go_on.wait()
        self.submitted.append(await super().submit(order))
        self.submissions.put_nowait(self.submitted[-1])
        return self.submitted[-1]

    async def answered(
        self, posts: ports.Posts, job: Job, message_id: str, channel_id: str
    ) -> None:
        await super().answered(posts, job, message_id, channel_id)
        self.recorded.put_nowait(job)

    async def unanswered(self, job: Job) -> None:
        self.withdrawing.append(job)
        await super().unanswered(job)
        self.withdrawals.put_nowait(job)


class OpenPosts(Posts):
    """The real rows of posts, with a record of the posts that were asked for."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.asked: asyncio.Queue[str] = asyncio.Queue()

    async def get(self, job_id: str, kind: str) -> Post | None:
        found = await super().get(job_id, kind)
        self.asked.put_nowait(job_id)
        return found


class DrawnCards(Cards):
    """Cards drawn by a function of the test."""

    def __init__(self, draw: Callable[[Job], Reply]) -> None:
        self._draw = draw

    async def card(self, job: Job) -> Reply:
        return self._draw(job)

    async def standing(self, job: Job) -> tuple[Text, list[Text]]:
        return cards.standing(job), []


@dataclass
class Bot:
    """The parts of the service around one fake Discord."""

    fake: FakeDiscord
    clock: FakeClock
    database: Database
    patience: float = 60.0
    """Seconds; so long that a busy machine changes no result."""
    link: Link | None = None
    """The link to any video; None if there is no public URL."""

    def __post_init__(self) -> None:
        self.jobs, self.posts = Jobs(self.database), OpenPosts(self.database)
        self.facts = Facts(self.database)
        self.media = ScriptedStudio(Path())
        access = open_access(self.database, self.clock)
        accounts = Accounts(Terms(catalog=CATALOG, limits=UNLIMITED))
        self.service = build_service(
            self.database,
            self.clock,
            accounts=accounts,
            access=access,
            jobs=self.jobs,
            media=self.media,
            card_grace={"discord": CARD_GRACE},
            new_id=numbered(),
            kind=OpenService,
        )
        entry = open_entry(self.service, access, self.database, self.clock)
        drawn = replace(
            entry.listings, posts=self.posts, cards=DrawnCards(lambda job: self.draw(job))
        )
        self.entry = replace(entry, listings=drawn)
        self.draw: Callable[[Job], Reply] = cards.card
        self.settings = DiscordOptions(
            token=self.fake.token, api_url=self.fake.api_url, gateway_url=self.fake.gateway_url
        )
        self.fresh()

    def fresh(self) -> None:
        """Build the parts anew, as a new process over the same rows does."""
        self.platform = DiscordPlatform(self.settings, clock=self.clock)
        self.commands = Commands(
            self.platform,
            entry=self.entry,
            facts=self.facts,
            clock=self.clock,
            stored=self.media.file,
            link=lambda _: self.link,
            patience=self.patience,
        )

    async def post(self, job: Job, kind: str = "card") -> Post:
        found = await self.posts.get(job.id, kind)
        assert found is not None
        return found

    async def job(self, job_id: str) -> Job:
        found = await self.jobs.get(job_id)
        assert found is not None
        return found

    async def _ready(self) -> None:
        await self.fake.connected()
        await self.platform.client.wait_until_ready()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the bot, logged in and connected to the gateway."""
        async with self.platform:
            work = asyncio.create_task(self.commands.run())
            ready = asyncio.create_task(self._ready())
            try:
                done, _ = await asyncio.wait(
                    (work, ready), timeout=10, return_when=asyncio.FIRST_COMPLETED
                )
                assert ready in done, work
                yield
            finally:
                ready.cancel()
                work.cancel()
                await asyncio.gather(work, ready, return_exceptions=True)
                await self.commands.finish()
