"""The Telegram client over rows in memory, with the fake Bot API."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.core import cards, replies
from bot.core.errors import BotError
from bot.core.jobs import Job, Status, Video
from bot.core.orders import Address, Person
from bot.core.posts import Post, PostKind
from bot.platforms.telegram.client import TelegramOptions, TelegramPlatform
from tests.contract.rows import no_still, nowhere
from tests.fakes.clock import FakeClock
from tests.fakes.telegram import (
    Chat,
    FakeTelegram,
    Message,
)
from tests.fakes.telegram import Person as Somebody
from tests.unit.core.orders import changed, job, order

MP4 = b"a video of nine kilobytes" * 400
ORIGINAL = b"as its gateway made it"


class Rows:
    """The rows that the platform asks for: one card, and file ids."""

    def __init__(self) -> None:
        self.posts: dict[str, Post] = {}
        self.handles: dict[str, str] = {}
        self.moves: list[tuple[str, str]] = []

    async def get(self, job_id: str, kind: str = "") -> Post | None:
        return self.posts.get(kind)


class Handles:
    def __init__(self, rows: Rows) -> None:
        self._known = rows.handles

    async def get(self, key: str) -> str | None:
        return self._known.get(key)

    async def put(self, key: str, handle: str) -> None:
        self._known[key] = handle

    async def drop(self, key: str) -> None:
        self._known.pop(key, None)


class Communities:
    def __init__(self, rows: Rows) -> None:
        self._moves = rows.moves

    async def move(self, platform: str, old: str, new: str) -> None:
        self._moves.append((old, new))

    async def current(self, platform: str, community: str) -> str:
        return dict(self._moves).get(community, community)

    async def ids(self, platform: str, community: str) -> list[str]:
        return [community, *(old for old, new in self._moves if new == community)]


@dataclass
class House:
    """The platform, and one finished job of Ann."""

    fake: FakeTelegram
    platform: TelegramPlatform
    rows: Rows
    clock: FakeClock
    ann: Somebody
    folder: Path

    def job(self, chat: Chat | None = None, *, topic: int | None = None) -> Job:
        where = chat or self.ann.private
        channel = f"{where.id}/{topic}" if topic else str(where.id)
        address = Address(
            platform="telegram", channel=channel, community=str(where.id) if chat else None
        )
        wish = changed(order(), address=address, person=Person(id=str(self.ann.id), name="Ann"))
        video = Video(key="videos/a.mp4", size=len(MP4), width=16, height=9, seconds=5.0)
        return job(order=wish, status=Status.COMPLETED, video=video)

    async def send(
        self, about: Job | None = None, *, clip: bool = True, size: int = 0, again: bool = False
    ) -> tuple[str, str]:
        """Send the job's video, made longer to have that size."""
        about = about or self.job()
        post = Post(id=1, job_id=about.id, kind=PostKind.RESULT, due_at=None)
        video = self.folder / "video.mp4"
        video.write_bytes(MP4)
        if size:
            os.truncate(video, size)
        send = self.platform.send_again if again else self.platform.send
        return await send(post, about, replies.result(about), video=video if clip else None)

    async def trouble(self, about: Job | None = None, *, size: int = 0) -> BotError:
        """Send the job's video, and return the error that this raises."""
        with pytest.raises(BotError) as caught:
            await self.send(about, size=size)
        return caught.value

    def posts(self) -> list[Message]:
        return self.fake.posts(self.ann.private)


async def with_card(house: House) -> Job:
    """Send the job's card, and return the job."""
    about = house.job()
    card = Post(id=2, job_id=about.id, kind=PostKind.CARD, due_at=None)
    message_id, channel = await house.platform.send(card, about, cards.card(about), video=None)
    house.rows.posts["card"] = replace(card, message_id=message_id, channel_id=channel)
    return about


@asynccontextmanager
async def open_house(folder: Path) -> AsyncIterator[House]:
    clock, rows = FakeClock(), Rows()

    @asynccontextmanager
    async def stored(key: str) -> AsyncIterator[Path]:
        file = folder / "stored.mp4"
        file.write_bytes(ORIGINAL if key.startswith("originals/") else MP4)
        yield file

    async with FakeTelegram(clock=clock.now) as fake:
        platform = TelegramPlatform(
            TelegramOptions(token=fake.token, api_url=fake.api_url),
            posts=rows,  # type: ignore[arg-type]  # the one method that it asks
            handles=Handles(rows),
            communities=Communities(rows),
            stored=stored,
            small_still=no_still,
            link=lambda _: None,
            ways=nowhere,
            clock=clock,
        )
        ann = fake.person("Ann", started=True)
        async with platform:
            yield House(fake, platform, rows, clock, ann, folder)
        fake.check()
