"""Reading: what Telegram's objects say, in the core's words. Pure functions; nothing is asked."""

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
"""The kinds that people send. All others report an event, and grow with every version."""
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
"""The kinds that show something, beside pictures, videos and files; others are talk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """`/name rest`, as somebody wrote it to us."""

    name: str
    rest: str


class Grown(Chat):
    """A group under its present id, around what was said under a former one."""

    event: str
    """The event id of such a message, whenever it is handled."""


def moved(told: Update, chat: int) -> Update:
    """The same, told of the group under its present id.

    Numbers of messages mean others there, and topics are none: the message has the number 0, which
    nothing replies to and nothing edits.
    """
    if (query := told.callback_query) is not None and query.message is not None:
        there = query.model_copy(update={"message": _moved(query.message, chat)})
        return told.model_copy(update={"callback_query": there})
    if told.message is not None:
        return told.model_copy(update={"message": _moved(told.message, chat)})
    return told


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
    """Whether nobody said it to us: it is somebody else's word, or Telegram's own of what
    happened in the chat. A file that is handed on is meant."""
    return is_hidden(message) or is_anothers(message)


def is_anothers(message: Message) -> bool:
    """Whether it is somebody else's word: forwarded, sent by another bot, or automatic."""
    return bool(
        (message.forward_origin and not _is_handed_on(message))
        or message.via_bot
        or message.is_automatic_forward
        or (message.from_user is None and message.sender_chat is None)
        or (message.from_user is not None and message.from_user.is_bot and not is_faceless(message))
    )


def _is_handed_on(message: Message) -> bool:
    """Whether it is a file, in private; a command under it was meant for another time."""
    under = (each for each in message.caption_entities or [] if each.type == "bot_command")
    return (
        is_private(message.chat)
        and any(getattr(message, kind, None) for kind in FILES)
        and not any(each.offset == 0 for each in under)
    )


def speaker_of(message: Message) -> str:
    """The id of whoever wrote, a person or a chat."""
    writer = message.sender_chat or message.from_user
    return str(writer.id) if writer else ""


def is_faceless(message: Message) -> bool:
    """Whether a chat speaks instead of a person: an anonymous admin, or a channel."""
    return message.sender_chat is not None


def person_of(message: Message) -> Person:
    """The writer; admins who write in their group's name are one person.

    Raises `Refused` for other channels: anybody can make one after another, each with a quota.
    """
    if message.sender_chat is not None:
        if message.sender_chat.id != message.chat.id:
            raise Refused("speak_as_yourself")
        return Person(id=str(message.sender_chat.id), name=_named(message.sender_chat.title))
    assert message.from_user is not None
    return person(message.from_user)


def person(user: User) -> Person:
    """A user, under the name that people see, if there is anything to see of it."""
    return Person(id=str(user.id), name=_named(user.full_name) or str(user.id))


def _named(name: str | None) -> str:
    return clean(name or "") or i18n.say(Text(id="person.nameless"), "en")


def locale_of(user: User | None) -> str:
    """The language that somebody's app says; English where it says none."""
    return locale_named(user.language_code if user else None)


def locale_named(code: str | None) -> str:
    """Our name of a language of Telegram's."""
    return {None: i18n.DEFAULT, "": i18n.DEFAULT, "zh": "zh-hans"}.get(code, code or "")


def channel_of(message: Message) -> str:
    """The chat, with a slash and the topic where there is one.

    A reply in the general topic carries a thread that is none: asking for it is an error.
    """
    topic = message.message_thread_id if message.is_topic_message else None
    return f"{message.chat.id}/{topic}" if topic else str(message.chat.id)


def chat_and_topic(channel: str) -> tuple[int, int | None]:
    """The other way round."""
    chat, _, topic = channel.partition("/")
    return int(chat), int(topic) if topic else None


def address_of(message: Message) -> Address:
    """Where the answer belongs: in reply to this message, if it has a number there."""
    return Address(
        platform=NAME,
        channel=channel_of(message),
        community=None if is_private(message.chat) else str(message.chat.id),
        message=str(message.message_id) if message.message_id else None,
    )


def event_of(message: Message | InaccessibleMessage) -> str:
    """A message is one event, however often we are told, and whatever its group is called."""
    if isinstance(message.chat, Grown):
        return message.chat.event
    return f"{message.chat.id}:{message.message_id}"


def is_private(chat: Chat) -> bool:
    """Whether the chat is one person's own."""
    return chat.type == "private"


# --- words ----------------------------------------------------------------------------------------


def replied_to(message: Message) -> Message | None:
    """The message that this one replies to. In a topic the first message is one only in name."""
    target = message.reply_to_message
    return None if target is None or target.forum_topic_created is not None else target


def is_hidden(message: Message | ExternalReplyInfo) -> bool:
    """Whether Telegram shows that there is a message, and nothing of what is in it."""
    return not any(getattr(message, kind, None) for kind in SAID)


def words_of(message: Message) -> str:
    """Its text, or the caption of what was sent."""
    return message.text or message.caption or ""


def command_of(message: Message, *, own_name: str) -> Command | None:
    """The command that opens the message, unless it is meant for another bot."""
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
    """The picture that a message carries; None if there is none to see.

    That of a live photo is its still. Raises `Refused` for what looks like one and can't be
    animated: a video, a moving sticker.
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
    """The owner of a picture, if that can be known. To forward it makes it nobody's own.

    Nor is it known who asked for what we posted ourselves.
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
    """Raise `Refused` for a message without a picture that shows something else."""
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
    """An address without its scheme may be any word with a dot, unless it is all there is."""
    yield from shown.links_in(text)
    if any(each.type == "text_link" for each in entities):
        yield Shown.LINK
    for kind, it in (("url", Shown.LINK), ("custom_emoji", Shown.EMOJI)):
        of_kind = [each.extract_from(text) for each in entities if each.type == kind]
        if of_kind and "".join(of_kind).split() == text.split():
            yield it


# --- calls ----------------------------------------------------------------------------------------


def call_of(message: Message) -> Call:
    """The call of a message. Raises `Refused` where nothing can be brought to."""
    if message.chat.is_direct_messages:
        raise Refused("direct_messages")
    return replace(visit_of(message), person=person_of(message))


def visit_of(message: Message) -> Call:
    """The call of a message that asks for nothing but words: anybody's, a channel's too."""
    return Call(
        event_id=event_of(message),
        address=address_of(message),
        person=Person(id=speaker_of(message), name=""),
        locale=locale_of(message.from_user),
    )
