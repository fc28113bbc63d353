"""The Telegram client: implements the core's `Platform` interface.

The Bot API has no idempotency key (nonce), and a bot can't read a chat's history. So when the
outcome of a send is unknown, the client doesn't send that message a second time: it edits the
job's card into the message instead. Such an edit is idempotent.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from aiogram import Bot
from aiogram.client.telegram import PRODUCTION, TelegramAPIServer
from aiogram.methods import EditMessageMedia, EditMessageText, SendMessage, SendVideo
from aiogram.types import Message, Update
from pydantic import BaseModel

from bot import i18n
from bot.core.errors import FileTooLarge, Forbidden, MaybeSent, MessageGone, Temporary
from bot.core.jobs import Job
from bot.core.orders import Given
from bot.core.platforms import Can, DirectMessage, Standing, standing
from bot.core.ports import Clock, Posts
from bot.core.posts import Post, PostKind
from bot.core.replies import Reply, Text
from bot.core.sizes import Sizes
from bot.core.supervision import Supervisor
from bot.log import get_logger
from bot.platforms.telegram import messages
from bot.platforms.telegram.errors import lost
from bot.platforms.telegram.line import CALL, Communities, Line, Send
from bot.platforms.telegram.pace import Turn
from bot.platforms.telegram.pictures import PictureDownloads
from bot.platforms.telegram.reading import NAME, chat_and_topic
from bot.platforms.telegram.session import Session
from bot.platforms.telegram.videos import Handles, LeadingOn, Linked, SmallStill, Stored, Videos

MOST_CARDS = 2
"""Most attempts to send a card when the outcome is unknown: no earlier message can be edited."""
SIGNS = {PostKind.CARD: "👀", PostKind.RESULT: "🎉", PostKind.FAILURE: "💔"}
"""Reactions that the bot sets on the message of the order, by the kind of post."""

NEEDED: tuple[type[BaseModel], ...] = (
    Message,  # first: pydantic reuses its schema in the others
    *(Update, SendMessage, EditMessageText, SendVideo, EditMessageMedia),
)
"""The types that the first order needs. They are built at the start, because building them
during an order would block the event loop for about 0.25 seconds."""

KEPT = frozenset({"card.delivered_silent", "card.undeliverable"})
"""Ids of texts of cards that also tell people how they can get their video."""

log = get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramOptions:
    """How the client reaches Telegram. Sizes are in bytes."""

    token: str = field(repr=False)
    api_url: str | None = None
    """Base URL of the operator's own Bot API server; None for Telegram's."""
    local: bool = False
    """True if that server runs with `--local`: it shares our disk and names files by path."""
    upload_limit: int = 50_000_000

    @property
    def account(self) -> str:
        """Return the name under which this bot's updates and files are stored."""
        return f"{NAME}:{self.token.partition(':')[0]}"


class TelegramPlatform:
    """One bot account. Open it with `async with` before use. `inbox` receives the updates."""

    name: str = NAME

    def __init__(
        self,
        settings: TelegramOptions,
        *,
        posts: Posts,
        handles: Handles,
        communities: Communities,
        stored: Stored,
        small_still: SmallStill,
        link: Linked,
        ways: LeadingOn,
        clock: Clock,
    ) -> None:
        self.settings = settings
        self.can = Can(upload_limit=settings.upload_limit)
        self._posts = posts
        url = settings.api_url
        server = TelegramAPIServer.from_base(url, is_local=settings.local) if url else PRODUCTION
        self._session = Session(api=server, timeout=CALL)
        self.line = Line(
            Bot(settings.token, session=self._session), communities=communities, clock=clock
        )
        self.videos = Videos(
            line=self.line,
            handles=handles,
            stored=stored,
            small_still=small_still,
            link=link,
            ways=ways,
            sizes=Sizes(clock),
            limit=settings.upload_limit,
        )
        self._downloads = PictureDownloads(self.line.bot)
        self._signing: set[asyncio.Task[None]] = set()
        self.supervisor = Supervisor(NAME, clock=clock, reason=lost)

    async def __aenter__(self) -> Self:
        for needed in NEEDED:
            needed.model_rebuild()
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*self._signing, return_exceptions=True)
        await self._session.close()

    # --- the port ------------------------------------------------------------------------------

    async def is_connected(self) -> bool:
        """Whether Telegram answered the latest request."""
        return self.supervisor.is_up

    async def fetch(self, given: Given, into: Path, *, most: int) -> None:
        """Download a given file to disk. Its URL contains our token and is never passed on."""
        await self._downloads.fetch(given, into, most=most)

    async def upload_limit(self, job: Job) -> int:
        """Return the upload limit in bytes: the same in all chats, less after a refused upload."""
        return self.videos.most(job)

    direct_limit = upload_limit

    async def send_again(
        self, post: Post, job: Job, reply: Reply, *, video: Path | None
    ) -> Standing:
        """Edit the job's card into this post. Without a card, send the post a second time: a
        duplicate is better than no message."""
        # The card of a private job stands in a chat where everybody sees it.
        if not job.private and (card := await self._card(job)):
            try:
                return await self._replace(card, job, reply, video)
            except MessageGone as gone:
                log.warning("telegram.not_replaced", job=job.id, code=gone.code)
        if post.kind is PostKind.CARD and post.attempts > MOST_CARDS:
            raise MaybeSent()  # some cards may exist already; the result comes anyway
        log.warning("telegram.maybe_doubled", job=job.id, kind=post.kind)
        return await self.send(post, job, reply, video=video)

    async def send(self, post: Post, job: Job, reply: Reply, *, video: Path | None) -> Standing:
        """Send the post as a new message."""
        channel = job.order.call.person.id if post.direct else job.order.call.address.channel
        try:
            sent = await self.line.insist(channel, Turn.POST, self._sender(post, job, reply, video))
        except FileTooLarge:
            if video is not None:
                await self.videos.refused(job, video)
            raise
        # In a task of its own: nothing may delay writing Telegram's answer to the post's row.
        task = asyncio.create_task(self._sign(post, job))
        self._signing.add(task)
        task.add_done_callback(self._signing.discard)
        return Standing(str(sent.message_id), channel)

    async def edit(self, post: Post, job: Job, reply: Reply) -> None:
        """Edit a card. Raises `Temporary` for mere progress if the rate limit has no room now."""
        chat = await self._chat(standing(post, job).channel_id)
        if chat is None or await self._is_result(post, job):
            raise MessageGone()
        rendered, number = _rendered(job, reply), int(post.message_id or 0)
        if self.line.is_shown(chat, number, rendered):
            return
        if reply.progress:
            self.line.pace.progress(chat)
        else:
            await self.line.pace.turn(chat, Turn.CHANGE)
        if await self._is_result(post, job):  # became the result while we waited
            raise MessageGone()
        await self.line.edit(chat, number, rendered)

    async def _is_result(self, post: Post, job: Job) -> bool:
        """Whether this card was edited into the message with the result."""
        result = await self._posts.get(job.id, PostKind.RESULT)
        return result is not None and result.message_id == post.message_id

    async def remove(self, message: Standing) -> None:
        """Delete a message of ours. A message that is already gone counts as success."""
        chat, number = await self._chat(message.channel_id), int(message.message_id)
        if chat is None:
            return
        self.line.forget(chat, number)
        with suppress(MessageGone, Forbidden):
            await self.line.ask(chat, self.line.bot.delete_message(chat, number))

    link_to = staticmethod(messages.link_to)

    async def tell(self, message: DirectMessage) -> Standing:
        """Send a message to a person's private chat. If the outcome is unknown, it is retried."""
        if message.since is not None:
            log.warning("telegram.maybe_doubled", kind="notice")
        rendered = messages.notice(message.reply, i18n.DEFAULT)
        try:
            sent = await self.line.say(message.person_id, rendered)
        except MaybeSent:
            raise Temporary("telegram_unreachable") from None
        return Standing(str(sent.message_id), message.person_id)

    async def retell(self, message: Standing, reply: Reply) -> None:
        """Edit a message that `tell` sent."""
        chat, number = int(message.channel_id), int(message.message_id)
        rendered = messages.notice(reply, i18n.DEFAULT)
        if not self.line.is_shown(chat, number, rendered):
            await self.line.pace.turn(chat, Turn.CHANGE)
            await self.line.edit(chat, number, rendered)

    # --- sending -------------------------------------------------------------------------------

    def _sender(self, post: Post, job: Job, said: Reply, video: Path | None) -> Send:
        async def send(chat: int, topic: int | None, replying: bool) -> Message:
            # Reply to the order's message, never to a card: cards are removed at the end.
            asked = job.order.call.address.message if replying and not post.direct else None
            target = int(asked) if asked else None
            if video is not None:
                return await self.videos.send(chat, topic, target, job, said, video)
            return await self.line.send(chat, topic, target, _rendered(job, said))

        return send

    async def _replace(self, card: Post, job: Job, said: Reply, video: Path | None) -> Standing:
        """Edit the job's card into a post that may have been sent already."""
        stands = standing(card, job)
        chat, number = chat_and_topic(stands.channel_id)[0], int(stands.message_id)
        await self.line.pace.turn(chat, Turn.POST)
        if video is None:
            await self.line.edit(chat, number, _rendered(job, said))
        else:
            await self.videos.put(chat, number, job, said, video)
        log.warning("telegram.replaced", job=job.id)
        return stands

    async def _card(self, job: Job) -> Post | None:
        """Return the job's card if it can be edited, else None. In very large chats Telegram may
        answer with the message id 0."""
        card = await self._posts.get(job.id, PostKind.CARD)
        if card is None or card.message_id in (None, "0"):
            return None
        chat = await self._chat(standing(card, job).channel_id)
        return card if chat is not None else None

    async def _chat(self, channel: str) -> int | None:
        """Return the id of the chat of a message of ours, or None if its group has another id now.

        Messages of the former group can't be changed, and in the new group the same message ids
        belong to other messages.
        """
        chat, _ = chat_and_topic(channel)
        return chat if await self.line.current(chat) == chat else None

    # --- reactions -----------------------------------------------------------------------------

    async def _sign(self, post: Post, job: Job) -> None:
        target = job.order.call.address.message
        if target is not None:
            chat, _ = chat_and_topic(job.order.call.address.channel)
            await self.line.react(chat, int(target), SIGNS[post.kind])


def _rendered(job: Job, said: Reply) -> messages.Rendered:
    # A person who wrote as a group has no private chat.
    if said.text.id in KEPT and job.order.call.person.id.isdecimal():
        said = replace(said, facts=(*said.facts, Text(id="telegram.kept")))
    return messages.rendered(said, job.order.call.locale, name=job.order.call.person.name)
