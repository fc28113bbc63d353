"""The line's other half: implements the core's `Platform` for Telegram.

Telegram has no nonce and shows a bot no history. So a send whose end is unknown is never repeated:
its message takes the place of the status message, which is the same however often it is done.
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
from bot.core.orders import Picture, Sound
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
"""Tries of a card whose sending has an unknown end: nothing can take the place of a card."""
SIGNS = {PostKind.CARD: "👀", PostKind.RESULT: "🎉", PostKind.FAILURE: "💔"}
"""Reactions to the request itself."""

NEEDED: tuple[type[BaseModel], ...] = (
    Message,  # first: pydantic uses it in the others as it is
    *(Update, SendMessage, EditMessageText, SendVideo, EditMessageMedia),
)
"""The types of a first order: to build them then would hold everybody up for a quarter second."""

KEPT = frozenset({"card.delivered_silent", "card.undeliverable"})
"""The cards that have to say where the video is."""

log = get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramOptions:
    """How Telegram is reached. Sizes in bytes."""

    token: str = field(repr=False)
    api_url: str | None = None
    """Base of a Bot API server of one's own."""
    local: bool = False
    """That server shares our disk and names files by their path (`--local`)."""
    upload_limit: int = 50_000_000

    @property
    def account(self) -> str:
        """A name of this bot's own for its updates and files."""
        return f"{NAME}:{self.token.partition(':')[0]}"


class TelegramPlatform:
    """One bot account; open it before use. Hearing people is the inbox's part."""

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
        """Whether Telegram answered when it was asked last."""
        return self.supervisor.is_up

    async def fetch(self, given: Picture | Sound, into: Path, *, most: int) -> None:
        """Stream what somebody gave to disk; its address holds our token and goes nowhere else."""
        await self._downloads.fetch(given, into, most=most)

    async def upload_limit(self, job: Job) -> int:
        """Bytes; the same everywhere, until a smaller limit is met."""
        return self.videos.most(job)

    direct_limit = upload_limit

    async def send_again(
        self, post: Post, job: Job, reply: Reply, *, video: Path | None
    ) -> Standing:
        """Let the status message become it; where there is none, rather say it twice than never."""
        # The card of a private one stands where everybody sees it.
        if not job.private and (card := await self._card(job)):
            try:
                return await self._replace(card, job, reply, video)
            except MessageGone as gone:
                log.warning("telegram.not_replaced", job=job.id, code=gone.code)
        if post.kind is PostKind.CARD and post.attempts > MOST_CARDS:
            raise MaybeSent()  # some of them stand; what it is about comes anyway
        log.warning("telegram.maybe_doubled", job=job.id, kind=post.kind)
        return await self.send(post, job, reply, video=video)

    async def send(self, post: Post, job: Job, reply: Reply, *, video: Path | None) -> Standing:
        """Say it as a new message."""
        channel = job.order.call.person.id if post.direct else job.order.call.address.channel
        try:
            sent = await self.line.insist(channel, Turn.POST, self._sender(post, job, reply, video))
        except FileTooLarge:
            if video is not None:
                await self.videos.refused(job, video)
            raise
        # Beside, not before: between Telegram's answer and its row nothing may come.
        task = asyncio.create_task(self._sign(post, job))
        self._signing.add(task)
        task.add_done_callback(self._signing.discard)
        return Standing(str(sent.message_id), channel)

    async def edit(self, post: Post, job: Job, reply: Reply) -> None:
        """Bring a card up to date; mere progress waits for room."""
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
        if await self._is_result(post, job):  # it has become that while we waited
            raise MessageGone()
        await self.line.edit(chat, number, rendered)

    async def _is_result(self, post: Post, job: Job) -> bool:
        """Whether the video took the place of this card."""
        result = await self._posts.get(job.id, PostKind.RESULT)
        return result is not None and result.message_id == post.message_id

    async def remove(self, message: Standing) -> None:
        """Delete a message of ours; one that is gone already is as good."""
        chat, number = await self._chat(message.channel_id), int(message.message_id)
        if chat is None:
            return
        self.line.forget(chat, number)
        with suppress(MessageGone, Forbidden):
            await self.line.ask(chat, self.line.bot.delete_message(chat, number))

    link_to = staticmethod(messages.link_to)

    async def tell(self, message: DirectMessage) -> Standing:
        """Say it in the private chat; rather twice than never."""
        if message.since is not None:
            log.warning("telegram.maybe_doubled", kind="notice")
        rendered = messages.notice(message.reply, i18n.DEFAULT)
        try:
            sent = await self.line.say(message.person_id, rendered)
        except MaybeSent:
            raise Temporary("telegram_unreachable") from None
        return Standing(str(sent.message_id), message.person_id)

    async def retell(self, message: Standing, reply: Reply) -> None:
        """Bring a message that was told up to date."""
        chat, number = int(message.channel_id), int(message.message_id)
        rendered = messages.notice(reply, i18n.DEFAULT)
        if not self.line.is_shown(chat, number, rendered):
            await self.line.pace.turn(chat, Turn.CHANGE)
            await self.line.edit(chat, number, rendered)

    # --- sending -------------------------------------------------------------------------------

    def _sender(self, post: Post, job: Job, said: Reply, video: Path | None) -> Send:
        async def send(chat: int, topic: int | None, replying: bool) -> Message:
            # To the request: never to a card, which goes when the end is told.
            asked = job.order.call.address.message if replying and not post.direct else None
            target = int(asked) if asked else None
            if video is not None:
                return await self.videos.send(chat, topic, target, job, said, video)
            return await self.line.send(chat, topic, target, _rendered(job, said))

        return send

    async def _replace(self, card: Post, job: Job, said: Reply, video: Path | None) -> Standing:
        """Let the status message become what may have been sent already."""
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
        """The status message; in the largest chats Telegram gives some no number."""
        card = await self._posts.get(job.id, PostKind.CARD)
        if card is None or card.message_id in (None, "0"):
            return None
        chat = await self._chat(standing(card, job).channel_id)
        return card if chat is not None else None

    async def _chat(self, channel: str) -> int | None:
        """Where a message of ours stands; None if it stayed behind in a group that moved away:
        nothing can be done to it any more, and its number means another message in the new one."""
        chat, _ = chat_and_topic(channel)
        return chat if await self.line.current(chat) == chat else None

    # --- what comes along ----------------------------------------------------------------------

    async def _sign(self, post: Post, job: Job) -> None:
        target = job.order.call.address.message
        if target is not None:
            chat, _ = chat_and_topic(job.order.call.address.channel)
            await self.line.react(chat, int(target), SIGNS[post.kind])


def _rendered(job: Job, said: Reply) -> messages.Rendered:
    # Who spoke as a group has no private chat.
    if said.text.id in KEPT and job.order.call.person.id.isdecimal():
        said = replace(said, facts=(*said.facts, Text(id="telegram.kept")))
    return messages.rendered(said, job.order.call.locale, name=job.order.call.person.name)
