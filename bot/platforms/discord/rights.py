"""A bot's rights in a server's channels, from REST's answers. Pure functions.

The order in which Discord lays roles and overwrites over each other stands in its documentation,
page Permissions; discord.py has it too, but only for a connected client.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import discord

TEXT_CHANNELS = frozenset({0, 5})
"""Ordinary ones and announcements."""

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Channel:
    """One in which the bot may write; several may have one name."""

    name: str
    lacking: tuple[str, ...]
    """Permissions needed there besides, as discord.py spells them."""


def channels_in(
    guild: Json, member: Json, channels: Iterable[Json], *, needed: Sequence[str]
) -> list[Channel]:
    """Where the bot can't look or can't write is no fault: somebody will have wanted it so."""
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
    """All denials of one rank, then all that it allows."""
    granted.handle_overwrite(
        allow=_union(each["allow"] for each in overwrites),
        deny=_union(each["deny"] for each in overwrites),
    )


def _union(bits: Iterable[str]) -> int:
    union = 0
    for each in bits:
        union |= int(each)
    return union
