"""The button under a converted video that sends the original to its person alone."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core import replies
from bot.core.jobs import Job, Original, Status, Video
from bot.core.posting import Link
from bot.core.posts import Form
from tests.fakes.discord import Answer, FakeDiscord, Message, error
from tests.fakes.discord import Person as Member
from tests.unit.platforms.discord.bot import Bot

MADE = Original(key="originals/a.mkv", size=700)
VIDEO = Video(key="videos/a.mp4", size=9, width=16, height=9, seconds=5.0, converted=MADE)
ANSWER = r"/webhooks/.*/messages/@original$"


@pytest.fixture
def ann(fake: FakeDiscord) -> Member:
    return fake.person("ann")


@pytest.fixture(autouse=True)
def kept(idle: Bot, tmp_path: Path) -> None:
    """Put the video and its original into the storage."""
    idle.media.folder = tmp_path
    idle.media.kept = {VIDEO.key, MADE.key}
    idle.media.sizes[MADE.key] = MADE.size


async def posted(bot: Bot, ann: Member, video: Video = VIDEO) -> tuple[Job, Message]:
    """Return a delivered job, and the message with its video."""
    await (await ann.slash("video", prompt="a cat")).answered()
    await asyncio.wait_for(bot.service.recorded.get(), 60)
    job = await bot.job(bot.service.submitted[-1].id)
    for after in (
        replace(job, status=Status.SUBMITTING),
        replace(job, status=Status.IN_PROGRESS, gateway_id="v1"),
        replace(job, status=Status.COMPLETED, video=video),
        replace(job, status=Status.DELIVERED, video=video),
    ):
        saved = await bot.jobs.save(job, replace(after, version=job.version), now=bot.clock.now())
        assert saved is not None
        job = saved
    said = replies.result(job)
    post = await bot.post(job, "result")
    await bot.platform.send(post, job, said, video=None)
    return job, await bot.fake.next("message", lambda each: each.nonce == post.nonce(Form.TEXT))


async def pressed(fake: FakeDiscord, person: Member, shown: Message) -> Message:
    """Press "Original file", and return the final answer."""
    press = await person.press(shown, "Original file")
    answer = await press.answered()
    assert answer.ephemeral, "nobody else sees it"
    if answer.type is not Answer.THINKING:
        assert answer.message is not None
        return answer.message
    return await fake.next("message", lambda each: each.id == press.original_id)


async def test_original_file_on_discord_sends_the_original_to_the_videos_person(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    job, shown = await posted(bot, ann)
    (file,) = (await pressed(fake, ann, shown)).attachments
    assert (file.filename, file.content) == (f"zoetrope-{job.id}-original.mkv", bytes(MADE.size))


async def test_a_video_that_was_not_converted_has_no_original_file_button(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    _, shown = await posted(bot, ann, replace(VIDEO, converted=None))
    assert "Original file" not in [each["label"] for each in shown.buttons]


async def test_the_original_file_button_works_after_a_restart(
    fake: FakeDiscord, idle: Bot, ann: Member
) -> None:
    async with idle.running():
        _, shown = await posted(idle, ann)
    await fake.disconnected()
    idle.fresh()
    async with idle.running():
        assert (await pressed(fake, ann, shown)).attachments


async def test_another_person_who_presses_original_file_is_refused(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    _, shown = await posted(bot, ann)
    answer = await pressed(fake, fake.person("bob"), shown)
    assert (answer.content, answer.attachments) == ("That order belongs to somebody else.", ())


@pytest.mark.parametrize("told", [True, False])
async def test_an_original_too_large_for_discord_is_said_to_be_too_large_or_linked(
    fake: FakeDiscord, bot: Bot, ann: Member, *, told: bool
) -> None:
    """Discord states its limit.

    Where Discord takes less, its refusal shows the limit, which is then remembered.
    """
    _, shown = await posted(bot, ann)
    if told:
        fake.guild.upload_limit = MADE.size - 1
    else:
        fake.faults.add("PATCH", ANSWER, error(413, 40005))
    for _ in range(2):
        answer = await pressed(fake, ann, shown)
        assert "the original is too large for this chat, and I have no" in answer.content
    bot.link = Link("https://videos.example/v/a", 0.0)
    answer = await pressed(fake, ann, shown)
    assert answer.content.endswith("You can download it here:\nhttps://videos.example/v/a")
    assert answer.attachments == ()


async def test_original_file_for_a_deleted_video_says_that_the_video_is_gone(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    job, shown = await posted(bot, ann)
    bot.media.kept.clear()
    assert (await pressed(fake, ann, shown)).content == "That video is gone."
    deleted = replace(job, video=None)
    await bot.jobs.save(await bot.job(job.id), deleted, now=bot.clock.now())
    assert (await pressed(fake, ann, shown)).content == "That video is gone."


async def test_a_failed_upload_of_an_original_is_answered_with_an_error(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    _, shown = await posted(bot, ann)
    fake.faults.add("PATCH", ANSWER, error(403, 50013))
    answer = await pressed(fake, ann, shown)
    assert answer.content.startswith("I'm not allowed to send files here.")
    assert answer.attachments == ()
