"""The objects of the fake Telegram: people, chats, topics, files, messages.

They are plain values in Telegram's own terms. A message is frozen: an edit puts a new value under
the same id, so a test holds what people saw at that moment. This module knows nothing of JSON or
HTTP.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Json = dict[str, Any]

MIB = 1024 * 1024


class ChatType(StrEnum):
    """The kinds of chat."""

    PRIVATE = "private"
    GROUP = "group"
    SUPERGROUP = "supergroup"
    CHANNEL = "channel"


class Membership(StrEnum):
    """The status of a user in a chat."""

    CREATOR = "creator"
    ADMINISTRATOR = "administrator"
    MEMBER = "member"
    LEFT = "left"
    KICKED = "kicked"

    @property
    def is_inside(self) -> bool:
        """Whether a user with this status sees the chat's messages."""
        return self not in (Membership.LEFT, Membership.KICKED)

    @property
    def is_admin(self) -> bool:
        """Whether a user with this status is an admin."""
        return self in (Membership.CREATOR, Membership.ADMINISTRATOR)


@dataclass(eq=False, kw_only=True)
class User:
    """An account: a person, or a bot. Tests may change its settings at any time."""

    id: int
    first_name: str
    username: str = ""
    language_code: str | None = None
    is_bot: bool = False
    is_deactivated: bool = False
    is_anonymous: bool = False
    """Whether the person writes in groups as the group, as admins can."""

    def __repr__(self) -> str:
        return f"<{self.first_name}>"


@dataclass(eq=False, slots=True, kw_only=True)
class Topic:
    """A topic of a forum, or of a private chat. The general topic is represented by None."""

    id: int
    name: str
    is_closed: bool = False
    is_deleted: bool = False


@dataclass(eq=False, slots=True, kw_only=True)
class Chat:
    """A chat.

    `denied` are kinds of content that the bot may not send here, such as "videos". `was_started`
    and `has_blocked_bot` are about private chats, where the bot can't write first.
    """

    id: int
    type: ChatType
    instance: str
    title: str = ""
    username: str = ""
    is_forum: bool = False
    is_direct_messages: bool = False
    """Whether the chat holds the direct messages of a channel, with a topic for each writer under
    the number of their account."""
    person: User | None = None
    was_started: bool = False
    has_blocked_bot: bool = False
    members: dict[User, Membership] = field(default_factory=dict)
    topics: dict[int, Topic] = field(default_factory=dict)
    messages: dict[int, "Message"] = field(default_factory=dict)
    denied: set[str] = field(default_factory=set)
    migrated_to: "Chat | None" = None
    last_message_id: int = 1
    last_bot: User | None = None
    """The bot that wrote last: under privacy mode, a command without a name is for this bot."""

    @property
    def is_private(self) -> bool:
        """Whether the chat belongs to one person and the bot."""
        return self.type is ChatType.PRIVATE

    @property
    def is_group(self) -> bool:
        """Whether the chat is a group or supergroup."""
        return self.type in (ChatType.GROUP, ChatType.SUPERGROUP)

    def standing(self, user: User) -> Membership:
        """Return the status of a user in this chat."""
        if self.is_private:
            return Membership.MEMBER
        return self.members.get(user, Membership.LEFT)

    def __repr__(self) -> str:
        return f"<{self.title if self.person is None else self.person.first_name}>"


@dataclass(eq=False, kw_only=True)
class File:
    """A stored file. `content` is its real content; `size` is the size that Telegram states."""

    id: str
    unique_id: str
    folder: str
    content: bytes
    size: int
    name: str = ""
    mime_type: str = ""
    is_lost: bool = False
    """Whether Telegram has lost the file."""

    @property
    def sha256(self) -> str:
        """The hash of the file's content."""
        return hashlib.sha256(self.content).hexdigest()

    def __repr__(self) -> str:
        return f"<{self.name or self.folder}, {len(self.content)} bytes>"


class Kind(StrEnum):
    """The kinds of media that this server knows."""

    PHOTO = "photo"
    VIDEO = "video"
    ANIMATION = "animation"
    DOCUMENT = "document"
    STICKER = "sticker"
    VOICE = "voice"
    AUDIO = "audio"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """One of the sizes in which a photo is kept."""

    file: File
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """The media of a message. `sizes` are a photo's, the smallest first."""

    kind: Kind
    file: File
    width: int = 0
    height: int = 0
    duration: int = 0
    thumbnail: Size | None = None
    cover: File | None = None
    sizes: tuple[Size, ...] = ()
    emoji: str = ""
    is_animated: bool = False
    is_video: bool = False
    has_spoiler: bool = False
    supports_streaming: bool = False

    @property
    def content(self) -> bytes:
        """The stored bytes; for a photo, of its largest size."""
        return self.file.content

    @property
    def sha256(self) -> str:
        """The hash of the stored bytes."""
        return self.file.sha256

    def __repr__(self) -> str:
        return f"<{self.kind} {self.file}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message as people saw it at one moment.

    With media, `text` is the caption. `markup` is the keyboard as it was sent. `thread` is the
    number that Telegram also gives to replies outside of topics; `topic` is the real topic.
    `silent` is whether it came without a sound.
    """

    id: int
    chat: Chat
    written_at: float
    author: User | None = None
    sender_chat: Chat | None = None
    text: str = ""
    entities: tuple[Json, ...] = ()
    media: Media | None = None
    markup: Json | None = None
    reply_to: int | None = None
    quote: str = ""
    external_reply: "Message | None" = None
    topic: Topic | None = None
    thread: int | None = None
    origin: Json | None = None
    via_bot: User | None = None
    album: str | None = None
    service: Json | None = None
    preview: Json | None = None
    caption_above: bool = False
    silent: bool = False
    protected: bool = False
    edits: int = 0
    edited_at: float | None = None
    reactions: Mapping[User, tuple[str, ...]] = field(default_factory=dict)

    @property
    def buttons(self) -> list[Json]:
        """The buttons of the message's inline keyboard, row after row."""
        rows = (self.markup or {}).get("inline_keyboard", [])
        return [button for row in rows for button in row]

    def __repr__(self) -> str:
        media = f" {self.media}" if self.media else ""
        return f"<Message {self.id} by {self.author} in {self.chat}: {self.text!r}{media}>"
