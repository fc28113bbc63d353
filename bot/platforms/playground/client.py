"""The line to the room: fetch, post, edit, remove, find. Implements the core's `Platform`.

People's acts are none of its business: `commands.Commands` hears them.
"""

import asyncio
import shutil
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Self

from bot.core.errors import BotError, FileMissing, MessageGone, PictureGone
from bot.core.jobs import Job
from bot.core.orders import Address, Picture, Sound, too_large
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
"""Bytes: the room is on this machine, but a video is still to be shown in a page."""

Stored = Callable[[str], AbstractAsyncContextManager[Path]]
"""Opens what our storage keeps under a key."""
Viewable = Callable[[Path], AbstractAsyncContextManager[Path]]
"""Lends a picture as every browser shows it. Raises `Refused`."""


def address(message: str | None = None) -> Address:
    """Where in the world of chat the room is."""
    return Address(platform=NAME, channel=CHANNEL, community=COMMUNITY, message=message)


class PlaygroundPlatform:
    """The one room, with its history in `folder`.

    `stored` lends a video's still, `viewable` a picture as every browser shows it.
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
        """Everything that was said is on the disk already."""

    # --- the port ------------------------------------------------------------------------------

    async def is_connected(self) -> bool:
        """Always: the room is in this very house, and whoever comes is in it."""
        return True

    async def fetch(self, given: Picture | Sound, into: Path, *, most: int) -> None:
        """Copy what somebody gave to `into`: whole, or `Refused` (gone, too large)."""
        path = self.files.path(given.source or "")
        if path is None:
            raise PictureGone()
        size = path.stat().st_size
        if size > most:
            raise too_large(given, size)
        await asyncio.to_thread(shutil.copyfile, path, into)

    async def send(self, post: Post, job: Job, reply: Reply, *, video: Path | None) -> Standing:
        """Say it; with a nonce that the room knows, answer where it was said."""
        nonce, about = post.nonce(post.form or Form.TEXT), _about(post, job)
        only = job.order.call.person.id if post.direct else None
        message = await self._said(job, reply, video=video, nonce=nonce, about=about, only=only)
        return Standing(message.id, CHANNEL)

    async def show(self, job: Job, reply: Reply, *, nonce: str, only: str | None) -> None:
        """Say a finished video once more. Raises `Refused` where it is gone."""
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
        """Bring a card up to date."""
        if not await self.room.edit(post.message_id or "", messages.look(reply, job)):
            raise MessageGone()

    async def remove(self, message: Standing) -> None:
        """Take a message away with what it carried; one that is gone already is as good."""
        gone = await self.room.delete(message.message_id)
        for file in gone.files if gone is not None else ():
            await self.files.drop(file.still)
            await self.files.drop(file.name)

    async def remove_copies(self, job_id: str) -> None:
        """Take away what `show` said of it."""
        while copy := self.room.find(_copy_of(job_id)):
            await self.remove(Standing(copy.id, CHANNEL))

    def link_to(self, message: Address) -> str | None:
        """Its place in the page; None if it is gone."""
        return f"#m{message.message}" if self.room.get(message.message) else None

    async def take_back(self, message: Message) -> None:
        """Let what a person said be unsaid, unless it was answered before."""
        if any(each.reply_to == message.id for each in self.room.messages):
            return
        await self.room.delete(message.id)
        for given in message.files:
            self.files.unsent(given)

    async def find(self, post: Post, job: Job) -> Standing | None:
        """Our own message for this post."""
        message = self.room.find(_about(post, job))
        return Standing(message.id, CHANNEL) if message else None

    async def tell(self, message: DirectMessage) -> Standing:
        """Say it to everybody: whoever comes in is the operator."""
        look = messages.news(message.reply)
        said = await self.room.post(author=BOT, nonce=message.nonce, look=look)
        return Standing(said.id, CHANNEL)

    async def retell(self, message: Standing, reply: Reply) -> None:
        """Bring a message that was told up to date."""
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
        """The file that its gateway made, if what plays is another one; it may be gone."""
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
        """A missing still never holds a video back."""
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
