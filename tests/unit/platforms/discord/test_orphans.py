"""A card without a row, or a second card: the process was killed between Discord's answer and our
record.
"""

import asyncio
from dataclasses import replace

import pytest

from bot.core.cards import card as drawn
from bot.core.jobs import Job, Status
from bot.core.posts import Form
from tests.fakes.discord import FakeDiscord, Message
from tests.fakes.discord import Person as Member
from tests.unit.core.orders import changed
from tests.unit.platforms.discord.bot import Bot


@pytest.fixture
def ann(fake: FakeDiscord) -> Member:
    return fake.person("ann")


async def taken(bot: Bot, ann: Member) -> tuple[Job, Message]:
    """Return a job whose card was sent and recorded, and that card."""
    shown = (await (await ann.slash("video", prompt="a cat")).answered()).message
    assert shown is not None
    await asyncio.wait_for(bot.service.recorded.get(), 60)
    return await bot.job(bot.service.submitted[0].id), shown


async def orphan(bot: Bot, job: Job) -> Message:
    """Post a second card of the job, and return it."""
    post = replace(await bot.post(job), form=Form.LINK)  # this form has another nonce
    await bot.platform.send(post, job, drawn(job), video=None)
    return await bot.fake.next("message", lambda each: each.nonce == post.nonce(Form.LINK))


def says(message: Message) -> str:
    return str(message.embeds[0]["description"].splitlines()[0])


async def test_a_button_of_an_orphan_card_works_and_updates_that_card(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    job, _ = await taken(bot, ann)
    second = await orphan(bot, job)
    await (await ann.press(second, "Cancel")).answered()
    edited = await fake.next("edit", lambda each: each.id == second.id)
    assert says(edited).startswith("Cancelled")
    assert (await bot.job(job.id)).status is Status.CANCELLED
    assert (await bot.post(job)).message_id != str(second.id), "its card is another one"


async def test_a_late_press_on_an_outdated_orphan_card_updates_that_card(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    job, _ = await taken(bot, ann)
    second = await orphan(bot, job)
    gone = replace(job, status=Status.SUBMITTING)
    await bot.jobs.save(job, gone, now=bot.clock.now())
    answer = await (await ann.press(second, "Cancel")).answered()
    assert answer.message is not None
    assert (
        answer.message.content
        == "It is too late to cancel: the video service already has your order."
    )
    edited = await fake.next("edit", lambda each: each.id == second.id)
    assert [each["label"] for each in edited.buttons] == ["Don't post"]


async def test_a_card_without_a_recorded_message_becomes_the_card_by_a_press(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    order = (await taken(bot, ann))[0].order
    job = await bot.service.submit(changed(order, event_id="killed"))
    reply, nonce = drawn(job), (await bot.post(job)).nonce(Form.TEXT)
    await bot.platform.send(await bot.post(job), job, reply, video=None)
    lost = await fake.next("message", lambda each: each.nonce == nonce)
    assert (await bot.post(job)).message_id is None
    await (await ann.press(lost, "Cancel")).answered()
    await asyncio.wait_for(bot.service.recorded.get(), 60)
    assert (await bot.post(job)).message_id == str(lost.id)


async def test_a_press_by_somebody_who_may_not_press_changes_no_card(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    job, shown = await taken(bot, ann)
    answer = await (await fake.person("bob").press(shown, "Cancel")).answered()
    assert answer.ephemeral
    assert (await bot.job(job.id)).status is Status.QUEUED
