"""The state of the fake Discord, changed only by the functions here.

Every visible change passes `post`, `edit` or `remove`: each stores the message, tells the gateway
and adds to the streams that tests wait on. This module knows nothing of HTTP.
"""

import asyncio
import base64
import hmac
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from urllib.parse import quote

from tests.fakes.streams import Stream

from . import payloads
from .gateway import Gateway, Intent, Session
from .interaction import Interaction
from .model import (
    MIB,
    Attachment,
    Channel,
    ChannelType,
    Guild,
    Json,
    Message,
    Role,
    User,
)

DISCORD_EPOCH_MS = 1_420_070_400_000
LINK_SECONDS = 24 * 3600

TIER_LIMITS_MIB = {0: 0, 1: 0, 2: 50, 3: 100}


class Snowflakes:
    """A generator of ids that contain their time and always rise."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> int:
        """Return a new id of this moment."""
        moment = (int(self._clock() * 1000) - DISCORD_EPOCH_MS) << 22
        self._last = max(moment, self._last + 1)
        return self._last


class World:
    """The whole state of the fake.

    `clock` (unix seconds) sets the time of message ids, nonces, links and token lifetimes.
    Interaction ids follow the real clock, because discord.py measures their age itself.
    """

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.ids = Snowflakes(clock)
        self.interaction_ids = Snowflakes(time.time)
        self.bot = User(id=self.ids.next(), name="zoetrope", bot=True)
        self.token = _bot_token(self.bot)
        self.gateway = Gateway(token=self.token, greeting=self._greeting)
        self.users: dict[int, User] = {self.bot.id: self.bot}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.attachments: dict[int, Attachment] = {}
        self.interactions: dict[str, Interaction] = {}
        self.commands: list[Json] = []
        self.offers = asyncio.Event()
        """Set once the bot has registered commands."""
        self.default_upload_limit = 10 * MIB
        self.nonce_window = 180.0
        self.cdn_url = ""
        self._secret = secrets.token_bytes()
        self.posted: Stream[Message] = Stream("message")
        self.edited: Stream[Message] = Stream("edit")
        self.removed: Stream[Message] = Stream("delete")
        self.reacted: Stream[Message] = Stream("reaction")
        self.acknowledged: Stream[Interaction] = Stream("interaction")

    def add_guild(self, name: str, *, premium_tier: int, bot_is_member: bool) -> Guild:
        """Add a server; the bot learns of it if it is a member."""
        guild = Guild(
            id=self.ids.next(),
            name=name,
            bot_role=Role(id=self.ids.next(), name=self.bot.name),
            premium_tier=premium_tier,
            bot_is_member=bot_is_member,
        )
        self.guilds[guild.id] = guild
        if bot_is_member:
            self.tell(Intent.GUILDS, "GUILD_CREATE", payloads.guild(guild, self.bot))
        return guild

    def add_channel(self, channel: Channel) -> Channel:
        """Add a channel; the bot learns of it if it is a member of the guild."""
        self.channels[channel.id] = channel
        if channel.guild is not None:
            channel.guild.channels.append(channel)
            self.tell_of(channel, "CHANNEL_CREATE")
        return channel

    def add_role(self, name: str, guild: Guild) -> Role:
        """Add a role without permissions of its own."""
        role = Role(id=self.ids.next(), name=name)
        guild.roles.append(role)
        shown = {"guild_id": str(guild.id), "role": payloads.role(role)}
        if guild.bot_is_member:
            self.tell(Intent.GUILDS, "GUILD_ROLE_CREATE", shown)
        return role

    def remove_channel(self, channel: Channel) -> None:
        """Delete a channel with all its messages."""
        del self.channels[channel.id]
        if channel.guild is not None:
            channel.guild.channels.remove(channel)
            self.tell_of(channel, "CHANNEL_DELETE")

    def dm(self, person: User) -> Channel:
        """Return the direct channel of the bot and a person, and create it the first time."""
        for channel in self.channels.values():
            if channel.type is ChannelType.DM and channel.recipients == (person,):
                return channel
        return self.add_channel(
            Channel(
                id=self.ids.next(),
                name=f"dm-{person.name}",
                type=ChannelType.DM,
                recipients=(person,),
            )
        )

    def store(self, filename: str, content: bytes, *, ephemeral: bool = False) -> Attachment:
        """Put a file on the CDN under a signed link."""
        attachment = Attachment(
            id=self.ids.next(),
            filename=filename,
            content=content,
            url="",
            size=len(content),
            content_length=len(content),
            ephemeral=ephemeral,
        )
        self.sign(attachment)
        self.attachments[attachment.id] = attachment
        return attachment

    def sign(self, attachment: Attachment) -> None:
        """Give a file a new link that is valid for a day."""
        folder = "ephemeral-attachments" if attachment.ephemeral else "attachments"
        now = int(self.clock())
        until = f"{now + LINK_SECONDS:x}"
        query = f"ex={until}&is={now:x}&hm={self.signature(attachment.id, until)}"
        place = f"{folder}/{self.bot.id}/{attachment.id}/{quote(attachment.filename)}"
        attachment.url = f"{self.cdn_url}/{place}?{query}"

    def signature(self, attachment: int, until: str) -> str:
        """Return the signature of a link that expires at `until` (hexadecimal unix seconds)."""
        return hmac.new(self._secret, f"{attachment} {until}".encode(), "sha256").hexdigest()

    def upload_limit(self, channel: Channel) -> int:
        """Return the bytes that one file of a message sent with the bot's token may have in this
        channel.
        """
        if channel.guild is None:
            return self.default_upload_limit
        if channel.guild.upload_limit is not None:
            return channel.guild.upload_limit
        return max(self.default_upload_limit, TIER_LIMITS_MIB[channel.guild.premium_tier] * MIB)

    def post(self, message: Message) -> None:
        """Make a message visible."""
        message.channel.messages[message.id] = message
        self._tell_message("MESSAGE_CREATE", message)
        if message.author is self.bot and not message.loading:
            self.posted.add(message)

    def edit(self, message: Message) -> None:
        """Replace the message of the same id. A message that was "thinking" counts as new."""
        before = message.channel.messages[message.id]
        message.channel.messages[message.id] = message
        self._tell_message("MESSAGE_UPDATE", message)
        if message.author is self.bot:
            (self.posted if before.loading else self.edited).add(message)

    def react(self, message: Message, emoji: str) -> None:
        """Add the bot's reaction to a message.

        No event is sent, because the bot does not subscribe to reactions.
        """
        marked = replace(message, reactions=(*message.reactions, emoji))
        message.channel.messages[message.id] = marked
        self.reacted.add(marked)

    def remove(self, message: Message) -> None:
        """Delete a message."""
        self.removed.add(message.channel.messages.pop(message.id))
        shown: Json = {"id": str(message.id), "channel_id": str(message.channel.id)}
        self._tell_in(message, "MESSAGE_DELETE", lambda _: shown)

    def tell(self, needed: Intent, event: str, payload: Json) -> bool:
        """Send an event to sessions that subscribed to it; return False if there is no session."""
        return self.gateway.send(event, lambda intents: payload if needed in intents else None)

    def tell_of(self, channel: Channel, event: str) -> None:
        """Send the bot an event about a guild's channel as it is now."""
        if channel.guild is not None and channel.guild.bot_is_member:
            self.tell(Intent.GUILDS, event, payloads.channel(channel, self.bot))

    def _tell_message(self, event: str, message: Message) -> None:
        more: Json = {}
        if message.channel.guild is not None and message.origin is None:
            more["member"] = payloads.member(message.author, message.channel.guild)

        def build(intents: Intent) -> Json:
            everything = Intent.MESSAGE_CONTENT in intents
            return payloads.readable(message, everything=everything) | more

        self._tell_in(message, event, build)

    def _tell_in(self, message: Message, event: str, build: Callable[[Intent], Json]) -> None:
        """Send an event about a message, unless it is ephemeral or in a channel that the bot can't
        see.
        """
        guild = message.channel.guild
        needed = Intent.DIRECT_MESSAGES if guild is None else Intent.GUILD_MESSAGES
        where = {} if guild is None else {"guild_id": str(guild.id)}
        if message.ephemeral or not message.channel.visible_to_bot:
            return

        def wanted(intents: Intent) -> Json | None:
            return build(intents) | where if needed in intents else None

        self.gateway.send(event, wanted)

    def _greeting(self, session: Session) -> Iterable[tuple[str, Json]]:
        known = [guild for guild in self.guilds.values() if guild.bot_is_member]
        yield (
            "READY",
            {
                "v": 10,
                "user": payloads.user(self.bot),
                "guilds": [{"id": str(guild.id), "unavailable": True} for guild in known],
                "session_id": session.id,
                "resume_gateway_url": self.gateway.url,
                "application": {"id": str(self.bot.id), "flags": self.application_flags},
                "shard": session.identify.get("shard", [0, 1]),
            },
        )
        if Intent.GUILDS in session.intents:
            for guild in known:
                yield "GUILD_CREATE", payloads.guild(guild, self.bot)

    @property
    def application_flags(self) -> int:
        """The flags of the application object that show the intents granted in the developer
        portal.
        """
        limited_message_content = 1 << 19
        return limited_message_content if Intent.MESSAGE_CONTENT in self.gateway.granted else 0


def _bot_token(bot: User) -> str:
    """Return a token in the form of a real one, so that code that hides tokens recognizes it."""
    name = base64.urlsafe_b64encode(str(bot.id).encode()).decode().rstrip("=")
    return f"{name}.{secrets.token_urlsafe(4)}.{secrets.token_urlsafe(28)}"
