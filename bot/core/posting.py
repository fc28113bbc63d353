"""One step of a post: say it where it belongs, once; then write down that it stands.

The ladder: file → link → words, in the channel, then in the person's own messages; if nobody can
be reached, the result is kept. A rung is left only after a definite no, never after silence.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.core import endings, failures, moves, replies, schedule
from bot.core.accounts import Accounts
from bot.core.cards import Cards
from bot.core.errors import (
    BotError,
    Broken,
    FilesForbidden,
    FileTooLarge,
    HistoryUnreadable,
    MaybeSent,
    Refused,
    Temporary,
    Unwritten,
)
from bot.core.handed_on import HandedOn
from bot.core.jobs import CLAIM, Job, Reason, Status, Video
from bot.core.platforms import (
    Edits,
    Platform,
    ReadsHistory,
    Removes,
    SendsAgain,
    Standing,
    standing,
    upload_limit,
)
from bot.core.ports import Clock, Jobs, Media, Posts
from bot.core.posts import NONCE_WINDOW, Form, Post, PostKind, is_void
from bot.core.replies import Reply
from bot.core.wake import Wake
from bot.log import get_logger

MOST_TRIES = 1500
"""Tries of one rung before a post is parked; with the back-off that is more than a day."""
MOST_FILES = 10
"""Tries of files, each smaller than the last, before words alone are sent."""
MOST_WAIT = 60.0
"""Seconds between two tries: what was paid for is said within a minute of any outage's end."""
AWAY = 10.0
"""Seconds after which a post whose network is away looks whether it is back; it costs no try."""

SEND_TIME = 1700.0
"""Seconds that one send may take, with all that it tries."""

log = get_logger()


@dataclass(frozen=True, slots=True)
class Link:
    """A signed address of a finished video."""

    url: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class _Message:
    form: Form
    reply: Reply
    video: Path | None = None


@dataclass(slots=True, kw_only=True)
class Posting:
    """Says what claimed posts are about.

    `wake` is rung when what was said makes a card due.

    `cards_on`: where cards go that are claimed for us.

    `restored`: jobs out of a backup of which more may stand in a chat than rows tell, and
    from when on.
    """

    jobs: Jobs
    posts: Posts
    platforms: Mapping[str, Platform]
    media: Media
    accounts: Accounts
    link: Callable[[Job], Link | None]
    cards: Cards
    clock: Clock
    wake: Wake
    cards_on: HandedOn[Post] = field(default_factory=HandedOn)
    restored: Mapping[str, float] = field(default_factory=dict)

    async def take(self, post: Post) -> None:
        """Say `post`, which the caller has claimed, or put it off."""
        async with self._held(post):
            await self._take(post)

    @asynccontextmanager
    async def _held(self, post: Post) -> AsyncIterator[None]:
        """A post's claim ends with the block, even by an error."""
        try:
            yield
        except asyncio.CancelledError:
            # Told to stop: a send under way is remembered by its row, the claim is given back.
            with suppress(Exception):  # a database that takes nothing does not hold the end up
                await self.posts.put_off(post, due_at=post.due_at)
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
            failures.record("post.failed", error, job=post.job_id, kind=post.kind)
            await self._try_again(post, Temporary("internal"))

    async def _take(self, post: Post) -> None:
        job = await self.jobs.get(post.job_id)
        if job is None:
            raise Broken("job_unknown", job=post.job_id)
        platform = self.platforms[job.order.call.address.platform]
        if end := await endings.told(self.posts, post, job):
            await self._clear(post, end, job, platform)
        elif is_void(post, job, is_answer=platform.can.card_grace > 0):
            await self.posts.put_off(post, due_at=None)
        elif post.attempts > MOST_TRIES:
            await self._park(post, job)
        elif post.message_id and post.kind is not PostKind.RESULT:
            await self._edit(post, job, platform)
        elif post.kind is PostKind.RESULT and not job.has_result:
            await self._remove(post, job, platform)
        else:
            await self._say(post, job, platform)

    async def _edit(self, post: Post, job: Job, platform: Platform) -> None:
        if not isinstance(platform, Edits):
            await self.posts.put_off(post, due_at=None)
            return
        try:
            card = post.kind is PostKind.CARD
            reply = await self.cards.card(job) if card else await self._failure(post, job)
            await platform.edit(post, job, reply)
        except Refused as refused:
            # Deleted or too old to edit: nothing is owed any more, the result comes by itself.
            log.info("card.dropped", job=job.id, code=refused.code)
            await self.posts.put_off(post, due_at=None)
        except Temporary as error:
            await self._try_again(post, error)
        else:
            await self._stands(post, job, post.message_id or "", post.channel_id or "")

    async def _clear(self, post: Post, end: Post, job: Job, platform: Platform) -> None:
        try:
            await endings.clear(post, end, job, platform)
        except Temporary as error:
            await self._try_again(post, error)
        else:
            await self.posts.put_off(post, due_at=None)

    async def _remove(self, post: Post, job: Job, platform: Platform) -> None:
        """The video was deleted: its message goes, whether it stands or was about to."""
        try:
            if post.message_id and isinstance(platform, Removes):
                await platform.remove(standing(post, job))
        except Temporary as error:
            await self._try_again(post, error)
            return
        except Refused as refused:
            log.warning("post.not_removed", job=job.id, code=refused.code)
        await self.posts.put_off(post, due_at=None)

    async def _say(self, post: Post, job: Job, platform: Platform) -> None:
        try:
            async with self._message(post, job, platform) as message:
                doubtful = self._is_doubtful(post, job)
                since = self.restored[job.id] if doubtful else self.clock.now()
                begun = await self.posts.sending(post, message.form, now=since)
                if begun is None:
                    log.warning("post.overtaken", job=job.id, kind=post.kind)
                    return
                again = post.sending_at is not None and post.form is message.form
                may_stand = doubtful or self._may_stand(post, platform)
                # News since the claim is not in these words: it stays due.
                post = replace(begun, due_at=post.due_at)
                post = replace(post, sending_at=since) if doubtful else post
                async with self._held(post):
                    await self._send(post, job, platform, message, may_stand=may_stand, again=again)
        except Refused as refused:
            await self._fall(post, job, refused)
        except (Temporary, Broken) as error:
            await self._try_again(post, error)

    async def _send(
        self,
        post: Post,
        job: Job,
        platform: Platform,
        message: _Message,
        *,
        may_stand: bool,
        again: bool,
    ) -> None:
        try:
            async with asyncio.timeout(SEND_TIME):
                if may_stand and (found := await self._standing(post, job, platform)):
                    await self._found(post, job, platform, *found)
                    return
                if post.kind is PostKind.CARD and self._is_doubtful(post, job):
                    # It may have stood and gone since, as the end of its job was told.
                    await self.posts.put_off(post, due_at=None)
                    return
                send = platform.send
                if again and isinstance(platform, SendsAgain):
                    send = platform.send_again
                stands = await send(post, job, message.reply, video=message.video)
        except Refused as refused:
            await self._fall(post, job, refused)
        except TimeoutError:
            await self._try_again(post, Temporary("too_slow"))
        except (Temporary, Broken) as error:
            if isinstance(error, Temporary) and error.unsent and not again:
                await self.posts.unsent(post)
            await self._try_again(post, error)
        else:
            log.info("post.sent", job=job.id, kind=post.kind, form=post.form)
            await self._stands(post, job, *stands)

    def _may_stand(self, post: Post, platform: Platform) -> bool:
        """Whether only the channel can tell if it was said.

        So it is after the nonce has been forgotten, and for a card: the command's own answer may
        have become it without our knowing.
        """
        begun = post.sending_at
        window = NONCE_WINDOW if platform.can.remembers_nonces else 0.0
        stale = begun is not None and self.clock.now() - begun > window
        return stale or post.kind is PostKind.CARD

    def _is_doubtful(self, post: Post, job: Job) -> bool:
        """Whether it may stand although its row knows nothing of it: the row is of a backup."""
        return job.id in self.restored and post.message_id is None

    async def _standing(self, post: Post, job: Job, platform: Platform) -> Standing | None:
        try:
            if not isinstance(platform, ReadsHistory):
                raise HistoryUnreadable()
            return await platform.find(post, job)
        except HistoryUnreadable:
            if self._is_doubtful(post, job):
                raise
            return None

    async def _found(
        self, post: Post, job: Job, platform: Platform, message_id: str, channel_id: str
    ) -> None:
        """It stands already. A card may show its job as it was long ago, so it is edited."""
        if post.kind is PostKind.CARD:
            known = replace(post, message_id=message_id, channel_id=channel_id)
            await self._edit(known, job, platform)
        else:
            await self._stands(post, job, message_id, channel_id)

    @asynccontextmanager
    async def _message(self, post: Post, job: Job, platform: Platform) -> AsyncIterator[_Message]:
        if post.kind is PostKind.CARD:
            yield _Message(Form.TEXT, await self.cards.card(job))
        elif post.kind is PostKind.FAILURE:
            yield _Message(Form.TEXT, await self._failure(post, job))
        else:
            async with self._result(post, job, platform) as message:
                yield message

    @asynccontextmanager
    async def _result(self, post: Post, job: Job, platform: Platform) -> AsyncIterator[_Message]:
        """As a file if it fits, else as a link, else shrunk to fit, else the plain sentence."""
        if job.video is None:
            raise Broken("no_video", job=job.id)
        most = await upload_limit(platform, post, job)
        fits = job.video.size <= most
        link = self.link(job)
        # While a send has an unknown end its rung is kept: another one has another nonce.
        held = post.form if post.sending_at else None
        ways = await self.accounts.ways(job, post.direct)
        as_file = post.form in (None, Form.FILE)
        async with AsyncExitStack() as stack:
            if as_file and (fits or (held is Form.FILE and link)):
                path = await stack.enter_async_context(self.media.file(job.video.key))
                yield _Message(Form.FILE, replies.result(job, ways=ways), path)
            elif link and post.form is not Form.TEXT:
                reply = replies.result(
                    job, link=link.url, link_expires_at=link.expires_at, ways=ways
                )
                yield _Message(Form.LINK, reply)
            elif as_file and (small := await self._shrunk(job.video, most, stack)):
                yield _Message(Form.FILE, replies.result(job, shrunk=True, ways=ways), small)
            else:
                yield _Message(Form.TEXT, replies.kept(job, fits=fits, ways=ways))

    async def _failure(self, post: Post, job: Job) -> Reply:
        return replies.failure(job, ways=await self.accounts.ways(job, post.direct))

    async def _shrunk(self, video: Video, most: int, stack: AsyncExitStack) -> Path | None:
        try:
            return await stack.enter_async_context(self.media.shrink(video.key, most_bytes=most))
        except Broken as broken:
            log.warning("video.not_shrunk", code=broken.code)
            return None

    async def _fall(self, post: Post, job: Job, refused: Refused) -> None:
        """The next rung: without the file, then to the person directly, then kept."""
        log.warning("post.refused", job=job.id, kind=post.kind, form=post.form, code=refused.code)
        linked = self.link(job) is not None
        too_large = post.form is Form.FILE and isinstance(refused, FileTooLarge)
        forbidden = post.form is Form.FILE and isinstance(refused, FilesForbidden)
        if isinstance(refused, HistoryUnreadable):
            await self._park(post, job)  # it may stand
        elif too_large:
            # With no address for a link, the limit just learned makes the next file a smaller one.
            lower = Form.FILE if post.attempts < MOST_FILES else Form.TEXT
            await self.posts.fall(post, Form.LINK if linked else lower, direct=post.direct)
        elif forbidden and linked:
            await self.posts.fall(post, Form.LINK, direct=post.direct)
        elif forbidden and post.direct:
            await self.posts.fall(post, Form.TEXT, direct=True)
        elif not post.direct and post.kind is not PostKind.CARD:
            await self.posts.fall(post, None, direct=True)
        else:
            await self._park(post, job)
            if not isinstance(refused, MaybeSent):
                await self._unseen(post, job)

    async def _unseen(self, post: Post, job: Job) -> None:
        """Nobody will ever see that this was taken: withdraw it, if nobody has it yet."""
        answered = self.platforms[job.order.call.address.platform].can.card_grace > 0
        if post.kind is PostKind.CARD and job.status is Status.QUEUED and not answered:
            gone = moves.cancelled(job, Reason.UNANSWERED)
            await self.jobs.save(job, gone, now=self.clock.now())

    async def _park(self, post: Post, job: Job) -> None:
        await self.posts.put_off(post, due_at=None)
        if post.kind is PostKind.CARD:
            return
        log.error("post.undeliverable", job=job.id, kind=post.kind)
        if job.status is Status.COMPLETED:
            kept = replace(job, reason=Reason.UNDELIVERABLE)
            await self.jobs.save(job, kept, now=self.clock.now())
            self.wake.ring(self.clock.now())

    async def _try_again(self, post: Post, error: BotError) -> None:
        now = self.clock.now()
        asked = error.retry_after if isinstance(error, Temporary) else None
        if isinstance(error, Temporary) and error.away:
            # The network's own lines tell of its outage: this is each post at each try.
            log.debug("post.waiting", job=post.job_id, kind=post.kind, code=error.code)
            await self.posts.put_off(post, due_at=now + AWAY, tried=False)
            return
        if asked is not None and isinstance(error, Temporary) and error.unsent:
            # Told when to come, before anything left: the pace of the chat, no failed try.
            log.info("post.paced", job=post.job_id, kind=post.kind, seconds=round(asked, 1))
            await self.posts.put_off(post, due_at=now + asked, tried=False)
            return
        log.warning("post.delayed", job=post.job_id, kind=post.kind, code=error.code)
        wait = schedule.back_off(post.attempts, base=1.0, most=MOST_WAIT)
        await self.posts.put_off(post, due_at=now + max(wait, asked or 0.0))

    async def _stands(self, post: Post, job: Job, message_id: str, channel_id: str) -> None:
        now = self.clock.now()
        is_card = post.kind is PostKind.CARD
        again_at = await self.cards.stale_at(job) if is_card else None
        until = now + CLAIM if self.cards_on.has_room else None
        while True:
            try:
                card = await self.posts.sent(
                    post, message_id, channel_id, now=now, again_at=again_at, until=until
                )
                break
            except Exception as error:  # unwritten, it would be said once more
                if isinstance(error, BotError) and not isinstance(error, Unwritten):
                    raise
                log.warning("post.unwritten", job=job.id, error=type(error).__name__)
                await self.clock.sleep(1.0)
        if card is not None:
            self.cards_on.put(card)  # its job is over: the card goes, or has to say so
        elif not is_card:
            self.wake.ring(now)
