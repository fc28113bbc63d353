"""The room's client: download, post, edit, remove, find. Implements the core's `Platform`.

Handling what people do is not part of this module: see `commands.Commands`.
"""

import asyncio
import shutil
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Self

from bot.core.errors import BotError, FileMissing, MessageGone, PictureGone
from bot.core.jobs import Job
from bot.core.orders import Address, Given, too_large
from bot.core.platforms import Can, DirectMessage, Standing
from bot.core.ports import Clock
from bot.core.posts import CARD_GRACE, Form, Post
from bot.core.replies import Reply
from bot.core.variations import video_gone
from bot.platforms.playground import messages
from bot.platforms.playground.files import Files
from bot.platforms.playground.room import BOT, Attachment, Message, Room

NAME = "playground"
CHANNEL = "room"
COMMUNITY = "room"
UPLOAD_LIMIT = 200 * 1024 * 1024
"""Upload limit in bytes. The room is on this machine, but a page has to show the video."""

Stored = Callable[[str], AbstractAsyncContextManager[Path]]
"""A function that opens a stored file by its key."""
Viewable = Callable[[Path], AbstractAsyncContextManager[Path]]
"""A function that opens a picture in a format that all browsers show. Raises `Refused`."""


def address(message: str | None = None) -> Address:
    """Return the room's address, or the address of one of its messages."""
    return Address(platform=NAME, channel=CHANNEL, community=COMMUNITY, message=message)


class PlaygroundPlatform:
    """The room, with its history and files in `folder`.

    `stored` opens stored videos and thumbnails; `viewable` opens pictures for browsers.
    """

    name: str = NAME
    can = Can(
        upload_limit=UPLOAD_LIMIT,
        card_grace=CARD_GRACE,
        private_answers=True,
        remembers_nonces=True,
    )

    def __init__(self, folder: Path, *, clock: Clock, stored: Stored, viewable: Viewable) -> None:
        self.folder = folder
        self.room = Room(folder / "history.jsonl", now=clock.now)
        self.files = Files(folder / "files")
        self._stored = stored
        self.viewable = viewable

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.folder.mkdir, mode=0o700, parents=True, exist_ok=True)
        await self.room.load()
        carried = [each for message in self.room.messages for each in message.files]
        stills = [each.still for each in carried if each.still]
        await self.files.sweep({*(each.name for each in carried), *stills})
        return self

    async def __aexit__(self, *_: object) -> None:
        """Do nothing: all messages are already on the disk."""

    # --- the port ------------------------------------------------------------------------------

    async def is_connected(self) -> bool:
        """Return True: the room is part of this process."""
        return True

    async def fetch(self, given: Given, into: Path, *, most: int) -> None:
        """Copy a given file to `into`. Raises `Refused` if it is gone or too large."""
        path = self.files.path(given.source or "")
        if path is None:
            raise PictureGone()
        size = path.stat().st_size
        if size > most:
            raise too_large(given, size)
        await asyncio.to_thread(shutil.copyfile, path, into)

    async def send(self, post: Post, job: Job, reply: Reply, *, video: Path | None) -> Standing:
        """Post a message. If the room knows the nonce, return the earlier message's place."""
        nonce, about = post.nonce(post.form or Form.TEXT), _about(post, job)
        only = job.order.call.person.id if post.direct else None
        message = await self._said(job, reply, video=video, nonce=nonce, about=about, only=only)
        return Standing(message.id, CHANNEL)

    async def show(self, job: Job, reply: Reply, *, nonce: str, only: str | None) -> None:
        """Post a copy of a finished video. Raises `Refused` if the video is gone."""
        if job.video is None:
            raise video_gone(job)
        try:
            async with self._stored(job.video.key) as video:
                about = _copy_of(job.id)
                await self._said(job, reply, video=video, nonce=nonce, about=about, only=only)
        except FileMissing:
            raise video_gone(job) from None

    async def _said(
        self,
        job: Job,
        reply: Reply,
        *,
        video: Path | None,
        nonce: str,
        about: str,
        only: str | None,
    ) -> Message:
        earlier = self.room.said(nonce)
        if earlier is not None:
            return earlier
        plays = job.video is None or job.video.plays
        return await self.room.post(
            author=BOT,
            nonce=nonce,
            reply_to=job.order.call.address.message,
            only=only,
            look=messages.look(reply, job),
            about=about,
            video=await self._attached(job, video) if video and plays else None,
            original=await self._original(job) if video else None,
        )

    async def edit(self, post: Post, job: Job, reply: Reply) -> None:
        """Edit a card. Raises `MessageGone`."""
        if not await self.room.edit(post.message_id or "", messages.look(reply, job)):
            raise MessageGone()

    async def remove(self, message: Standing) -> None:
        """Delete a message with its files. A message that is already gone counts as success."""
        gone = await self.room.delete(message.message_id)
        for file in gone.files if gone is not None else ():
            await self.files.drop(file.still)
            await self.files.drop(file.name)

    async def remove_copies(self, job_id: str) -> None:
        """Delete the messages that `show` posted about a job."""
        while copy := self.room.find(_copy_of(job_id)):
            await self.remove(Standing(copy.id, CHANNEL))

    def link_to(self, message: Address) -> str | None:
        """Return the anchor of a message in the page, or None if the message is gone."""
        return f"#m{message.message}" if self.room.get(message.message) else None

    async def take_back(self, message: Message) -> None:
        """Delete a person's message, unless another message replies to it."""
        if any(each.reply_to == message.id for each in self.room.messages):
            return
        await self.room.delete(message.id)
        for given in message.files:
            self.files.unsent(given)

    async def find(self, post: Post, job: Job) -> Standing | None:
        """Return the place of our message for this post, or None."""
        message = self.room.find(_about(post, job))
        return Standing(message.id, CHANNEL) if message else None

    async def tell(self, message: DirectMessage) -> Standing:
        """Post a message for everybody: only the operator can enter the room."""
        look = messages.news(message.reply)
        said = await self.room.post(author=BOT, nonce=message.nonce, look=look)
        return Standing(said.id, CHANNEL)

    async def retell(self, message: Standing, reply: Reply) -> None:
        """Edit a message that `tell` posted. Raises `MessageGone`."""
        if not await self.room.edit(message.message_id, messages.news(reply)):
            raise MessageGone()

    async def _attached(self, job: Job, video: Path) -> Attachment:
        size = await asyncio.to_thread(lambda: video.stat().st_size)
        return Attachment(
            name=await self.files.copy(video, "mp4"),
            filename=f"zoetrope-{job.id}{video.suffix}",
            size=size,
            width=job.video.width if job.video else None,
            height=job.video.height if job.video else None,
            still=await self._still(job),
        )

    async def _original(self, job: Job) -> Attachment | None:
        """Copy the original if the message shows a conversion or no video, else return None. Also
        None if the original is gone."""
        if job.video is None or (job.video.plays and job.video.converted is None):
            return None
        kept = job.video.original
        try:
            async with self._stored(kept.key) as path:
                name = await self.files.copy(path, "video")
        except FileMissing:
            return None
        filename = f"zoetrope-{job.id}{Path(kept.key).suffix}"
        return Attachment(name=name, filename=filename, size=kept.size)

    async def _still(self, job: Job) -> str | None:
        """Copy the video's thumbnail; None if there is none or it can't be read."""
        if job.video is None or job.video.thumbnail is None:
            return None
        try:
            async with self._stored(job.video.thumbnail) as path:
                return await self.files.copy(path, "jpg")
        except (BotError, OSError):
            return None


def _about(post: Post, job: Job) -> str:
    return f"{post.kind}:{job.id}"


def _copy_of(job_id: str) -> str:
    return f"copy:{job_id}"
