"""Edits of a card: none without a change, and none that goes back to an earlier state."""

import asyncio
from dataclasses import replace

import pytest

from bot.core.cards import card as drawn
from bot.core.jobs import Job, Status
from tests.fakes.discord import FakeDiscord, Message, error
from tests.fakes.discord import Person as Member
from tests.unit.platforms.discord.bot import Bot

EDIT = r"/messages/\d+$"


@pytest.fixture
def ann(fake: FakeDiscord) -> Member:
    return fake.person("ann")


async def running(bot: Bot, ann: Member) -> tuple[Job, Message]:
    """Return a job in progress and its updated card."""
    shown = (await (await ann.slash("video", prompt="a cat")).answered()).message
    assert shown is not None
    await asyncio.wait_for(bot.service.recorded.get(), 60)
    job = await bot.job(bot.service.submitted[0].id)
    for status in (Status.SUBMITTING, Status.IN_PROGRESS):
        changed = replace(job, status=status, gateway_id="v1")
        saved = await bot.jobs.save(job, changed, now=bot.clock.now())
        assert saved is not None
        job = saved
    await bot.platform.edit(await bot.post(job), job, drawn(job))
    return job, await bot.fake.next("edit")


def labels(message: Message) -> list[str]:
    return [str(each["label"]) for each in message.buttons]


async def test_a_card_on_discord_is_edited_only_when_it_shows_a_change(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    job, _ = await running(bot, ann)
    post = await bot.post(job)
    for progress in (0, 0, 10, 10):
        later = replace(job, progress=progress)
        await bot.platform.edit(post, later, drawn(later))
    edited = await fake.next("edit")
    assert "10 %" in str(edited.embeds)
    with pytest.raises(TimeoutError):
        await fake.next("edit", timeout=0)


async def test_the_answer_to_a_command_is_not_edited_into_the_same_card(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    await (await ann.slash("video", prompt="a cat")).answered()
    await asyncio.wait_for(bot.service.recorded.get(), 60)
    job = await bot.job(bot.service.submitted[0].id)
    await bot.platform.edit(await bot.post(job), job, drawn(job))
    with pytest.raises(TimeoutError):
        await fake.next("edit", timeout=0)


async def test_a_card_edit_that_failed_is_made_again(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    job, _ = await running(bot, ann)
    later, post = replace(job, progress=50), await bot.post(job)
    fake.faults.add("PATCH", EDIT, error(503))
    with pytest.raises(Exception, match="discord_unreachable"):
        await bot.platform.edit(post, later, drawn(later))
    await bot.platform.edit(post, later, drawn(later))
    assert "50 %" in str((await fake.next("edit")).embeds)


async def test_an_older_edit_in_progress_does_not_bring_the_dont_post_button_back(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    job, shown = await running(bot, ann)
    older = replace(job, progress=50)
    held = fake.faults.hold_before("PATCH", EDIT)
    edit = asyncio.create_task(bot.platform.edit(await bot.post(job), older, drawn(older)))
    await held.reached()
    pressed = await ann.press(shown, "Don't post")
    await pressed.answered()
    # If the edit had not waited, it would have arrived before this answer.
    await (await ann.slash("video", prompt="a dog")).answered()
    held.release()
    await edit
    first, second = await fake.next("edit"), await fake.next("edit")
    assert "50 %" in str(first.embeds)
    assert (labels(first), labels(second)) == (["Don't post"], [])


async def test_an_older_edit_made_after_the_press_does_not_bring_the_dont_post_button_back(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    """The due card was read from its row before the button was pressed."""
    job, shown = await running(bot, ann)
    older = replace(job, progress=50)
    await (await ann.press(shown, "Don't post")).answered()
    await fake.next("edit")
    await bot.platform.edit(await bot.post(job), older, drawn(older))
    newer = replace(await bot.job(job.id), progress=60)
    await bot.platform.edit(await bot.post(job), newer, drawn(newer))
    edited = await fake.next("edit")
    assert "60 %" in str(edited.embeds)
    assert labels(edited) == []
