"""Convert Discord's objects to the core's types. Pure functions; no requests are sent here."""

import re
from collections.abc import Iterator, Sequence

import discord

from bot import i18n
from bot.core import shown
from bot.core.errors import Refused, in_turn
from bot.core.handed import one_of, parted
from bot.core.hints import may_be_picture, may_be_sound, may_be_video, may_hold_sound
from bot.core.jobs import Job
from bot.core.orders import (
    PICTURE_BYTES,
    VIDEO_BYTES,
    Address,
    Call,
    Clip,
    Given,
    Person,
    Picture,
    Sound,
    too_large,
)
from bot.core.presses import Moderates
from bot.core.prompts import clean
from bot.core.replies import Text
from bot.core.shown import Shown
from bot.core.unread import is_meant_as_picture, refusal_by_name
from bot.platforms.discord.client import NAME

NEEDED = ("view_channel", "send_messages", "embed_links", "attach_files", "read_message_history")
"""The permissions needed to post, checked before an order is accepted."""

_EMOJI = re.compile(r"\s*(?:<a?:\w+:\d+>\s*)+")
"""Matches a text that consists only of custom emoji."""

Part = discord.Message | discord.MessageSnapshot
Attached = tuple[discord.Attachment, str | None]
"""A file, and the id of its author if known."""


def address_of(interaction: discord.Interaction) -> Address:
    """Return the address of an interaction. It has no message to which posts could reply."""
    guild = interaction.guild_id
    return Address(
        platform=NAME, channel=str(interaction.channel_id), community=str(guild) if guild else None
    )


def person_of(user: discord.User | discord.Member) -> Person:
    """Return a user as a person, named by the first name that has visible characters."""
    name = clean(user.display_name) or clean(user.name)
    return Person(id=str(user.id), name=name or i18n.say(Text(id="person.nameless"), "en"))


def locale_of(message: discord.Message) -> str:
    """Return the server's language, or English: Discord's messages have no language."""
    return str(message.guild.preferred_locale) if message.guild else "en"


def call_of(interaction: discord.Interaction) -> Call:
    """Return the call of an interaction."""
    return Call(
        event_id=str(interaction.id),
        address=address_of(interaction),
        person=person_of(interaction.user),
        locale=str(interaction.locale),
    )


def moderates_of(interaction: discord.Interaction) -> Moderates:
    """Return a function that tells whether this person moderates a job: one of this server, if the
    person may manage messages here."""

    async def moderates(job: Job) -> bool:
        here = job.order.call.address.community == address_of(interaction).community
        return here and interaction.permissions.manage_messages

    return moderates


def check_interaction(interaction: discord.Interaction) -> None:
    """Raise `Refused` if the bot may not post the result in the interaction's channel."""
    if interaction.guild_id is not None:
        in_thread = isinstance(interaction.channel, discord.Thread)
        check_permissions(interaction.app_permissions, in_thread=in_thread)


def check_permissions(permissions: discord.Permissions, *, in_thread: bool) -> None:
    """Raise `Refused` with the first missing permission that posting needs."""
    for name in NEEDED:
        if in_thread and name == "send_messages":
            name = "send_messages_in_threads"
        if not (permissions.administrator or getattr(permissions, name)):
            raise Refused("cannot_post_here", permission=name)


def is_picture(attachment: discord.Attachment) -> bool:
    """Whether an attachment may be a picture, by its name and type. Discord, too, uses the name."""
    return may_be_picture(attachment.filename, attachment.content_type)


def sound_of(attachment: discord.Attachment, *, author: str | None) -> Sound:
    """Return an attachment as a sound. Only voice messages have a duration.

    Raises `Refused` for other types of files.
    """
    if not may_hold_sound(attachment.filename, attachment.content_type):
        raise Refused("no_sound")
    return Sound(
        source=attachment.url,
        filename=attachment.filename,
        size=attachment.size,
        seconds=attachment.duration,
        author=author,
    )


def picture_of(attachment: discord.Attachment, *, author: str | None) -> Picture:
    """Return an attachment as a picture. Raises `Refused` for files that can't be animated."""
    if not is_picture(attachment):
        raise refusal_by_name(attachment.filename, attachment.content_type)
    picture = Picture(
        source=attachment.url,
        filename=attachment.filename,
        size=attachment.size,
        width=attachment.width,
        height=attachment.height,
        author=author,
    )
    picture.check()
    return picture


def clip_of(attachment: discord.Attachment, *, author: str | None) -> Clip:
    """Return an attachment as a video. Raises `Refused` for other files, and for large ones."""
    if not may_be_video(attachment.filename, attachment.content_type):
        raise Refused("no_video")
    clip = Clip(
        source=attachment.url,
        filename=attachment.filename,
        size=attachment.size,
        width=attachment.width,
        height=attachment.height,
        author=author,
    )
    if clip.size > VIDEO_BYTES:
        raise too_large(clip, clip.size)
    return clip


def clips_of(message: discord.Message, *, own_id: int) -> list[Clip]:
    """Return the videos of a message. Raises `Refused` if it has none."""
    called = ((each, author) for each, author in _attached(message, own_id=own_id))
    videos = [(it, by) for it, by in called if may_be_video(it.filename, it.content_type)]
    if not videos:
        raise Refused("no_video")
    return [clip_of(each, author=author) for each, author in videos]


def files_of(message: discord.Message, *, own_id: int) -> list[Given]:
    """Return all files of a message. Raises `Refused` for the first unusable one.

    The author of files in the bot's own messages and in forwarded messages is unknown.
    """
    return _read(message, _attached(message, own_id=own_id))


def choices_of(
    message: discord.Message, *, own_id: int
) -> tuple[tuple[Picture, ...], Sound | None]:
    """Return the pictures of a message from which a person may choose, and its sound.

    Unusable pictures are left out. If no usable picture is left, raises `Refused` for the first.
    """
    attached = _attached(message, own_id=own_id)
    usable = [each for each in attached if not _is_no_choice(each[0])]
    if not any(is_picture(each) for each, _ in usable):
        usable = attached
    pictures, _, sound = parted(_read(message, usable))
    return pictures, sound


def _attached(message: discord.Message, *, own_id: int) -> list[Attached]:
    author = None if message.author.id == own_id else str(message.author.id)
    by = [(each, author) for each in message.attachments]
    return by + [(each, None) for part in message.message_snapshots for each in part.attachments]


def _read(message: discord.Message, attached: Sequence[Attached]) -> list[Given]:
    files = in_turn(_file_of, attached, within=one_of)
    if files and any(part.stickers for part in parts_of(message)):
        raise Refused("shows_sticker")
    return files


def _file_of(attached: Attached) -> Given:
    attachment, author = attached
    if may_be_sound(attachment.filename, attachment.content_type):
        return sound_of(attachment, author=author)
    return picture_of(attachment, author=author)


def _is_no_choice(attachment: discord.Attachment) -> bool:
    """Whether an attachment is a picture that is too large or of an unsupported format."""
    called = attachment.filename, attachment.content_type
    return is_meant_as_picture(*called) or (
        is_picture(attachment) and attachment.size > PICTURE_BYTES
    )


def parts_of(message: discord.Message) -> tuple[Part, ...]:
    """Return the message and the messages that it forwards, which hold the content of a forward."""
    return message, *message.message_snapshots


def check_shown(message: discord.Message, *, own_id: int) -> None:
    """Raise `Refused` if a message without a file shows something else than text."""
    own = message.author.id == own_id
    shown.check(each for part in parts_of(message) for each in _shown_in(part, with_embeds=not own))


def _shown_in(part: Part, *, with_embeds: bool) -> Iterator[Shown]:
    if part.stickers:
        yield Shown.STICKER
    yield from shown.links_in(part.content)
    if _EMOJI.fullmatch(part.content):
        yield Shown.EMOJI
    layout = any(not isinstance(each, discord.ActionRow) for each in part.components)
    if layout or (with_embeds and part.embeds):
        yield Shown.PREVIEW
