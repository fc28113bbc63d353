"""The files that the bot's messages carry: there as long as their message, and no longer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core import replies
from bot.core.jobs import Job, Original, Status, Video
from bot.core.orders import Call, Order, Person
from bot.core.posts import Post, PostKind
from bot.core.wishes import Wish
from bot.platforms.playground.client import PlaygroundPlatform, address
from bot.store.posts import Posts
from tests.databases import open_rows
from tests.fakes.clock import FakeClock
from tests.unit.core.orders import job

POST = Post(id=1, job_id="1", kind=PostKind.RESULT, due_at=None, attempts=1)
VIDEO = Video(key="a.mp4", size=9, width=16, height=9, seconds=5.0, thumbnail="a.jpg")


@pytest.fixture
def made() -> Job:
    """A job of Ann's whose video has a still."""
    ann = Person(id="ann", name="Ann")
    order = Order(
        call=Call(event_id="1", address=address(), person=ann, locale="en"),
        wish=Wish(prompt="a cat"),
    )
    return job(order=order, status=Status.COMPLETED, video=VIDEO)


async def test_a_video_and_its_still_outlast_the_process(tmp_path: Path, made: Job) -> None:
    async with opened(tmp_path) as platform:
        await send(platform, made)
    async with opened(tmp_path) as platform:
        (message,) = platform.room.messages
        assert message.video is not None
        assert [read(platform, each) for each in (message.video.name, message.video.still)] == [
            b"a video",
            b"a.jpg",
        ]


async def test_what_a_deleted_message_carried_is_gone_from_the_disk(
    tmp_path: Path, made: Job
) -> None:
    async with opened(tmp_path) as platform:
        stands = await send(platform, made)
        assert len(files(platform)) == 2
        await platform.remove(replace(POST, message_id=stands), made)
        assert files(platform) == []


async def test_a_converted_video_comes_with_its_original(tmp_path: Path, made: Job) -> None:
    original = Original(key="a.mkv", size=5)
    made = replace(made, video=replace(VIDEO, converted=original))
    async with opened(tmp_path) as platform:
        stands = await send(platform, made)
    async with opened(tmp_path) as platform:
        (message,) = platform.room.messages
        assert message.original is not None
        assert message.original.filename == f"zoetrope-{made.id}.mkv"
        assert read(platform, message.original.name) == b"a.mkv"
        assert len(files(platform)) == 3
        await platform.remove(replace(POST, message_id=stands), made)
        assert files(platform) == []


async def test_a_video_that_could_not_be_converted_is_a_file_alone(
    tmp_path: Path, made: Job
) -> None:
    made = replace(made, video=replace(VIDEO, key="a.mkv", plays=False))
    async with opened(tmp_path) as platform:
        await send(platform, made)
        (message,) = platform.room.messages
        assert (message.video, message.original and message.original.filename) == (
            None,
            f"zoetrope-{made.id}.mkv",
        )


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[PlaygroundPlatform]:
    """The room, over a storage that keeps each key's name under it."""

    @asynccontextmanager
    async def stored(key: str) -> AsyncIterator[Path]:
        (folder / key).write_text(key)
        yield folder / key

    async with open_rows(folder) as database:
        posts = Posts(database)
        room = PlaygroundPlatform(
            folder / "room", clock=FakeClock(), posts=posts, stored=stored, viewable=nullcontext
        )
        async with room as platform:
            yield platform


async def send(platform: PlaygroundPlatform, made: Job) -> str:
    """Post its video; answers the message."""
    file = platform.folder / "made.mp4"
    file.write_bytes(b"a video")
    message, _ = await platform.send(POST, made, replies.result(made), nonce="n", video=file)
    return message


def files(platform: PlaygroundPlatform) -> list[Path]:
    return list((platform.folder / "files").iterdir())


def read(platform: PlaygroundPlatform, name: str | None) -> bytes | None:
    path = platform.files.path(name or "")
    return path.read_bytes() if path else None
