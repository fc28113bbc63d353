"""Suggestions while a slash command is typed, also in a community with models of its own."""

from dataclasses import replace

import pytest

from bot.core.catalog import Catalog
from bot.core.wishes import AUTO
from tests.fakes.discord import (
    FakeDiscord,
)
from tests.fakes.discord import Person as Member
from tests.unit.core.orders import (
    SINGER,
    SORA,
    WAN_PICTURE,
    WAN_TEXT,
    offering,
)
from tests.unit.platforms.discord.bot import Bot
from tests.unit.platforms.discord.orders import PNG, only_job

# --- suggestions ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "options", "focused", "typed", "names"),
    [
        ("video", {}, "model", "", ["Wan", "Sora"]),
        ("video", {}, "model", "so", ["Sora"]),
        ("video", {"seconds": 8}, "model", "", ["Sora"]),
        ("video", {"seconds": 7}, "model", "", []),
        ("video", {}, "seconds", "", ["4 s", "5 s", "8 s", "10 s"]),
        ("video", {"model": "wan"}, "seconds", "", ["5 s", "10 s"]),
        ("video", {"model": "sora"}, "seconds", "8", ["8 s"]),
        ("video", {"model": "sora", "seconds": 4}, "seconds", "", ["4 s", "8 s"]),
        ("video", {"model": "wan"}, "aspect", "", ["16:9", "9:16"]),
        ("video", {"quality": "480p"}, "aspect", "", ["1:1"]),
        ("video", {"model": "wan"}, "quality", "", ["Draft: small and cheap", "480p", "720p"]),
        ("video", {"aspect": "9:16"}, "quality", "", ["720p"]),
        ("video", {}, "sound", "", ["With sound", "Without sound"]),
        ("video", {}, "sound", "off", ["Without sound"]),
        ("video", {"sound": "on"}, "model", "", ["Wan", "Sora"]),
        ("video", {"sound": "off"}, "model", "", ["Wan"]),
        ("video", {"sound": "of"}, "model", "", ["Wan", "Sora"]),
        ("video", {"model": "sora"}, "sound", "", []),
        ("video", {}, "watermark", "", []),
        ("animate", {"model": "sora"}, "aspect", "", ["16:9", "9:16"]),
        ("animate", {}, "aspect", "", ["16:9", "9:16", "1:1", "4:3", "3:4", "3:2", "2:3", "21:9"]),
    ],
)
async def test_slash_commands_suggest_only_what_the_models_can_do(
    fake: FakeDiscord,
    bot: Bot,
    ann: Member,
    command: str,
    options: dict[str, object],
    focused: str,
    typed: str,
    names: list[str],
) -> None:
    choices = await ann.autocomplete(command, focused=focused, value=typed, options=options)
    assert [choice["name"] for choice in choices] == names


# --- a community with models of its own -----------------------------------------------------------


@pytest.mark.proof
@pytest.mark.usefixtures("club")
async def test_a_community_with_its_own_models_gets_suggestions_of_these_models_alone(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    here = await ann.autocomplete("video", focused="model", value="", options={})
    assert [choice["name"] for choice in here] == ["Sora"]
    other = fake.add_channel(fake.add_guild("pub"), "pub")
    there = await ann.autocomplete("video", focused="model", value="", options={}, channel=other)
    assert [choice["name"] for choice in there] == ["Wan", "Sora"]


async def test_an_automatic_length_is_suggested_with_the_longest_length_that_counts(
    bot: Bot, ann: Member
) -> None:
    catalog = Catalog(models=(replace(WAN_TEXT, auto=True), SORA))
    bot.service.accounts = offering(catalog, bot.service.accounts)
    choices = await ann.autocomplete("video", focused="seconds", value="", options={})
    assert choices[0] == {"name": "Auto, up to 10 s", "value": AUTO}
    await (await ann.slash("video", prompt="a cat", seconds=AUTO)).answered()
    request = (await only_job(bot)).request
    assert (request.auto, request.seconds) == (True, 10)


@pytest.mark.parametrize("brought", [True, False])
async def test_no_switch_for_sound_is_suggested_for_a_sound_given_to_a_model_that_always_has_sound(
    fake: FakeDiscord, bot: Bot, ann: Member, brought: bool
) -> None:
    catalog = Catalog(models=(WAN_PICTURE, replace(SINGER, takes=())))
    bot.service.accounts = offering(catalog, bot.service.accounts)
    options: dict[str, object] = {"image": fake.attachment(PNG, "cat.png", ephemeral=True)}
    if brought:
        options["audio"] = fake.attachment(b"ID3", "song.mp3", ephemeral=True)
    choices = await ann.autocomplete("animate", focused="sound", value="", options=options)
    assert [each["value"] for each in choices] == ([] if brought else ["on", "off"])
