"""One place per chat network: the real platform over real rows, and a fake network around it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from bot.core import cards, replies
from bot.core.jobs import Job, Status, Video
from bot.core.orders import Address, Call, Order, Person, Picture
from bot.core.platforms import Edits, Fetches, Platform, Removes, Standing, Tells
from bot.core.posts import Form, Post, PostKind
from bot.core.replies import Reply
from bot.core.wishes import Wish
from bot.platforms.playground.client import PlaygroundPlatform, address
from bot.platforms.playground.room import Message
from tests.databases import open_rows
from tests.fakes.clock import FakeClock
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord import Message as DiscordMessage
from tests.fakes.discord import Person as DiscordPerson
from tests.unit.core.orders import job
from tests.unit.platforms.discord.bot import Bot

WAIT = 20.0
VIDEO = Video(key="videos/a.mp4", size=9, width=16, height=9, seconds=5.0)


class Whole(Platform, Edits, Removes, Fetches, Tells, Protocol):
    """The interfaces that all of these platforms have."""


@dataclass
class Place:
    """One running platform, and a finished job that Ann ordered there."""

    platform: Whole
    job: Job
    folder: Path

    def post(self, kind: PostKind = PostKind.RESULT, **changes: Any) -> Post:
        """Return a claimed post about this place's job."""
        return replace(
            Post(id=1, job_id=self.job.id, kind=kind, due_at=None, attempts=1), **changes
        )

    def reply(self, kind: PostKind) -> Reply:
        """Return the core's reply for a post of this kind."""
        if kind is PostKind.CARD:
            return cards.card(self.job)
        return replies.result(self.job) if kind is PostKind.RESULT else replies.failure(self.job)

    async def send(
        self, kind: PostKind = PostKind.RESULT, *, video: Path | None = None
    ) -> Standing:
        """Send the post as `Posting` does."""
        post = self.post(kind, form=Form.FILE if video else Form.TEXT)
        return await self.platform.send(post, self.job, self.reply(kind), video=video)

    def standing(self, stands: Standing, kind: PostKind = PostKind.RESULT) -> Post:
        """Return the post with its standing message recorded."""
        message_id, channel_id = stands
        return self.post(kind, message_id=message_id, channel_id=channel_id)

    def file(self, content: bytes = b"0" * VIDEO.size) -> Path:
        """Write a video file to attach."""
        path = self.folder / "video.mp4"
        path.write_bytes(content)
        return path

    def shown(self) -> list[str]:
        """Return the ids of the bot's messages that stand."""
        raise NotImplementedError

    def words(self, message_id: str) -> str:
        """Return the whole text of a message."""
        raise NotImplementedError

    def told(self) -> list[str]:
        """Return what the bot told Ann in private, or everybody on networks without private
        messages.
        """
        return [self.words(message_id) for message_id in self.shown()]

    def attached(self, message_id: str) -> list[bytes]:
        """Return the files attached to a message."""
        raise NotImplementedError

    async def picture(self, content: bytes) -> Picture:
        """Return a picture that Ann posted."""
        raise NotImplementedError

    def lose(self, picture: Picture) -> None:
        """Delete the picture on the network."""
        raise NotImplementedError


def finished(wish: Order, now: float) -> Job:
    """Return the job of this order, about to be posted."""
    return job(order=wish, status=Status.COMPLETED, video=VIDEO, created_at=now)


class DiscordPlace(Place):
    """A place on the fake Discord."""

    fake: FakeDiscord
    ann: DiscordPerson

    @classmethod
    @asynccontextmanager
    async def open(cls, folder: Path) -> AsyncIterator[Place]:
        clock = FakeClock()
        async with (
            FakeDiscord(clock=clock.now) as fake,
            open_rows(folder) as database,
        ):
            fake.guild.bot_role.id = fake.guild.id
            ann = fake.person("ann")
            where = Address(
                platform="discord", channel=str(ann.home.id), community=str(fake.guild.id)
            )
            wish = order(where, Person(id=str(ann.id), name="Ann"))
            with fake.redirect_dpy():
                bot = Bot(fake, clock, database)
                async with bot.running():
                    place = cls(bot.platform, finished(wish, clock.now()), folder)
                    place.fake, place.ann = fake, ann
                    yield place
                await fake.disconnected()

    def _message(self, message_id: str) -> DiscordMessage:
        return next(each for each in self.fake.posts() if str(each.id) == message_id)

    def shown(self) -> list[str]:
        return [str(each.id) for each in self.fake.posts()]

    def told(self) -> list[str]:
        return [each.content for each in self.fake.posts(self.ann.dm)]

    def words(self, message_id: str) -> str:
        message = self._message(message_id)
        return message.content + json.dumps(message.embeds, ensure_ascii=False)

    def attached(self, message_id: str) -> list[bytes]:
        return [each.content for each in self._message(message_id).attachments]

    async def picture(self, content: bytes) -> Picture:
        given = self.fake.attachment(content, "cat.png")
        return Picture(source=given.url, filename="cat.png", size=len(content))

    def lose(self, picture: Picture) -> None:
        for attachment in self.fake.world.attachments.values():
            attachment.expired = attachment.url == picture.source


class PlaygroundPlace(Place):
    """A place in the room."""

    @classmethod
    @asynccontextmanager
    async def open(cls, folder: Path) -> AsyncIterator[Place]:
        clock = FakeClock()

        @asynccontextmanager
        async def stored(_key: str) -> AsyncIterator[Path]:
            yield folder / "nothing"

        async with PlaygroundPlatform(
            folder / "room", clock=clock, stored=stored, viewable=nullcontext
        ) as platform:
            wish = order(address(), Person(id="ann", name="Ann"))
            yield cls(platform, finished(wish, clock.now()), folder)

    @property
    def _platform(self) -> PlaygroundPlatform:
        assert isinstance(self.platform, PlaygroundPlatform)
        return self.platform

    def _message(self, message_id: str) -> Message:
        found = self._platform.room.get(message_id)
        assert found is not None
        return found

    def shown(self) -> list[str]:
        return [each.id for each in self._platform.room.messages]

    def words(self, message_id: str) -> str:
        return json.dumps(self._message(message_id).look, ensure_ascii=False)

    def attached(self, message_id: str) -> list[bytes]:
        video = self._message(message_id).video
        path = self._platform.files.path(video.name) if video else None
        return [path.read_bytes()] if path else []

    async def picture(self, content: bytes) -> Picture:
        async def chunks() -> AsyncIterator[bytes]:
            yield content

        taken = await self._platform.files.take("pictures", chunks(), filename="cat.png")
        return Picture(source=taken.name, filename="cat.png", size=taken.size)

    def lose(self, picture: Picture) -> None:
        path = self._platform.files.path(picture.source or "")
        assert path is not None
        path.unlink()


def order(where: Address, person: Person) -> Order:
    """Return an order with a plain prompt."""
    return Order(
        call=Call(event_id="1", address=where, person=person, locale="en"),
        wish=Wish(prompt="a cat"),
    )
