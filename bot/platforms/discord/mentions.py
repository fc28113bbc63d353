"""Mentions: somebody writes to the bot, with a picture, or in reply to one.

Discord shows a bot only messages that mention it, its own, and those in direct messages; what it
hides looks empty. So a picture in a stranger's message is said to be hidden, never to be missing.
"""

import discord

from bot.core.errors import Refused
from bot.core.orders import Address, Order, Picture
from bot.core.replies import Reply, Text
from bot.platforms.discord.answers import refuse_message, say_to
from bot.platforms.discord.client import NAME
from bot.platforms.discord.intake import Intake
from bot.platforms.discord.reading import check_permissions, locale_of, person_of, pictures_of

_WRITTEN = (discord.MessageType.default, discord.MessageType.reply)


async def hear(intake: Intake, message: discord.Message, *, own_id: int) -> None:
    """Take what a message asks for, if it speaks to us; errors become a reply."""
    if not is_for_us(message, own_id=own_id):
        return
    try:
        _check_channel(message)
        order = order_of(message, own_id=own_id)
        if order is None:
            await say_to(message, Reply(text=Text(id="mention.help")))
        else:
            await intake.take_message(order)
    except Exception as problem:  # noqa: BLE001 - the rim: nobody above could tell them
        await refuse_message(message, problem)


def is_for_us(message: discord.Message, *, own_id: int) -> bool:
    """A person wrote to the bot: in direct messages, or naming it in so many words.

    A mere reply to one of our messages mentions us too, but "wow!" under a video is no order.
    """
    if message.author.bot or message.webhook_id is not None or message.type not in _WRITTEN:
        return False
    return message.guild is None or any(name in message.content for name in _names(own_id))


def order_of(message: discord.Message, *, own_id: int) -> Order | None:
    """The order in a message, or None if it says nothing. Raises `Refused` for its pictures."""
    prompt = prompt_of(message, own_id=own_id)
    pictures = _pictures(message, own_id=own_id)
    if not prompt and not pictures:
        return None
    return Order(
        event_id=str(message.id),
        address=Address(
            platform=NAME,
            channel=str(message.channel.id),
            community=str(message.guild.id) if message.guild else None,
            message=str(message.id),
        ),
        person=person_of(message.author),
        locale=locale_of(message),
        prompt=prompt,
        pictures=pictures,
    )


def prompt_of(message: discord.Message, *, own_id: int) -> str:
    """The text without us, and with people's names for their ids."""
    text = message.content
    for name in _names(own_id):
        text = text.replace(name, " ")
    for user in message.mentions:
        text = text.replace(f"<@{user.id}>", user.display_name)
    return " ".join(text.split())


def _pictures(message: discord.Message, *, own_id: int) -> tuple[Picture, ...]:
    """Those of the message itself, else of the one it replies to."""
    if message.attachments:
        pictures = pictures_of(message, own_id=own_id)
        if not pictures:
            raise Refused("no_picture")
        return pictures
    reference = message.reference
    if reference is None or isinstance(reference.resolved, discord.DeletedReferencedMessage):
        return ()
    target = reference.resolved
    if target is None or _is_hidden(target):
        raise Refused("picture_hidden")
    return pictures_of(target, own_id=own_id)


def _is_hidden(message: discord.Message) -> bool:
    """Nobody can send an empty message: one that looks empty is kept from us."""
    shown = (message.content, message.attachments, message.embeds, message.components)
    return not any((*shown, message.stickers, message.poll, message.message_snapshots))


def _check_channel(message: discord.Message) -> None:
    channel = message.channel
    me = message.guild.me if message.guild else None
    if me is None or isinstance(channel, discord.PartialMessageable | discord.DMChannel):
        return  # Direct messages need no permission; of an unknown thread we know none.
    in_thread = isinstance(channel, discord.Thread)
    check_permissions(channel.permissions_for(me), in_thread=in_thread)


def _names(own_id: int) -> tuple[str, str]:
    return f"<@{own_id}>", f"<@!{own_id}>"
