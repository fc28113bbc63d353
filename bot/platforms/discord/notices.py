"""Notices to owners: direct messages about no job of theirs, brought up to date where they stand.

In the one language that everybody can be spoken to in.
"""

from datetime import UTC, datetime

import discord

from bot import i18n
from bot.core.platforms import DirectMessage, Standing
from bot.core.replies import Reply
from bot.platforms.discord import messages

SKEW = 30.0
"""Seconds by which our clock may be ahead of Discord's."""
MOST = 200
"""Messages looked through for one that stands already."""


async def tell(client: discord.Client, message: DirectMessage) -> Standing:
    """Say it, unless it stands since an earlier try: a nonce is kept for minutes alone."""
    look = messages.notice(message.reply, i18n.DEFAULT)
    channel = await client.create_dm(discord.Object(int(message.person_id)))
    if message.since is not None:
        after = datetime.fromtimestamp(message.since - SKEW, UTC)
        async for each in channel.history(after=after, limit=MOST):
            is_own = client.user is not None and each.author.id == client.user.id
            if is_own and each.content == look.content:
                return Standing(str(each.id), str(channel.id))
    sent = await channel.send(**look.words, nonce=message.nonce)
    return Standing(str(sent.id), str(channel.id))


async def retell(client: discord.Client, message: Standing, reply: Reply) -> None:
    """Bring one of them up to date."""
    channel = client.get_partial_messageable(int(message.channel_id))
    stands = channel.get_partial_message(int(message.message_id))
    await stands.edit(**messages.notice(reply, i18n.DEFAULT).words)
