"""One step of a post: say it where it belongs, once; then write down that it stands.

The ladder: file → link → words, in the channel, then in the person's own messages; if nobody can
be reached, the result is kept. A rung is left only after a definite no, never after silence.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bot.core import replies, schedule
from bot.core.errors import BotError, Broken, Refused, Temporary
from bot.core.jobs import ACTIVE, Job, Reason, Status, Video
from bot.core.ports import Clock, Jobs, Media, Platform, Posts
from bot.core.posts import NONCE_WINDOW, Form, Post, PostKind
from bot.core.quotas import Limits
from bot.core.replies import Left, Reply
from bot.log import get_logger

MOST_TRIES = 40
"""Tries of one rung before a post is parked; with the back-off that is more than a day."""

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


class Posting:
    """Says what claimed posts are about."""

    def __init__(
        self,
        *,
        jobs: Jobs,
        posts: Posts,
        platforms: Mapping[str, Platform],
        media: Media,
        limits: Limits,
        link: Callable[[Job], Link | None],
        typical: Callable[[str], float],
        clock: Clock,
    ) -> None:
        self._jobs = jobs
        self._posts = posts
        self._platforms = platforms
        self._media = media
        self._limits = limits
        self._link = link
        self._typical = typical
        self._clock = clock

    async def take(self, post: Post) -> None:
        """Say `post`, which the caller has claimed, or put it off."""
        job = await self._jobs.get(post.job_id)
        if job is None:
            raise Broken("job_unknown", job=post.job_id)
        platform = self._platforms[job.order.address.platform]
        unseen = post.kind is PostKind.CARD and post.message_id is None
        if unseen and job.status is Status.CANCELLED:
            # Withdrawn because its command could not be answered: there is nobody to tell.
            await self._posts.put_off(post, due_at=None)
        elif post.attempts > MOST_TRIES:
            await self._park(post, job)
        elif post.kind is PostKind.CARD and post.message_id:
            await self._edit(post, job, platform)
        else:
            await self._say(post, job, platform)

    async def card(self, job: Job) -> Reply:
        """The card as it looks now, with what is left for the person and when it will be ready."""
        now = self._clock.now()
        person = job.order.person.id
        usage = await self._jobs.usage(job.order.address, person, self._limits, now=now)
        return replies.card(
            job,
            ready_at=await self._ready_at(job, now),
            left=Left.of(usage, self._limits, now=now),
        )

    async def _ready_at(self, job: Job, now: float) -> float | None:
        if job.status not in ACTIVE:
            return None
        durations = await self._jobs.durations(job.request.model, job.request.seconds)
        left = schedule.remaining(
            now - (job.submitted_at or now),
            durations,
            typical=self._typical(job.request.model),
            progress=job.progress,
        )
        return None if left is None else now + left

    async def _edit(self, post: Post, job: Job, platform: Platform) -> None:
        try:
            await platform.edit(post, job, await self.card(job))
        except Refused as refused:
            # Deleted or too old to edit: nothing is owed any more, the result comes by itself.
            log.info("card.dropped", job=job.id, code=refused.code)
            await self._posts.put_off(post, due_at=None)
        except Temporary as trouble:
            await self._try_again(post, trouble)
        else:
            await self._stands(post, post.message_id or "", post.channel_id or "")

    async def _say(self, post: Post, job: Job, platform: Platform) -> None:
        now = self._clock.now()
        try:
            # After the nonce has been forgotten, and where the command's answer may have become
            # the card without our knowing, the channel itself has to tell.
            stale = post.sending_at is not None and now - post.sending_at > NONCE_WINDOW
            if stale or post.kind is PostKind.CARD:
                found = await platform.find(post, job)
                if found:
                    await self._found(post, job, platform, *found)
                    return
            async with self._message(post, job, platform) as message:
                post = await self._posts.sending(post, message.form, now=now)
                stands = await platform.send(
                    post, job, message.reply, nonce=post.nonce(message.form), video=message.video
                )
        except Refused as refused:
            await self._fall(post, job, refused)
        except (Temporary, Broken) as trouble:
            await self._try_again(post, trouble)
        else:
            log.info("post.sent", job=job.id, kind=post.kind, form=post.form)
            await self._stands(post, *stands)

    async def _found(
        self, post: Post, job: Job, platform: Platform, message_id: str, channel_id: str
    ) -> None:
        """It stands already. A card may show its job as it was long ago, so it is edited."""
        if post.kind is PostKind.CARD:
            known = replace(post, message_id=message_id, channel_id=channel_id)
            await self._edit(known, job, platform)
        else:
            await self._stands(post, message_id, channel_id)

    @asynccontextmanager
    async def _message(self, post: Post, job: Job, platform: Platform) -> AsyncIterator[_Message]:
        if post.kind is PostKind.CARD:
            yield _Message(Form.TEXT, await self.card(job))
        elif post.kind is PostKind.FAILURE:
            yield _Message(Form.TEXT, replies.failure(job))
        else:
            async with self._result(post, job, platform) as message:
                yield message

    @asynccontextmanager
    async def _result(self, post: Post, job: Job, platform: Platform) -> AsyncIterator[_Message]:
        """As a file if it fits, else as a link, else shrunk to fit, else the plain sentence."""
        if job.video is None:
            raise Broken("no_video", job=job.id)
        most = await platform.upload_limit(post, job)
        link = self._link(job)
        async with AsyncExitStack() as stack:
            if post.form in (None, Form.FILE) and job.video.size <= most:
                path = await stack.enter_async_context(self._media.file(job.video.key))
                yield _Message(Form.FILE, replies.result(job), path)
            elif link and post.form is not Form.TEXT:
                reply = replies.result(job, link=link.url, link_expires_at=link.expires_at)
                yield _Message(Form.LINK, reply)
            elif post.form is None and (small := await self._shrunk(job.video, most, stack)):
                yield _Message(Form.FILE, replies.result(job, shrunk=True), small)
            else:
                yield _Message(Form.TEXT, replies.too_large(job))

    async def _shrunk(self, video: Video, most: int, stack: AsyncExitStack) -> Path | None:
        try:
            return await stack.enter_async_context(self._media.shrink(video.key, most_bytes=most))
        except Broken as broken:
            log.warning("video.not_shrunk", code=broken.code)
            return None

    async def _fall(self, post: Post, job: Job, refused: Refused) -> None:
        """The next rung: without the file, then to the person directly, then kept."""
        log.warning("post.refused", job=job.id, kind=post.kind, form=post.form, code=refused.code)
        file_refused = refused.code in ("file_too_large", "files_forbidden")
        if post.form is Form.FILE and file_refused:
            await self._posts.fall(post, Form.LINK, direct=post.direct)
        elif post.form is Form.LINK and file_refused:
            await self._posts.fall(post, Form.TEXT, direct=post.direct)
        elif not post.direct and post.kind is not PostKind.CARD:
            await self._posts.fall(post, None, direct=True)
        else:
            await self._park(post, job)

    async def _park(self, post: Post, job: Job) -> None:
        await self._posts.put_off(post, due_at=None)
        if post.kind is PostKind.CARD:
            return
        log.error("post.undeliverable", job=job.id, kind=post.kind)
        if job.status is Status.COMPLETED:
            kept = replace(job, reason=Reason.UNDELIVERABLE)
            await self._jobs.save(job, kept, now=self._clock.now())

    async def _try_again(self, post: Post, trouble: BotError) -> None:
        wait = schedule.back_off(post.attempts, base=1.0, most=3600.0)
        asked = trouble.retry_after if isinstance(trouble, Temporary) else None
        log.warning("post.delayed", job=post.job_id, kind=post.kind, code=trouble.code)
        await self._posts.put_off(post, due_at=self._clock.now() + max(wait, asked or 0.0))

    async def _stands(self, post: Post, message_id: str, channel_id: str) -> None:
        await self._posts.sent(post, message_id, channel_id, now=self._clock.now())
