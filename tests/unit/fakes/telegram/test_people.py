"""The acts of people on the fake Telegram, and that the real aiogram understands each update."""

import io

import pytest
from aiogram import Bot
from aiogram.types import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
    MessageOriginUser,
    Update,
)
from PIL import Image

from tests.fakes.telegram import FakeTelegram, Item, Membership, Person

BUTTONS = InlineKeyboardMarkup(
    inline_keyboard=[
        [
            InlineKeyboardButton(text="Cancel", callback_data="v1:cancel:7", style="danger"),
            InlineKeyboardButton(text="Open", url="https://example.com"),
        ]
    ]
)

KINDS = {
    "message", "edited_message", "channel_post", "callback_query", "chat_member", "my_chat_member",
    "message_reaction",
}  # fmt: skip


def picture(width: int, height: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(out, "PNG")
    return out.getvalue()


def told(fake: FakeTelegram, bot: Bot) -> Message:
    """Return the newest message that the bot got, as aiogram reads it."""
    update = Update.model_validate(fake.updates.all[-1].json, context={"bot": bot})
    message = update.message or update.edited_message or update.channel_post
    assert message is not None
    return message


# --- writing messages


async def test_a_command_entity_is_measured_in_utf_16(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    await ann.says("🐈🐈 /video@zoetrope_bot a cat https://example.com/a.")
    message = told(fake, bot)
    assert [entity.type for entity in message.entities or []] == ["bot_command", "url"]
    assert [entity.extract_from(message.text or "") for entity in message.entities or []] == [
        "/video@zoetrope_bot",
        "https://example.com/a",
    ]
    assert message.chat.id == ann.id
    assert message.from_user is not None
    assert (message.from_user.language_code, message.from_user.is_bot) == ("en", False)


async def test_a_person_may_have_no_language_code(fake: FakeTelegram, bot: Bot) -> None:
    await fake.person("Bob", language_code=None).starts("j_7")
    message = told(fake, bot)
    assert message.text == "/start j_7"
    assert message.from_user is not None
    assert message.from_user.language_code is None


async def test_a_person_edits_a_message_and_replies_to_one(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    first = await ann.says("one")
    await ann.edits(first, "one!")
    edited = fake.updates.all[-1]
    assert (edited.kind, told(fake, bot).text) == ("edited_message", "one!")
    second = await ann.says("two", reply_to=first)
    await ann.says("three", reply_to=second)
    replied = told(fake, bot).reply_to_message
    assert replied is not None
    assert (replied.text, replied.reply_to_message) == ("two", None)


async def test_a_forwarded_message_names_its_origin_and_one_sent_via_a_bot_names_that_bot(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    bob = fake.person("Bob")
    group = fake.group("Club", ann, bob, bot=Membership.ADMINISTRATOR)
    said = await bob.says("/video a cat", chat=group)
    await ann.forwards(said, to=ann.private)
    origin = told(fake, bot).forward_origin
    assert isinstance(origin, MessageOriginUser)
    assert origin.sender_user.id == bob.id
    await ann.says("/video a dog", via_bot=bot_named(fake, "gif"))
    via = told(fake, bot).via_bot
    assert via is not None
    assert via.username == "gif"


def bot_named(fake: FakeTelegram, name: str) -> Person:
    other = fake.person(name, username=name)
    other.is_bot = True
    return other


async def test_a_reply_across_chats_shows_the_photo_as_an_external_reply(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    group = fake.group("Club", ann, bot=Membership.ADMINISTRATOR)
    photo = await ann.sends_photo(picture(400, 300))
    await ann.says("/animate", chat=group, reply_to=photo)
    message = told(fake, bot)
    assert message.reply_to_message is None
    assert message.external_reply is not None
    assert message.external_reply.photo is not None


# ---- pictures


async def test_a_photo_comes_in_several_sizes_and_a_document_unchanged(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    original = picture(2000, 1000)
    await ann.sends_photo(original, caption="/animate slowly")
    message = told(fake, bot)
    assert message.caption_entities is not None
    assert message.caption_entities[0].extract_from(message.caption or "") == "/animate"
    assert message.photo is not None
    assert [(it.width, it.height) for it in message.photo] == [
        (90, 45), (320, 160), (800, 400), (1280, 640)
    ]  # fmt: skip
    await ann.sends_document(original, "cat.png")
    document = told(fake, bot).document
    assert document is not None
    assert (document.mime_type, document.file_size) == ("image/png", len(original))


async def test_stickers_and_animations_are_delivered_with_their_kind(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    kinds = {}
    for kind in ("static", "animated", "video"):
        await ann.sends_sticker(b"RIFF", kind=kind)
        sticker = told(fake, bot).sticker
        assert sticker is not None
        kinds[kind] = (sticker.is_animated, sticker.is_video)
    assert kinds == {"static": (False, False), "animated": (True, False), "video": (False, True)}
    await ann.sends_animation(b"mp4")
    message = told(fake, bot)
    assert message.animation is not None
    assert message.document is not None
    assert message.document.file_id == message.animation.file_id


async def test_an_album_is_delivered_as_one_update_per_item(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    items = [Item(content=picture(200, 100), caption="/animate"), Item(content=picture(100, 200))]
    await ann.sends_album(items)
    await ann.sends_album(items)
    messages = [update.message for update in await bot.get_updates()]
    albums = [message.media_group_id for message in messages if message is not None]
    assert albums[0] == albums[1] != albums[2] == albums[3]
    assert [message.caption for message in messages if message][:2] == ["/animate", None]


# ---- buttons and reactions


async def test_a_pressed_button_waits_until_the_bot_answers_the_callback(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    await bot.send_message(ann.id, "queued", reply_markup=BUTTONS)
    card = await fake.next("message")
    pressed = await ann.presses(card, "Cancel")
    query = (await bot.get_updates())[-1].callback_query
    assert query is not None
    assert (query.id, query.data) == (pressed.id, "v1:cancel:7")
    assert isinstance(query.message, Message)
    assert query.message.message_id == card.id
    assert query.message.reply_markup is not None
    assert fake.unanswered == [pressed]
    await bot.answer_callback_query(query.id, "Cancelled", show_alert=True)
    answer = await pressed.answered()
    assert (answer.text, answer.show_alert) == ("Cancelled", True)
    assert await fake.next("callback") is pressed
    assert fake.unanswered == []
    again = await ann.presses(card, "v1:cancel:7")
    assert again.id != pressed.id
    with pytest.raises(LookupError):
        await ann.presses(card, "Open")


# --- membership ------


async def test_the_bot_gets_updates_about_its_own_membership(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    group = fake.group("Club", ann, bot=Membership.LEFT)
    await ann.adds_bot(group)
    await ann.kicks_bot(group)
    await ann.blocks_bot()
    await ann.unblocks_bot()
    changes = [it.my_chat_member for it in await bot.get_updates() if it.my_chat_member]
    assert [
        (it.chat.type, it.old_chat_member.status, it.new_chat_member.status) for it in changes
    ] == [
        ("group", "left", "member"),
        ("group", "member", "kicked"),
        ("private", "member", "kicked"),
        ("private", "kicked", "member"),
    ]


async def test_people_can_only_do_what_a_telegram_client_offers(
    fake: FakeTelegram, ann: Person
) -> None:
    bob = fake.person("Bob")
    group = fake.group("Club", bob)
    with pytest.raises(LookupError, match="is not in"):
        await ann.says("hello", chat=group)
    with pytest.raises(LookupError, match="is not the chat of"):
        await ann.says("hello", chat=bob.private)
    said = await bob.says("hello")
    with pytest.raises(LookupError, match="is not by"):
        await ann.edits(said, "bye")


async def test_aiogram_understands_every_update_that_the_fake_can_send(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    """Sends every kind of update that the fake can send, once."""
    fake.updates.allowed = [*KINDS]
    forum = fake.supergroup("Forum", ann, is_forum=True, bot=Membership.ADMINISTRATOR)
    topic = fake.topic(forum, "Cats")
    said = await ann.says("/video a cat #cats @ann", chat=forum, topic=topic)
    await ann.says("more", reply_to=said, quote="a cat")
    await ann.says("General", chat=forum, reply_to=said)
    await ann.reacts(said, "🔥")
    ann.is_anonymous = True
    await ann.says("as the group", chat=forum)
    ann.is_anonymous = False
    channel = fake.channel("News", ann)
    post = await ann.says("a post", chat=channel)
    await ann.forwards(post, to=forum)
    ann.speaks_as = channel
    await ann.says("as the channel", chat=forum)
    ann.speaks_as = None
    await ann.sends_video(b"mp4", chat=forum)
    await ann.edits(said, "/video two cats")
    bob = fake.person("Bob")
    await bob.joins(forum)
    await bob.leaves(forum)
    fake.migrate(fake.group("Club", ann))
    await bot.send_message(ann.id, "card", reply_markup=BUTTONS)
    await ann.presses(fake.posts(ann.private)[-1], "Cancel")
    assert {update.kind for update in fake.updates.all} == KINDS - {"my_chat_member"}
    for update in fake.updates.all:
        parsed = Update.model_validate(update.json, context={"bot": bot})
        assert getattr(parsed, update.kind) is not None
        assert parsed.event_type == update.kind
