"""The files of the bot's messages in the room: they exist exactly as long as their message."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core import replies
from bot.core.errors import FileMissing, Refused
from bot.core.jobs import Job, Original, Status, Video
from bot.core.orders import Call, Order, Person
from bot.core.platforms import Standing
from bot.core.posts import Post, PostKind
from bot.core.wishes import Wish
from bot.platforms.playground.client import CHANNEL, PlaygroundPlatform, address
from tests.fakes.clock import FakeClock
from tests.unit.core.orders import job

POST = Post(id=1, job_id="1", kind=PostKind.RESULT, due_at=None, attempts=1)
VIDEO = Video(key="a.mp4", size=9, width=16, height=9, seconds=5.0, thumbnail="a.jpg")


@pytest.fixture
def made() -> Job:
    """Return a job of Ann whose video has a thumbnail."""
    ann = Person(id="ann", name="Ann")
    order = Order(
        call=Call(event_id="1", address=address(), person=ann, locale="en"),
        wish=Wish(prompt="a cat"),
    )
    return job(order=order, status=Status.COMPLETED, video=VIDEO)


async def test_a_video_and_its_thumbnail_in_the_room_outlast_the_process(
    tmp_path: Path, made: Job
) -> None:
    async with opened(tmp_path) as platform:
        await send(platform, made)
    async with opened(tmp_path) as platform:
        (message,) = platform.room.messages
        assert message.video is not None
        assert [read(platform, each) for each in (message.video.name, message.video.still)] == [
            b"a video",
            b"a.jpg",
        ]


async def test_a_direct_result_in_the_room_is_shown_to_its_person_alone(
    tmp_path: Path, made: Job
) -> None:
    async with opened(tmp_path) as platform:
        for direct in (True, False):
            post = replace(POST, direct=direct, job_id=str(direct))
            await platform.send(post, made, replies.result(made), video=None)
        assert [each.only for each in platform.room.messages] == ["ann", None]
    async with opened(tmp_path) as platform:
        assert [each.only for each in platform.room.messages] == ["ann", None]


async def test_deleting_a_video_in_the_room_removes_all_its_copies(
    tmp_path: Path, made: Job
) -> None:
    async with opened(tmp_path) as platform:
        for nonce in ("one", "one", "two"):
            await platform.show(made, replies.result(made), nonce=nonce, only=None)
        assert len(platform.room.messages) == 2
        await platform.remove_copies(made.id)
        assert (platform.room.messages, files(platform)) == ([], [])


async def test_a_video_that_is_gone_is_not_shown_again_in_the_room(
    tmp_path: Path, made: Job
) -> None:
    async with opened(tmp_path) as platform:
        for gone in (made, replace(made, video=None)):
            platform._stored = lost
            with pytest.raises(Refused, match="video_gone"):
                await platform.show(gone, replies.result(made), nonce="one", only=None)
        assert platform.room.messages == []


async def test_a_room_message_has_a_link_as_long_as_it_exists(tmp_path: Path, made: Job) -> None:
    async with opened(tmp_path) as platform:
        stands = await send(platform, made)
        assert platform.link_to(address(stands)) == f"#m{stands}"
        await platform.remove(Standing(stands, CHANNEL))
        assert platform.link_to(address(stands)) is None


async def test_removing_a_room_message_deletes_its_files_from_the_disk(
    tmp_path: Path, made: Job
) -> None:
    async with opened(tmp_path) as platform:
        stands = await send(platform, made)
        assert len(files(platform)) == 2
        await platform.remove(Standing(stands, CHANNEL))
        assert files(platform) == []


async def test_a_converted_video_in_the_room_comes_with_its_original(
    tmp_path: Path, made: Job
) -> None:
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
        await platform.remove(Standing(stands, CHANNEL))
        assert files(platform) == []


async def test_a_video_that_could_not_be_converted_comes_as_a_file_alone(
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
    """Open the room over a storage whose file under each key contains the key's name."""

    @asynccontextmanager
    async def stored(key: str) -> AsyncIterator[Path]:
        (folder / key).write_text(key)
        yield folder / key

    room = PlaygroundPlatform(
        folder / "room", clock=FakeClock(), stored=stored, viewable=nullcontext
    )
    async with room as platform:
        yield platform


@asynccontextmanager
async def lost(_key: str) -> AsyncIterator[Path]:
    """Stand in for a storage that has lost the file."""
    raise FileMissing()
    yield Path()


async def send(platform: PlaygroundPlatform, made: Job) -> str:
    """Post the job's video, and return the message."""
    file = platform.folder / "made.mp4"
    file.write_bytes(b"a video")
    message, _ = await platform.send(POST, made, replies.result(made), video=file)
    return message


def files(platform: PlaygroundPlatform) -> list[Path]:
    return list((platform.folder / "files").iterdir())


def read(platform: PlaygroundPlatform, name: str | None) -> bytes | None:
    path = platform.files.path(name or "")
    return path.read_bytes() if path else None
