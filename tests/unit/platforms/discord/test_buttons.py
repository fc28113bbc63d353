"""Buttons under cards and results on Discord."""

from dataclasses import replace

import discord
import pytest
import sqlalchemy as sa

from bot.core import replies
from bot.core.jobs import Job, Reason, Status
from bot.core.posts import Form
from bot.core.service import Actor
from bot.store.tables import jobs
from tests.fakes.discord import (
    MEMBER,
    Answer,
    FakeDiscord,
    Permission,
)
from tests.fakes.discord import Person as Member
from tests.unit.platforms.discord.bot import Bot
from tests.unit.platforms.discord.orders import (
    PNG,
    card,
    job_card,
    job_result,
    only_job,
    recorded,
    said,
)


async def test_cancel_on_discord_cancels_the_job_and_updates_the_card_in_place(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    job, message = await job_card(bot, ann)
    pressed = await ann.press(message, "Cancel")
    answer = await pressed.answered()
    assert (answer.type, card(answer.message)) == (
        Answer.UPDATE,
        "Cancelled. Nothing was sent, so nothing counts.",
    )
    assert (await bot.job(job.id)).status is Status.CANCELLED


async def test_buttons_on_discord_work_after_a_restart(
    fake: FakeDiscord, idle: Bot, ann: Member
) -> None:
    async with idle.running():
        job, message = await job_card(idle, ann)
    await fake.disconnected()
    idle.fresh()
    async with idle.running():
        await (await ann.press(message, "Cancel")).answered()
    assert (await idle.job(job.id)).status is Status.CANCELLED


async def test_only_the_orders_person_and_moderators_may_cancel_on_discord(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    job, message = await job_card(bot, ann)
    bob = fake.person("bob")
    assert await said(await bob.press(message, "Cancel")) == "That order belongs to somebody else."
    moderator = fake.person("mod", permissions=MEMBER | Permission.MANAGE_MESSAGES)
    await (await moderator.press(message, "Cancel")).answered()
    assert (await bot.job(job.id)).reason is Reason.BY_ADMIN


async def test_try_again_makes_a_new_job_for_the_person_who_pressed(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    job, message = await job_card(bot, ann)
    await (await ann.press(message, "Cancel")).answered()
    bob = fake.person("bob", locale="de")
    pressed = await bob.press(message, "Try again")
    answer = await pressed.answered()
    assert (answer.type, card(answer.message)) == (
        Answer.MESSAGE,
        "Got it! Your video is in the queue.",
    )
    again = bot.service.submitted[-1]
    assert again.id != job.id
    assert (again.order.call.person.name, again.order.call.locale) == ("Bob", "de")
    assert await recorded(bot, again) == (str(pressed.original_id), str(fake.channel.id))


async def test_cancelling_a_finished_job_says_that_it_is_finished(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    job, message = await job_card(bot, ann)
    over = replace(await bot.job(job.id), status=Status.FAILED, reason=Reason.REFUSED)
    await bot.jobs.save(await bot.job(job.id), over, now=bot.clock.now())
    assert (
        await said(await ann.press(message, "Cancel"))
        == "That order is already finished. /history shows your videos."
    )


async def test_cancelling_a_job_that_is_being_submitted_says_that_it_is_too_late(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    job, message = await job_card(bot, ann)
    taken = replace(await bot.job(job.id), status=Status.SUBMITTING)
    await bot.jobs.save(await bot.job(job.id), taken, now=bot.clock.now())
    sentence = await said(await ann.press(message, "Cancel"))
    assert sentence == "It is too late to cancel: the video service already has your order."


@pytest.mark.parametrize("button", ["Try again", "Remix"])
async def test_try_again_and_remix_take_no_order_if_the_result_could_not_be_posted(
    fake: FakeDiscord, bot: Bot, ann: Member, button: str
) -> None:
    _, message = await job_result(bot, ann)
    taken = list(bot.service.submitted)
    fake.deny(fake.channel, Permission.ATTACH_FILES)
    sentence = await said(await ann.press(message, button))
    assert sentence.startswith("I'm not allowed to post in this channel (Attach Files is missing)")
    assert bot.service.submitted == taken


@pytest.mark.proof
async def test_remix_opens_a_form_with_the_former_prompt_and_makes_a_new_job(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    job, message = await job_result(bot, ann)
    bob = fake.person("bob", locale="de")
    opened = await bob.press(message, "Remix")
    response = await opened.answered()
    assert response.type is Answer.MODAL
    assert response.data["components"][0]["component"]["value"] == "a cat"
    sent = await bob.submit_modal(opened, {0: "a dog"})
    answer = await sent.answered()
    assert (answer.type, card(answer.message)) == (
        Answer.MESSAGE,
        "Got it! Your video is in the queue.",
    )
    again = bot.service.submitted[-1]
    assert (again.order.wish.prompt, again.order.call.person.name) == ("a dog", "Bob")
    assert again.request.model == job.request.model
    assert await recorded(bot, again) == (str(sent.original_id), str(fake.channel.id))


async def test_continue_asks_what_happens_next_and_an_empty_answer_keeps_the_prompt(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    job, message = await job_result(bot, ann)
    opened = await ann.press(message, "Continue")
    response = await opened.answered()
    assert response.data["title"] == "What happens next?"
    await (await ann.submit_modal(opened, {0: ""})).answered()
    after = bot.service.submitted[-1]
    assert job.video is not None
    assert [each.last_of for each in after.order.pictures] == [job.video.key]
    assert (after.order.wish.prompt, after.order.call.person.name) == (job.order.wish.prompt, "Ann")


async def test_remix_opens_no_form_for_a_picture_that_somebody_else_posted(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    image = fake.attachment(PNG, "cat.png", ephemeral=True)
    await (await ann.slash("animate", image=image)).answered()
    job = await only_job(bot)
    post = await bot.post(job)
    await bot.platform.send(post, job, replies.result(job), video=None)
    message = await bot.fake.next("message", lambda each: each.nonce == post.nonce(Form.TEXT))
    sentence = await said(await fake.person("bob").press(message, "Remix"))
    assert sentence.startswith("Somebody else posted that picture")


async def test_delete_asks_for_confirmation_and_removes_video_and_prompt(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    job, message = await job_result(bot, ann)
    words = job.order.wish.prompt
    assert words in await _row(bot, job)
    asked = await (await ann.press(message, "Delete")).answered()
    assert asked.message is not None
    assert asked.ephemeral
    assert asked.message.content.startswith("Delete this video for good")
    assert (await bot.job(job.id)).video is not None
    sure = await (await ann.press(asked.message, "Yes, delete it")).answered()
    assert (sure.type, sure.message and sure.message.content) == (Answer.UPDATE, "Deleted.")
    assert (await bot.job(job.id)).video is None
    assert bot.media.kept == set()
    assert words not in await _row(bot, job), "nothing that they wrote is kept either"


async def _row(bot: Bot, job: Job) -> str:
    """Return everything that the database holds about this job."""
    query = sa.select(jobs).where(jobs.c.id == job.id)
    return str(await bot.database.run(lambda it: it.execute(query).mappings().one()))


async def test_only_the_videos_person_and_moderators_may_delete_on_discord(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    job, message = await job_result(bot, ann)
    bob = fake.person("bob")
    assert await said(await bob.press(message, "Delete")) == "That order belongs to somebody else."
    moderator = fake.person("mod", permissions=MEMBER | Permission.MANAGE_MESSAGES)
    asked = await (await moderator.press(message, "Delete")).answered()
    assert asked.message is not None
    await (await moderator.press(asked.message, "Yes, delete it")).answered()
    assert (await bot.job(job.id)).video is None


async def test_deleting_a_video_twice_says_that_it_was_gone_already(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    job, message = await job_result(bot, ann)
    await bot.service.delete(job.id, Actor(person=job.order.call.person))
    sentence = await said(await ann.press(message, "Delete"))
    assert sentence == "That video was already gone."


async def test_an_unknown_button_on_discord_is_answered(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    channel = bot.platform.client.get_partial_messageable(fake.channel.id)
    view = discord.ui.View(timeout=None)
    for custom_id in ("old:thing", "v1:fly:job"):
        view.add_item(discord.ui.Button(label=custom_id, custom_id=custom_id))
    view.stop()
    await channel.send("old", view=view)
    (message,) = fake.posts()
    for label in ("old:thing", "v1:fly:job"):
        sentence = await said(await ann.press(message, label))
        assert (
            sentence
            == "I don't know that button any more. Please order again; /history shows your videos."
        )
