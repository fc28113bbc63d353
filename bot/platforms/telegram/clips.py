"""Read the videos that an order is made from: a person's, or an earlier one of ours.

Telegram gives bots only files of up to 20 MB. An earlier video of ours is taken from our own
storage instead, so it may be larger.
"""

from collections.abc import Iterator

from aiogram.types import (
    Animation,
    Document,
    ExternalReplyInfo,
    InlineKeyboardMarkup,
    Message,
    Video,
    VideoNote,
)

from bot.core import presses
from bot.core.errors import GivenTooLarge, MovesAlready
from bot.core.hints import may_be_picture
from bot.core.orders import VIDEO_BYTES, Clip
from bot.core.unread import refusal_by_name

MOST_BYTES = 20 << 20
"""Bytes of the largest file that Telegram's own server gives to a bot."""

Source = Message | ExternalReplyInfo
Moving = Video | Animation | VideoNote | Document


def clip_of(source: Source, *, author: str | None, is_local: bool) -> Clip | None:
    """Return the video of a message, or None if it has none.

    `is_local`: the files come from a Bot API server of our own, which has no limit. Raises
    `Refused` for a video that can't be downloaded.
    """
    moving = moving_in(source)
    if moving is None:
        return None
    most = VIDEO_BYTES if is_local else min(MOST_BYTES, VIDEO_BYTES)
    size = moving.file_size or 0
    if size > most:
        raise GivenTooLarge("video_too_large", megabytes=size / 1e6, most=most // 1_000_000)
    width, height = _sides(moving)
    return Clip(
        source=moving.file_id,
        filename=(None if isinstance(moving, VideoNote) else moving.file_name) or "video.mp4",
        size=size,
        seconds=None if isinstance(moving, Document) else moving.duration,
        width=width,
        height=height,
        author=author,
    )


def _sides(moving: Moving) -> tuple[int | None, int | None]:
    match moving:
        case Video() | Animation():
            return moving.width, moving.height
        case VideoNote():
            return moving.length, moving.length
        case _:
            return None, None


def moving_in(source: Source) -> Moving | None:
    """Return the part of a message that is a video, also one sent as a file."""
    # Telegram repeats an animation as a document, for clients that know no animations.
    if (moving := source.video or source.animation or source.video_note) is not None:
        return moving
    document = source.document
    return document if document is not None and is_called_video(document) else None


def is_called_video(file: Document) -> bool:
    """Whether the name or the type of a file says that it is a video."""
    called = file.file_name, file.mime_type
    return not may_be_picture(*called) and isinstance(refusal_by_name(*called), MovesAlready)


def job_in(message: Message) -> str | None:
    """Return the id of the job that the buttons of a message of ours are about, or None."""
    for data in _carried(message.reply_markup):
        if presses.CODE.fullmatch(data):
            return presses.read(data).about
    return None


def _carried(markup: InlineKeyboardMarkup | None) -> Iterator[str]:
    for row in markup.inline_keyboard if markup else ():
        yield from (each.callback_data for each in row if each.callback_data)
