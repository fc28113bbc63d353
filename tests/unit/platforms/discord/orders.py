"""Orders on the fake Discord, and their cards and rows as tests read them."""

import asyncio
from dataclasses import replace

from bot.core import replies
from bot.core.jobs import Job, Status, Video
from bot.core.posts import Form
from tests.fakes.discord import (
    FakeDiscord,
    Interaction,
    Message,
)
from tests.fakes.discord import Person as Member
from tests.unit.platforms.discord.bot import Bot

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100
VIDEO = Video(key="videos/a.mp4", size=9, width=16, height=9, seconds=5.0)


async def said(interaction: Interaction) -> str:
    """Return the text of the answer that only this person sees."""
    response = await interaction.answered()
    assert response.message is not None
    assert response.ephemeral, response.message
    return response.message.content


def card(message: Message | None) -> str:
    """Return the first line of a card."""
    assert message is not None
    (embed,) = message.embeds
    return str(embed["description"].splitlines()[0])


async def only_job(bot: Bot) -> Job:
    """Return the only job that was ordered."""
    (job,) = bot.service.submitted
    return await bot.job(job.id)


async def recorded(bot: Bot, job: Job) -> tuple[str | None, str | None]:
    """Wait until the row has the card's message, which people see a moment earlier; return its
    message and channel.
    """
    async with asyncio.timeout(60):
        while (await bot.service.recorded.get()).id != job.id:
            pass
    post = await bot.post(job)
    return post.message_id, post.channel_id


def deliver_again(fake: FakeDiscord, event: str) -> None:
    """Deliver the event a second time, as after a RESUME."""
    (session,) = fake.gateway.live
    session.frames.append(next(each for each in session.frames if event in each))
    session.more.set()


async def job_card(bot: Bot, ann: Member) -> tuple[Job, Message]:
    """Order a video as Ann, and return the job and its card."""
    asked = await ann.slash("video", prompt="a cat")
    answer = await asked.answered()
    assert answer.message is not None
    job = await only_job(bot)
    await recorded(bot, job)
    return await bot.job(job.id), answer.message


async def job_result(bot: Bot, ann: Member) -> tuple[Job, Message]:
    """Return a delivered job, and the message with its video."""
    job, _ = await job_card(bot, ann)
    bot.media.kept.add(VIDEO.key)
    for after in (
        replace(job, status=Status.SUBMITTING),
        replace(job, status=Status.IN_PROGRESS, gateway_id="v1"),
        replace(job, status=Status.COMPLETED, video=VIDEO),
        replace(job, status=Status.DELIVERED, video=VIDEO),
    ):
        saved = await bot.jobs.save(job, replace(after, version=job.version), now=bot.clock.now())
        assert saved is not None
        job = saved
    post = await bot.post(job, "result")
    said = replies.result(job, ways=await bot.service.accounts.ways(job))
    await bot.platform.send(post, job, said, video=None)
    return job, await bot.fake.next("message", lambda each: each.nonce == post.nonce(Form.TEXT))


async def told_help(fake: FakeDiscord, person: Member) -> Message:
    """Ask for help and wait for the answer, so that all earlier messages have been handled."""
    await person.say("", mentions_bot=True)
    return await fake.next("message", lambda each: each.content.startswith("Mention me"))
