"""The bot's permissions in a channel, computed from roles and overwrites as Discord documents."""

from typing import Any

import discord
import pytest

from bot.platforms.discord.portal import NEEDED, PERMISSIONS, Identity
from bot.platforms.discord.rights import Channel, channels_in

VIEW, SEND, EMBED = 1 << 10, 1 << 11, 1 << 14
ALL = PERMISSIONS.value
GUILD, ROLE, BOT = "1", "2", "3"

Json = dict[str, Any]


def overwrite(holder: str, *, allow: int = 0, deny: int = 0) -> Json:
    return {"id": holder, "type": 0, "allow": str(allow), "deny": str(deny)}


def channel(*overwrites: Json, kind: int = 0) -> Json:
    return {"name": "here", "type": kind, "permission_overwrites": list(overwrites)}


def found(*channels: Json, everyone: int = 0, role: int = ALL) -> list[Channel]:
    """Return the channels in which the bot may write."""
    roles = [
        {"id": GUILD, "permissions": str(everyone)},
        {"id": ROLE, "permissions": str(role)},
        {"id": "9", "permissions": str(1 << 3)},
    ]
    member = {"roles": [ROLE], "user": {"id": BOT}}
    return channels_in({"id": GUILD, "roles": roles}, member, channels, needed=NEEDED)


def lacking(
    *overwrites: Json, everyone: int = 0, role: int = ALL, kind: int = 0
) -> tuple[str, ...] | None:
    """Return the permissions lacking in the one channel; None if the bot may not write there at
    all.
    """
    here = found(channel(*overwrites, kind=kind), everyone=everyone, role=role)
    return here[0].lacking if here else None


CASES: dict[str, tuple[tuple[str, ...] | None, tuple[str, ...] | None]] = {
    "the bot's role allows everything": (lacking(), ()),
    "everyone allows some": (lacking(everyone=EMBED, role=ALL & ~EMBED), ()),
    "the bot's role lacks one permission": (lacking(role=ALL & ~EMBED), ("embed_links",)),
    "denied to everyone": (lacking(overwrite(GUILD, deny=EMBED)), ("embed_links",)),
    "denied to everyone, allowed to the bot's role": (
        lacking(overwrite(ROLE, allow=EMBED), overwrite(GUILD, deny=EMBED)),
        (),
    ),
    "allowed to the bot's role, denied to the bot": (
        lacking(overwrite(ROLE, allow=EMBED), overwrite(BOT, deny=EMBED)),
        ("embed_links",),
    ),
    "denied to others": (lacking(overwrite("9", deny=ALL), overwrite("8", deny=ALL)), ()),
    "an administrator": (lacking(overwrite(BOT, deny=ALL), role=1 << 3), ()),
    "a hidden channel": (lacking(overwrite(BOT, deny=VIEW)), None),
    "a channel without the right to write": (lacking(overwrite(BOT, deny=SEND)), None),
    "announcements": (lacking(kind=5), ()),
    "a voice channel": (lacking(kind=2), None),
}


@pytest.mark.parametrize(("said", "truth"), CASES.values(), ids=CASES)
def test_rights_from_roles_and_overwrites_are_combined_as_discord_documents(
    said: tuple[str, ...] | None, truth: tuple[str, ...] | None
) -> None:
    assert said == truth


def test_two_channels_of_the_same_name_are_reported_apart() -> None:
    broken, sound = channel(overwrite(BOT, deny=EMBED)), channel()
    assert found(broken, sound) == [Channel("here", ("embed_links",)), Channel("here", ())]


def test_the_invitation_asks_for_exactly_the_permissions_that_are_used() -> None:
    identity = Identity(application="42", bot="43", name="bot", sees_messages=False)
    assert PERMISSIONS.value == 274_878_024_768
    assert not PERMISSIONS.administrator
    assert identity.invitation == discord.utils.oauth_url(
        42,
        permissions=discord.Permissions(274_878_024_768),
        scopes=("bot", "applications.commands"),
    )
