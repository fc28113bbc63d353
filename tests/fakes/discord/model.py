"""The objects of the fake Discord: users, guilds, channels, attachments, messages.

They are plain values in Discord's own terms. A message is frozen: an edit puts a new value under
the same id, so a test holds what people saw at that moment. This module knows nothing of JSON or
HTTP.
"""

import asyncio
import mimetypes
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import Any

Json = dict[str, Any]

MIB = 1024 * 1024


class Permission(IntFlag):
    """The permission bits that this server checks."""

    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_APPLICATION_COMMANDS = 1 << 31
    SEND_MESSAGES_IN_THREADS = 1 << 38
    USE_EXTERNAL_APPS = 1 << 50


NOTHING = Permission(0)

MEMBER = (
    Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.SEND_MESSAGES_IN_THREADS
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.ADD_REACTIONS
    | Permission.MENTION_EVERYONE
    | Permission.USE_APPLICATION_COMMANDS
    | Permission.USE_EXTERNAL_APPS
)
"""Permissions of ordinary members on a server with default settings; the bot has them too."""


class ChannelType(IntEnum):
    """The kinds of channel that this server knows."""

    TEXT = 0
    DM = 1
    GROUP_DM = 3


class MessageType(IntEnum):
    """The kinds of message that this server writes."""

    PLAIN = 0
    REPLY = 19
    SLASH_RESPONSE = 20
    MENU_RESPONSE = 23


class MessageFlag(IntFlag):
    """The message flags that this server acts on."""

    SUPPRESS_EMBEDS = 1 << 2
    EPHEMERAL = 1 << 6
    LOADING = 1 << 7
    SUPPRESS_NOTIFICATIONS = 1 << 12
    COMPONENTS_V2 = 1 << 15


NO_FLAGS = MessageFlag(0)


@dataclass(eq=False, slots=True, kw_only=True)
class Role:
    """A role of one guild."""

    id: int
    name: str


@dataclass(eq=False, kw_only=True)
class User:
    """An account: a person, or the bot. Tests may change its settings at any time."""

    id: int
    name: str
    bot: bool = False
    permissions: Permission = MEMBER
    roles: list[Role] = field(default_factory=list)
    locale: str = "en-US"
    dms_open: bool = True
    installed_app: bool = False
    upload_limit: int = 0
    """Bytes that a Nitro subscription adds to *interactions* of this person; 0 for none."""
    entitlements: list[Json] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"<{self.name}>"


@dataclass(eq=False, slots=True, kw_only=True)
class Guild:
    """A Discord server. Without an `upload_limit` in bytes, its premium tier decides."""

    id: int
    name: str
    bot_role: Role
    premium_tier: int
    upload_limit: int | None = None
    bot_is_member: bool = True
    bot_permissions: Permission = MEMBER
    commands_scope: bool = True
    """Whether the bot was invited with the scope applications.commands."""
    locale: str = "en-US"
    roles: list[Role] = field(default_factory=list)
    channels: list["Channel"] = field(default_factory=list)


@dataclass(eq=False, slots=True, kw_only=True)
class Channel:
    """A text channel of a guild, or a direct message."""

    id: int
    name: str
    type: ChannelType = ChannelType.TEXT
    guild: Guild | None = None
    recipients: tuple[User, ...] = ()
    denied: Permission = NOTHING
    messages: dict[int, "Message"] = field(default_factory=dict)

    @property
    def bot_permissions(self) -> Permission:
        """The bot's permissions in this channel."""
        if self.guild is None:
            return MEMBER if self.type is ChannelType.DM else Permission(0)
        if not self.guild.bot_is_member:
            return Permission(0)
        if Permission.ADMINISTRATOR in self.guild.bot_permissions:
            return ~Permission(0)
        return self.guild.bot_permissions & ~self.denied

    @property
    def visible_to_bot(self) -> bool:
        """Whether the bot gets events of this channel."""
        return Permission.VIEW_CHANNEL in self.bot_permissions

    def __repr__(self) -> str:
        return f"#{self.name}"


@dataclass(eq=False, kw_only=True)
class Attachment:
    """A file on the CDN.

    `content` is what the CDN really stores; the other fields may disagree. `size` is the size in
    the payload. `content_length` is the download's header; None leaves the header out.
    `stall_after` stops the download after that many bytes until `resume` is called. `expired` makes
    every link to the file a 404.
    """

    id: int
    filename: str
    content: bytes
    url: str
    size: int
    content_length: int | None
    content_type: str | None = None
    description: str | None = None
    width: int | None = None
    height: int | None = None
    ephemeral: bool = False
    expired: bool = False
    stall_after: int | None = None
    _resumed: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def __post_init__(self) -> None:
        if self.content_type is None:
            self.content_type = mimetypes.guess_type(self.filename)[0]

    def resume(self) -> None:
        """Let a stalled download continue."""
        self._resumed.set()

    async def resumed(self) -> None:
        """Return once `resume` was called."""
        await self._resumed.wait()

    def __repr__(self) -> str:
        return f"<{self.filename}, {len(self.content)} bytes>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The interaction that a message answers. For a follow-up, `original` is the first answer."""

    interaction: int
    type: int
    user: User
    owners: Json
    original: int | None = None
    target: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message as people saw it at one moment.

    `pings` holds the ids of users and roles that it really notified, and the words "everyone",
    "here". `seen_by` is the only reader of an ephemeral message.
    """

    id: int
    channel: Channel
    author: User
    written_at: float
    type: MessageType = MessageType.PLAIN
    content: str = ""
    embeds: tuple[Json, ...] = ()
    components: tuple[Json, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    flags: MessageFlag = NO_FLAGS
    nonce: str | None = None
    reference: int | None = None
    mentions: tuple[User, ...] = ()
    pings: frozenset[int | str] = frozenset()
    seen_by: User | None = None
    edited_at: float | None = None
    origin: Origin | None = None
    reactions: tuple[str, ...] = ()
    """The bot's reactions."""
    stickers: tuple[Json, ...] = ()
    forwarded: "Message | None" = None
    """The message that this one forwards, as it was then; a forward has no content of its own."""

    @property
    def ephemeral(self) -> bool:
        """Whether only one person sees the message."""
        return bool(self.flags & MessageFlag.EPHEMERAL)

    @property
    def loading(self) -> bool:
        """Whether the message still shows "is thinking" alone."""
        return bool(self.flags & MessageFlag.LOADING)

    @property
    def buttons(self) -> list[Json]:
        """The message's buttons, including those inside containers and sections, in order."""
        return [item for item in walk(self.components) if item["type"] == 2]

    def __repr__(self) -> str:
        files = f" +{list(self.attachments)}" if self.attachments else ""
        return f"<Message {self.id} by {self.author} in {self.channel}: {self.content!r}{files}>"


def walk(components: tuple[Json, ...] | list[Json]) -> list[Json]:
    """Return every component, parents before children."""
    found: list[Json] = []
    for component in components:
        found.append(component)
        inner = list(component.get("components", ()))
        inner += [component[key] for key in ("component", "accessory") if key in component]
        found += walk(inner)
    return found
