"""The commands /character, /edit and /extend in the room."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.core.jobs import Job
from bot.core.orders import Clip, Kind
from tests.e2e.world import png
from tests.unit.core.orders import USING
from tests.unit.media.samples import write_video
from tests.unit.platforms.playground.cards import card_of
from tests.unit.platforms.playground.conftest import Hall, Page, open_hall, words
from tests.unit.platforms.playground.test_uploads import upload


@pytest.fixture
async def using(tmp_path: Path) -> AsyncIterator[Hall]:
    async with open_hall(tmp_path, catalog=USING) as hall:
        yield hall


@pytest.fixture
def clip(tmp_path: Path) -> bytes:
    """Return a real video."""
    path = tmp_path / "run.mp4"
    write_video(path)
    return path.read_bytes()


async def pictures(hall: Hall, count: int) -> list[str]:
    """Upload pictures, and return their names in the room."""
    return [(await upload(hall, png()))[1]["name"] for _ in range(count)]


async def jobs(hall: Hall) -> list[Job]:
    return list(await hall.jobs.recent("playground", "ann", most=9))


async def ask(page: Page, command: str, text: str = "", **more: Any) -> dict[str, Any]:
    return await page.tell(do="say", command=command, text=text, **more)


@pytest.mark.parametrize(("command", "count"), [("character", 1), ("character", 10), ("video", 3)])
async def test_pictures_in_the_room_make_an_order_that_keeps_what_they_show(
    using: Hall, command: str, count: int
) -> None:
    names = await pictures(using, count)
    async with using.page() as page:
        await ask(page, command, "they dance", pictures=names)
        shown = page.seen[0]["message"]
    (job,) = await jobs(using)
    assert (job.request.kind, job.order.wish.prompt) == (Kind.REFERENCES, "they dance")
    assert [each.source for each in job.order.pictures] == names
    assert len(shown.get("more", [])) == max(count - 2, 0)


async def test_the_pictures_of_a_message_are_there_after_a_restart(tmp_path: Path) -> None:
    async with open_hall(tmp_path, catalog=USING) as hall, hall.page() as page:
        names = await pictures(hall, 4)
        await ask(page, "character", "they dance", pictures=names)
    async with open_hall(tmp_path, catalog=USING) as hall:
        said = hall.platform.room.messages[0]
        assert [each.name for each in said.pictures] == names
        assert all(hall.platform.files.path(name) for name in names)


@pytest.mark.parametrize(("command", "kind"), [("edit", Kind.VIDEO), ("extend", Kind.EXTEND)])
@pytest.mark.parametrize("is_reply", [True, False])
async def test_an_uploaded_video_is_changed_or_continued(
    using: Hall, clip: bytes, command: str, kind: Kind, *, is_reply: bool
) -> None:
    status, taken = await upload(using, clip, "run.mp4", kind="videos")
    assert status == 200
    async with using.page() as page:
        more = {"video": taken["name"]}
        if is_reply:
            await page.tell(do="say", text="look", video=taken["name"])
            more = {"reply_to": page.seen[0]["message"]["id"]}
        await ask(page, command, "it snows", **more)
    (job,) = await jobs(using)
    assert job.request.kind is kind
    assert job.order.video == Clip(
        source=taken["name"], filename="run.mp4", size=len(clip), author="ann"
    )


async def test_a_video_without_a_command_that_uses_it_is_refused(using: Hall, clip: bytes) -> None:
    _, taken = await upload(using, clip, "run.mp4", kind="videos")
    async with using.page() as page:
        told = await ask(page, "video", "it snows", video=taken["name"])
    assert "/help says what I can do with videos" in words(told)
    assert await jobs(using) == []


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"notes", "I see no video there"), (png(), "I see no video there")],
)
async def test_a_file_that_is_no_video_is_refused_as_a_video(
    using: Hall, content: bytes, told: str
) -> None:
    status, notice = await upload(using, content, "run.mp4", kind="videos")
    assert (status, "".join(notice["text"])[: len(told)]) == (415, told)


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("character", "To keep a character, I need a picture"),
        ("edit", "To change a video, I need the video"),
        ("extend", "To go on from a video, I need the video"),
    ],
)
async def test_a_command_without_its_file_says_what_it_needs(
    using: Hall, command: str, told: str
) -> None:
    async with using.page() as page:
        assert words(await ask(page, command, "it snows")).startswith(told)


async def test_where_no_model_can_a_command_for_files_is_refused(hall: Hall) -> None:
    async with hall.page() as page:
        told = await ask(page, "character", "they dance", pictures=await pictures(hall, 3))
    assert words(told).startswith("No model here keeps")


async def test_a_reply_to_a_card_without_a_video_changes_nothing(using: Hall) -> None:
    async with using.page() as page:
        card = await card_of(using, page)
        told = await ask(page, "edit", "it snows", reply_to=card["id"])
    assert words(told).startswith("To change a video, I need the video")
