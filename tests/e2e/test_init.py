"""`zoetrope init` at a real terminal: every answer tested, every trap named, nothing lost."""

import asyncio
import json
import stat
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from bot.cli.init.draft import Draft
from bot.cli.init.gateway import respell
from bot.platforms.discord.portal import PERMISSIONS
from bot.simulator.profiles import DOCUMENTED, MODELS
from bot.simulator.render import Renderer
from bot.simulator.server import Simulator
from tests.e2e.terminal import CTRL_C, Terminal, terminal
from tests.e2e.test_cli import probe, zoetrope
from tests.e2e.world import CATALOG, World
from tests.fakes.discord import FakeDiscord, Fault, error
from tests.fakes.gateways import (
    BAD_KEY,
    NO_DATABASE,
    PAGE,
    SPENT_KEY,
    UNKNOWN_TASK,
    WRONG_PATH,
    OddGateway,
    PluginHost,
    Said,
    models,
    usage,
)
from tests.unit.config.conftest import PACKAGED

KEY = "sk-sim"
TOKEN, ADDRESS, SECRET = "Bot token (hidden):", "Address of the gateway", "API key (hidden; "
DIALECT = "How does it spell /v1/videos?"
DEFAULT, PRICE = "Which one for people who name none?", "one number for all of these:"
PERSON, SERVER, ALL = "each person", "each server", "everybody together"
TRIAL = "Make one test video now"
RARE = "".join(
    f'[models."{name}"]\nhidden = true\nprice = 1\n'
    for name in PACKAGED
    if not name.startswith(("wan2.5", "sora"))
)
"""Most models, hidden by somebody who says more of them: nobody is asked about them."""
STOPPED = "Everything so far is kept; go on with: zoetrope init\n"


def where(discord: FakeDiscord) -> dict[str, str]:
    """All that a test has to tell besides the answers: where its Discord is."""
    return {
        "ZOETROPE_DISCORD__API_URL": discord.api_url,
        "ZOETROPE_DISCORD__GATEWAY_URL": discord.gateway_url,
    }


def three(world: World, **changes: str) -> dict[str, str]:
    """The three variables that are enough, and where the test's Discord is."""
    known = {
        "ZOETROPE_DISCORD__TOKEN": world.discord.token,
        "ZOETROPE_GATEWAYS__MAIN__BASE_URL": world.gateway_url,
        "ZOETROPE_GATEWAYS__MAIN__API_KEY": KEY,
    }
    return {**where(world.discord), **known, **changes}


def init(world: World, **variables: str) -> AbstractAsyncContextManager[Terminal]:
    return terminal("init", folder=world.folder, **where(world.discord), **variables)


def written(folder: Path) -> Mapping[str, str]:
    """Every file of words that init left, by name."""
    files = (file for file in folder.iterdir() if file.is_file() and file.suffix != ".mp4")
    return {file.name: file.read_text("utf-8") for file in files}


@pytest.fixture(autouse=True)
async def _nothing_is_paid_by_itself(world: World) -> AsyncIterator[None]:
    """Discord is only asked, whatever a test does here; who wants a POST says so."""
    yield
    assert {request.method for request in world.discord.requests} <= {"GET", "PUT"}


# --- the conversation ----------------------------------------------------------------------------


async def test_from_nothing_to_a_service_that_runs_by_itself(world: World) -> None:
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
        assert "It runs software that could not be told." in shown
        shown = await person.answers(DEFAULT, "7")
        assert "Wan 2.5 (wan2.5-t2v-preview)" in shown
        shown = await person.answers(PRICE, "wan 2.5=0,1 7=0,2")
        assert "  7  Sora 2 (ended 2026-09-24)" in shown
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
        assert "The worst day costs 40.00 USD." in shown
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
    assert (code, said.splitlines()[-1]) == (0, "The worst day costs 40.00 USD.")
    variables = {**where(world.discord), "ZOETROPE_WEB__PORT": "0"}
    async with terminal("run", folder=world.folder, **variables):
        await world.discord.connected()
    await world.discord.disconnected()


@pytest.mark.proof
async def test_the_test_video_is_made_once_somebody_says_yes(world: World) -> None:
    async with init(world, ZOETROPE_GATEWAYS__MAIN__POLL_STEP="0.05") as person:
        (world.folder / "config.toml").write_text(CATALOG, "utf-8")
        await person.answers(TOKEN, world.discord.token)
        await person.answers(ADDRESS, world.gateway_url)
        await person.answers(SECRET, KEY)
        await person.answers(DIALECT, "documented")
        await person.answers(DEFAULT, "sora 2 (ended 2026-09-24)")
        await person.answers(PRICE, "")
        for question in (PERSON, SERVER, ALL):
            await person.answers(question, "")
        await person.answers(TRIAL, "perhaps")
        await person.sees("Please answer y or n.")
        assert "I don't know the price" in await person.answers("(y/n)", "y")
        await person.sees("All set.")
        assert await person.ends() == 0
    assert world.simulator.charges == 1
    assert probe(world.folder / "test-video.mp4")[2:4] == (128, 72)


@pytest.mark.proof
async def test_of_an_operators_own_file_every_character_stays(world: World) -> None:
    """But for one address, which is written as it is used: without what was copied along.

    All that came from the environment is written down too.
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
async def test_a_default_that_is_no_longer_offered_is_asked_again(world: World) -> None:
    """Once the key lacks it, and once it is hidden already."""
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
            assert "People who name no model got wan-2.5, which is no longer offered." in said
            assert 'default_model = "sora-2"' in config.read_text("utf-8")
        variables = {**where(world.discord), "ZOETROPE_DEFAULT_MODEL": "wan-2.5"}
        code, said = await zoetrope("init", "--yes", folder=world.folder, **variables)
    assert code == 78
    assert "ZOETROPE_DEFAULT_MODEL is set in your environment and would win" in said


@pytest.mark.proof
async def test_what_the_key_lacks_is_offered_to_nobody(world: World, renderer: Renderer) -> None:
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
async def test_what_a_better_key_has_is_offered_again(world: World) -> None:
    """But not what somebody hid who said more of it."""
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
    assert "Hidden until now, and the key has it: wan2.5-t2v-preview. It is offered again" in said
    code, said = await zoetrope("models", folder=world.folder)
    assert ("wan2.5-t2v-preview" in said, "wan2.5-i2v-preview" in said) == (True, False)


@pytest.mark.proof
async def test_under_a_limit_in_money_nothing_is_offered_without_its_price(world: World) -> None:
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
        await person.sees("Hidden, as with a limit in money")
        await person.sees("its price: wan2.5-i2v-preview.")
        await person.sees("the key has it: wan2.5-t2v-preview.")
        await person.answers(DEFAULT, "")
        await person.sees(PERSON)


# --- traps ---------------------------------------------------------------------------------------

PASTED: Mapping[str, tuple[str, str]] = {
    "client secret": ("aB3dEfGhIjKlMnOpQrStUvWxYz012-_4", "looks like the client secret"),
    "application id": ("1188000000000000001", "looks like the application's id"),
    "public key": ("0f" * 32, "looks like the public key"),
    "invitation": ("https://discord.gg/AbCdEf", "is a link, such as an invitation"),
    "words": ("MTE4.GhIjKl abc", "holds characters that no such secret has"),
    "revoked": ("MTE4.GhIjKl.MnOpQrStUvWxYz", "Discord does not accept the token."),
}


@pytest.mark.proof
async def test_whatever_is_pasted_for_a_token_has_its_sentence(world: World) -> None:
    async with init(world) as person:
        for pasted, sentence in PASTED.values():
            await person.answers(TOKEN, pasted)
            await person.sees(sentence)
        world.discord.faults.add("GET", "/users/@me$", _OUTAGE)
        await person.answers(TOKEN, world.discord.token)
        await person.sees("Discord can't be reached.")
        await person.answers(TOKEN, f'  "Bot {world.discord.token}"  ')
        await person.sees("Discord takes the token.")
    assert f"={world.discord.token}\n" in written(world.folder)["secrets.env"]


_OUTAGE: Fault = error(502)

ELSEWHERE: Mapping[str, tuple[Said, str]] = {
    "page": (PAGE, "is a web page, not a gateway."),
    "no videos": (WRONG_PATH, "knows no /v1/videos"),
    "down": (Said(503, "upstream"), "the gateway behind it is not (HTTP 503)"),
    "moved": (
        Said(308, "", {"Location": "https://elsewhere.example/v1/videos/x"}),
        "sends everybody on to https://elsewhere.example. Use that address.",
    ),
    "http at an https port": (
        Said(400, "<html>The plain HTTP request was sent to HTTPS port</html>"),
        "sends everybody on to https://127.0.0.1",
    ),
}


@pytest.mark.proof
async def test_whatever_is_no_gateway_has_its_sentence(world: World) -> None:
    odd = OddGateway()
    async with init(world) as person, odd.serve() as url:
        await person.answers(TOKEN, world.discord.token)
        for said, sentence in ELSEWHERE.values():
            odd.answers = {"/v1/videos": said}
            await person.answers(ADDRESS, url)
            await person.sees(sentence)
        for address, sentence in {
            "ftp://gateway": "has to be a web address",
            "127.0.0.1:1": "Nothing answers at http://127.0.0.1:1 (",
            url.replace("http", "https"): "does not speak https",
        }.items():
            await person.answers(ADDRESS, address)
            await person.sees(sentence)
        await person.answers(ADDRESS, "'sk-canary'")
        await person.sees("sk-canary'\n")
        assert "canary" not in await person.sees("looks like an API key.")
        await person.answers(ADDRESS, f' "{world.gateway_url}/v1/videos/" ')
        await person.sees(f"There is a gateway at {world.gateway_url}.\n")
    assert not [request for request in odd.requests if request[2]], "nobody was shown a key"


@pytest.mark.proof
async def test_whatever_is_wrong_with_a_key_has_its_sentence(world: World) -> None:
    odd = OddGateway(v1__videos=BAD_KEY)
    async with init(world) as person, odd.serve() as url:
        await person.answers(TOKEN, world.discord.token)
        await person.answers(ADDRESS, url)
        await person.answers(SECRET, "sk-one sk-two")
        await person.sees("holds characters that no such secret has")
        await person.answers(SECRET, "sk-wrong")
        await person.sees("does not take the key.")
        odd.answers |= {"/v1/videos": NO_DATABASE, "/v1/models": NO_DATABASE}
        await person.answers(SECRET, "sk-litellm")
        await person.sees("does not take the key.")
        del odd.answers["/v1/models"]
        odd.answers["/v1/videos"] = SPENT_KEY
        await person.answers(SECRET, "sk-spent")
        await person.sees("Nothing is left on this key. Top it up")
        odd.answers |= {"/v1/videos": UNKNOWN_TASK, "/v1/models": BAD_KEY}
        await person.answers(SECRET, "sk-half")
        await person.sees("does not take the key.")
        odd.answers |= {"/v1/models": models("gpt-9\x1b[2J"), "/api/usage/token": usage(0)}
        await person.answers(SECRET, "Bearer 'sk-right'")
        await person.sees("nothing is left on the key. Top it up there.")
        await person.sees("The key has none of the models known here")
        assert "It has: nothing that can be read." in await person.sees("another key.")
    assert [path for method, path, _ in odd.requests if method != "GET"] == ["/v1/videos"] * 2
    assert "API_KEY=sk-right\n" in written(world.folder)["secrets.env"]
    assert "sk-wrong" not in "".join(written(world.folder).values())


@pytest.mark.proof
async def test_from_a_wrong_gateway_that_lives_there_is_a_way_back(world: World) -> None:
    """At once, and after a restart; the present address is what Enter alone keeps."""
    odd = OddGateway(v1__videos=BAD_KEY)
    async with odd.serve() as url:
        async with init(world) as person:
            await person.answers(TOKEN, world.discord.token)
            await person.answers(ADDRESS, url)
            await person.answers(SECRET, KEY)
            await person.sees("does not take the key.")
            await person.answers(SECRET, "")
            await person.sees(f"{ADDRESS}, such as https://88api.ai: [{url}]")
            person.types("\n")
            await person.sees(SECRET)
        async with init(world) as person:
            await person.answers(SECRET, "")
            await person.answers(ADDRESS, world.gateway_url)
            await person.answers(SECRET, KEY)
            await person.sees("It takes the key.")
    assert f'base_url = "{world.gateway_url}"' in written(world.folder)["config.toml"]


@pytest.mark.proof
def test_what_was_written_for_openai_does_not_outlive_its_address(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[gateways.main]\ndialect = "openai"\n', "utf-8")
    draft = Draft(file, environment={})
    respell(draft, "main", before="https://api.openai.com", url="https://88api.ai")
    assert draft.get("gateways", "main", "dialect") == "new-api"


@pytest.mark.proof
async def test_an_address_in_the_environment_is_not_asked_for(world: World) -> None:
    async with init(world, ZOETROPE_GATEWAYS__MAIN__BASE_URL=world.gateway_url) as person:
        await person.answers(TOKEN, world.discord.token)
        await person.answers(SECRET, "")
        await person.sees("ZOETROPE_GATEWAYS__MAIN__BASE_URL is set in your environment")
        assert await person.ends() == 78


@pytest.mark.proof
async def test_an_invitation_without_commands_is_told(world: World) -> None:
    world.discord.guild.commands_scope = False
    async with init(world) as person:
        await person.answers(TOKEN, world.discord.token)
        await person.sees("The Workshop: the bot was invited without the scope")


@pytest.mark.proof
async def test_an_intent_asked_for_in_vain_is_told(world: World) -> None:
    (world.folder / "config.toml").write_text("[discord]\nmessage_content_intent = true\n")
    async with init(world) as person:
        await person.answers(TOKEN, world.discord.token)
        await person.sees("Discord refuses an intent that was asked for. Switch on")


@pytest.mark.proof
async def test_a_bad_token_in_the_environment_is_no_loop(world: World) -> None:
    async with init(world, ZOETROPE_DISCORD__TOKEN="MTE4.GhIjKl.MnOpQrStUvWxYz") as person:
        await person.sees("Discord does not accept the token.")
        await person.sees("ZOETROPE_DISCORD__TOKEN is set in your environment and would win")
        assert await person.ends() == 78


@pytest.mark.proof
async def test_a_file_that_cannot_be_edited_line_by_line_is_left_alone(world: World) -> None:
    tricky = 'language = """\n[gateways.main]\n"""\n'
    (world.folder / "config.toml").write_text(tricky, "utf-8")
    code, said = await zoetrope("init", "--yes", folder=world.folder, **three(world))
    assert code == 1
    assert "can't put secrets into config.toml without breaking it" in said
    assert written(world.folder)["config.toml"] == tricky


# --- interrupted ---------------------------------------------------------------------------------

WAITING = "Waiting until it has joined"
QUESTIONS = (
    (TOKEN, ""),
    (WAITING, ""),
    (ADDRESS, ""),
    (SECRET, KEY),
    (DIALECT, "new-api"),
    (DEFAULT, "2"),
    (PRICE, "0.1"),
    ("USD a day for everybody", "7.5"),
    (PERSON, "4"),
    (SERVER, "5"),
    ("day for everybody together", "6"),
    (TRIAL, "n"),
)


@pytest.mark.proof
async def test_ctrl_c_at_each_question_goes_on_at_that_question(world: World) -> None:
    world.discord.guild.bot_is_member = False
    known = {TOKEN: world.discord.token, ADDRESS: world.gateway_url}
    (world.folder / "config.toml").write_text(RARE, "utf-8")
    async with init(world) as person:
        await person.sees(TOKEN)
        person.types(CTRL_C)
        await person.sees(STOPPED)
        assert await person.ends() == 130
    for (question, answer), (following, _) in pairwise(QUESTIONS):
        async with init(world) as person:
            shown = await person.answers(question, known.get(question, answer))
            assert [each for each, _ in QUESTIONS if each in shown] == [question]
            await person.sees(following)
            person.types(CTRL_C)
            await person.sees(STOPPED)
            assert await person.ends() == 130
            assert "Traceback" not in person.screen
        world.discord.guild.bot_is_member |= question == WAITING
    text = written(world.folder)["config.toml"]
    assert text.partition("[limits]\n")[2].splitlines()[:4] == [
        "purse_money_per_day = 7.5",
        "person_videos_per_day = 4",
        "community_videos_per_day = 5",
        "purse_videos_per_day = 6",
    ]


@pytest.mark.proof
async def test_enter_goes_on_without_waiting_for_the_bot_to_join(world: World) -> None:
    world.discord.guild.bot_is_member = False
    async with init(world) as person:
        await person.answers(TOKEN, world.discord.token)
        await person.answers(WAITING, "")
        await person.sees("Not joined yet. The link works later just as well.")
        await person.answers(ADDRESS, world.gateway_url)
        await person.sees(SECRET)
    async with init(world) as person:
        shown = await person.sees(SECRET)
    assert "Open this link to invite zoetrope" in shown
    assert WAITING not in shown


@pytest.mark.proof
async def test_an_outage_while_it_waits_to_be_joined_is_waited_out(world: World) -> None:
    world.discord.guild.bot_is_member = False
    async with init(world) as person:
        await person.answers(TOKEN, world.discord.token)
        await person.sees(WAITING)
        world.discord.faults.add("GET", "/users/@me/guilds", _OUTAGE)
        world.discord.guild.bot_is_member = True
        await person.sees("zoetrope is in: The Workshop.")
        await person.sees(ADDRESS)


@pytest.mark.proof
async def test_a_closed_window_loses_nothing(world: World) -> None:
    async with init(world) as person:
        await person.answers(TOKEN, world.discord.token)
        await person.sees(ADDRESS)
        person.hang_up()
        assert await person.ends() != 0
    async with init(world) as person:
        shown = await person.sees(ADDRESS)
        assert TOKEN not in shown


@pytest.mark.proof
async def test_the_end_of_the_input_is_an_interruption(world: World) -> None:
    async with init(world) as person:
        await person.sees(TOKEN)
        person.types("\x04")
        await person.sees(STOPPED)
        assert await person.ends() == 130


# --- unattended ----------------------------------------------------------------------------------


@pytest.mark.proof
async def test_three_variables_write_the_files_and_ask_nothing(world: World) -> None:
    code, said = await zoetrope("init", "--yes", folder=world.folder, **three(world))
    assert code == 0, said
    assert sorted(written(world.folder)) == ["config.toml", "secrets.env"]
    assert stat.S_IMODE((world.folder / "secrets.env").stat().st_mode) == 0o600
    assert world.discord.token not in said
    assert world.simulator.charges == 0
    kept = json.loads((world.folder / "data" / "gateways.json").read_text("utf-8"))["main"]
    assert (kept["base_url"], kept["models"]) == (world.gateway_url, list(DOCUMENTED.models))
    assert KEY not in str(kept)
    before = written(world.folder)
    code, said = await zoetrope("init", "--yes", folder=world.folder, **where(world.discord))
    assert (code, written(world.folder)) == (0, before), said


@pytest.mark.proof
async def test_the_software_is_told_its_dialect_spoken_and_what_it_has_offered(
    world: World,
) -> None:
    host = PluginHost("kling-v1", "wan3.0-video", "gpt-9")
    async with host.serve() as url:
        address = {"ZOETROPE_GATEWAYS__MAIN__BASE_URL": url}
        code, said = await zoetrope("init", "--yes", folder=world.folder, **three(world, **address))
        assert code == 0, said
    assert "It runs new-api v1.0.0-rc.24, generation C.\n" in said
    assert "The key can make videos with Wan 3.0 (wan3.0-video), Kling (kling-v1).\n" in said
    assert "Held back: Kling (i2v, kf2v) at gateway main, until gateways.main.plugins.kling" in said
    assert "dialect" not in written(world.folder)["config.toml"], "the default is the one"
    assert (len(host.posts), host.tasks) == (1, [])


@pytest.mark.proof
async def test_another_dialect_is_written_down_and_a_wrong_one_told(world: World) -> None:
    header = {"x-litellm-version": "1.106.2"}
    odd = OddGateway(v1__videos=replace(UNKNOWN_TASK, status=500, headers=header))
    async with odd.serve() as url:
        address = {"ZOETROPE_GATEWAYS__MAIN__BASE_URL": url}
        code, said = await zoetrope("init", "--yes", folder=world.folder, **three(world, **address))
        assert (code, "It runs LiteLLM 1.106.2.\n" in said) == (0, True), said
        assert 'dialect = "openai"' in written(world.folder)["config.toml"]
        wrong = {**address, "ZOETROPE_GATEWAYS__MAIN__DIALECT": "documented"}
        code, said = await zoetrope("init", "--yes", folder=world.folder, **three(world, **wrong))
    assert (code, 'Set gateways.main.dialect = "openai".' in said) == (0, True), said
    assert [path for method, path, _ in odd.requests if method != "GET"] == []


@pytest.mark.parametrize(("number", "code"), [("3.0", 0), ("3.5", 78), ("many", 78)])
@pytest.mark.proof
async def test_a_limit_in_the_environment_is_read_as_the_service_reads_it(
    world: World, number: str, code: int
) -> None:
    variables = three(world, ZOETROPE_LIMITS__PERSON_VIDEOS_PER_DAY=number)
    ended, said = await zoetrope("init", "--yes", folder=world.folder, **variables)
    assert (ended, "Traceback" in said) == (code, False), said
    assert ("limits.person_videos_per_day is '" in said) is (code == 78)


@pytest.mark.proof
async def test_what_is_missing_is_told_all_at_once(world: World) -> None:
    code, said = await zoetrope("init", "--yes", folder=world.folder)
    assert code == 78
    assert [line.partition(" ")[0] for line in said.splitlines()] == [
        "discord.token",
        "gateways.main.base_url",
        "gateways.main.api_key",
    ]
    assert written(world.folder) == {}


@pytest.mark.proof
async def test_a_bad_key_ends_it_in_one_sentence(world: World) -> None:
    wrong = three(world, ZOETROPE_GATEWAYS__MAIN__API_KEY="sk-wrong-and-secret")
    code, said = await zoetrope("init", "--yes", folder=world.folder, **wrong)
    assert code == 1
    assert "The gateway does not take the key." in said
    assert "sk-wrong-and-secret" not in said + "".join(written(world.folder).values())


@pytest.mark.proof
async def test_without_a_terminal_nobody_is_asked(world: World) -> None:
    code, said = await zoetrope("init", folder=world.folder, **where(world.discord))
    assert (code, written(world.folder)) == (1, {})
    assert "There is no terminal here" in said


@pytest.mark.proof
async def test_a_closed_input_is_no_terminal_either(world: World) -> None:
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", 'exec "$0" -m bot init <&-', sys.executable,
        cwd=world.folder, stdout=PIPE, stderr=STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    assert process.returncode == 1
    assert said.decode().startswith("There is no terminal here")


@pytest.mark.proof
async def test_secrets_that_others_can_read_are_refused(world: World) -> None:
    await zoetrope("init", "--yes", folder=world.folder, **three(world))
    (world.folder / "secrets.env").chmod(0o644)
    code, said = await zoetrope("run", folder=world.folder, **where(world.discord))
    assert code == 78
    assert "others on this machine can read. Run: chmod 600 secrets.env" in said


# --- the same traps, met by `run` ----------------------------------------------------------------

STARTS: Mapping[str, tuple[Mapping[str, str], int, str]] = {
    "client secret": (
        {"DISCORD__TOKEN": PASTED["client secret"][0]},
        78,
        "looks like the client secret",
    ),
    "key with a space": (
        {"GATEWAYS__MAIN__API_KEY": "sk-one sk-two"},
        78,
        "holds characters that no such secret has",
    ),
    "intent in vain": (
        {"DISCORD__MESSAGE_CONTENT_INTENT": "true"},
        1,
        "Discord refuses an intent that was asked for.",
    ),
    "folder that is a file": ({"DATA_DIR": "/dev/null/data"}, 78, "/dev/null"),
}


@pytest.mark.proof
@pytest.mark.parametrize(("change", "code", "sentence"), STARTS.values(), ids=STARTS)
async def test_run_ends_in_the_same_sentence(
    world: World, change: Mapping[str, str], code: int, sentence: str
) -> None:
    ended, said = await zoetrope("run", folder=world.folder, **world.environment(**change))
    assert ended == code, said
    assert sentence in said
    assert "Traceback" not in said


@pytest.mark.proof
async def test_run_takes_a_token_with_its_prefix_and_spaces(world: World) -> None:
    variables = world.environment(DISCORD__TOKEN=f" Bot {world.discord.token}\n")
    async with terminal("run", folder=world.folder, **variables):
        await world.discord.connected()
    await world.discord.disconnected()


@pytest.mark.proof
async def test_run_tells_who_it_is_and_what_keeps_it_silent(world: World) -> None:
    variables = {**world.environment(), "ZOETROPE_ACCESS": "closed"}
    world.discord.guild.commands_scope = False
    async with terminal("run", folder=world.folder, **variables) as person:
        await person.sees("On Discord it is zoetrope, in 1 server.\n")
        await person.sees("The Workshop: the bot was invited without the scope")
        if "send:  /claim " not in person.screen:  # said once a network has let it in
            await person.sees("send:  /claim ")
    await world.discord.disconnected()
    world.discord.guild.bot_is_member = False
    async with terminal("run", folder=world.folder, **variables) as person:
        await person.sees("zoetrope is in no server. Invite it: https://discord.com/oauth2/")
    await world.discord.disconnected()


@pytest.mark.proof
async def test_run_goes_on_where_it_cannot_find_out_who_it_is(world: World) -> None:
    world.discord.faults.add("GET", "/users/@me/guilds", _OUTAGE, times=None)
    async with terminal("run", folder=world.folder, **world.environment()) as person:
        await person.sees("introduction.failed")
        await world.discord.connected()
        assert "Traceback" not in person.screen
    await world.discord.disconnected()


@pytest.mark.proof
async def test_a_second_run_names_the_first(world: World) -> None:
    async with world.app():
        code, said = await zoetrope("run", folder=world.folder, **world.environment())
    assert code == 75
    assert "Another instance (" in said
