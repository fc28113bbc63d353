"""Collect the files of an order: those of its message, and that of the message it replies to.

A file may be named like a video and hold only sound, as both use the same containers. So such a
file is downloaded, and its bytes decide. A video is read as one only if the order names a use of
its files: otherwise it is refused, as most people who send a video to a bot want something else.
"""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from aiogram.types import Audio, Document, Message, Voice

from bot.core import shown
from bot.core.errors import BotError, Refused
from bot.core.handed import beside, one_of, parted
from bot.core.hints import may_be_sound, may_hold_sound
from bot.core.orders import SOUND_BYTES, Clip, Given, Picture, Sound
from bot.core.soundtracks import holds_only_sound
from bot.core.wishes import Use
from bot.platforms.telegram import reading
from bot.platforms.telegram.albums import Albums
from bot.platforms.telegram.clips import Source, clip_of, is_called_video, job_in, moving_in
from bot.platforms.telegram.intake import Intake


class Handed:
    """Reads the files of messages. Files are downloaded only for people who may order."""

    def __init__(self, intake: Intake, *, albums: Albums, own_id: int) -> None:
        self._intake = intake
        self._albums = albums
        self._own_id = own_id

    async def all_of(
        self, message: Message, items: Sequence[Message], *, use: Use | None
    ) -> list[Given]:
        """Return the files of the message replied to, then those of the message or its album.

        Raises `Refused` for a file that can't be used: a video without it would not be the one that
        the person wants.
        """
        _check_whole(items)
        own = await self.own(items, use=use)
        pictures, *_ = parted(own)
        with beside(own):
            pointed_at = await self._pointed_at(message, own, pictures, use=use)
        if not (own or pointed_at):
            for each in items:
                reading.check_shown(each)
        return [*pointed_at, *own]

    async def own(self, items: Sequence[Message], *, use: Use | None) -> list[Given]:
        """Return the files of a message or an album. Raises `Refused` for an unusable file."""
        found = []
        for number, each in enumerate(items, 1):
            with one_of(number, len(items)):
                found.append(await self._file(each, asked_by=each, use=use))
        return [each for each in found if each is not None]

    async def _pointed_at(
        self,
        message: Message,
        own: Sequence[Given],
        pictures: Sequence[Picture],
        *,
        use: Use | None,
    ) -> list[Given]:
        """Return the file of the message replied to, if any. A character has the whole album.

        Raises `Refused` if Telegram hides that message's content, unless the order has a picture of
        its own: then the message replied to need not matter.
        """
        target: Source | None = reading.replied_to(message)
        if target is not None and not pictures and reading.is_hidden(target):
            raise Refused("picture_unseen")
        target = target or message.external_reply
        if target is None:
            return []
        if use is Use.CHARACTER and isinstance(target, Message) and target.media_group_id:
            return await self._album(target, asked_by=message)
        file = await self._file(target, asked_by=message, use=use)
        # The message holds only content of a kind that aiogram doesn't know.
        if file is None and target.model_extra and reading.is_hidden(target):
            raise Refused("shows_other")
        if file is None and not own:
            reading.check_shown(target)
        return [] if file is None else [file]

    async def _album(self, target: Message, *, asked_by: Message) -> list[Given]:
        """Return all files of an album that arrived before.

        Raises `Refused("album_unseen")` if only one of them is known: an album has several, and
        those that are missing would be missing in the video.
        """
        items = await self._albums.around(target)
        if len(items) < 2:
            raise Refused("album_unseen")
        found = []
        for number, each in enumerate(items, 1):
            with one_of(number, len(items)):
                found.append(await self._file(each, asked_by=asked_by, use=Use.CHARACTER))
        return [each for each in found if each is not None]

    async def _file(self, source: Source, *, asked_by: Message, use: Use | None) -> Given | None:
        shown.check(kind for name, kind in reading.KINDS.items() if getattr(source, name, None))
        author = reading.author_of(source, own_id=self._own_id)
        if sound := sound_of(source, author=author):
            return sound
        if use is not None and moving_in(source) is not None:
            return await self._clip(source, author, asked_by)
        document = source.document
        if document is not None and is_called_video(document):
            sound = _sound(document, document.file_name, author)
            if await self._is_one(sound, asked_by):
                return sound
        return reading.picture_of(source, author=author)

    async def _clip(self, source: Source, author: str | None, asked_by: Message) -> Clip | None:
        """Return a video: from our own storage if it is one of ours."""
        if isinstance(source, Message) and source.from_user and source.from_user.id == self._own_id:
            place, number = str(source.chat.id), str(source.message_id)
            # A copy that was posted again has no row. Its buttons name its job, too.
            job_id = await self._intake.posts.about(reading.NAME, place, number) or job_in(source)
            if job_id is not None:
                call = reading.call_of(asked_by)
                return await self._intake.service.clip_of(job_id, call)
        local = self._intake.line.bot.session.api.is_local
        return clip_of(source, author=author, is_local=local)

    async def _is_one(self, sound: Sound, asked_by: Message) -> bool:
        """Whether the file holds only sound. False if it can't be downloaded."""
        if sound.size > SOUND_BYTES:
            return False
        await self._intake.service.access.check(
            reading.person_of(asked_by), reading.address_of(asked_by)
        )
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "file")
            try:
                await self._intake.platform.fetch(sound, file, most=SOUND_BYTES)
            except BotError:
                return False
            return await asyncio.to_thread(_holds_only_sound, file)


def _check_whole(items: Sequence[Message]) -> None:
    """Raise `Refused` for an album in a group if only one file of it is visible.

    An album always has several files. With the bot's privacy mode on, Telegram shows the bot only
    the one whose caption has the command.
    """
    only, *others = items
    if only.media_group_id and not others and not reading.is_private(only.chat):
        raise Refused("album_hidden")


def sound_of(message: Source, *, author: str | None) -> Sound | None:
    """Return the sound of a message, or None. Raises `Refused` for music of an unsupported type.

    Telegram tells the duration in whole seconds, and no duration for a document.
    """
    if message.voice is not None:
        return _sound(message.voice, "voice.ogg", author)
    if (music := message.audio) is not None:
        if not may_hold_sound(music.file_name or "audio.mp3", music.mime_type):
            raise Refused("no_sound")
        return _sound(music, music.file_name, author)
    file = message.document
    if file is not None and may_be_sound(file.file_name, file.mime_type):
        return _sound(file, file.file_name, author)
    return None


def _holds_only_sound(path: Path) -> bool:
    with path.open("rb") as file:
        return holds_only_sound(file)


def _sound(file: Voice | Audio | Document, name: str | None, author: str | None) -> Sound:
    return Sound(
        source=file.file_id,
        filename=name or "audio",
        size=file.file_size or 0,
        seconds=None if isinstance(file, Document) else file.duration,
        author=author,
    )
