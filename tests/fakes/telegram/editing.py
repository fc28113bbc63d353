"""The methods that change or delete a message, or add something to it.

The error texts are those of `telegram-bot-api/Client.cpp` and `td/telegram`.
"""

from dataclasses import replace

from .access import check_right, message_of, readable_chat, writable_chat
from .callback import CallbackAnswer
from .calls import Call, Method, bad, method
from .keyboards import odd_buttons, read_markup
from .media import input_media, read_media
from .model import Json, Kind, Message
from .payloads import message as shown
from .rates import Rates
from .sending import CAPTION, NO_PREVIEW, RIGHTS
from .text import CAPTION_LIMIT, TEXT_LIMIT, Formatted, format_text, units
from .world import World

DELETABLE_SECONDS = 48 * 3600
CALLBACK_TEXT_LIMIT = 200

NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)

REACTIONS = {
    "❤", "👍", "👎", "🔥", "🥰", "👏", "😁", "🤔", "🤯", "😱", "🤬", "😢",
    "🎉", "🤩", "🤮", "💩", "🙏", "👌", "🕊", "🤡", "🥱", "🥴", "😍", "🐳",
    "❤\u200d🔥", "🌚", "🌭", "💯", "🤣", "⚡", "🍌", "🏆", "💔", "🤨", "😐", "🍓",
    "🍾", "💋", "🖕", "😈", "😴", "😭", "🤓", "👻", "👨\u200d💻", "👀", "🎃", "🙈",
    "😇", "😨", "🤝", "✍", "🤗", "🫡", "🎅", "🎄", "☃", "💅", "🤪", "🗿",
    "🆒", "💘", "🙉", "🦄", "😘", "💊", "🙊", "😎", "👾", "🤷\u200d♂", "🤷", "🤷\u200d♀",
    "😡",
}  # fmt: skip


class Editing:
    """The methods editMessageText and similar, deleteMessage, setMessageReaction,
    answerCallbackQuery.
    """

    def __init__(self, world: World, rates: Rates) -> None:
        self._world = world
        self._rates = rates

    def methods(self) -> list[Method]:
        """Return the table of methods."""
        one = "chat_id message_id "
        text = one + "text parse_mode entities link_preview_options reply_markup"
        caption = one + CAPTION + "parse_mode show_caption_above_media reply_markup"
        answer = "callback_query_id text show_alert url cache_time"
        return [
            method("editMessageText", text, self.edit_text),
            method("editMessageCaption", caption, self.edit_caption),
            method("editMessageMedia", one + "media reply_markup", self.edit_media),
            method("editMessageReplyMarkup", one + "reply_markup", self.edit_markup),
            method("deleteMessage", one, self.delete),
            method("setMessageReaction", one + "reaction is_big", self.react),
            method("answerCallbackQuery", answer, self.answer_callback),
        ]

    def edit_text(self, call: Call) -> Json:
        """Edit a text."""
        if not call.text("text"):
            raise bad("Message text is empty")
        text, marked = _formatted(call, "text", "entities", TEXT_LIMIT)
        before, markup = self._target(call)
        if before.media is not None:
            raise bad("There is no text in the message to edit")
        preview = call.parsed("link_preview_options", NO_PREVIEW)
        after = replace(before, text=text, entities=marked, preview=preview, markup=markup)
        return self._put(before, after)

    def edit_caption(self, call: Call) -> Json:
        """Edit a caption; an empty one removes it."""
        text, marked = _formatted(call, "caption", "caption_entities", CAPTION_LIMIT)
        before, markup = self._target(call)
        if before.media is None:
            raise bad("There is no caption in the message to edit")
        above = call.flag("show_caption_above_media")
        return self._put(
            before,
            replace(before, text=text, entities=marked, markup=markup, caption_above=above),
        )

    def edit_media(self, call: Call) -> Json:
        """Replace the media, or a text by media; the caption is replaced too."""
        given = input_media(call)
        before, markup = self._target(call)
        if given.get("type") not in RIGHTS:
            raise bad(f'Can\'t parse InputMedia: type "{given.get("type")}" is unsupported')
        kind = Kind(given["type"])
        text, marked = format_text(
            str(given.get("caption") or ""),
            str(given.get("parse_mode") or ""),
            given.get("caption_entities"),
            limit=CAPTION_LIMIT,
        )
        media = read_media(self._world, call, {**given, kind: given.get("media", "")}, kind)
        if media is None:
            raise bad("Can't parse InputMedia: media not found")
        check_right(before.chat, self._world, RIGHTS[media.kind])
        above = bool(given.get("show_caption_above_media"))
        after = replace(before, text=text, entities=marked, media=media, markup=markup)
        return self._put(before, replace(after, preview=None, caption_above=above))

    def edit_markup(self, call: Call) -> Json:
        """Edit the keyboard; an empty one removes it."""
        before, markup = self._target(call)
        return self._put(before, replace(before, markup=markup))

    def delete(self, call: Call) -> bool:
        """Delete a message of the bot's own, or anybody's as an admin, within two days."""
        if not call.text("chat_id"):
            raise bad("Chat identifier is not specified")
        if not call.integer("message_id"):
            raise bad("Message identifier is not specified")
        world, chat = self._world, writable_chat(self._world, call)
        message = message_of(call, chat, "message to delete")
        is_new = world.clock() - message.written_at <= DELETABLE_SECONDS
        is_mine = message.author is world.bot or chat.is_private
        if not chat.standing(world.bot).is_admin and not (is_new and is_mine):
            raise bad("message can't be deleted")
        world.remove(message)
        return True

    def react(self, call: Call) -> bool:
        """Set one reaction on a message, or remove it."""
        given = call.parsed("reaction", "Can't parse reaction types JSON object") or []
        if not isinstance(given, list):
            raise bad("Expected an Array of ReactionType")
        chat = readable_chat(self._world, call)
        message = message_of(call, chat, "message to react")
        emojis = [_emoji(each) for each in given]
        if len(emojis) > 1:
            raise bad("REACTIONS_TOO_MANY")
        self._world.react(message, self._world.bot, *emojis)
        return True

    def answer_callback(self, call: Call) -> bool:
        """Answer a pressed button, which stops its spinner."""
        world = self._world
        if units(call.text("text")) > CALLBACK_TEXT_LIMIT:
            raise bad("MESSAGE_TOO_LONG")
        if call.text("url"):
            raise bad("URL_INVALID")
        callback = world.callbacks.get(call.text("callback_query_id"))
        if callback is None or world.clock() - callback.at > world.quirks.callback_seconds:
            raise bad("query is too old and response timeout expired or query ID is invalid")
        callback.answer(CallbackAnswer(text=call.text("text"), show_alert=call.flag("show_alert")))
        world.answered.add(callback)
        return True

    def _target(self, call: Call) -> tuple[Message, Json | None]:
        """Return the message to edit, and its new keyboard."""
        world, chat = self._world, writable_chat(self._world, call)
        self._rates.count(call.method, chat)
        markup = read_markup(call, inline_only=True)
        world.complaints += odd_buttons(markup)
        message = message_of(call, chat, "message to edit")
        other = message.markup is not None and "inline_keyboard" not in message.markup
        if message.author is not world.bot or message.service is not None or other:
            raise bad("Message can't be edited")
        return message, markup

    def _put(self, before: Message, after: Message) -> Json:
        if after == before:
            raise bad(NOT_MODIFIED)
        now = self._world.clock()
        return shown(self._world.edit(replace(after, edits=before.edits + 1, edited_at=now)))


def _formatted(call: Call, name: str, marks: str, limit: int) -> Formatted:
    entities = call.parsed(marks, "Can't parse entities JSON object")
    return format_text(call.text(name), call.text("parse_mode"), entities, limit=limit)


def _emoji(given: object) -> str:
    if not isinstance(given, dict):
        raise bad("Can't parse ReactionType: expected an Object")
    if given.get("type") != "emoji":
        raise bad("Can't parse ReactionType: invalid reaction type specified")
    if given.get("emoji") not in REACTIONS:
        raise bad("REACTION_INVALID")
    return str(given["emoji"])
