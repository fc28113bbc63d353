"""Collect the files of an order: those of its message, and that of the message it replies to.

A file may be named like a video and hold only sound, as both use the same containers. So such a
file is downloaded, and its bytes decide.
"""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from aiogram.types import Audio, Document, ExternalReplyInfo, Message, Voice

from bot.core import shown
from bot.core.access import Access
from bot.core.errors import BotError, MovesAlready, Refused
from bot.core.handed import beside, one_of, parted
from bot.core.hints import may_be_picture, may_be_sound, may_hold_sound
from bot.core.orders import SOUND_BYTES, Given, Picture, Sound
from bot.core.platforms import Fetches
from bot.core.soundtracks import holds_only_sound
from bot.core.unread import refusal_by_name
from bot.platforms.telegram import reading

Source = Message | ExternalReplyInfo


class Handed:
    """Reads the files of messages. Files are downloaded only for people who may order."""

    def __init__(self, platform: Fetches, *, access: Access, own_id: int) -> None:
        self._platform = platform
        self._access = access
        self._own_id = own_id

    async def all_of(self, message: Message, items: Sequence[Message]) -> list[Given]:
        """Return the file of the message replied to, then those of the message or its album.

        Raises `Refused` for a file that can't be used: a video without it would not be the one that
        the person wants.
        """
        _check_whole(items)
        own = await self.own(items)
        pictures, *_ = parted(own)
        with beside(own):
            pointed_at = await self._pointed_at(message, own, pictures)
        if not (own or pointed_at):
            for each in items:
                reading.check_shown(each)
        return [*pointed_at, *own]

    async def own(self, items: Sequence[Message]) -> list[Given]:
        """Return the files of a message or an album. Raises `Refused` for an unusable file."""
        found = []
        for number, each in enumerate(items, 1):
            with one_of(number, len(items)):
                found.append(await self._file(each, asked_by=each))
        return [each for each in found if each is not None]

    async def _pointed_at(
        self, message: Message, own: Sequence[Given], pictures: Sequence[Picture]
    ) -> list[Given]:
        """Return the file of the message replied to, if any.

        Raises `Refused` if Telegram hides that message's content, unless the order has a picture of
        its own: then the message replied to need not matter.
        """
        target: Source | None = reading.replied_to(message)
        if target is not None and not pictures and reading.is_hidden(target):
            raise Refused("picture_unseen")
        target = target or message.external_reply
        if target is None:
            return []
        file = await self._file(target, asked_by=message)
        # The message holds only content of a kind that aiogram doesn't know.
        if file is None and target.model_extra and reading.is_hidden(target):
            raise Refused("shows_other")
        if file is None and not own:
            reading.check_shown(target)
        return [] if file is None else [file]

    async def _file(self, source: Source, *, asked_by: Message) -> Given | None:
        shown.check(kind for name, kind in reading.KINDS.items() if getattr(source, name, None))
        author = reading.author_of(source, own_id=self._own_id)
        if sound := sound_of(source, author=author):
            return sound
        document = source.document
        if document is not None and _is_called_video(document):
            sound = _sound(document, document.file_name, author)
            if await self._is_one(sound, asked_by):
                return sound
        return reading.picture_of(source, author=author)

    async def _is_one(self, sound: Sound, asked_by: Message) -> bool:
        """Whether the file holds only sound. False if it can't be downloaded."""
        if sound.size > SOUND_BYTES:
            return False
        await self._access.check(reading.person_of(asked_by), reading.address_of(asked_by))
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "file")
            try:
                await self._platform.fetch(sound, file, most=SOUND_BYTES)
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


def _is_called_video(file: Document) -> bool:
    called = file.file_name, file.mime_type
    return not may_be_picture(*called) and isinstance(refusal_by_name(*called), MovesAlready)


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
