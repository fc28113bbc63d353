"""Every option of a wish in the commands that Discord shows."""

from dataclasses import replace

import pytest

from bot.core.catalog import Catalog
from bot.core.wishes import OPTIONS, Extra, wish_of
from tests.contract.options import TYPED, UNREADABLE
from tests.fakes.discord import FakeDiscord
from tests.unit.core.orders import PRESETS, WAN_PICTURE, offering
from tests.unit.platforms.discord.bot import Bot
from tests.unit.platforms.discord.orders import PNG, only_job, said

WILLING = replace(WAN_PICTURE, takes=tuple(Extra), auto=True, prompt_limit=100)


def filled(typed: dict[str, str]) -> dict[str, object]:
    """Return options as Discord sends them: numbers as numbers, choices by their value."""
    values: dict[str, object] = dict(typed)
    for name, option in OPTIONS.items():
        if name in typed and option.is_number:
            values[name] = option.read(typed[name])
    for name in {"fit", "use"} & typed.keys():
        values[name] = typed[name].lower()
    return values


async def test_every_option_of_a_wish_can_be_given_in_discord_commands(
    fake: FakeDiscord, bot: Bot
) -> None:
    catalog = Catalog(models=(WILLING,), presets=PRESETS)
    bot.service.accounts = offering(catalog, bot.service.accounts)
    typed = {name: word for name, (word, _) in TYPED.items()}
    image = fake.attachment(PNG, "cat.png", ephemeral=True)
    await (await fake.person("Ann").slash("animate", image=image, options=filled(typed))).answered()
    job = await only_job(bot)
    # The order keeps the preset's id.
    assert job.order.wish == wish_of("", **{**typed, "preset": "loop"})
    assert job.request.prompt == "Loop."


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize("name", ["sound", "enhance", "watermark"])
async def test_a_switch_option_with_another_word_than_on_or_off_is_refused(
    fake: FakeDiscord, name: str
) -> None:
    asked = await fake.person("Ann").slash(
        "video", prompt="a cat", options={name: UNREADABLE[name][0]}
    )
    assert await said(asked) == "Please say on or off, not “loud”."
