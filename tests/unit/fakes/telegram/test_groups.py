"""Groups on the fake Telegram: privacy, topics, anonymous people, the move to a supergroup."""

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest, TelegramForbiddenError, TelegramMigrateToChat
from aiogram.types import ReplyParameters

from tests.fakes.telegram import FakeTelegram, Membership, Person

from .test_people import picture


def heard(fake: FakeTelegram) -> list[str]:
    """Return the texts of the updates that the bot got."""
    told = [update.body for update in fake.updates.all]
    return [body.get("text") or body.get("caption") or "" for body in told]


# ---- privacy mode


async def test_privacy_mode_delivers_only_messages_meant_for_the_bot(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    group = fake.group("Club", ann)
    await ann.says("hello", chat=group)
    await ann.says("hello @zoetrope_bot", chat=group)
    await ann.says("/video a cat", chat=group)
    await ann.says("/video@other_bot a cat", chat=group)
    await ann.sends_photo(picture(40, 30), chat=group)
    assert heard(fake) == []
    await ann.says("/video@Zoetrope_Bot one", chat=group)
    await ann.sends_photo(picture(40, 30), caption="/animate@zoetrope_bot two", chat=group)
    await bot.send_message(group.id, "done")
    await ann.says("/video three", chat=group)
    await ann.says("four", chat=group, reply_to=fake.posts(group)[0])
    await ann.says("five", chat=group, via_bot=fake.bot)
    assert [text.split()[-1] for text in heard(fake)] == ["one", "two", "three", "four", "five"]


async def test_a_bot_that_is_admin_or_without_privacy_mode_gets_every_message(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    group = fake.group("Club", ann, bot=Membership.ADMINISTRATOR)
    await ann.says("hello", chat=group)
    assert heard(fake) == ["hello"]
    fake.promote(group, fake.bot)
    other = fake.group("Pub", ann)
    fake.world.privacy.is_on = False
    await ann.says("hi", chat=other)
    assert heard(fake) == ["hello", "hi"]
    assert (await bot.get_me()).can_read_all_group_messages


async def test_the_picture_of_a_replied_message_may_be_hidden_by_privacy_mode(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    bob = fake.person("Bob")
    group = fake.group("Club", ann, bob)
    photo = await bob.sends_photo(picture(40, 30), chat=group)
    await ann.says("/animate@zoetrope_bot", chat=group, reply_to=photo)
    fake.world.privacy.hides_replied_messages = True
    await ann.says("/animate@zoetrope_bot", chat=group, reply_to=photo)
    seen, unseen = (update.message for update in await bot.get_updates())
    assert seen is not None
    assert seen.reply_to_message is not None
    assert seen.reply_to_message.photo is not None
    assert unseen is not None
    assert unseen.reply_to_message is None


# --- anonymous senders


async def test_anonymous_admins_and_channels_appear_as_chats_not_as_people(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    group = fake.supergroup("Club", ann)
    channel = fake.channel("News", ann)
    ann.is_anonymous = True
    await ann.says("/video@zoetrope_bot one", chat=group)
    ann.is_anonymous, ann.speaks_as = False, channel
    await ann.says("/video@zoetrope_bot two", chat=group)
    await ann.says("a post", chat=channel)
    one, two, post = await bot.get_updates()
    assert one.message is not None
    assert two.message is not None
    assert post.channel_post is not None
    assert [
        (it.from_user.username if it.from_user else None, it.sender_chat.id)
        for it in (one.message, two.message, post.channel_post)
        if it.sender_chat is not None
    ] == [("GroupAnonymousBot", group.id), ("Channel_Bot", channel.id), (None, channel.id)]


# ---- topics


async def test_a_message_in_a_topic_carries_its_topic_and_one_in_general_does_not(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    forum = fake.supergroup("Forum", ann, is_forum=True)
    topic = fake.topic(forum, "Cats")
    said = await ann.says("/video@zoetrope_bot one", chat=forum, topic=topic)
    general = await ann.says("/video@zoetrope_bot two", chat=forum)
    await ann.says("/video@zoetrope_bot three", chat=forum, reply_to=general)
    one, two, three = (update.message for update in await bot.get_updates())
    assert one is not None
    assert two is not None
    assert three is not None
    assert (one.message_thread_id, one.is_topic_message) == (topic.id, True)
    assert one.reply_to_message is not None
    assert one.reply_to_message.message_id == topic.id
    assert one.reply_to_message.forum_topic_created is not None
    assert (two.message_thread_id, two.is_topic_message) == (None, None)
    assert (three.message_thread_id, three.is_topic_message) == (general.id, None)
    await bot.send_message(forum.id, "into the topic", message_thread_id=topic.id)
    assert (await fake.next("message")).topic is topic
    reply = ReplyParameters(message_id=said.id)
    await bot.send_message(forum.id, "by the reply", reply_parameters=reply)
    assert (await fake.next("message")).topic is topic
    await bot.send_message(forum.id, "into General")
    assert (await fake.next("message")).topic is None


async def test_a_message_to_a_closed_or_unknown_topic_is_refused(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    forum = fake.supergroup("Forum", ann, is_forum=True)
    topic = fake.topic(forum, "Cats")
    for number in (1, 77):
        with pytest.raises(TelegramBadRequest, match="message thread not found"):
            await bot.send_message(forum.id, "x", message_thread_id=number)
    topic.is_closed = True
    with pytest.raises(TelegramBadRequest, match="TOPIC_CLOSED"):
        await bot.send_message(forum.id, "x", message_thread_id=topic.id)
    topic.is_deleted = True
    with pytest.raises(TelegramBadRequest, match="message thread not found"):
        await bot.send_message(forum.id, "x", message_thread_id=topic.id)


async def test_a_reply_from_another_topic_shows_its_target_as_an_external_reply(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    forum = fake.supergroup("Forum", ann, is_forum=True)
    topic = fake.topic(forum, "Cats")
    said = await ann.says("hello", chat=forum)
    reply = ReplyParameters(message_id=said.id)
    sent = await bot.send_message(forum.id, "x", message_thread_id=topic.id, reply_parameters=reply)
    assert sent.external_reply is not None
    assert sent.external_reply.message_id == said.id
    assert sent.reply_to_message is not None
    assert sent.reply_to_message.message_id == topic.id


# ---- membership


async def test_a_message_to_a_group_without_the_bot_is_refused(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    group, club = fake.group("Group", ann), fake.supergroup("Club", ann, bot=Membership.LEFT)
    await ann.kicks_bot(group)
    with pytest.raises(TelegramForbiddenError, match="bot was kicked from the group chat"):
        await bot.send_message(group.id, "x")
    with pytest.raises(TelegramForbiddenError, match="bot is not a member of the supergroup chat"):
        await bot.send_message(club.id, "x")


async def test_a_group_that_becomes_a_supergroup_gets_a_new_id(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    group = fake.group("Club", ann)
    sent = await bot.send_message(group.id, "before")
    club = fake.migrate(group)
    old, new = (update.message for update in await bot.get_updates())
    assert old is not None
    assert new is not None
    assert (old.chat.id, old.migrate_to_chat_id) == (group.id, club.id)
    assert (new.chat.id, new.migrate_from_chat_id) == (club.id, group.id)
    for call in (
        bot.send_message(group.id, "x"),
        bot.edit_message_text("x", chat_id=group.id, message_id=sent.message_id),
    ):
        with pytest.raises(TelegramMigrateToChat) as caught:
            await call
        assert caught.value.migrate_to_chat_id == club.id
    await bot.send_message(club.id, "after")
    assert [it.text for it in fake.posts(club)] == ["after"]
    with pytest.raises(LookupError):
        await ann.says("x", chat=group)
