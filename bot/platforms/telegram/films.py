"""Films: a job's video on its way to Telegram, uploaded or by the name that it has there.

Telegram keeps what it was once sent: again by that name it costs nothing, and is there at once.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

from aiogram.types import (
    Animation,
    Document,
    FSInputFile,
    InputMediaDocument,
    InputMediaVideo,
    Message,
)
from aiogram.types import Video as VideoFile
from aiohttp import ClientTimeout

from bot.core import replies
from bot.core.errors import BotError, FileTooLarge, Forbidden, Refused, Unchanged
from bot.core.jobs import Job, Original, Video
from bot.core.posting import Link
from bot.core.replies import Reply, Ways
from bot.core.sizes import Sizes
from bot.log import get_logger
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
"""After a storage key: the same film sent as a document has a name of its own."""

log = get_logger()

Linked = Callable[[Job], Link | None]
"""A fresh link to its video; None where the world does not see us."""
LeadingOn = Callable[[Job, bool], Awaitable[Ways]]
"""The buttons that lead on from it, in its person's own messages or where it was asked for."""
Stored = Callable[[str], AbstractAsyncContextManager[Path]]
SmallStill = Callable[[str, int], AbstractAsyncContextManager[Path]]
"""A stored still, with sides of at most so many pixels."""
Bring = Callable[[int, int | None, Path | str], Awaitable[Message]]
"""Sends it to this chat and topic: a file of ours, or one that Telegram has by that name."""


class Handles(Protocol):
    """Telegram's names of the videos that it has, by our own storage key."""

    async def get(self, key: str) -> str | None: ...

    async def put(self, key: str, handle: str) -> None: ...

    async def drop(self, key: str) -> None: ...


class Films:
    """One account's films."""

    def __init__(
        self,
        line: Line,
        *,
        handles: Handles,
        stored: Stored,
        small_still: SmallStill,
        link: Linked,
        ways: LeadingOn,
        sizes: Sizes,
        limit: int,
    ) -> None:
        """`limit`: bytes that Telegram says it takes."""
        self._line = line
        self._link = link
        self._ways = ways
        self._sizes = sizes
        self._limit = limit
        self._handles = handles
        self._stored = stored
        self._small_still = small_still
        self._uploads = asyncio.Semaphore(MOST_AT_ONCE)

    def most(self, job: Job) -> int:
        """Bytes of its video that may be uploaded, as far as is known by now."""
        return self._sizes.most(self._limit, _video(job).key)

    async def refused(self, job: Job, file: Path) -> None:
        """This file, made of its video, was too large: so the next one is smaller."""
        size = await asyncio.to_thread(lambda: file.stat().st_size)
        self._sizes.refused(size, _video(job).key)

    async def send(
        self, chat: int, topic: int | None, target: int | None, job: Job, said: Reply, video: Path
    ) -> Message:
        """As a new message, in reply to `target` if there is one."""
        sent = await self._sent(chat, topic, job, video, caption(job, said), target=target)
        await self._remember_posted(job, video, sent)
        return sent

    async def _sent(
        self,
        chat: int,
        topic: int | None,
        job: Job,
        film: Path | str,
        look: messages.Look | None = None,
        *,
        target: int | None = None,
    ) -> Message:
        """A file of ours, or one that Telegram has by that name; without a look as a mere file.

        A video that some apps would show nothing of is a file, too.
        """
        is_film = look is not None and _video(job).plays
        call = self._line.bot.send_video if is_film else self._line.bot.send_document
        fields: dict[str, Any] = {
            "message_thread_id": topic,
            "reply_parameters": reply(target),
            "caption": look.text if look else None,
            "caption_entities": look.entities if look else None,
            "reply_markup": look.keyboard if look else None,
        }
        if isinstance(film, str):
            return await call(chat, film, request_timeout=CALL, **fields)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._line.uploading(chat, topic))
            if is_film:
                still = await stack.enter_async_context(self._still(job))
                thumbnail = FSInputFile(still) if still else None
                fields |= {"thumbnail": thumbnail, "supports_streaming": True, **_shape(job)}
            else:
                fields["disable_content_type_detection"] = True
            return await call(chat, _film(job, film), request_timeout=patience(film), **fields)

    async def put(self, chat: int, message_id: int, job: Job, said: Reply, video: Path) -> None:
        """In the place of a message that stands; if it is there already, that is no error."""
        look = caption(job, said)
        self._line.forget(chat, message_id)
        async with self._still(job) as still:
            media = _media(job, video, look, still)
            call = self._line.bot.edit_message_media(
                media,
                chat_id=chat,
                message_id=message_id,
                reply_markup=look.keyboard,
                request_timeout=patience(video),
            )
            try:
                sent = await self._line.ask(chat, call)
            except Unchanged:  # it stands there already
                return
        if isinstance(sent, Message):
            await self._remember_posted(job, video, sent)

    async def show(self, channel: str, job: Job) -> None:
        """A video once more, for its person."""
        said = replies.result(job, ways=await self._ways(job, True))

        async def send(chat: int, topic: int | None, film: Path | str) -> Message:
            if isinstance(film, Path):
                return await self.send(chat, topic, None, job, said, film)
            return await self._sent(chat, topic, job, film, caption(job, said))

        await self._bring(channel, job, _posted(job), _mark(job), send)

    async def show_file(self, channel: str, job: Job) -> None:
        """The very file, as its gateway made it: what is shown may have been converted."""

        async def send(chat: int, topic: int | None, film: Path | str) -> Message:
            sent = await self._sent(chat, topic, job, film)
            if isinstance(film, Path):
                await self._remember(_video(job).original, film, sent.document, AS_FILE)
            return sent

        await self._bring(channel, job, _video(job).original, AS_FILE, send)

    async def _bring(self, channel: str, job: Job, file: Original, mark: str, send: Bring) -> None:
        """By the name that Telegram has for it, if it can; else it is uploaded, a few at once. A
        video too large for that comes as a link."""

        async def insist(film: Path | str) -> None:
            turn = Turn.ANSWER
            await self._line.insist(channel, turn, lambda chat, topic, _: send(chat, topic, film))

        handle = await self._handles.get(file.key + mark)
        if handle is not None:
            try:
                await insist(handle)
            except Forbidden:
                raise
            except Refused:
                await self._handles.drop(file.key + mark)
            else:
                return
        if file.size > self._sizes.most(self._limit, file.key):
            await self._say_where(channel, job)
            return
        if self._uploads.locked():
            raise Busy(retry_after=5.0, unsent=True)
        async with self._uploads, self._stored(file.key) as path:
            try:
                await insist(path)
            except FileTooLarge:
                self._sizes.refused(file.size, file.key)
                await self._say_where(channel, job)

    async def _say_where(self, channel: str, job: Job) -> None:
        """A new link, since the first one may have expired; words where nothing leads to us."""
        alone = channel == job.order.call.person.id  # a private chat has the number of its person
        link, ways = self._link(job), await self._ways(job, alone)
        if link is None:
            said = replies.kept(job, fits=False, ways=ways)
        else:
            said = replies.result(job, link=link.url, link_expires_at=link.expires_at, ways=ways)
        name, locale = job.order.call.person.name, job.order.call.locale
        await self._line.say(channel, messages.look(said, locale, name=name))

    @asynccontextmanager
    async def _still(self, job: Job) -> AsyncIterator[Path | None]:
        """A small picture of the video; a missing one never holds it back."""
        async with AsyncExitStack() as stack:
            still = None
            try:
                if job.video is not None and job.video.thumbnail is not None:
                    small = self._small_still(job.video.thumbnail, STILL_SIDE)
                    still = await stack.enter_async_context(small)
            except (BotError, OSError):
                still = None
            yield still

    async def _remember_posted(self, job: Job, film: Path, sent: Message) -> None:
        file = sent.video or sent.animation or sent.document
        await self._remember(_posted(job), film, file, _mark(job))

    async def _remember(
        self, file: Original, film: Path, sent: VideoFile | Animation | Document | None, mark: str
    ) -> None:
        """Keep Telegram's name of the file, which sends it for free; not of a shrunk one.

        Never raises: the video stands, and must not be taken for one that may not.
        """
        try:
            size = await asyncio.to_thread(lambda: film.stat().st_size)
            if sent is not None and size == file.size:
                await self._handles.put(file.key + mark, sent.file_id)
        except Exception:
            log.exception("telegram.handle_lost", key=file.key)


def _media(
    job: Job, video: Path, look: messages.Look, still: Path | None
) -> InputMediaVideo | InputMediaDocument:
    """As a document, if some apps would show nothing of it as a video."""
    fields: dict[str, Any] = {
        "media": _film(job, video),
        "caption": look.text,
        "caption_entities": look.entities,
    }
    if not _video(job).plays:
        return InputMediaDocument(**fields, disable_content_type_detection=True)
    thumbnail = FSInputFile(still) if still else None
    return InputMediaVideo(**fields, thumbnail=thumbnail, supports_streaming=True, **_shape(job))


def _mark(job: Job) -> str:
    """For the name of what is posted of it."""
    return "" if _video(job).plays else AS_FILE


def _posted(job: Job) -> Original:
    return Original(key=_video(job).key, size=_video(job).size)


def _video(job: Job) -> Video:
    assert job.video is not None
    return job.video


def patience(film: Path) -> Any:
    """For its upload; aiogram says that this is whole seconds, and hands on what it gets."""
    silence = max(SILENCE, film.stat().st_size / SLOWEST)
    return ClientTimeout(total=LONGEST, sock_connect=10, sock_read=silence)


def caption(job: Job, said: Reply) -> messages.Look:
    """A film's text and buttons."""
    locale = job.order.call.locale
    look = messages.look(said, locale, name=job.order.call.person.name, caption=True)
    # Telegram makes videos smaller for some apps, and people want the whole.
    return messages.with_file_key(look, job.id, locale)


def _film(job: Job, video: Path) -> FSInputFile:
    return FSInputFile(video, filename=f"zoetrope-{job.id}{video.suffix}")


def _shape(job: Job) -> dict[str, Any]:
    """Above ten megabytes Telegram does not look for itself, and shows a square of no length."""
    video = _video(job)
    return {"width": video.width, "height": video.height, "duration": round(video.seconds)}
