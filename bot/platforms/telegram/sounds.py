"""The sound that a message carries: a voice message, music, or a file that is either."""

from aiogram.types import ExternalReplyInfo, Message

from bot.core.errors import Refused
from bot.core.hints import may_be_sound, may_hold_sound
from bot.core.orders import Sound


def sound_of(message: Message | ExternalReplyInfo, *, author: str | None) -> Sound | None:
    """None if there is none. Raises `Refused` for music of a kind that we don't read.

    Telegram tells lengths in whole seconds, and of a mere file none.
    """
    if message.voice is not None:
        voice = message.voice
        return _sound(voice.file_id, "voice.ogg", voice.file_size, voice.duration, author)
    if message.audio is not None:
        music = message.audio
        if not may_hold_sound(music.file_name or "audio.mp3", music.mime_type):
            raise Refused("no_sound")
        name = music.file_name or "audio"
        return _sound(music.file_id, name, music.file_size, music.duration, author)
    file = message.document
    if file is not None and may_be_sound(file.file_name, file.mime_type):
        return _sound(file.file_id, file.file_name or "audio", file.file_size, None, author)
    return None


def _sound(
    file_id: str, filename: str, size: int | None, seconds: float | None, author: str | None
) -> Sound:
    return Sound(source=file_id, filename=filename, size=size or 0, seconds=seconds, author=author)
