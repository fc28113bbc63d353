"""`zoetrope init` at a real terminal: a conversation that starts with nothing and ends with a
running service.
"""

import stat
from dataclasses import replace

import pytest

from bot.platforms.discord.portal import PERMISSIONS
from bot.simulator.profiles import DOCUMENTED, MODELS
from bot.simulator.render import Renderer
from bot.simulator.server import Simulator
from tests.e2e.command_line import probe, zoetrope
from tests.e2e.conversations import (
    ADDRESS,
    ALL,
    DEFAULT,
    DIALECT,
    KEY,
    PERSON,
    PRICE,
    RARE,
    SECRET,
    SERVER,
    TOKEN,
    TRIAL,
    init,
    three,
    where,
    written,
)
from tests.e2e.terminal import terminal
from tests.e2e.world import CATALOG, World
from tests.fakes.gateways import (
    UNKNOWN_TASK,
    OddGateway,
    models,
)

pytestmark = pytest.mark.usefixtures("nothing_is_paid_by_itself")


async def test_init_leads_from_an_empty_folder_to_a_service_that_runs(world: World) -> None:
    world.discord.guild.bot_is_member = False
    async with init(world) as person:
        await person.answers(TOKEN, world.discord.token)
        shown = await person.sees("Waiting until it has joined")
        assert "The bot is called zoetrope." in shown
        assert f"permissions={PERMISSIONS.value}" in shown
        assert "scope=bot+applications.commands" in shown
        world.discord.guild.bot_is_member = True
        shown = await person.answers(ADDRESS, world.gateway_url.removeprefix("http://"))
        assert "zoetrope is in: The Workshop." in shown
        await person.answers(SECRET, KEY)
        shown = await person.answers(DIALECT, "")
        assert "The gateway runs unknown software." in shown
        shown = await person.answers(DEFAULT, "7")
        assert "Wan 2.5 (wan2.5-t2v-preview)" in shown
        shown = await person.answers(PRICE, "wan 2.5=0,1 7=0,2")
        assert "  7  Sora 2" in shown
        shown = await person.answers(PRICE, "0.3")
        assert "  6  Wan 2.1" in shown
        assert "Sora" not in shown
        await person.answers("USD a day for everybody together", "-0.5")
        await person.sees("Please give a number from 0 to 1000000, or -1.")
        await person.answers("USD a day for everybody together", "40")
        await person.answers(PERSON, "")
        await person.answers(SERVER, "ten")
        await person.sees("Please give a number from 0 to 1000000, or -1.")
        await person.answers(SERVER, "2.7")
        await person.sees("Please give a whole number.")
        await person.answers(SERVER, "10")
        await person.answers(ALL, "20")
        shown = await person.answers(TRIAL, "")
        assert "A day costs at most 40.00 USD." in shown
        assert "It costs about 0.80 USD" in await person.sees("(y/n)")
        await person.sees("All set. Start it:  zoetrope run\n")
        assert await person.ends() == 0
        assert world.discord.token not in person.screen
        assert KEY not in person.screen
    assert world.simulator.charges == 0
    files = written(world.folder)
    assert sorted(files) == ["config.toml", "secrets.env"]
    assert 'dialect = "new-api"' in files["config.toml"]
    assert stat.S_IMODE((world.folder / "secrets.env").stat().st_mode) == 0o600
    assert world.discord.token in files["secrets.env"]
    assert world.discord.token not in files["config.toml"]
    assert KEY not in files["config.toml"]
    code, said = await zoetrope("check", folder=world.folder)
    assert (code, said.splitlines()[-1]) == (0, "A day costs at most 40.00 USD.")
    variables = {**where(world.discord), "ZOETROPE_WEB__PORT": "0"}
    async with terminal("run", folder=world.folder, **variables):
        await world.discord.connected()
    await world.discord.disconnected()


@pytest.mark.proof
async def test_init_makes_a_test_video_only_after_a_yes(world: World) -> None:
    async with init(world, ZOETROPE_GATEWAYS__MAIN__POLL_STEP="0.05") as person:
        (world.folder / "config.toml").write_text(CATALOG, "utf-8")
        await person.answers(TOKEN, world.discord.token)
        await person.answers(ADDRESS, world.gateway_url)
        await person.answers(SECRET, KEY)
        await person.answers(DIALECT, "documented")
        await person.answers(
            DEFAULT, "sora 2 (no longer offered by openai since 24 september 2026)"
        )
        await person.answers(PRICE, "")
        for question in (PERSON, SERVER, ALL):
            await person.answers(question, "")
        await person.answers(TRIAL, "perhaps")
        await person.sees("Please answer y or n.")
        assert "I don't know how much" in await person.answers("(y/n)", "y")
        await person.sees("All set.")
        assert await person.ends() == 0
    assert world.simulator.charges == 1
    assert probe(world.folder / "test-video.mp4")[2:4] == (128, 72)


@pytest.mark.proof
async def test_init_keeps_every_character_of_an_operators_own_configuration_file(
    world: World,
) -> None:
    """The exception is an address, which is written without the path that was copied with it.

    All values from the environment are written down too.
    """
    mine = (
        '# mine\r\nsecrets = "mine.env"  # beside it\r\n'
        f'[gateways.main]\r\n  base_url = "{world.gateway_url}/v1/"\t# of a friend\r\n'
        "  [limits]\r\n  purse_money_per_day=-1.0# none\r\n"
        "  person_videos_per_day =  0x10 # sixteen\r\n"
        "#community_videos_per_day = 20 # each\r\n"
        "purse_videos_per_day = 5"
    )
    (world.folder / "config.toml").write_bytes(mine.encode())
    known = {"ZOETROPE_GATEWAYS__MAIN__DIALECT": "new-api"}
    variables = three(world, ZOETROPE_GATEWAYS__MAIN__BASE_URL="", **known)
    code, said = await zoetrope("init", "--yes", folder=world.folder, **variables)
    assert code == 0, said
    told = (world.folder / "config.toml").read_bytes().decode()
    addresses = (
        f'[discord]\r\napi_url = "{world.discord.api_url}"\r\n'
        f'gateway_url = "{world.discord.gateway_url}"\r\n'
    )
    assert told == (
        mine.replace("/v1/", "")
        .replace("beside it\r\n", 'beside it\r\ndefault_model = "wan-2.5"\r\n')
        .replace("#community", "community")
        .replace("friend\r\n", 'friend\r\n  dialect = "new-api"\r\n')
        + f"\r\n\r\n{addresses}"
    )
    assert sorted(written(world.folder)) == ["config.toml", "mine.env"]


@pytest.mark.proof
async def test_init_asks_for_a_new_default_model_once_the_former_one_is_not_offered(
    world: World,
) -> None:
    """First the key lacks the model; then the model is hidden."""
    await zoetrope("init", "--yes", folder=world.folder, **three(world))
    config = world.folder / "config.toml"
    text = config.read_text("utf-8")
    assert 'default_model = "wan-2.5"' in text
    names = ("wan2.5-t2v-preview", "wan2.5-i2v-preview")
    hidden = "".join(f'[models."{name}"]\nhidden = true\n' for name in names)
    odd = OddGateway(v1__videos=UNKNOWN_TASK, v1__models=models("sora-2"))
    async with odd.serve() as url:
        for before in (text, f"{text}\n{hidden}"):
            config.write_text(before.replace(world.gateway_url, url), "utf-8")
            code, said = await zoetrope(
                "init", "--yes", folder=world.folder, **where(world.discord)
            )
            assert code == 0, said
            assert (
                "People who name no model got wan-2.5 until now, but I can't offer it any more."
                in said
            )
            assert 'default_model = "sora-2"' in config.read_text("utf-8")
        variables = {**where(world.discord), "ZOETROPE_DEFAULT_MODEL": "wan-2.5"}
        code, said = await zoetrope("init", "--yes", folder=world.folder, **variables)
    assert code == 78
    assert "ZOETROPE_DEFAULT_MODEL is set in your environment and overrides" in said


@pytest.mark.proof
async def test_a_model_that_the_key_lacks_is_not_offered(world: World, renderer: Renderer) -> None:
    some = replace(DOCUMENTED, models={"sora-2": MODELS["sora-2"]})
    async with Simulator(profile=some, renderer=renderer).serve() as url:
        code, said = await zoetrope(
            "init",
            "--yes",
            folder=world.folder,
            **three(world, ZOETROPE_GATEWAYS__MAIN__BASE_URL=url),
        )
    assert code == 0, said
    assert "The key can make videos with Sora 2 (sora-2).\n" in said
    assert 'default_model = "sora-2"' in written(world.folder)["config.toml"]
    assert "hidden" not in written(world.folder)["config.toml"], "what was found is kept elsewhere"
    code, said = await zoetrope("models", folder=world.folder)
    assert "wan" not in said


@pytest.mark.proof
async def test_a_model_hidden_by_init_is_offered_again_once_the_key_has_it(world: World) -> None:
    """A model whose table the operator extended stays hidden."""
    odd = OddGateway(v1__videos=UNKNOWN_TASK, v1__models=models("sora-2"))
    mine = (
        '[models."wan2.5-i2v-preview"]\nhidden = true\nprice = 0.1\n'
        f'[models."wan2.5-t2v-preview"]\nhidden = true\n{RARE}'
    )
    async with odd.serve() as url:
        (world.folder / "config.toml").write_text(mine, "utf-8")
        variables = three(world, ZOETROPE_GATEWAYS__MAIN__BASE_URL=url)
        code, said = await zoetrope("init", "--yes", folder=world.folder, **variables)
        assert "The key can make videos with Sora 2" in said
        odd.answers["/v1/models"] = models("sora-2", "wan2.5-t2v-preview", "wan2.5-i2v-preview")
        code, said = await zoetrope("init", "--yes", folder=world.folder, **where(world.discord))
    assert code == 0, said
    assert (
        "The key now has wan2.5-t2v-preview, which I did not offer before. I offer them again"
        in said
    )
    code, said = await zoetrope("models", folder=world.folder)
    assert ("wan2.5-t2v-preview" in said, "wan2.5-i2v-preview" in said) == (True, False)


@pytest.mark.proof
async def test_with_a_money_limit_init_hides_models_without_a_price(world: World) -> None:
    mine = (
        '[models."wan2.5-t2v-preview"]\nhidden = true\n'
        '[models."wan2.5-i2v-preview"]\nhidden = true\n'
        f"[models.sora-2]\nprice = 0.1\n{RARE}[limits]\npurse_money_per_day = 5\n"
    )
    (world.folder / "config.toml").write_text(mine, "utf-8")
    async with init(world) as person:
        await person.answers(TOKEN, world.discord.token)
        await person.answers(ADDRESS, world.gateway_url)
        await person.answers(SECRET, KEY)
        await person.answers(DIALECT, "")
        await person.answers(PRICE, "wan2.5-t2v=0.2")
        await person.answers(PRICE, "")
        await person.sees("With a limit in money every model needs a price")
        await person.sees("these: wan2.5-i2v-preview.")
        await person.sees("The key now has wan2.5-t2v-preview,")
        await person.answers(DEFAULT, "")
        await person.sees(PERSON)
