"""The commands of the core's table, as people use them on Discord."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.commands import COMMANDS, Who
from bot.core.jobs import Reason, Status
from tests.fakes.discord import MEMBER, Answer, FakeDiscord, Interaction, Message, Permission
from tests.unit.platforms.discord.bot import Bot
from tests.unit.platforms.discord.orders import job_card as _card
from tests.unit.platforms.discord.orders import job_result as _result


async def listed(interaction: Interaction) -> Message:
    """Return the list that only its person sees."""
    answer = await interaction.answered()
    assert answer.ephemeral
    assert answer.message is not None
    return answer.message


@pytest.mark.parametrize(
    "name",
    [it.name for it in COMMANDS.values() if it.act and it.who is Who.EVERYBODY],
)
async def test_each_command_on_discord_answers_its_person_alone(
    fake: FakeDiscord, bot: Bot, name: str
) -> None:
    answer = await (await fake.person("ann").slash(name)).answered()
    assert answer.ephemeral
    assert answer.message is not None
    assert answer.message.content


async def test_owners_commands_are_shown_only_to_managers_of_the_discord_server(
    fake: FakeDiscord, bot: Bot
) -> None:
    shown = {each["name"]: each["default_member_permissions"] for each in fake.commands}
    assert {name for name, needed in shown.items() if needed == 32} == {"allow", "disallow"}
    assert "claim" not in shown, "there is no code that it would take"


async def test_history_on_discord_opens_an_entry_and_posts_its_video_again(
    fake: FakeDiscord, bot: Bot, tmp_path: Path
) -> None:
    ann = fake.person("ann")
    bot.media.folder = tmp_path
    job, message = await _result(bot, ann)
    post = await bot.post(job, "result")
    await bot.posts.sent(post, str(message.id), str(fake.channel.id), now=bot.clock.now())
    history = await listed(await ann.slash("history"))
    entry = await (await ann.press(history, "a cat")).answered()
    assert entry.message is not None
    assert (entry.type, [it["label"] for it in entry.message.buttons]) == (
        Answer.UPDATE,
        ["Post it again", "Delete", "‹ Back", "Go to message"],
    )
    back = await (await ann.press(entry.message, "‹ Back")).answered()
    assert back.message is not None
    assert back.message.content == history.content
    opened = (await (await ann.press(back.message, "a cat")).answered()).message
    assert opened is not None
    again = await ann.press(opened, "Post it again")
    answer = await again.answered()
    assert not answer.ephemeral
    video = await fake.next("message", lambda it: it.id == again.original_id)
    assert video.attachments
    assert "AI-generated" in video.content


async def test_a_copy_of_a_deleted_video_is_removed_when_it_is_pressed(
    fake: FakeDiscord, bot: Bot
) -> None:
    ann = fake.person("ann")
    _, copy = await _result(bot, ann)
    sure = await listed(await ann.press(copy, "Delete"))
    await (await ann.press(sure, "Yes, delete it")).answered()
    answer = await listed(await ann.press(copy, "Delete"))
    assert "gone" in answer.content
    await fake.next("delete", lambda it: it.id == copy.id)


async def test_a_job_is_cancelled_from_the_list_of_jobs_on_discord(
    fake: FakeDiscord, bot: Bot
) -> None:
    ann = fake.person("ann")
    job, _ = await _card(bot, ann)
    jobs = await listed(await ann.slash("jobs"))
    assert "“a cat”" in jobs.content
    stopped = await (await ann.press(jobs, "Stop 1")).answered()
    assert stopped.message is not None
    assert stopped.message.content.startswith("You have no orders under way.")
    assert (await bot.job(job.id)).status == "cancelled"


async def test_a_late_stop_says_so_and_does_not_take_the_list_for_a_card(
    fake: FakeDiscord, bot: Bot
) -> None:
    ann = fake.person("ann")
    job, _ = await _card(bot, ann)
    jobs = await listed(await ann.slash("jobs"))
    over = replace(await bot.job(job.id), status=Status.FAILED, reason=Reason.REFUSED)
    await bot.jobs.save(await bot.job(job.id), over, now=bot.clock.now())
    while not bot.posts.asked.empty():
        bot.posts.asked.get_nowait()
    answer = await listed(await ann.press(jobs, "Stop 1"))
    assert answer.content == "That order is already finished. /history shows your videos."
    await listed(await ann.slash("jobs"))
    assert bot.posts.asked.empty(), "it looked for a card to bring up to date"


async def test_a_moderator_of_one_discord_server_may_not_cancel_jobs_of_another(
    fake: FakeDiscord, bot: Bot
) -> None:
    job, message = await _card(bot, fake.person("ann"))
    call = replace(job.order.call, address=replace(job.order.call.address, community="1"))
    await bot.jobs.save(job, replace(job, order=replace(job.order, call=call)), now=bot.clock.now())
    moderator = fake.person("mod", permissions=MEMBER | Permission.MANAGE_MESSAGES)
    answer = await listed(await moderator.press(message, "Cancel"))
    assert answer.content == "That order belongs to somebody else."
    assert (await bot.job(job.id)).status is Status.QUEUED


async def test_the_cancel_command_suggests_the_persons_jobs_in_progress(
    fake: FakeDiscord, bot: Bot
) -> None:
    ann = fake.person("ann")
    job, _ = await _card(bot, ann)
    assert await ann.autocomplete("cancel", focused="job") == [{"name": "a cat", "value": job.id}]
    assert await ann.autocomplete("cancel", focused="job", value="dog") == []
    answer = await listed(await ann.slash("cancel", job=job.id))
    assert answer.content.startswith("Cancelled: “a cat”")
