"""Which messages the fake Telegram accepts, and with which message it refuses others."""

from collections.abc import Awaitable
from typing import Any

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest, TelegramForbiddenError
from aiogram.types import (
    BotCommand,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChatMember,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    MessageEntity,
    ReactionTypeEmoji,
    ReactionTypeUnion,
    ReplyParameters,
)

from tests.fakes.telegram import FakeTelegram, Membership, Person

from .conftest import Clock

Fields = dict[str, Any]


def keyboard(*buttons: InlineKeyboardButton) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(inline_keyboard=[list(buttons)])


async def refused(call: Awaitable[object]) -> str:
    """Return the message of a refusal."""
    with pytest.raises(TelegramBadRequest) as caught:
        await call
    return caught.value.message.removeprefix("Bad Request: ")


# --- sending messages


async def test_a_sent_message_is_shown_to_people_with_all_its_parts(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    said = await ann.says("/video a cat")
    sent = await bot.send_message(
        ann.id,
        "  queued  ",
        reply_markup=keyboard(InlineKeyboardButton(text="Go", callback_data="go", style="success")),
        reply_parameters=ReplyParameters(message_id=said.id),
        link_preview_options=LinkPreviewOptions(is_disabled=True),
        disable_notification=True,
    )
    seen = await fake.next("message")
    assert fake.posts(ann.private) == [seen]
    assert (seen.id, seen.text, seen.reply_to) == (sent.message_id, "queued", said.id)
    assert (seen.silent, seen.preview, seen.edits) == (True, {"is_disabled": True}, 0)
    assert [button["style"] for button in seen.buttons] == ["success"]
    assert sent.reply_to_message is not None
    assert sent.reply_to_message.text == "/video a cat"


async def test_every_call_of_the_bot_is_recorded_in_the_journal(
    fake: FakeTelegram, bot: Bot, ann: Person, clock: Clock
) -> None:
    await bot.send_message(ann.id, "123")
    call = await fake.next("sendMessage")
    assert fake.calls == fake.calls_of("sendmessage") == [call]
    assert (call.method, call.chat, call.at, call.status) == (
        "sendMessage", ann.id, clock.now, 200
    )  # fmt: skip
    assert call.fields == {"chat_id": ann.id, "text": "123"}


async def test_the_length_of_a_text_is_measured_without_its_markup(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    await bot.send_message(ann.id, f"<b>{'x' * 4096}</b>", parse_mode="HTML")
    assert await refused(bot.send_message(ann.id, "🐈" * 2049)) == "message is too long"
    assert await refused(bot.send_message(ann.id, "")) == "message text is empty"
    assert await refused(bot.send_message(ann.id, " \n ")) == "text must be non-empty"


async def test_entities_outside_the_text_are_refused(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    def bold(offset: int, length: int) -> list[MessageEntity]:
        return [MessageEntity(type="bold", offset=offset, length=length)]

    await bot.send_message(ann.id, " 🐈 cat", entities=bold(1, 6))
    assert (await fake.next("message")).entities == ({"type": "bold", "offset": 0, "length": 6},)
    past = await refused(bot.send_message(ann.id, "cat", entities=bold(1, 9)))
    assert past.startswith("entity beginning at UTF-16 offset 1 ends after the end of the text")
    half = await refused(bot.send_message(ann.id, "🐈 cat", entities=bold(1, 2)))
    assert half.startswith("entity begins in a middle of a UTF-16 symbol")


async def test_a_reply_to_a_missing_message_is_refused_unless_allowed(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    gone = ReplyParameters(message_id=77)
    lost = await refused(bot.send_message(ann.id, "done", reply_parameters=gone))
    assert lost == "message to be replied not found"
    allowed = ReplyParameters(message_id=77, allow_sending_without_reply=True)
    await bot.send_message(ann.id, "done", reply_parameters=allowed)
    assert (await fake.next("message")).reply_to is None
    group = fake.group("Club", ann)
    elsewhere = ReplyParameters(message_id=77, chat_id=group.id, allow_sending_without_reply=True)
    lost = await refused(bot.send_message(ann.id, "done", reply_parameters=elsewhere))
    assert lost == "message to be replied not found"


@pytest.mark.parametrize(
    ("button", "words"),
    [
        ({"text": "Go", "callback_data": "ü" * 33}, "BUTTON_DATA_INVALID"),
        ({"text": " ", "callback_data": "go"}, "inline keyboard button text must be non-empty"),
        (
            {"text": "Go", "callback_data": "go", "style": "pink"},
            "can't parse inline keyboard button: invalid button style specified",
        ),
        (
            {"text": "Go"},
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        ),
        (
            {"text": "Go", "url": "ftp://example.com"},
            "inline keyboard button URL 'ftp://example.com' is invalid: Wrong HTTP URL",
        ),
    ],
)
async def test_an_invalid_button_is_refused(
    bot: Bot, ann: Person, button: dict[str, str], words: str
) -> None:
    markup = keyboard(InlineKeyboardButton.model_validate(button))
    assert await refused(bot.send_message(ann.id, "x", reply_markup=markup)) == words


async def test_a_message_to_a_person_who_cannot_be_reached_is_refused(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    assert await refused(bot.send_message(12345, "x")) == "chat not found"
    stranger = fake.person("Bob")
    with pytest.raises(TelegramForbiddenError, match="can't initiate conversation with a user"):
        await bot.send_message(stranger.id, "x")
    await ann.blocks_bot()
    with pytest.raises(TelegramForbiddenError, match="bot was blocked by the user"):
        await bot.send_message(ann.id, "x")
    await ann.unblocks_bot()
    ann.is_deactivated = True
    with pytest.raises(TelegramForbiddenError, match="user is deactivated"):
        await bot.send_message(ann.id, "x")


# --- edits and deletions


async def test_an_edit_replaces_text_and_keyboard(
    fake: FakeTelegram, bot: Bot, ann: Person, clock: Clock
) -> None:
    markup = keyboard(InlineKeyboardButton(text="Cancel", callback_data="cancel"))
    sent = await bot.send_message(ann.id, "10 %", reply_markup=markup)
    before = await fake.next("message")
    clock.now += 60
    await bot.edit_message_text("20 %", chat_id=ann.id, message_id=sent.message_id)
    after = await fake.next("edit")
    assert (before.text, len(before.buttons)) == ("10 %", 1)
    assert (after.text, after.buttons, after.edits, after.edited_at) == ("20 %", [], 1, clock.now)
    assert fake.now(before) == after


async def test_an_edit_that_changes_nothing_is_refused(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    sent = await bot.send_message(ann.id, "<b>10 %</b>", parse_mode="HTML")
    here: Fields = {"chat_id": ann.id, "message_id": sent.message_id}
    same = [MessageEntity(type="bold", offset=0, length=4)]
    words = await refused(bot.edit_message_text("10 %", **here, entities=same))
    assert words.startswith("message is not modified")
    await bot.edit_message_text("10 %", **here)
    markup = keyboard(InlineKeyboardButton(text="Cancel", callback_data="cancel"))
    await bot.edit_message_reply_markup(**here, reply_markup=markup)
    words = await refused(bot.edit_message_reply_markup(**here, reply_markup=markup))
    assert words.startswith("message is not modified")
    assert fake.posts(ann.private)[0].edits == 2


async def test_only_the_bots_own_messages_can_be_edited(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    said = await ann.says("mine")
    here: Fields = {"chat_id": ann.id, "message_id": said.id}
    assert await refused(bot.edit_message_text("yours", **here)) == "message can't be edited"
    gone: Fields = {"chat_id": ann.id, "message_id": 77}
    assert await refused(bot.edit_message_text("x", **gone)) == "message to edit not found"
    asked = await bot.send_message(ann.id, "prompt?", reply_markup=ForceReply())
    here = {"chat_id": ann.id, "message_id": asked.message_id}
    assert await refused(bot.edit_message_text("x", **here)) == "message can't be edited"


async def test_messages_can_be_deleted_within_two_days(
    fake: FakeTelegram, bot: Bot, ann: Person, clock: Clock
) -> None:
    sent = await bot.send_message(ann.id, "one")
    assert await bot.delete_message(ann.id, sent.message_id)
    assert (await fake.next("delete")).text == "one"
    words = await refused(bot.delete_message(ann.id, sent.message_id))
    assert words == "message to delete not found"
    group = fake.group("Club", ann)
    said = await ann.says("hello", chat=group)
    assert await refused(bot.delete_message(group.id, said.id)) == "message can't be deleted"
    sent = await bot.send_message(ann.id, "two")
    clock.now += 48 * 3600 + 1
    words = await refused(bot.delete_message(ann.id, sent.message_id))
    assert words == "message can't be deleted"


async def test_the_id_of_a_deleted_message_is_not_used_again(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    club = fake.supergroup("Club", ann)
    first = await bot.send_message(club.id, "one")
    await bot.delete_message(club.id, first.message_id)
    assert (await bot.send_message(club.id, "two")).message_id == first.message_id + 1


# ---- buttons, reactions, actions


async def test_a_callback_answer_that_is_too_long_or_too_late_is_refused(
    fake: FakeTelegram, bot: Bot, ann: Person, clock: Clock
) -> None:
    markup = keyboard(InlineKeyboardButton(text="Go", callback_data="go"))
    await bot.send_message(ann.id, "x", reply_markup=markup)
    pressed = await ann.presses(await fake.next("message"), "Go")
    words = await refused(bot.answer_callback_query(pressed.id, "x" * 201))
    assert words == "MESSAGE_TOO_LONG"
    clock.now += fake.quirks.callback_seconds + 1
    assert (await refused(bot.answer_callback_query(pressed.id))).startswith("query is too old")
    assert fake.unanswered == [pressed]


async def test_a_reaction_outside_telegrams_list_is_refused(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    said = await ann.says("hello")

    async def react(*emojis: str, message: int = said.id) -> None:
        reactions: list[ReactionTypeUnion] = [ReactionTypeEmoji(emoji=emoji) for emoji in emojis]
        await bot.set_message_reaction(ann.id, message, reactions)

    await react("👀")
    assert (await fake.next("reaction")).reactions == {fake.bot: ("👀",)}
    assert await refused(react("🎬")) == "REACTION_INVALID"
    assert await refused(react("👀", "💔")) == "REACTIONS_TOO_MANY"
    assert await refused(react("👀", message=77)) == "message to react not found"


async def test_a_chat_action_is_recorded_and_an_unknown_one_refused(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    await bot.send_chat_action(ann.id, "upload_video")
    assert [(it.chat, it.name) for it in fake.actions] == [(ann.private, "upload_video")]
    assert await fake.next("action") is fake.actions[0]
    assert await refused(bot.send_chat_action(ann.id, "juggle")) == (
        "wrong parameter action in request"
    )


# ---- the bot itself


async def test_bot_commands_are_stored_by_scope_and_language(fake: FakeTelegram, bot: Bot) -> None:
    commands = [BotCommand(command="video", description="Make a video")]
    scope = BotCommandScopeAllPrivateChats()
    await bot.set_my_commands(commands, scope=scope, language_code="de")
    kept = await bot.get_my_commands(scope=scope, language_code="de")
    assert [(it.command, it.description) for it in kept] == [("video", "Make a video")]
    assert await bot.get_my_commands() == []
    shown = {"command": "video", "description": "Make a video"}
    assert fake.commands("all_private_chats", "de") == [shown]
    await bot.delete_my_commands(scope=scope, language_code="de")
    assert fake.commands("all_private_chats", "de") == []


@pytest.mark.parametrize(
    ("name", "description", "language", "words"),
    [
        ("Video", "x", "", "BOT_COMMAND_INVALID"),
        ("v" * 33, "x", "", "BOT_COMMAND_INVALID"),
        ("video", "", "", "command description must be non-empty"),
        ("video", "x" * 257, "", "command description length must not exceed 256"),
        ("video", "x", "zh-hans", "invalid language code specified"),
    ],
)
async def test_an_invalid_bot_command_is_refused(
    bot: Bot, name: str, description: str, language: str, words: str
) -> None:
    commands = [BotCommand(command=name, description=description)]
    assert await refused(bot.set_my_commands(commands, language_code=language)) == words


async def test_more_than_a_hundred_bot_commands_are_refused(bot: Bot, ann: Person) -> None:
    commands = [BotCommand(command=f"video{n}", description="x") for n in range(101)]
    assert await refused(bot.set_my_commands(commands)) == "BOT_COMMANDS_TOO_MUCH"
    scope = BotCommandScopeChatMember(chat_id=ann.id, user_id=ann.id)
    words = await refused(bot.set_my_commands(commands[:1], scope=scope))
    assert words == "can't use specified scope in private chats"


async def test_the_bot_can_read_its_own_profile_chats_and_memberships(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    group = fake.group("Club", ann)
    bob = fake.person("Bob")
    me = await bot.get_me()
    assert (me.id, me.is_bot, me.username) == (fake.bot.id, True, fake.bot.username)
    assert me.can_read_all_group_messages is False
    assert (await bot.get_chat(group.id)).title == "Club"
    assert (await bot.get_chat(ann.id)).username == "ann"
    fake.promote(group, bob)
    statuses = {
        user: (await bot.get_chat_member(group.id, user.id)).status
        for user in (ann, bob, fake.bot, fake.person("Cid"))
    }
    assert list(statuses.values()) == ["creator", "administrator", "member", "left"]
    assert await refused(bot.get_chat_member(group.id, 12345)) == "PARTICIPANT_ID_INVALID"


async def test_a_bot_that_is_no_admin_cannot_post_in_a_channel(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    channel = fake.channel("News", ann, bot=Membership.MEMBER)
    words = await refused(bot.send_message(channel.id, "x"))
    assert words == "need administrator rights in the channel chat"
