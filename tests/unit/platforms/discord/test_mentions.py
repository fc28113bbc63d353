"""Mentions of the bot and direct messages on Discord."""

import asyncio
from typing import Any

import discord
import pytest

from bot.core.jobs import Status
from bot.core.service import AnimateOthers
from tests.fakes.clock import FakeClock
from tests.fakes.discord import (
    FakeDiscord,
    Intent,
    Permission,
    error,
)
from tests.fakes.discord import Person as Member
from tests.unit.platforms.discord.bot import Bot
from tests.unit.platforms.discord.orders import (
    PNG,
    card,
    deliver_again,
    only_job,
    recorded,
    told_help,
)


async def test_a_mention_with_a_prompt_is_answered_with_the_card(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    asked = await ann.say("a cat", mentions_bot=True)
    shown = await fake.next("message")
    job = await only_job(bot)
    assert card(shown) == "Got it! Your video is in the queue."
    assert (shown.reference, shown.pings) == (asked.id, frozenset())
    assert shown.nonce == f"{job.id}-ct"
    assert await recorded(bot, job) == (str(shown.id), str(fake.channel.id))
    order = job.order
    assert (order.call.event_id, order.wish.prompt) == (str(asked.id), "a cat")
    assert order.call.address.message == str(asked.id)


async def test_a_mention_delivered_twice_is_answered_once(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    await ann.say("a cat", mentions_bot=True)
    await fake.next("message")
    await recorded(bot, await only_job(bot))
    fake.world.nonce_window = 0.0
    deliver_again(fake, "MESSAGE_CREATE")
    for _ in range(2):
        await asyncio.wait_for(bot.service.submissions.get(), 60)
    await told_help(fake, ann)
    assert len([each for each in fake.posts() if each.embeds]) == 1


async def test_an_empty_mention_gets_help(fake: FakeDiscord, bot: Bot, ann: Member) -> None:
    shown = await told_help(fake, ann)
    assert shown.content == (
        "Mention me with a prompt like “a cat on the moon”, with a picture if you like, "
        "or use /video."
    )


async def test_a_mention_uses_the_picture_of_its_own_message(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    await ann.say("", mentions_bot=True, attachments=[fake.attachment(PNG, "cat.png")])
    await fake.next("message")
    order = (await only_job(bot)).order
    assert [(each.filename, each.author) for each in order.pictures] == [("cat.png", str(ann.id))]


async def test_a_mention_that_replies_to_a_visible_picture_uses_that_picture(
    fake: FakeDiscord, idle: Bot, ann: Member
) -> None:
    fake.grant(Intent.MESSAGE_CONTENT)
    idle.settings = type(idle.settings)(
        token=fake.token,
        api_url=fake.api_url,
        gateway_url=fake.gateway_url,
        message_content=True,
    )
    idle.fresh()
    async with idle.running():
        picture = await ann.say("mine", attachments=[fake.attachment(PNG, "cat.png")])
        await ann.say("make it purr", mentions_bot=True, reply_to=picture)
        await fake.next("message")
    order = (await only_job(idle)).order
    assert [each.filename for each in order.pictures] == ["cat.png"]


async def test_a_mention_that_replies_to_a_hidden_picture_says_that_it_is_hidden(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    bob = fake.person("bob")
    picture = await bob.say("mine", attachments=[fake.attachment(PNG, "cat.png")])
    await ann.say("make it purr", mentions_bot=True, reply_to=picture)
    shown = await fake.next("message")
    assert shown.content.startswith("Discord shows me only messages that mention me.")
    assert bot.service.submitted == []


async def test_a_mention_with_too_many_pictures_is_refused_with_a_sentence(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    bob = fake.person("bob")
    for person, count, sentence in (
        (ann, 2, "No model here goes from one picture to another. Please send me one picture"),
        (bob, 3, "No model here keeps the people and things of pictures."),
        (bob, 11, "You sent 11 pictures, and the most I take is 10."),
    ):
        files = [fake.attachment(PNG, "cat.png") for _ in range(count)]
        await person.say("", mentions_bot=True, attachments=files)
        assert (await fake.next("message")).content.startswith(sentence)


async def test_a_picture_that_the_bot_posted_has_no_known_author(
    fake: FakeDiscord, bot: Bot, ann: Member, tmp_path: Any
) -> None:
    path = tmp_path / "still.png"
    path.write_bytes(PNG)
    channel = bot.platform.client.get_partial_messageable(fake.channel.id)
    await channel.send("here", file=discord.File(path))
    ours = await fake.next("message")
    await ann.say("more", mentions_bot=True, reply_to=ours)
    shown = await fake.next("message")
    assert shown.content.startswith("I can't tell whose picture that is")
    bot.service.animate_others = AnimateOthers.FREE
    await ann.say("more", mentions_bot=True, reply_to=ours)
    await fake.next("message")
    assert [each.author for each in (await only_job(bot)).order.pictures] == [None]


async def test_a_reply_to_a_video_without_a_mention_is_no_order(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    channel = bot.platform.client.get_partial_messageable(fake.channel.id)
    await channel.send("your video")
    await ann.say("wow!", reply_to=await fake.next("message"))
    await told_help(fake, ann)
    assert bot.service.submitted == []


async def test_a_picture_in_direct_messages_needs_no_mention(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    await ann.say("it purrs", channel=ann.dm, attachments=[fake.attachment(PNG, "cat.png")])
    shown = await fake.next("message")
    assert card(shown) == "Got it! I'm fetching your picture …"
    order = (await only_job(bot)).order
    assert (order.wish.prompt, order.call.address.community) == ("it purrs", None)


async def test_a_text_alone_in_direct_messages_is_no_order(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    for words in ("thanks!", "a cat"):
        asked = await ann.say(words, channel=ann.dm)
        shown = await fake.next("message")
        assert shown.content.startswith("Send me a picture here and I bring it to life")
    await ann.say("thanks!", channel=ann.dm, reply_to=shown)
    assert (await fake.next("message")).reference != asked.id
    assert bot.service.submitted == []


async def test_several_mentions_in_a_row_are_each_answered(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    for _ in range(3):
        await ann.say("a cat", mentions_bot=True)
        assert card(await fake.next("message")) == "Got it! Your video is in the queue."


async def test_a_channel_whose_cached_rights_may_be_wrong_is_still_tried(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    """The cached rights may be wrong, so Discord itself decides."""
    gone = {"guild_id": str(fake.guild.id), "role_id": str(fake.guild.bot_role.id)}
    assert fake.world.tell(Intent.GUILDS, "GUILD_ROLE_DELETE", gone)
    await ann.say("a cat", mentions_bot=True)
    assert card(await fake.next("message")) == "Got it! Your video is in the queue."


async def test_help_is_told_once_a_minute_to_each_person_in_each_channel(
    fake: FakeDiscord, bot: Bot, ann: Member, clock: FakeClock
) -> None:
    bob = fake.person("bob")
    await told_help(fake, ann)
    again = await ann.say("", mentions_bot=True)
    marked = await fake.next("reaction")
    assert (marked.id, marked.reactions) == (again.id, ("❔",))
    await told_help(fake, bob)
    await clock.advance(61)
    await told_help(fake, ann)
    assert len(fake.posts()) == 3


async def test_without_the_right_to_react_a_repeated_empty_mention_gets_no_answer(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    fake.deny(fake.channel, Permission.ADD_REACTIONS)
    await told_help(fake, ann)
    await ann.say("", mentions_bot=True)
    await fake.next("request", lambda each: each.status == 403)
    await told_help(fake, fake.person("bob"))
    assert len(fake.posts()) == 2


@pytest.mark.proof
async def test_in_a_channel_where_the_bot_may_not_write_it_answers_directly(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    fake.deny(fake.channel, Permission.SEND_MESSAGES)
    await ann.say("a cat", mentions_bot=True)
    shown = await fake.next("message")
    assert shown.channel is ann.dm
    assert "(Send Messages is missing)" in shown.content


async def test_an_answer_without_the_right_to_reply_is_a_plain_message(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    fake.deny(fake.channel, Permission.READ_MESSAGE_HISTORY)
    await ann.say("a cat", mentions_bot=True)
    shown = await fake.next("message")
    assert (shown.channel, shown.reference) == (fake.channel, None)
    assert "(Read Message History is missing)" in shown.content


async def test_a_card_that_cannot_be_posted_now_stays_due(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    fake.faults.add("POST", "/messages$", error(503))
    await ann.say("a cat", mentions_bot=True)
    await fake.next("request", lambda each: each.status == 503)
    await told_help(fake, ann)
    job = await only_job(bot)
    assert job.status is Status.QUEUED
    assert (await bot.post(job)).due_at is not None
