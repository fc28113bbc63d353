"""One step of a post: send its message once, then record its id.

A result is sent as a file, else as a link, else as text: first in the channel, then directly to
the person. If every way is refused, the result is kept. The next way is tried only after a
final refusal, never after an unknown outcome.
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
"""Tries in one form before a post is parked. With the back-off they take more than a day."""
MOST_FILES = 10
"""Tries with files, each smaller than the last, before only text is sent."""
MOST_WAIT = 60.0
"""The most seconds between two tries, so that a post is sent within a minute after an outage."""
AWAY = 10.0
"""Seconds between two attempts while the post's network is disconnected. They count as no tries."""

SEND_TIME = 1700.0
"""Timeout in seconds of one send, with all attempts inside it."""

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
    """Sends, edits and removes the messages of claimed posts.

    `wake` is rung when a sent message makes a card due.

    `cards_on` receives the cards that `Posts.sent` returned already claimed.

    `restored` maps the ids of jobs from a backup to a time. Messages that were sent after that
    time may be in chat although the rows don't have them.
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
        """Take the due step of `post`, which the caller has claimed, or put it off."""
        async with self._held(post):
            await self._take(post)

    @asynccontextmanager
    async def _held(self, post: Post) -> AsyncIterator[None]:
        """End the claim on `post` if the block raises. An error is logged and tried again later."""
        try:
            yield
        except asyncio.CancelledError:
            # The process stops: the row knows of a send under way, so the claim can be released.
            with suppress(Exception):  # a database error must not delay the stop
                await self.posts.put_off(post, due_at=post.due_at)
            raise
        except Exception as error:  # noqa: BLE001 - any error is tried again
            failures.record("post.failed", error, job=post.job_id, kind=post.kind)
            await self._try_again(post, Temporary("internal"))

    async def _take(self, post: Post) -> None:
        job = await self.jobs.get(post.job_id)
        if job is None:
            raise Broken("job_unknown", job=post.job_id)
        platform = self.platforms[job.order.call.address.platform]
        if end := await endings.end_of(self.posts, post, job):
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
            # Deleted, or too old to edit: the card is given up; the result is a post of its own.
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
        """Remove the message of a deleted video, or give up a message that was not sent yet."""
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
                may_repeat = post.sending_at is not None and post.form is message.form
                may_stand = doubtful or self._may_stand(post, platform)
                # A change since the claim is not in this message: the row's newer time stays due.
                post = replace(begun, due_at=post.due_at)
                post = replace(post, sending_at=since) if doubtful else post
                async with self._held(post):
                    await self._send(
                        post, job, platform, message, may_stand=may_stand, may_repeat=may_repeat
                    )
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
        may_repeat: bool,
    ) -> None:
        try:
            async with asyncio.timeout(SEND_TIME):
                if may_stand and (found := await self._standing(post, job, platform)):
                    await self._found(post, job, platform, *found)
                    return
                if post.kind is PostKind.CARD and self._is_doubtful(post, job):
                    # The card may have been sent and removed since, because its job's end was told.
                    await self.posts.put_off(post, due_at=None)
                    return
                send = platform.send
                if may_repeat and isinstance(platform, SendsAgain):
                    send = platform.send_again
                stands = await send(post, job, message.reply, video=message.video)
        except Refused as refused:
            await self._fall(post, job, refused)
        except TimeoutError:
            await self._try_again(post, Temporary("too_slow"))
        except (Temporary, Broken) as error:
            if isinstance(error, Temporary) and error.unsent and not may_repeat:
                await self.posts.unsent(post)
            await self._try_again(post, error)
        else:
            log.info("post.sent", job=job.id, kind=post.kind, form=post.form)
            await self._stands(post, job, *stands)

    def _may_stand(self, post: Post, platform: Platform) -> bool:
        """Whether the message may already be in chat, so that only the history can tell.

        True for a send that the network's nonces no longer cover, and for any card: a command's own
        answer may have become the card without our knowing.
        """
        begun = post.sending_at
        window = NONCE_WINDOW if platform.can.remembers_nonces else 0.0
        stale = begun is not None and self.clock.now() - begun > window
        return stale or post.kind is PostKind.CARD

    def _is_doubtful(self, post: Post, job: Job) -> bool:
        """Whether a message may be in chat that the row, which is from a backup, does not have."""
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
        """Record a message that was already in chat. A card may be out of date, so it is edited."""
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
        """Yield the result as a file if it fits, else a link, else a smaller file, else text."""
        if job.video is None:
            raise Broken("no_video", job=job.id)
        most = await upload_limit(platform, post, job)
        fits = job.video.size <= most
        link = self.link(job)
        # While a send has an unknown outcome its form is kept: another form has another nonce.
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
        """After a refusal, go on without the file or in a direct message; else park the post."""
        log.warning("post.refused", job=job.id, kind=post.kind, form=post.form, code=refused.code)
        linked = self.link(job) is not None
        too_large = post.form is Form.FILE and isinstance(refused, FileTooLarge)
        forbidden = post.form is Form.FILE and isinstance(refused, FilesForbidden)
        if isinstance(refused, HistoryUnreadable):
            await self._park(post, job)  # the message may be in chat
        elif too_large:
            # Without links, the limit that was just learned makes the next file smaller.
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
        """Cancel a queued job whose card was refused, if its person got no other answer.

        Such a person can't see that the job exists. A network with a `card_grace` also answers
        the command itself, so there the job goes on.
        """
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
            # Debug only: the network logs its outage itself, and this line repeats for each try.
            log.debug("post.waiting", job=post.job_id, kind=post.kind, code=error.code)
            await self.posts.put_off(post, due_at=now + AWAY, tried=False)
            return
        if asked is not None and isinstance(error, Temporary) and error.unsent:
            # Nothing was sent and the network said when to retry: a rate limit, no failed try.
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
            except Exception as error:  # if it were never written, the message would be sent twice
                if isinstance(error, BotError) and not isinstance(error, Unwritten):
                    raise
                log.warning("post.unwritten", job=job.id, error=type(error).__name__)
                await self.clock.sleep(1.0)
        if card is not None:
            self.cards_on.put(card)  # the job is over: the card is removed, or edited to say so
        elif not is_card:
            self.wake.ring(now)
