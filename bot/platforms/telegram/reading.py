"""Convert Telegram's objects to the core's types. Pure functions; no requests are sent here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aiogram.types import (
    Chat,
    Document,
    ExternalReplyInfo,
    InaccessibleMessage,
    Message,
    MessageEntity,
    MessageOriginUser,
    PhotoSize,
    Sticker,
    Update,
    User,
)

from bot import i18n
from bot.core import shown
from bot.core.errors import MovesAlready, Refused
from bot.core.hints import may_be_picture, may_be_sound
from bot.core.orders import PICTURE_BYTES, Address, Call, Person, Picture
from bot.core.prompts import clean
from bot.core.replies import Text
from bot.core.shown import Shown
from bot.core.unread import refusal_by_name

NAME = "telegram"

FILES = (
    "photo", "document", "sticker", "animation", "video", "voice", "video_note", "audio",
    "live_photo", "paid_media",
)  # fmt: skip
SAID = (
    "text", *FILES, "location", "venue", "contact", "poll", "dice", "game", "story",
    "checklist", "rich_message",
)  # fmt: skip
"""The kinds of content that people send. All other kinds report an event in the chat; each version
of the Bot API adds some."""
KINDS = {
    "paid_media": Shown.PAID,
    "story": Shown.STORY,
    "reply_to_story": Shown.STORY,
    "game": Shown.GAME,
    "dice": Shown.EMOJI,
    "location": Shown.PLACE,
    "venue": Shown.PLACE,
    "rich_message": Shown.OTHER,
    "invoice": Shown.OTHER,
    "giveaway": Shown.OTHER,
    "giveaway_winners": Shown.OTHER,
}
"""The fields of a message for content that the bot can't use, and what the content is.

An order that consists of such content, or replies to it, is refused with an error that names it.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command `/name rest` that a person wrote to the bot."""

    name: str
    rest: str


class Grown(Chat):
    """A group with its current id, in a message that was sent under its former id."""

    event: str
    """The event id of that message, made from the former id: it stays the same on every retry."""


def moved(value: Update, chat: int) -> Update:
    """Return the update with `chat` as the id of its group, which has moved.

    In the new group the former message ids belong to other messages, and the former topics don't
    exist. So the message gets the id 0, which is never replied to nor edited.
    """
    if (query := value.callback_query) is not None and query.message is not None:
        there = query.model_copy(update={"message": _moved(query.message, chat)})
        return value.model_copy(update={"callback_query": there})
    if value.message is not None:
        return value.model_copy(update={"message": _moved(value.message, chat)})
    return value


def _moved(message: Message | InaccessibleMessage, chat: int) -> Message | InaccessibleMessage:
    was = message.chat
    grown = Grown(id=chat, type="supergroup", title=was.title, event=event_of(message))
    changes: dict[str, Any] = {"chat": grown, "message_id": 0}
    if isinstance(message, Message):
        changes["is_topic_message"] = None
        if message.sender_chat is not None and message.sender_chat.id == was.id:
            changes["sender_chat"] = grown
    return message.model_copy(update=changes)


# --- who and where --------------------------------------------------------------------------------


def is_for_nobody(message: Message) -> bool:
    """Whether a message isn't addressed to the bot: its author is somebody else, or it reports an
    event in the chat. A file that a person forwards in private is addressed to the bot."""
    return is_hidden(message) or is_anothers(message)


def is_anothers(message: Message) -> bool:
    """Whether a message isn't its sender's own: forwarded, sent by another bot, or automatic."""
    return bool(
        (message.forward_origin and not _is_handed_on(message))
        or message.via_bot
        or message.is_automatic_forward
        or (message.from_user is None and message.sender_chat is None)
        or (message.from_user is not None and message.from_user.is_bot and not is_faceless(message))
    )


def _is_handed_on(message: Message) -> bool:
    """Whether a forwarded message is a file in a private chat, without a command in its caption.

    Such a command was meant for the time when it was first written.
    """
    under = (each for each in message.caption_entities or [] if each.type == "bot_command")
    return (
        is_private(message.chat)
        and any(getattr(message, kind, None) for kind in FILES)
        and not any(each.offset == 0 for each in under)
    )


def speaker_of(message: Message) -> str:
    """Return the id of the sender, a person or a chat; "" if there is none."""
    writer = message.sender_chat or message.from_user
    return str(writer.id) if writer else ""


def is_faceless(message: Message) -> bool:
    """Whether a chat speaks instead of a person: an anonymous admin, or a channel."""
    return message.sender_chat is not None


def person_of(message: Message) -> Person:
    """Return the sender. All admins who write in their group's name count as one person.

    Raises `Refused` for a sender that is another chat: people could make many channels, and each
    would have limits of its own.
    """
    if message.sender_chat is not None:
        if message.sender_chat.id != message.chat.id:
            raise Refused("speak_as_yourself")
        return Person(id=str(message.sender_chat.id), name=_named(message.sender_chat.title))
    assert message.from_user is not None
    return person(message.from_user)


def person(user: User) -> Person:
    """Return a user as a person, named by the displayed name, or by the id if that is empty."""
    return Person(id=str(user.id), name=_named(user.full_name) or str(user.id))


def _named(name: str | None) -> str:
    return clean(name or "") or i18n.say(Text(id="person.nameless"), "en")


def locale_of(user: User | None) -> str:
    """Return the language of the user's app; the default if Telegram doesn't say it."""
    return locale_named(user.language_code if user else None)


def locale_named(code: str | None) -> str:
    """Return our code of a language, from Telegram's language code."""
    return {None: i18n.DEFAULT, "": i18n.DEFAULT, "zh": "zh-hans"}.get(code, code or "")


def channel_of(message: Message) -> str:
    """Return the chat's id, followed by a slash and the topic's id if there is a topic.

    A reply in the general topic has a thread id that is not a topic: sending to it is an error.
    """
    topic = message.message_thread_id if message.is_topic_message else None
    return f"{message.chat.id}/{topic}" if topic else str(message.chat.id)


def chat_and_topic(channel: str) -> tuple[int, int | None]:
    """Split what `channel_of` returns into the chat's id and the topic's id."""
    chat, _, topic = channel.partition("/")
    return int(chat), int(topic) if topic else None


def address_of(message: Message) -> Address:
    """Return the address of the answer: a reply to this message, if the message has an id."""
    return Address(
        platform=NAME,
        channel=channel_of(message),
        community=None if is_private(message.chat) else str(message.chat.id),
        message=str(message.message_id) if message.message_id else None,
    )


def event_of(message: Message | InaccessibleMessage) -> str:
    """Return the event id of a message. It stays the same when the update is handled again, and
    when the group gets a new id."""
    if isinstance(message.chat, Grown):
        return message.chat.event
    return f"{message.chat.id}:{message.message_id}"


def is_private(chat: Chat) -> bool:
    """Whether the chat is a private chat with one person."""
    return chat.type == "private"


# --- text -----------------------------------------------------------------------------------------


def replied_to(message: Message) -> Message | None:
    """Return the message that this one replies to, or None. In a topic, Telegram marks messages as
    replies to the message that created the topic; that is no reply."""
    target = message.reply_to_message
    return None if target is None or target.forum_topic_created is not None else target


def is_hidden(message: Message | ExternalReplyInfo) -> bool:
    """Whether a message has none of the kinds of content that people send."""
    return not any(getattr(message, kind, None) for kind in SAID)


def words_of(message: Message) -> str:
    """Return the text or the caption of a message."""
    return message.text or message.caption or ""


def command_of(message: Message, *, own_name: str) -> Command | None:
    """Return the command at the beginning of the message; None if it addresses another bot."""
    text = words_of(message)
    entities = message.entities or message.caption_entities or []
    first = next((each for each in entities if each.type == "bot_command"), None)
    if first is None or first.offset != 0:
        return None
    named = first.extract_from(text)
    name, _, addressed = named.removeprefix("/").partition("@")
    if addressed and addressed.casefold() != own_name.casefold():
        return None
    return Command(name=name.lower(), rest=text[len(named) :].strip())


# --- pictures -------------------------------------------------------------------------------------


def picture_of(message: Message | ExternalReplyInfo, *, author: str | None) -> Picture | None:
    """Return the picture of a message, or None if the message has none.

    The picture of a live photo is its still. Raises `Refused` for a file that can't be animated: a
    video, a moving sticker, a document of another type.
    """
    if still := message.photo or (message.live_photo and message.live_photo.photo):
        return _photo(still, author)
    if message.sticker is not None:
        return _sticker(message.sticker, author)
    if message.animation or message.video or message.video_note or message.live_photo:
        raise MovesAlready()
    if message.document is not None:
        return _document(message.document, author)
    return None


def author_of(message: Message | ExternalReplyInfo, *, own_id: int) -> str | None:
    """Return the id of a picture's author, or None if it is unknown.

    The author of a forwarded picture is known only if Telegram names the original sender. A picture
    that the bot posted (`own_id`) has no known author.
    """
    writer: Chat | User | None = None
    match message:
        case Message(forward_origin=None):
            writer = message.sender_chat or message.from_user
        case (
            Message(forward_origin=MessageOriginUser() as origin)
            | ExternalReplyInfo(origin=MessageOriginUser() as origin)
        ):
            writer = origin.sender_user
    return None if writer is None or writer.id == own_id else str(writer.id)


def _photo(sizes: list[PhotoSize], author: str | None) -> Picture:
    fitting = [each for each in sizes if (each.file_size or 0) <= PICTURE_BYTES] or sizes
    best = max(fitting, key=lambda each: each.width * each.height)
    return _picture(best, "photo.jpg", author)


def _sticker(sticker: Sticker, author: str | None) -> Picture:
    if sticker.is_animated or sticker.is_video:
        raise MovesAlready()
    return _picture(sticker, "sticker.webp", author)


def _document(document: Document, author: str | None) -> Picture | None:
    if may_be_sound(document.file_name, document.mime_type):
        return None
    if not may_be_picture(document.file_name, document.mime_type):
        raise refusal_by_name(document.file_name, document.mime_type)
    return _picture(document, document.file_name or "picture", author)


def _picture(file: PhotoSize | Sticker | Document, filename: str, author: str | None) -> Picture:
    width, height = (None, None) if isinstance(file, Document) else (file.width, file.height)
    picture = Picture(
        source=file.file_id, filename=filename, size=file.file_size or 0,
        width=width, height=height, author=author,
    )  # fmt: skip
    picture.check()
    return picture


def check_shown(message: Message | ExternalReplyInfo) -> None:
    """Raise `Refused` if a message without a picture shows something else that is no prompt."""
    shown.check(_shown_in(message))


def _shown_in(message: Message | ExternalReplyInfo) -> Iterator[Shown]:
    for kind, it in KINDS.items():
        if getattr(message, kind, None):
            yield it
    if (preview := message.link_preview_options) is not None and preview.url:
        yield Shown.LINK
    if isinstance(message, Message):
        entities = message.entities or message.caption_entities or []
        yield from _written_in(words_of(message), entities)
        if message.quote is not None:
            yield from _written_in(message.quote.text, message.quote.entities or [])


def _written_in(text: str, entities: Sequence[MessageEntity]) -> Iterator[Shown]:
    """Yield the links and custom emoji of a text.

    Telegram marks any word with a dot as a URL. So a URL without a scheme counts only if the text
    consists of nothing else.
    """
    yield from shown.links_in(text)
    if any(each.type == "text_link" for each in entities):
        yield Shown.LINK
    for kind, it in (("url", Shown.LINK), ("custom_emoji", Shown.EMOJI)):
        of_kind = [each.extract_from(text) for each in entities if each.type == kind]
        if of_kind and "".join(of_kind).split() == text.split():
            yield it


# --- calls ----------------------------------------------------------------------------------------


def call_of(message: Message) -> Call:
    """Return the call of a message. Raises `Refused` in a channel's direct messages, where the bot
    can't deliver anything."""
    if message.chat.is_direct_messages:
        raise Refused("direct_messages")
    return replace(visit_of(message), person=person_of(message))


def visit_of(message: Message) -> Call:
    """Return the call of a message that needs only a text answer. The sender may be a channel."""
    return Call(
        event_id=event_of(message),
        address=address_of(message),
        person=Person(id=speaker_of(message), name=""),
        locale=locale_of(message.from_user),
    )
