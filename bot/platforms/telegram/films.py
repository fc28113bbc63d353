"""Films: a job's video on its way to Telegram, uploaded or by the name that it has there.

Telegram keeps what it was once sent: again by that name it costs nothing, and is there at once.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

from aiogram.types import FSInputFile, InputMediaVideo, Message
from aiohttp import ClientTimeout

from bot.core import replies
from bot.core.errors import BotError, Refused
from bot.core.jobs import Job
from bot.core.replies import Reply
from bot.log import get_logger
from bot.platforms.telegram import messages
from bot.platforms.telegram.line import CALL, Line, reply
from bot.platforms.telegram.pace import Turn
from bot.platforms.telegram.pictures import small_still

SLOWEST = 1_500_000
"""Bytes a second at which a server of one's own passes a file on, and says nothing meanwhile."""
SILENCE, LONGEST = 120.0, 1500.0
"""Seconds without an answer, at least; seconds for a whole upload, which ends before its claim."""

log = get_logger()

Stored = Callable[[str], AbstractAsyncContextManager[Path]]


class Handles(Protocol):
    """What Telegram calls the videos that it has, by our own storage key."""

    async def get(self, key: str) -> str | None: ...

    async def put(self, key: str, handle: str) -> None: ...

    async def drop(self, key: str) -> None: ...


class Films:
    """One account's films."""

    def __init__(self, line: Line, *, handles: Handles, stored: Stored) -> None:
        self._line = line
        self._handles = handles
        self._stored = stored

    async def send(
        self, chat: int, topic: int | None, target: int | None, job: Job, said: Reply, video: Path
    ) -> Message:
        """As a new message, in reply to `target` if there is one."""
        look = _caption(job, said)
        async with self._still(job) as still, self._line.uploading(chat, topic):
            sent = await self._line.bot.send_video(
                chat,
                _film(job, video),
                caption=look.text,
                caption_entities=look.entities,
                message_thread_id=topic,
                reply_parameters=reply(target),
                reply_markup=look.keyboard,
                thumbnail=FSInputFile(still) if still else None,
                supports_streaming=True,
                request_timeout=patience(video),
                **_shape(job),
            )
        await self._remember(job, video, sent)
        return sent

    async def put(self, chat: int, message_id: int, job: Job, said: Reply, video: Path) -> None:
        """In the place of a message that stands; if it is there already, that is no error."""
        look = _caption(job, said)
        async with self._still(job) as still:
            media = InputMediaVideo(
                media=_film(job, video),
                caption=look.text,
                caption_entities=look.entities,
                thumbnail=FSInputFile(still) if still else None,
                supports_streaming=True,
                **_shape(job),
            )
            call = self._line.bot.edit_message_media(
                media,
                chat_id=chat,
                message_id=message_id,
                reply_markup=look.keyboard,
                request_timeout=patience(video),
            )
            try:
                sent = await self._line.ask(chat, call)
            except Refused as refused:
                if refused.code != "unchanged":  # it stands there already
                    raise
                return
        if isinstance(sent, Message):
            await self._remember(job, video, sent)

    async def show(self, chat: str, job: Job) -> None:
        """A video once more, for its person: by the name that Telegram has for it, if it can."""
        assert job.video is not None
        handle = await self._handles.get(job.video.key)
        said = replies.result(job)
        if handle is not None:
            try:
                await self._send_known(chat, job, said, handle)
            except Refused as refused:
                if refused.code == "forbidden":
                    raise
                await self._handles.drop(job.video.key)
            else:
                return
        async with self._stored(job.video.key) as path:
            await self._line.insist(
                chat,
                Turn.ANSWER,
                lambda to, topic, _: self.send(to, topic, None, job, said, path),
            )

    async def _send_known(self, chat: str, job: Job, said: Reply, handle: str) -> None:
        look = _caption(job, said)

        def send(to: int, topic: int | None, _: bool) -> Awaitable[Message]:
            return self._line.bot.send_video(
                to,
                handle,
                caption=look.text,
                caption_entities=look.entities,
                message_thread_id=topic,
                reply_markup=look.keyboard,
                request_timeout=CALL,
            )

        await self._line.insist(chat, Turn.ANSWER, send)

    async def show_file(self, channel: str, job: Job) -> None:
        """The very file, as it was made: Telegram makes videos smaller for some apps."""
        assert job.video is not None
        async with self._stored(job.video.key) as path:

            def send(to: int, topic: int | None, _: bool) -> Awaitable[Message]:
                return self._line.bot.send_document(
                    to,
                    _film(job, path),
                    message_thread_id=topic,
                    disable_content_type_detection=True,
                    request_timeout=patience(path),
                )

            await self._line.insist(channel, Turn.ANSWER, send)

    @asynccontextmanager
    async def _still(self, job: Job) -> AsyncIterator[Path | None]:
        """A small picture of the video; a missing one never holds it back."""
        async with AsyncExitStack() as stack:
            still = None
            try:
                if job.video is not None and job.video.thumbnail is not None:
                    kept = await stack.enter_async_context(self._stored(job.video.thumbnail))
                    still = await stack.enter_async_context(small_still(kept))
            except (BotError, OSError):
                still = None
            yield still

    async def _remember(self, job: Job, video: Path, sent: Message) -> None:
        """What Telegram calls the file: by that name it is sent for free. A shrunk one is not it.

        Never raises: the video stands, and must not be taken for one that may not.
        """
        file = sent.video or sent.animation or sent.document
        try:
            size = await asyncio.to_thread(lambda: video.stat().st_size)
            if file is not None and job.video is not None and size == job.video.size:
                await self._handles.put(job.video.key, file.file_id)
        except Exception:
            log.exception("telegram.handle_lost", job=job.id)


def patience(film: Path) -> Any:
    """For its upload; aiogram says that this is whole seconds, and hands on what it gets."""
    silence = max(SILENCE, film.stat().st_size / SLOWEST)
    return ClientTimeout(total=LONGEST, sock_connect=10, sock_read=silence)


def _caption(job: Job, said: Reply) -> messages.Look:
    locale = job.order.locale
    look = messages.look(said, locale, name=job.order.person.name, caption=True)
    # Telegram makes videos smaller for some apps, and people want the whole.
    return messages.with_file_key(look, job.id, locale)


def _film(job: Job, video: Path) -> FSInputFile:
    return FSInputFile(video, filename=f"zoetrope-{job.id}.mp4")


def _shape(job: Job) -> dict[str, Any]:
    """Above ten megabytes Telegram does not look for itself, and shows a square of no length."""
    if job.video is None:
        return {}
    return {
        "width": job.video.width,
        "height": job.video.height,
        "duration": round(job.video.seconds),
    }
