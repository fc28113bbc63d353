"""Mentions: somebody writes to the bot, with a picture, or in reply to one.

Discord shows a bot only messages that mention it, its own, and those in direct messages; what it
hides looks empty. So a picture in such a message is said to be hidden, never to be missing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial

import discord

from bot.core import replies
from bot.core.errors import Refused, ReplyGone
from bot.core.handed import Given, beside, parted
from bot.core.orders import Address, Call, Order, Picture
from bot.core.replies import Reply, Text
from bot.core.wishes import Wish
from bot.log import get_logger
from bot.platforms.discord import errors, messages
from bot.platforms.discord.answering import ANSWER_TIME, told
from bot.platforms.discord.client import NAME
from bot.platforms.discord.intake import Intake
from bot.platforms.discord.reading import (
    Part,
    check_permissions,
    check_shown,
    files_of,
    locale_of,
    parts_of,
    person_of,
)

BREATH = 60.0
"""Seconds between two times that one person in one channel is told how to ask."""
MARK = "❔"
"""Put under what asks for nothing, in between. What is asked for and refused is always told."""

_WRITTEN = (discord.MessageType.default, discord.MessageType.reply)

log = get_logger()


class Mentions:
    """Hears what is written, takes what it asks for, and does not let itself be made to babble."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._answered: dict[tuple[int, int], datetime] = {}
        """When somebody was told how to ask, by channel and person; nothing older than a breath."""

    async def hear(self, message: discord.Message, *, own_id: int) -> None:
        """Take what a message asks for, if it speaks to us; errors become a reply."""
        if not is_for_us(message, own_id=own_id):
            return
        try:
            _check_channel(message)
            order = order_of(message, own_id=own_id)
            if order is None:
                await self._help(message)
            else:
                await self._intake.take_message(order)
        except Exception as problem:  # noqa: BLE001 - the rim: nobody above could tell them
            await _say(message, replies.error(told(problem)))

    async def _help(self, message: discord.Message) -> None:
        """How to ask; but a mark where the same person was told a moment ago."""
        if self._is_due(message):
            said = Text(id="mention.help" if message.guild else "mention.help_direct")
            await _say(message, Reply(text=said))
        else:
            await _mark(message)

    def _is_due(self, message: discord.Message) -> bool:
        if message.guild is None:
            return True  # Nobody else reads it.
        now = message.created_at
        self._answered = {
            who: at for who, at in self._answered.items() if (now - at).total_seconds() < BREATH
        }
        who = message.channel.id, message.author.id
        if who in self._answered:
            return False
        self._answered[who] = now
        return True


def is_for_us(message: discord.Message, *, own_id: int) -> bool:
    """A person wrote to the bot: in direct messages, or naming it in so many words.

    A mere reply to one of our messages mentions us too, but "wow!" under a video is no order.
    """
    if message.author.bot or message.webhook_id is not None or message.type not in _WRITTEN:
        return False
    return message.guild is None or any(name in message.content for name in _names(own_id))


def order_of(message: discord.Message, *, own_id: int) -> Order | None:
    """The order in a message, or None if it has none. Raises `Refused` for its files.

    In direct messages every word reaches us, "thanks!" too, so words alone are no order there.
    """
    prompt = prompt_of(message, own_id=own_id)
    given = _handed_in(message, own_id=own_id)
    if not given and (not prompt or message.guild is None):
        return None
    pictures, sound = parted(given)
    call = Call(
        event_id=str(message.id),
        address=Address(
            platform=NAME,
            channel=str(message.channel.id),
            community=str(message.guild.id) if message.guild else None,
            message=str(message.id),
        ),
        person=person_of(message.author),
        locale=locale_of(message),
    )
    return Order(call=call, wish=Wish(prompt=prompt), pictures=pictures, sound=sound)


def prompt_of(message: discord.Message, *, own_id: int) -> str:
    """The text without us, and with people's names for their ids."""
    text = message.content
    for name in _names(own_id):
        text = text.replace(name, " ")
    for user in message.mentions:
        text = text.replace(f"<@{user.id}>", user.display_name)
    return " ".join(text.split())


def _handed_in(message: discord.Message, *, own_id: int) -> list[Given]:
    """The files of the message it replies to, then its own; none where words were meant."""
    own = files_of(message, own_id=own_id)
    pictures, _ = parted(own)
    with beside(own):
        pointed_at = _pointed_at(message, own, pictures, own_id=own_id)
    if not (own or pointed_at):
        check_shown(message, own_id=own_id)
    return [*pointed_at, *own]


def _pointed_at(
    message: discord.Message, own: Sequence[Given], pictures: Sequence[Picture], *, own_id: int
) -> list[Given]:
    """Beside a picture of one's own, a message that we don't see may as well be talk."""
    reference = message.reference
    if reference is None or message.message_snapshots:
        return []
    target = reference.resolved
    if isinstance(target, discord.DeletedReferencedMessage):
        if pictures:
            return []
        raise ReplyGone()
    if target is None or _is_hidden(target):
        if pictures or message.guild is None:
            return []  # Nothing is hidden from us in direct messages.
        raise Refused("picture_hidden")
    files = files_of(target, own_id=own_id)
    if not (files or own):
        check_shown(target, own_id=own_id)
    return files


def _is_hidden(message: discord.Message) -> bool:
    """Nobody can send an empty message: one that looks empty is kept from us."""
    return not (message.poll or any(_has_something(part) for part in parts_of(message)))


def _has_something(part: Part) -> bool:
    return bool(part.content or part.attachments or part.embeds or part.components or part.stickers)


def _check_channel(message: discord.Message) -> None:
    channel = message.channel
    me = message.guild.me if message.guild else None
    if me is None or isinstance(channel, discord.PartialMessageable | discord.DMChannel):
        return  # Direct messages need no permission; of an unknown thread we know none.
    permissions = channel.permissions_for(me)
    if not permissions.view_channel:
        return  # We have just been shown a message here: what is remembered of us is wrong.
    check_permissions(permissions, in_thread=isinstance(channel, discord.Thread))


def _names(own_id: int) -> tuple[str, str]:
    return f"<@{own_id}>", f"<@!{own_id}>"


# --- answering -----------------------------------------------------------------------------------


async def _say(message: discord.Message, reply: Reply) -> None:
    """A sentence in reply to a message, or directly if we may not speak there; never raises.

    The nonce makes a repetition harmless.
    """
    rendered = messages.notice(reply, locale_of(message))
    here = partial(message.channel.send, nonce=f"{message.id}-n")
    target = message.to_reference(fail_if_not_exists=False)
    ways: tuple[Callable[..., Awaitable[object]], ...] = (
        partial(here, reference=target),
        here,
        message.author.send,
    )
    for way in ways:
        try:
            async with asyncio.timeout(ANSWER_TIME):
                await way(rendered.content, allowed_mentions=rendered.mentions)
        except errors.FOREIGN as error:
            log.info("discord.unanswered", error=type(error).__name__)
            if not isinstance(errors.translated(error), Refused):
                return
        else:
            return


async def _mark(message: discord.Message) -> None:
    """A sign under the message that it was seen; where we may not react there is none."""
    try:
        async with asyncio.timeout(ANSWER_TIME):
            await message.add_reaction(MARK)
    except errors.FOREIGN as error:
        log.info("discord.unmarked", error=type(error).__name__)
