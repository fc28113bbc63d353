"""Messages to the bot: mentions and direct messages, perhaps with files or in reply to a message.

Without the Message Content intent, Discord shows a bot the content only of its own messages, of
messages that mention it, and of direct messages; all others look empty. So for an empty message the
answer says that its picture is hidden, not that it is missing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial

import discord

from bot.core import replies
from bot.core.errors import Refused, ReplyGone
from bot.core.handed import beside, parted
from bot.core.orders import Address, Call, Given, Order, Picture
from bot.core.replies import Reply, Text
from bot.core.wishes import Wish
from bot.log import get_logger
from bot.platforms.discord import errors, messages
from bot.platforms.discord.answering import ANSWER_TIME, error_of
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
"""Least seconds between two help answers to the same person in the same channel."""
MARK = "❔"
"""The reaction to a message without an order, instead of another help answer. Refusals of orders
are always answered."""

_WRITTEN = (discord.MessageType.default, discord.MessageType.reply)

log = get_logger()


class Mentions:
    """Handles messages: takes their orders, and limits how often help is sent."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._answered: dict[tuple[int, int], datetime] = {}
        """Times of the latest help answers, by channel and person; none older than `BREATH`."""

    async def hear(self, message: discord.Message, *, own_id: int) -> None:
        """Take the order of a message to the bot. Errors become a reply."""
        if not is_for_us(message, own_id=own_id):
            return
        try:
            _check_channel(message)
            order = order_of(message, own_id=own_id)
            if order is None:
                await self._help(message)
            else:
                await self._intake.take_message(order)
        except Exception as problem:  # noqa: BLE001 - the callers can't reply
            await _say(message, replies.error(error_of(problem)))

    async def _help(self, message: discord.Message) -> None:
        """Reply with help, or set a reaction if the same person just got help here."""
        if self._is_due(message):
            said = Text(id="mention.help" if message.guild else "mention.help_direct")
            await _say(message, Reply(text=said))
        else:
            await _mark(message)

    def _is_due(self, message: discord.Message) -> bool:
        if message.guild is None:
            return True  # only this person reads it
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
    """Whether a person wrote the message to the bot: in direct messages, or with a mention in the
    text.

    A reply to a message of the bot mentions it, too, but a "wow!" below a video is not an order.
    """
    if message.author.bot or message.webhook_id is not None or message.type not in _WRITTEN:
        return False
    return message.guild is None or any(name in message.content for name in _names(own_id))


def order_of(message: discord.Message, *, own_id: int) -> Order | None:
    """Return the order in a message, or None. Raises `Refused` for unusable files.

    In direct messages, text alone is not an order, since all messages arrive: "thanks!" too.
    """
    prompt = prompt_of(message, own_id=own_id)
    given = _handed_in(message, own_id=own_id)
    if not given and (not prompt or message.guild is None):
        return None
    pictures, video, sound = parted(given)
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
    wish = Wish(prompt=prompt)
    return Order(call=call, wish=wish, pictures=pictures, video=video, sound=sound)


def prompt_of(message: discord.Message, *, own_id: int) -> str:
    """Return the text without mentions of the bot, and with names instead of other mentions."""
    text = message.content
    for name in _names(own_id):
        text = text.replace(name, " ")
    for user in message.mentions:
        text = text.replace(f"<@{user.id}>", user.display_name)
    return " ".join(text.split())


def _handed_in(message: discord.Message, *, own_id: int) -> list[Given]:
    """Return the files of the message replied to, then those of the message itself."""
    own = files_of(message, own_id=own_id)
    pictures, *_ = parted(own)
    with beside(own):
        pointed_at = _pointed_at(message, own, pictures, own_id=own_id)
    if not (own or pointed_at):
        check_shown(message, own_id=own_id)
    return [*pointed_at, *own]


def _pointed_at(
    message: discord.Message, own: Sequence[Given], pictures: Sequence[Picture], *, own_id: int
) -> list[Given]:
    """Return the files of the message replied to.

    Raises `Refused` if Discord hides that message, unless the order has a picture of its own: then
    the message replied to need not matter.
    """
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
            return []  # in direct messages nothing is hidden
        raise Refused("picture_hidden")
    files = files_of(target, own_id=own_id)
    if not (files or own):
        check_shown(target, own_id=own_id)
    return files


def _is_hidden(message: discord.Message) -> bool:
    """Whether Discord hides the message's content. Empty messages can't be sent, so a message that
    looks empty is hidden."""
    return not (message.poll or any(_has_something(part) for part in parts_of(message)))


def _has_something(part: Part) -> bool:
    return bool(part.content or part.attachments or part.embeds or part.components or part.stickers)


def _check_channel(message: discord.Message) -> None:
    channel = message.channel
    me = message.guild.me if message.guild else None
    if me is None or isinstance(channel, discord.PartialMessageable | discord.DMChannel):
        return  # direct messages need no permission; those of an unknown thread are unknown
    permissions = channel.permissions_for(me)
    if not permissions.view_channel:
        return  # the cache is wrong: Discord just showed us a message of this channel
    check_permissions(permissions, in_thread=isinstance(channel, discord.Thread))


def _names(own_id: int) -> tuple[str, str]:
    return f"<@{own_id}>", f"<@!{own_id}>"


# --- answering -----------------------------------------------------------------------------------


async def _say(message: discord.Message, reply: Reply) -> None:
    """Reply to a message, or send a direct message if the bot may not write there. Never raises.

    The nonce makes a repeated reply harmless.
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
    """Set a reaction on the message, if the bot may."""
    try:
        async with asyncio.timeout(ANSWER_TIME):
            await message.add_reaction(MARK)
    except errors.FOREIGN as error:
        log.info("discord.unmarked", error=type(error).__name__)
