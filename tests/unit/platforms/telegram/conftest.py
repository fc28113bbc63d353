"""The Telegram commands without the loops of the listener: the test handles each update, on its own
clock.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy.exc import OperationalError

from bot.core import cards, moves, replies
from bot.core.accounts import Accounts, Terms
from bot.core.jobs import Job, Video
from bot.core.posting import Link
from bot.core.posts import PostKind
from bot.core.quotas import Limits
from bot.core.replies import Ways
from bot.core.service import Service
from bot.core.updates import Update
from bot.platforms.telegram import albums
from bot.platforms.telegram.client import TelegramOptions, TelegramPlatform
from bot.platforms.telegram.commands import Commands
from bot.platforms.telegram.intake import Intake
from bot.store.communities import Communities
from bot.store.database import Database
from bot.store.handles import Handles
from bot.store.places import Places
from bot.store.proposals import Proposals
from bot.store.updates import Updates
from tests.contract.rows import FREE, Store, no_still
from tests.databases import open_rows
from tests.fakes.clock import FakeClock
from tests.fakes.telegram import (
    Chat,
    FakeTelegram,
    Message,
    Person,
    Topic,
)
from tests.service import build_service, numbered, open_access
from tests.unit.core.entries import open_entry
from tests.unit.core.orders import CATALOG
from tests.unit.core.scripted import ScriptedStudio
from tests.unit.platforms.telegram.house import House, open_house

MP4 = b"a video of nine kilobytes" * 400
VIDEO = Video(key="videos/a.mp4", size=len(MP4), width=16, height=9, seconds=5.0)


@dataclass
class Lobby:
    """The commands of one account over real rows; no worker takes steps of the jobs."""

    fake: FakeTelegram
    clock: FakeClock
    database: Database
    folder: Path
    ann: Person = field(init=False)
    link: Link | None = None
    """The link to any video; None if there is no public URL."""

    def __post_init__(self) -> None:
        self.ann = self.fake.person("Ann", started=True)
        self.store = Store(self.database)
        self.places = Places(self.database)
        self.communities = Communities(self.database)
        settings = TelegramOptions(token=self.fake.token, api_url=self.fake.api_url)
        self.handles = Handles(self.database, settings.account)
        self.platform = TelegramPlatform(
            settings,
            posts=self.store.posts,
            handles=self.handles,
            communities=self.communities,
            stored=self._stored,
            small_still=no_still,
            link=lambda _: self.link,
            ways=self._ways,
            clock=self.clock,
        )
        access = open_access(self.database, self.clock)
        accounts = Accounts(Terms(catalog=CATALOG, limits=FREE))
        self.service = build_service(
            self.database,
            self.clock,
            accounts=accounts,
            access=access,
            jobs=self.store.jobs,
            media=ScriptedStudio(self.folder),
            card_grace={self.platform.name: self.platform.can.card_grace},
            new_id=numbered(),
            kind=Service,
        )
        self.entry = open_entry(
            self.service, access, self.database, self.clock, seen=[self.platform.name]
        )
        self.updates = Updates(self.database, settings.account, keeps=albums.kept)

    def allow(self, limits: Limits) -> None:
        """Set the limits from now on."""
        self.service.accounts = Accounts(Terms(catalog=CATALOG, limits=limits))

    async def open(self) -> None:
        """Build the commands, with the bot's own user."""
        intake = Intake(
            self.platform,
            entry=self.entry,
            proposals=Proposals(self.database),
            clock=self.clock,
            currency="USD",
        )
        me = await self.platform.line.bot.get_me()
        self.commands = Commands(intake, me=me, updates=self.updates, claimed=self._claimed)

    async def _claimed(self) -> None:
        """Do nothing: the listener updates the menus of owners."""

    async def _ways(self, job: Job, _direct: bool) -> Ways:
        return await self.service.accounts.ways(job)

    async def hear(self, subject: object, *, attempts: int = 0) -> None:
        """Handle the update about a message or a press."""
        value = self.fake.updates.of(subject)
        await self.commands.handle(
            Update(
                id=value.id,
                lane="",
                data=value.json,
                received_at=self.clock.now(),
                attempts=attempts,
            )
        )

    async def hear_together(self, *subjects: object) -> None:
        """Handle an album: its first update, while the others wait behind it in their lane."""
        value = [self.fake.updates.of(subject) for subject in subjects]
        now = self.clock.now()
        lane = albums.lane_of(value[0].json, value[0].json["message"])
        album = [Update(id=it.id, lane=lane, data=it.json, received_at=now) for it in value]
        await self.updates.put(album)
        await self.commands.handle(album[0])
        await self.updates.done(album[0])

    async def jobs(self, person: Person | None = None) -> list[Job]:
        """Return a person's jobs, the oldest first."""
        person_id = str((person or self.ann).id)
        return (await self.store.jobs.recent("telegram", person_id, most=99))[::-1]

    async def job(self, job_id: str) -> Job:
        """Return the job's row as it is now."""
        found = await self.store.jobs.get(job_id)
        assert found is not None
        return found

    async def card(self, job: Job) -> Message:
        """Return the card of a job; post it if it is still due."""
        post = await self.store.post(job, PostKind.CARD)
        assert post is not None
        if post.message_id is None:
            stands = await self.platform.send(post, job, cards.card(job), video=None)
            await self.store.posts.sent(post, *stands, now=self.clock.now())
            return await self.card(job)
        return self._at(post.message_id, post.channel_id or "")

    async def made(self, job: Job) -> Job:
        """Return the job with its video, which is still to be posted."""
        now, row = self.clock.now(), await self.job(job.id)
        row = await self.store.moved(row, moves.submitting(row, now=now))
        row = await self.store.moved(row, moves.accepted(row, "v1", now=now, due_at=now))
        row = await self.store.moved(row, moves.completed(row, now=now, sources=()))
        return await self.store.moved(row, moves.stored(row, VIDEO))

    async def result(self, job: Job) -> Message:
        """Post the job's video now, and return the message."""
        post = await self.store.post(job, PostKind.RESULT)
        assert post is not None
        async with self._stored("") as video:
            said = replies.result(job, ways=await self.service.accounts.ways(job))
            stands = await self.platform.send(post, job, said, video=video)
        await self.store.posts.sent(post, *stands, now=self.clock.now())
        return self._at(*stands)

    async def ordered(self, *, chat: Chat | None = None, topic: Topic | None = None) -> Job:
        """Place an order as Ann, and return the job."""
        command = f"/video@{self.fake.bot.username} a cat"
        await self.hear(await self.ann.says(command, chat=chat, topic=topic))
        return (await self.jobs())[-1]

    def answer(self, said: Message) -> Message:
        """Return the bot's reply to a message."""
        (answer,) = [it for it in self.fake.posts(said.chat) if it.reply_to == said.id]
        return answer

    def _at(self, message_id: str, channel: str) -> Message:
        chat, _, _ = channel.partition("/")
        return self.fake.world.chats[int(chat)].messages[int(message_id)]

    @asynccontextmanager
    async def _stored(self, _key: str) -> AsyncIterator[Path]:
        file = self.folder / "stored.mp4"
        file.write_bytes(MP4)
        yield file


def locked(*_: object, **__: object) -> NoReturn:
    """Raise the error of a database that somebody else has locked."""
    raise OperationalError("INSERT", {}, Exception("database is locked"))


@pytest.fixture
async def lobby(tmp_path: Path) -> AsyncIterator[Lobby]:
    clock = FakeClock()
    async with (
        FakeTelegram(clock=clock.now) as fake,
        open_rows(tmp_path) as database,
    ):
        lobby = Lobby(fake, clock, database, tmp_path)
        async with lobby.platform:
            await lobby.open()
            yield lobby
        fake.check()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as house:
        yield house
