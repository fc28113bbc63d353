"""The registration of slash commands on Discord."""

import pytest

from bot.core.commands import COMMANDS, Who
from bot.core.wishes import OPTIONS
from tests.fakes.discord import (
    FakeDiscord,
    error,
)
from tests.unit.platforms.discord.bot import Bot


async def test_the_commands_are_registered_for_servers_and_direct_messages(
    fake: FakeDiscord, bot: Bot
) -> None:
    shown = {each["name"]: each for each in fake.commands}
    known = [name for name, each in COMMANDS.items() if each.who is not Who.FIRST_OWNER]
    assert list(shown) == [*known, "Animate", "Change video", "Continue video"]
    for name, command in shown.items():
        contexts = [0] if name in ("allow", "disallow") else [0, 1]
        assert (command["contexts"], command["integration_types"]) == (contexts, [0])
    options = {each["name"]: each for each in shown["video"]["options"]}
    assert list(options) == [
        *("prompt", "image", "last_image"),
        *OPTIONS,
    ]
    assert [name for name, each in options.items() if each.get("required")] == ["prompt"]
    assert [name for name, each in options.items() if each.get("autocomplete")] == [
        "model",
        "seconds",
        "aspect",
        "quality",
        "preset",
        "sound",
        "enhance",
        "watermark",
    ]
    assert (options["prompt"]["min_length"], options["prompt"]["max_length"]) == (1, 2000)
    assert options["prompt"]["description"] == "What the video should show"


@pytest.mark.proof
async def test_commands_are_registered_again_only_when_they_changed(
    fake: FakeDiscord, idle: Bot
) -> None:
    for digest in (None, None, "older"):
        if digest is not None:
            await idle.facts.put("discord.commands", digest)
        async with idle.running():
            pass
        await fake.disconnected()
        idle.fresh()
    assert len([each for each in fake.requests if each.method == "PUT"]) == 2


async def test_a_refused_registration_of_commands_does_not_stop_the_bot(
    fake: FakeDiscord, idle: Bot
) -> None:
    fake.faults.add("PUT", "/commands$", error(400, 30034))
    async with idle.running():
        assert await idle.facts.get("discord.commands") is None
