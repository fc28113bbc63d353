"""The state of the fake Discord, and the only hands that change it.

Every visible change passes `post`, `edit` or `remove`: each stores the message, tells the
gateway and adds to the streams that tests wait on. Knows nothing of HTTP.
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
    """Ids that carry their time, always rising."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> int:
        """A new id of this moment."""
        moment = (int(self._clock() * 1000) - DISCORD_EPOCH_MS) << 22
        self._last = max(moment, self._last + 1)
        return self._last


class World:
    """Everything there is. `clock` (unix seconds) rules message ids, nonces, links and token lives;
    interaction ids follow the real clock, as discord.py measures their age itself."""

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
        """A new server; the bot learns of it if it is a member."""
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
        """Make a channel known, to the bot too where it is a member."""
        self.channels[channel.id] = channel
        if channel.guild is not None:
            channel.guild.channels.append(channel)
            self.tell_of(channel, "CHANNEL_CREATE")
        return channel

    def add_role(self, name: str, guild: Guild) -> Role:
        """A new role without permissions of its own."""
        role = Role(id=self.ids.next(), name=name)
        guild.roles.append(role)
        shown = {"guild_id": str(guild.id), "role": payloads.role(role)}
        if guild.bot_is_member:
            self.tell(Intent.GUILDS, "GUILD_ROLE_CREATE", shown)
        return role

    def remove_channel(self, channel: Channel) -> None:
        """Delete a channel with everything in it."""
        del self.channels[channel.id]
        if channel.guild is not None:
            channel.guild.channels.remove(channel)
            self.tell_of(channel, "CHANNEL_DELETE")

    def dm(self, person: User) -> Channel:
        """The direct messages between the bot and a person; opened when first asked for."""
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
        """Give a file a fresh link, good for a day."""
        folder = "ephemeral-attachments" if attachment.ephemeral else "attachments"
        now = int(self.clock())
        until = f"{now + LINK_SECONDS:x}"
        query = f"ex={until}&is={now:x}&hm={self.signature(attachment.id, until)}"
        place = f"{folder}/{self.bot.id}/{attachment.id}/{quote(attachment.filename)}"
        attachment.url = f"{self.cdn_url}/{place}?{query}"

    def signature(self, attachment: int, until: str) -> str:
        """The proof that a link with this end (hexadecimal unix seconds) is ours."""
        return hmac.new(self._secret, f"{attachment} {until}".encode(), "sha256").hexdigest()

    def upload_limit(self, channel: Channel) -> int:
        """Bytes that one file of a message sent with the bot's token may have here."""
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
        """Put a message in place of what stands under its id; what was "thinking" counts as new."""
        before = message.channel.messages[message.id]
        message.channel.messages[message.id] = message
        self._tell_message("MESSAGE_UPDATE", message)
        if message.author is self.bot:
            (self.posted if before.loading else self.edited).add(message)

    def react(self, message: Message, emoji: str) -> None:
        """Put the bot's reaction under a message; nobody is told, as nobody subscribes to it."""
        marked = replace(message, reactions=(*message.reactions, emoji))
        message.channel.messages[message.id] = marked
        self.reacted.add(marked)

    def remove(self, message: Message) -> None:
        """Take a message away."""
        self.removed.add(message.channel.messages.pop(message.id))
        shown: Json = {"id": str(message.id), "channel_id": str(message.channel.id)}
        self._tell_in(message, "MESSAGE_DELETE", lambda _: shown)

    def tell(self, needed: Intent, event: str, payload: Json) -> bool:
        """Send an event to sessions that subscribed to it; False when nobody is connected."""
        return self.gateway.send(event, lambda intents: payload if needed in intents else None)

    def tell_of(self, channel: Channel, event: str) -> None:
        """Tell the bot of a guild's channel as it is now."""
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
        """Ephemeral messages and places where the bot may not look are not told."""
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
        """The developer portal's grants, as the application object shows them."""
        limited_message_content = 1 << 19
        return limited_message_content if Intent.MESSAGE_CONTENT in self.gateway.granted else 0


def _bot_token(bot: User) -> str:
    """Shaped like a real one, so that whatever hides tokens recognizes it."""
    name = base64.urlsafe_b64encode(str(bot.id).encode()).decode().rstrip("=")
    return f"{name}.{secrets.token_urlsafe(4)}.{secrets.token_urlsafe(28)}"
