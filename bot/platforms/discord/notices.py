"""Notices to owners: direct messages about no job of theirs, brought up to date where they stand.

In the one language that everybody can be spoken to in.
"""

from datetime import UTC, datetime

import discord

from bot import i18n
from bot.core.replies import Reply
from bot.platforms.discord import messages

SKEW = 30.0
"""Seconds by which our clock may be ahead of Discord's."""
MOST = 200
"""Messages looked through for one that stands already."""


async def tell(
    client: discord.Client, person_id: str, reply: Reply, *, nonce: str, since: float | None
) -> tuple[str, str]:
    """Say it, unless it stands there `since` an earlier try: a nonce is kept for minutes alone."""
    look = messages.notice(reply, i18n.DEFAULT)
    channel = await client.create_dm(discord.Object(int(person_id)))
    if since is not None:
        after = datetime.fromtimestamp(since - SKEW, UTC)
        async for message in channel.history(after=after, limit=MOST):
            is_own = client.user is not None and message.author.id == client.user.id
            if is_own and message.content == look.content:
                return str(message.id), str(channel.id)
    sent = await channel.send(
        look.content, view=look.view, nonce=nonce, allowed_mentions=look.mentions
    )
    return str(sent.id), str(channel.id)


async def retell(client: discord.Client, channel_id: str, message_id: str, reply: Reply) -> None:
    """Bring one of them up to date."""
    look = messages.notice(reply, i18n.DEFAULT)
    channel = client.get_partial_messageable(int(channel_id))
    await channel.get_partial_message(int(message_id)).edit(
        content=look.content, view=look.view, allowed_mentions=look.mentions
    )
