"""Send a job's video to Telegram: upload it, or send it by its file id.

Telegram keeps each uploaded file under a file id. Sending the file by its id needs no upload.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from aiogram.types import FSInputFile, InputMediaDocument, InputMediaVideo, Message
from aiohttp import ClientTimeout

from bot.core import replies
from bot.core.errors import BotError, FileTooLarge, Forbidden, Refused, Unchanged
from bot.core.jobs import Job, Original, Video
from bot.core.posting import Link
from bot.core.replies import Action, Button, Reply, Ways
from bot.core.sizes import Sizes
from bot.log import get_logger
from bot.net.files import STEP
from bot.platforms.telegram import messages
from bot.platforms.telegram.errors import Busy
from bot.platforms.telegram.line import CALL, Line, reply
from bot.platforms.telegram.pace import Turn

SLOWEST = 1_500_000
"""Slowest speed, in bytes per second, at which the operator's own Bot API server passes a file on.
The server sends us no data meanwhile."""
SILENCE, LONGEST = 120.0, 1500.0
"""Read timeout of an upload, at least, and timeout of the whole upload, in seconds. `LONGEST` is
shorter than a claim."""

MOST_AT_ONCE = 4
"""Most simultaneous uploads that people asked for by a button. Uploads of results don't count."""
STILL_SIDE = 320
"""Longest side of a video's thumbnail, in pixels. Telegram demands it, and a JPEG below 200 kB."""
AS_FILE = "#file"
"""Suffix of a storage key: the same video sent as a document has another file id."""

log = get_logger()

Linked = Callable[[Job], Link | None]
"""A function that returns a new link to a job's video, or None without a public web address."""
LeadingOn = Callable[[Job, bool], Awaitable[Ways]]
"""A function that returns the buttons below a job's video; the flag says whether the message is in
the person's private chat."""
Stored = Callable[[str], AbstractAsyncContextManager[Path]]
"""A function that opens a stored file by its key."""
SmallStill = Callable[[str, int], AbstractAsyncContextManager[Path]]
"""A function that opens a stored thumbnail, shrunk until no side has more than so many pixels."""


class Handles(Protocol):
    """The stored file ids of videos that Telegram has, by our storage key."""

    async def get(self, key: str) -> str | None: ...

    async def put(self, key: str, handle: str) -> None: ...

    async def drop(self, key: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Videos:
    """Sends videos for one bot account."""

    line: Line
    handles: Handles
    stored: Stored
    small_still: SmallStill
    link: Linked
    ways: LeadingOn
    sizes: Sizes
    limit: int
    """Telegram's documented upload limit, in bytes."""
    _uploads: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(MOST_AT_ONCE), init=False
    )

    def most(self, job: Job) -> int:
        """Return the largest size in bytes at which the job's video may be uploaded: the limit, or
        less after a refused upload."""
        return self.sizes.most(self.limit, _video(job).key)

    async def refused(self, job: Job, file: Path) -> None:
        """Note that Telegram refused this file of the job's video as too large."""
        size = await asyncio.to_thread(lambda: file.stat().st_size)
        self.sizes.refused(size, _video(job).key)

    async def send(
        self, chat: int, topic: int | None, target: int | None, job: Job, said: Reply, video: Path
    ) -> Message:
        """Send the video as a new message, as a reply to the message `target` unless it is None."""
        sent = await self._sent(chat, topic, job, video, caption(job, said), target=target)
        await self._remember(_posted(job), video, sent, _mark(job))
        return sent

    async def _sent(
        self,
        chat: int,
        topic: int | None,
        job: Job,
        clip: Path | str,
        rendered: messages.Rendered | None = None,
        *,
        target: int | None = None,
    ) -> Message:
        """Send a file of ours (a path), or a file that Telegram has (a file id).

        The file is sent as a document if there is no look, or if some apps can't play the video.
        """
        is_clip = rendered is not None and _video(job).plays
        call = self.line.bot.send_video if is_clip else self.line.bot.send_document
        fields: dict[str, Any] = {
            "message_thread_id": topic,
            "reply_parameters": reply(target),
            "caption": rendered.text if rendered else None,
            "caption_entities": rendered.entities if rendered else None,
            "reply_markup": rendered.keyboard if rendered else None,
        }
        if isinstance(clip, str):
            return await call(chat, clip, request_timeout=CALL, **fields)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.line.uploading(chat, topic))
            still = await stack.enter_async_context(self._still(job)) if is_clip else None
            fields |= _details(job, still, is_clip)
            return await call(chat, _clip(job, clip), request_timeout=patience(clip), **fields)

    async def put(self, chat: int, message_id: int, job: Job, said: Reply, video: Path) -> None:
        """Replace an existing message with the video. Telegram's answer that nothing changed counts
        as success."""
        rendered = caption(job, said)
        self.line.forget(chat, message_id)
        plays = _video(job).plays
        media = InputMediaVideo if plays else InputMediaDocument
        async with self._still(job) as still:
            call = self.line.bot.edit_message_media(
                media(
                    media=_clip(job, video),
                    caption=rendered.text,
                    caption_entities=rendered.entities,
                    **_details(job, still, plays),
                ),
                chat_id=chat,
                message_id=message_id,
                reply_markup=rendered.keyboard,
                request_timeout=patience(video),
            )
            try:
                sent = await self.line.ask(chat, call)
            except Unchanged:  # an earlier attempt succeeded
                return
        if isinstance(sent, Message):
            await self._remember(_posted(job), video, sent, _mark(job))

    async def show(self, channel: str, job: Job) -> None:
        """Send a job's video again, to its person."""
        rendered = caption(job, replies.result(job, ways=await self.ways(job, True)))
        await self._bring(channel, job, _posted(job), _mark(job), rendered)

    async def show_file(self, channel: str, job: Job) -> None:
        """Send the original file as a document. The video itself may be a conversion of it."""
        await self._bring(channel, job, _video(job).original, AS_FILE, None)

    async def _bring(
        self, channel: str, job: Job, file: Original, mark: str, rendered: messages.Rendered | None
    ) -> None:
        """Send a file by its file id if that works, else upload it. If the file is too large, send
        a link instead.

        Raises `Busy` if too many uploads are running.
        """
        handle = await self.handles.get(file.key + mark)
        if handle is not None:
            try:
                await self._insist(channel, job, handle, rendered)
            except Forbidden:
                raise
            except Refused:
                await self.handles.drop(file.key + mark)
            else:
                return
        if file.size > self.sizes.most(self.limit, file.key):
            await self._say_where(channel, job)
            return
        if self._uploads.locked():
            raise Busy(retry_after=5.0, unsent=True)
        async with self._uploads, self.stored(file.key) as path:
            try:
                sent = await self._insist(channel, job, path, rendered)
            except FileTooLarge:
                self.sizes.refused(file.size, file.key)
                await self._say_where(channel, job)
            else:
                await self._remember(file, path, sent, mark)

    async def _insist(
        self, channel: str, job: Job, clip: Path | str, rendered: messages.Rendered | None
    ) -> Message:
        def send(chat: int, topic: int | None, _: bool) -> Awaitable[Message]:
            return self._sent(chat, topic, job, clip, rendered)

        return await self.line.insist(channel, Turn.ANSWER, send)

    async def _say_where(self, channel: str, job: Job) -> None:
        """Send a new link to the video, or a sentence if there is no public web address."""
        alone = channel == job.order.call.person.id  # a private chat has its person's id
        link, ways = self.link(job), await self.ways(job, alone)
        if link is None:
            said = replies.kept(job, fits=False, ways=ways)
        else:
            said = replies.result(job, link=link.url, link_expires_at=link.expires_at, ways=ways)
        name, locale = job.order.call.person.name, job.order.call.locale
        await self.line.say(channel, messages.rendered(said, locale, name=name))

    @asynccontextmanager
    async def _still(self, job: Job) -> AsyncIterator[Path | None]:
        """Open the video's thumbnail; None if there is none or it can't be read."""
        async with AsyncExitStack() as stack:
            still = None
            with suppress(BotError, OSError):
                if job.video is not None and job.video.thumbnail is not None:
                    small = self.small_still(job.video.thumbnail, STILL_SIDE)
                    still = await stack.enter_async_context(small)
            yield still

    async def _remember(self, file: Original, clip: Path, sent: Message, mark: str) -> None:
        """Store the file id of an uploaded file, unless the upload was a smaller version of it.

        Never raises: the video is already posted, and an error would look as if it were not.
        """
        try:
            size = await asyncio.to_thread(lambda: clip.stat().st_size)
            known = sent.video or sent.animation or sent.document
            if known is not None and size == file.size:
                await self.handles.put(file.key + mark, known.file_id)
        except Exception:
            log.exception("telegram.handle_lost", key=file.key)


def _mark(job: Job) -> str:
    """Return the suffix of the storage key under which the file id of a posted video is stored."""
    return "" if _video(job).plays else AS_FILE


def _posted(job: Job) -> Original:
    return Original(key=_video(job).key, size=_video(job).size)


def _video(job: Job) -> Video:
    assert job.video is not None
    return job.video


def patience(clip: Path) -> Any:
    """Return the timeout for the upload of a video.

    aiogram declares the parameter as whole seconds, but passes any value on to aiohttp.
    """
    silence = max(SILENCE, clip.stat().st_size / SLOWEST)
    return ClientTimeout(total=LONGEST, sock_connect=10, sock_read=silence)


def caption(job: Job, said: Reply) -> messages.Rendered:
    """Return a video's caption and buttons."""
    # Telegram compresses videos for some apps, so a button offers the original.
    said = replace(said, buttons=(*said.buttons, Button(action=Action.ORIGINAL, about=job.id)))
    call = job.order.call
    return messages.rendered(said, call.locale, name=call.person.name, caption=True)


def _clip(job: Job, video: Path) -> FSInputFile:
    return FSInputFile(video, f"zoetrope-{job.id}{video.suffix}", chunk_size=STEP)


def _details(job: Job, still: Path | None, is_clip: bool) -> dict[str, Any]:
    """Return the fields that describe an uploaded file.

    A document must not be turned into a video. A video needs its size and duration: above ten
    megabytes Telegram doesn't read them itself, and shows a square of zero seconds.
    """
    if not is_clip:
        return {"disable_content_type_detection": True}
    video = _video(job)
    return {
        "thumbnail": FSInputFile(still) if still else None,
        "supports_streaming": True,
        "width": video.width,
        "height": video.height,
        "duration": round(video.seconds),
    }
