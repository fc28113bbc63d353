"""Compute a bot's permissions in a server's channels from REST answers. Pure functions.

Discord's documentation (page Permissions) defines the order in which roles and overwrites apply.
discord.py implements it, too, but only for a connected client.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import discord

TEXT_CHANNELS = frozenset({0, 5})
"""The types of ordinary text channels and announcement channels."""

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel in which the bot may write. Names need not be unique."""

    name: str
    lacking: tuple[str, ...]
    """The needed permissions that are missing, by discord.py's names."""


def channels_in(
    guild: Json, member: Json, channels: Iterable[Json], *, needed: Sequence[str]
) -> list[Channel]:
    """Return the text channels in which the bot may write. Others are left out: that the bot may
    not write there is probably intended."""
    found = []
    for channel in channels:
        granted = _granted(guild, member, channel)
        if channel["type"] in TEXT_CHANNELS and granted.view_channel and granted.send_messages:
            lacking = tuple(name for name in needed if not getattr(granted, name))
            found.append(Channel(str(channel["name"]), lacking))
    return found


def _granted(guild: Json, member: Json, channel: Json) -> discord.Permissions:
    everyone = str(guild["id"])
    own = {everyone, *map(str, member["roles"])}
    granted = discord.Permissions(
        _union(role["permissions"] for role in guild["roles"] if str(role["id"]) in own)
    )
    if granted.administrator:
        return discord.Permissions.all()
    person = str(member["user"]["id"])
    over = list(channel.get("permission_overwrites") or ())
    for holders in ({everyone}, own - {everyone}, {person}):
        _lay(granted, [each for each in over if str(each["id"]) in holders])
    return granted


def _lay(granted: discord.Permissions, overwrites: Sequence[Json]) -> None:
    """Apply the overwrites of one rank: first all that is denied, then all that is allowed."""
    granted.handle_overwrite(
        allow=_union(each["allow"] for each in overwrites),
        deny=_union(each["deny"] for each in overwrites),
    )


def _union(bits: Iterable[str]) -> int:
    union = 0
    for each in bits:
        union |= int(each)
    return union
