"""Videos: a job's video on its way to Telegram, uploaded or by the name that it has there.

Telegram keeps what it was once sent: again by that name it costs nothing, and is there at once.
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
"""Bytes a second at which a server of one's own passes a file on, and says nothing meanwhile."""
SILENCE, LONGEST = 120.0, 1500.0
"""Seconds without an answer, at least; seconds for a whole upload, which ends before its claim."""

MOST_AT_ONCE = 4
"""Uploads that people asked for by a button; results don't wait for them."""
STILL_SIDE = 320
"""Pixels: Telegram's limit for the still of a video, which must be a JPEG below 200 kB."""
AS_FILE = "#file"
"""After a storage key: the same video sent as a document has a name of its own."""

log = get_logger()

Linked = Callable[[Job], Link | None]
"""A fresh link to its video; None where the world does not see us."""
LeadingOn = Callable[[Job, bool], Awaitable[Ways]]
"""The buttons that lead on from it, in its person's own messages or where it was asked for."""
Stored = Callable[[str], AbstractAsyncContextManager[Path]]
SmallStill = Callable[[str, int], AbstractAsyncContextManager[Path]]
"""A stored still, with sides of at most so many pixels."""


class Handles(Protocol):
    """Telegram's names of the videos that it has, by our own storage key."""

    async def get(self, key: str) -> str | None: ...

    async def put(self, key: str, handle: str) -> None: ...

    async def drop(self, key: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Videos:
    """One account's videos."""

    line: Line
    handles: Handles
    stored: Stored
    small_still: SmallStill
    link: Linked
    ways: LeadingOn
    sizes: Sizes
    limit: int
    """Bytes that Telegram says it takes."""
    _uploads: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(MOST_AT_ONCE), init=False
    )

    def most(self, job: Job) -> int:
        """Bytes of its video that may be uploaded, as far as is known by now."""
        return self.sizes.most(self.limit, _video(job).key)

    async def refused(self, job: Job, file: Path) -> None:
        """This file, made of its video, was too large: so the next one is smaller."""
        size = await asyncio.to_thread(lambda: file.stat().st_size)
        self.sizes.refused(size, _video(job).key)

    async def send(
        self, chat: int, topic: int | None, target: int | None, job: Job, said: Reply, video: Path
    ) -> Message:
        """As a new message, in reply to `target` if there is one."""
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
        """A file of ours, or one that Telegram has by that name; without a look as a mere file.

        A video that some apps would show nothing of is a file, too.
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
        """In the place of a message that stands; if it is there already, that is no error."""
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
            except Unchanged:  # it stands there already
                return
        if isinstance(sent, Message):
            await self._remember(_posted(job), video, sent, _mark(job))

    async def show(self, channel: str, job: Job) -> None:
        """A video once more, for its person."""
        rendered = caption(job, replies.result(job, ways=await self.ways(job, True)))
        await self._bring(channel, job, _posted(job), _mark(job), rendered)

    async def show_file(self, channel: str, job: Job) -> None:
        """The very file, as its gateway made it: what is shown may have been converted."""
        await self._bring(channel, job, _video(job).original, AS_FILE, None)

    async def _bring(
        self, channel: str, job: Job, file: Original, mark: str, rendered: messages.Rendered | None
    ) -> None:
        """By the name that Telegram has for it, if it can; else it is uploaded, a few at once. A
        video too large for that comes as a link."""
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
        """A new link, since the first one may have expired; words where nothing leads to us."""
        alone = channel == job.order.call.person.id  # a private chat has the number of its person
        link, ways = self.link(job), await self.ways(job, alone)
        if link is None:
            said = replies.kept(job, fits=False, ways=ways)
        else:
            said = replies.result(job, link=link.url, link_expires_at=link.expires_at, ways=ways)
        name, locale = job.order.call.person.name, job.order.call.locale
        await self.line.say(channel, messages.rendered(said, locale, name=name))

    @asynccontextmanager
    async def _still(self, job: Job) -> AsyncIterator[Path | None]:
        """A small picture of the video; a missing one never holds it back."""
        async with AsyncExitStack() as stack:
            still = None
            with suppress(BotError, OSError):
                if job.video is not None and job.video.thumbnail is not None:
                    small = self.small_still(job.video.thumbnail, STILL_SIDE)
                    still = await stack.enter_async_context(small)
            yield still

    async def _remember(self, file: Original, clip: Path, sent: Message, mark: str) -> None:
        """Keep Telegram's name of the file, which sends it for free; not of a shrunk one.

        Never raises: the video stands, and must not be taken for one that may not.
        """
        try:
            size = await asyncio.to_thread(lambda: clip.stat().st_size)
            known = sent.video or sent.animation or sent.document
            if known is not None and size == file.size:
                await self.handles.put(file.key + mark, known.file_id)
        except Exception:
            log.exception("telegram.handle_lost", key=file.key)


def _mark(job: Job) -> str:
    """For the name of what is posted of it."""
    return "" if _video(job).plays else AS_FILE


def _posted(job: Job) -> Original:
    return Original(key=_video(job).key, size=_video(job).size)


def _video(job: Job) -> Video:
    assert job.video is not None
    return job.video


def patience(clip: Path) -> Any:
    """For its upload; aiogram says that this is whole seconds, and hands on what it gets."""
    silence = max(SILENCE, clip.stat().st_size / SLOWEST)
    return ClientTimeout(total=LONGEST, sock_connect=10, sock_read=silence)


def caption(job: Job, said: Reply) -> messages.Rendered:
    """A video's text and buttons."""
    # Telegram makes videos smaller for some apps, and people want the whole.
    said = replace(said, buttons=(*said.buttons, Button(action=Action.ORIGINAL, about=job.id)))
    call = job.order.call
    return messages.rendered(said, call.locale, name=call.person.name, caption=True)


def _clip(job: Job, video: Path) -> FSInputFile:
    return FSInputFile(video, f"zoetrope-{job.id}{video.suffix}", chunk_size=STEP)


def _details(job: Job, still: Path | None, is_clip: bool) -> dict[str, Any]:
    """A document stays one. Of a video above ten megabytes Telegram does not look for its shape
    itself, and shows a square of no length."""
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
