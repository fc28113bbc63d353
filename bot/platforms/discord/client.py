"""The Discord client: log in, listen, download, post. Implements the core's `Platform` interface.

All requests here use the bot's token, so none depends on an interaction, which expires. Files are
downloaded only from Discord's own hosts. Handling what people do is not part of this module:
`commands.Commands` registers its handlers at `client`.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Self

import aiohttp
import discord
import discord.gateway
import discord.http
from yarl import URL

from bot import i18n
from bot.core.errors import (
    ChannelGone,
    FileTooLarge,
    Forbidden,
    HistoryUnreadable,
    MessageGone,
    Refused,
    Temporary,
)
from bot.core.jobs import Job
from bot.core.orders import Address, Given
from bot.core.platforms import Can, DirectMessage, Standing
from bot.core.ports import Clock
from bot.core.posts import CARD_GRACE, Form, Post, PostKind
from bot.core.replies import Reply, Text
from bot.core.sizes import Sizes
from bot.core.supervision import Supervisor
from bot.log import get_logger
from bot.platforms.discord import errors, messages
from bot.platforms.discord.cards import Cards
from bot.platforms.discord.connection import Connection, new_client
from bot.platforms.discord.errors import Unreachable, Unreadable, translation
from bot.platforms.discord.pictures import PictureDownloads

NAME = "discord"
BOOSTED_TIER = 2
"""The boost level from which a server accepts larger files than the default."""
HISTORY = 1000
"""Most messages that are searched for one of our own, oldest first. Takes ten requests."""
NOTICES = 200
"""Most messages of an owner's direct messages that are searched for an earlier notice."""
SKEW = 30.0
"""Seconds by which our clock may be ahead of Discord's."""

Channel = discord.DMChannel | discord.PartialMessageable
Target = discord.MessageReference | None
"""The message that a new message replies to, or None."""

log = get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscordOptions:
    """How the client reaches Discord. Times are in seconds, sizes in bytes."""

    token: str = field(repr=False)
    api_url: str | None = None
    """Base URL of the REST API, such as `https://discord.com/api/v10`. Files may be downloaded from
    its origin, too."""
    gateway_url: str | None = None
    message_content: bool = False
    """True to request the privileged intent Message Content. Without it, Discord hides the pictures
    of messages that don't mention the bot, for example the message that a reply refers to."""
    upload_limit: int = 10 * 1024 * 1024
    """The largest upload in a server without boosts. Discord changes this limit now and then."""
    login_time: float = 45.0
    send_time: float = 120.0
    edit_time: float = 30.0
    fetch_time: float = 60.0


class DiscordPlatform:
    """One bot account. Open it with `async with`, then `run` it. Until it has logged in, posts are
    postponed.

    The REST API and Discord's gateway (its WebSocket) can fail independently: posts need only the
    REST API, commands need both.
    """

    name: str = NAME

    def __init__(self, settings: DiscordOptions, *, clock: Clock) -> None:
        self.settings = settings
        self.can = Can(
            upload_limit=settings.upload_limit,
            card_grace=CARD_GRACE,
            private_answers=True,
            remembers_nonces=True,
        )
        self.client = new_client(message_content=settings.message_content)
        self._supervisor = Supervisor(NAME, clock=clock, reason=errors.lost)
        self._connection = Connection(self.client, clock=clock, entered=self._supervisor.up)
        self.cards = Cards()
        self._logged_in = False
        self.sizes = Sizes(clock)
        self._stack = AsyncExitStack()
        for listener in (self.on_ready, self.on_resumed):
            self.client.event(listener)

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=self.settings.fetch_time)
        session = await self._stack.enter_async_context(
            aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())
        )
        api = self.settings.api_url
        origins = frozenset({str(URL(api).origin())} if api else ())
        self._downloads = PictureDownloads(session, origins=origins)
        await self._stack.enter_async_context(self.client)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._logged_in = False
        await self._stack.aclose()

    async def run(self) -> None:
        """Log in and listen until cancelled. Raises `Broken` for a refused token or intents."""
        _redirect(self.settings)
        await self._supervisor.keep(self._listen)

    async def _listen(self) -> None:
        if not self._logged_in:
            await self._log_in()
        await self._connection.listen()

    async def _log_in(self) -> None:
        # Each login opens a new HTTP session, so the session of a failed login is closed first.
        await self.client.http.close()
        self.client.http.connector = aiohttp.TCPConnector(limit=0)
        async with asyncio.timeout(self.settings.login_time):
            try:
                await self.client.login(self.settings.token)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                # The answer isn't Discord's: discord.py reads answers without validation.
                raise Unreadable() from error
        self._logged_in = True

    async def on_ready(self) -> None:
        """Log that a new session began."""
        log.info("discord.connected", guilds=len(self.client.guilds))

    async def on_resumed(self) -> None:
        """Log that the session was resumed, without missing an event."""
        log.info("discord.resumed")

    # --- the port ------------------------------------------------------------------------------

    async def is_connected(self) -> bool:
        """Whether the session is open: from READY or RESUMED until the socket is lost. A missing
        heartbeat reveals a dead socket."""
        return self._supervisor.is_up

    async def fetch(self, given: Given, into: Path, *, most: int) -> None:
        """Download a given file to disk. Needs no login, so workers can call it at any time."""
        await self._downloads.fetch(given, into, most=most)

    async def upload_limit(self, job: Job) -> int:
        """Return the upload limit in bytes: higher in servers known to be boosted, lower after a
        refused upload."""
        community, limit = job.order.call.address.community, self.can.upload_limit
        guild = self.client.get_guild(int(community)) if community else None
        if guild is not None and guild.premium_tier >= BOOSTED_TIER:
            limit = max(limit, guild.filesize_limit)
        return self.sizes.most(limit, _video(job), place=place_of(community))

    async def direct_limit(self, job: Job) -> int:
        """Return the upload limit of direct messages in bytes. Boosts don't count there."""
        return self.sizes.most(self.can.upload_limit, _video(job), place=place_of(None))

    async def send(self, post: Post, job: Job, reply: Reply, *, video: Path | None) -> Standing:
        """Send the post as a new message. If Discord remembers the nonce, it returns the earlier
        message instead."""
        target = _target(post, job)
        if post.direct and job.order.call.address.community:
            reply = replace(reply, facts=(*reply.facts, self._instead_of(job)))
        try:
            async with self._asking(self.settings.send_time, with_file=video is not None):
                channel = await self._channel(post, job)
                sent = await _insisting(_sender(channel, post, job, video), reply, target)
        except Refused as refused:
            if isinstance(refused, FileTooLarge) and video is not None:
                size = await asyncio.to_thread(lambda: video.stat().st_size)
                place = place_of(None if post.direct else job.order.call.address.community)
                self.sizes.refused(size, _video(job), place=place)
            if isinstance(refused, Forbidden) and post.direct and post.attempts <= 1:
                # Discord sometimes refuses direct messages at random, so retry once, later.
                raise Temporary("discord_busy", retry_after=60.0) from refused
            raise
        return Standing(str(sent.id), str(channel.id))

    async def edit(self, post: Post, job: Job, reply: Reply) -> None:
        """Edit a card, if the edit would change what people see."""
        message_id = int(post.message_id or 0)
        rendered = _rendered(reply, job, post.kind)
        if not self.cards.needs(message_id, rendered, version=job.version):
            return
        channel = int(post.channel_id or job.order.call.address.channel)
        message = self.client.get_partial_messageable(channel).get_partial_message(message_id)

        async def attempt(reply: Reply, _: Target) -> discord.Message:
            return await message.edit(**_rendered(reply, job, post.kind).whole)

        async with self._asking(self.settings.edit_time):
            await self.cards.edit(message_id, _insisting(attempt, reply, None), rendered)

    async def remove(self, message: Standing) -> None:
        """Delete a message of ours. A message that is already gone counts as success."""
        channel = self.client.get_partial_messageable(int(message.channel_id))
        with suppress(MessageGone, ChannelGone):
            async with self._asking(self.settings.edit_time):
                await channel.get_partial_message(int(message.message_id)).delete()

    def link_to(self, message: Address) -> str | None:
        """Return the link to a message, as *Copy Message Link* gives it."""
        return messages.link_to(message)

    async def find(self, post: Post, job: Job) -> Standing | None:
        """Search the channel's history for our earlier message for this post.

        Raises `HistoryUnreadable` if the history has no message since the send began, or too many.
        Without the right to read the history, Discord returns an empty history.
        """
        seen = 0
        try:
            async with self._asking(self.settings.send_time):
                channel = await self._channel(post, job)
                for begun in _begun(post, job):
                    after = datetime.fromtimestamp(begun - SKEW, UTC)
                    async for message in channel.history(after=after, limit=HISTORY):
                        seen += 1
                        if self._is_own(message) and messages.is_about(message, job.id, post.kind):
                            return Standing(str(message.id), str(channel.id))
        except Refused as refused:
            log.info("discord.unreadable", job=job.id, code=refused.code)
            raise HistoryUnreadable() from refused
        if seen == 0 or seen >= HISTORY:
            raise HistoryUnreadable()
        return None

    def _is_own(self, message: discord.Message) -> bool:
        return self.client.user is not None and message.author.id == self.client.user.id

    async def tell(self, message: DirectMessage) -> Standing:
        """Send a direct message, unless an earlier attempt sent it.

        Discord remembers a nonce only for minutes, so the history is searched. The text is in the
        default language.
        """
        rendered = messages.notice(message.reply, i18n.DEFAULT)
        try:
            async with self._asking(self.settings.edit_time):
                channel = await self.client.create_dm(discord.Object(int(message.person_id)))
                if message.since is not None:
                    after = datetime.fromtimestamp(message.since - SKEW, UTC)
                    async for each in channel.history(after=after, limit=NOTICES):
                        if self._is_own(each) and each.content == rendered.content:
                            return Standing(str(each.id), str(channel.id))
                sent = await channel.send(**rendered.words, nonce=message.nonce)
                return Standing(str(sent.id), str(channel.id))
        except Forbidden as refused:
            raise Temporary("discord_busy", retry_after=60.0) from refused  # at random, see `send`

    async def retell(self, message: Standing, reply: Reply) -> None:
        """Edit a message that `tell` sent."""
        channel = self.client.get_partial_messageable(int(message.channel_id))
        stands = channel.get_partial_message(int(message.message_id))
        async with self._asking(self.settings.edit_time):
            await stands.edit(**messages.notice(reply, i18n.DEFAULT).words)

    @asynccontextmanager
    async def _asking(self, seconds: float, *, with_file: bool = False) -> AsyncIterator[None]:
        """Wrap a request: require the login, set a timeout, translate errors."""
        if not self._logged_in:
            raise Unreachable(unsent=True, away=True)
        try:
            with translation(with_file=with_file):
                async with asyncio.timeout(seconds):
                    yield
        except Unreachable as error:
            if self._supervisor.is_up:
                raise
            # REST and the gateway are both away: the request isn't the cause.
            raise Unreachable(away=True) from error

    async def _channel(self, post: Post, job: Job) -> Channel:
        # By id, not from the cache, which often lacks threads and direct messages.
        if post.direct:
            return await self.client.create_dm(discord.Object(int(job.order.call.person.id)))
        return self.client.get_partial_messageable(int(job.order.call.address.channel))

    def _instead_of(self, job: Job) -> Text:
        """Return the sentence that explains why the answer to an order in a server is a direct
        message."""
        address = job.order.call.address
        guild = self.client.get_guild(int(address.community or 0))
        if guild is None:
            return Text(id="direct.chosen" if job.private else "direct.elsewhere")
        channel = guild.get_channel_or_thread(int(address.channel))
        if channel is None:
            return Text(id="direct.channel_gone", values={"server": guild.name})
        values = {"server": guild.name, "channel": channel.name}
        return Text(id="direct.private" if job.private else "direct.forbidden", values=values)


def _target(post: Post, job: Job) -> Target:
    """Return the order's message, to which a post replies. Posts never reply to a card, since cards
    are removed at the end."""
    target = job.order.call.address.message
    if post.direct or target is None:
        return None
    return discord.MessageReference(
        message_id=int(target),
        channel_id=int(job.order.call.address.channel),
        fail_if_not_exists=False,
    )


def _redirect(settings: DiscordOptions) -> None:
    # discord.py has its URLs only as class attributes, so they hold for the whole process.
    if settings.api_url:
        discord.http.Route.BASE = settings.api_url.rstrip("/")
    if settings.gateway_url:
        discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = URL(settings.gateway_url)


def _video(job: Job) -> str:
    return job.video.key if job.video else ""


def place_of(server: str | int | None) -> str:
    """Return the key under which upload limits are noted: the server's id, or "direct" for direct
    messages."""
    return str(server or "direct")


def _begun(post: Post, job: Job) -> tuple[float, ...]:
    """Return the times from which on the post's message may exist. A card may have been sent before
    the time in its row, as the direct answer to the command."""
    sent = post.sending_at or job.created_at
    may_be_answer = post.kind is PostKind.CARD and sent > job.created_at
    return (job.created_at, sent) if may_be_answer else (sent,)


def _sender(
    channel: Channel, post: Post, job: Job, video: Path | None
) -> Callable[[Reply, Target], Awaitable[discord.Message]]:
    async def attempt(reply: Reply, target: Target) -> discord.Message:
        files = [discord.File(video, filename=f"zoetrope-{job.id}{video.suffix}")] if video else []
        say: Callable[..., Awaitable[discord.Message]] = channel.send
        return await (partial(say, reference=target) if target else say)(
            **_rendered(reply, job, post.kind).whole,
            files=files,
            nonce=post.nonce(post.form or Form.TEXT),
        )

    return attempt


async def _insisting(
    attempt: Callable[[Reply, Target], Awaitable[discord.Message]], reply: Reply, target: Target
) -> discord.Message:
    """Call `attempt`. If Discord refuses the reply or the prompt, repeat the call without it.

    After either refusal nothing was posted, so the nonce can be used again.
    """
    while True:
        try:
            return await attempt(reply, target)
        except discord.HTTPException as error:
            if target and error.code in errors.REFERENCE_REFUSED:
                target = None
            elif reply.prompt and error.code in errors.WORDS_BLOCKED:
                reply = replace(reply, prompt=None)
            else:
                raise


def _rendered(reply: Reply, job: Job, kind: PostKind) -> messages.Rendered:
    if kind is PostKind.CARD:
        return messages.card(reply, job.order.call.locale, job_id=job.id)
    rendered = messages.post(reply, job.order.call.locale, kind=kind)
    is_converted = kind is PostKind.RESULT and job.video and job.video.converted
    return (
        messages.with_original(rendered, job.id, job.order.call.locale)
        if is_converted
        else rendered
    )
