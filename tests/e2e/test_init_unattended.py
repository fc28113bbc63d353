"""`zoetrope init` without a person, and `zoetrope run` with the same mistakes."""

import asyncio
import json
import stat
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Mapping
from dataclasses import replace

import pytest

from bot.simulator.profiles import DOCUMENTED
from tests.e2e.command_line import zoetrope
from tests.e2e.conversations import KEY, OUTAGE, PASTED, three, where, written
from tests.e2e.terminal import terminal
from tests.e2e.world import World
from tests.fakes.gateways import (
    UNKNOWN_TASK,
    OddGateway,
    PluginHost,
)

pytestmark = pytest.mark.usefixtures("nothing_is_paid_by_itself")

# --- unattended ----------------------------------------------------------------------------------


@pytest.mark.proof
async def test_init_yes_with_bot_token_gateway_url_and_key_writes_the_files_and_asks_nothing(
    world: World,
) -> None:
    code, said = await zoetrope("init", "--yes", folder=world.folder, **three(world))
    assert code == 0, said
    assert sorted(written(world.folder)) == ["config.toml", "secrets.env"]
    assert stat.S_IMODE((world.folder / "secrets.env").stat().st_mode) == 0o600
    assert world.discord.token not in said
    assert said.startswith("Setting up from the environment and files. I test each answer")
    assert "press Enter" not in said
    assert [line for line in said.splitlines() if line[:4].strip().isdigit()] == [], "no menus"
    assert world.simulator.charges == 0
    kept = json.loads((world.folder / "data" / "gateways.json").read_text("utf-8"))["main"]
    assert (kept["base_url"], kept["models"]) == (world.gateway_url, list(DOCUMENTED.models))
    assert KEY not in str(kept)
    before = written(world.folder)
    code, said = await zoetrope("init", "--yes", folder=world.folder, **where(world.discord))
    assert (code, written(world.folder)) == (0, before), said


@pytest.mark.proof
async def test_init_tells_the_gateways_software_and_the_models_that_it_offers(world: World) -> None:
    host = PluginHost("kling-v1", "wan3.0-video", "gpt-9")
    async with host.serve() as url:
        address = {"ZOETROPE_GATEWAYS__MAIN__BASE_URL": url}
        code, said = await zoetrope("init", "--yes", folder=world.folder, **three(world, **address))
        assert code == 0, said
    assert "The gateway runs new-api v1.0.0-rc.24, generation C.\n" in said
    assert "The key can make videos with Wan 3.0 (wan3.0-video), Kling (kling-v1).\n" in said
    assert "Held back: Kling (i2v, kf2v) at gateway main, until gateways.main.plugins.kling" in said
    assert "dialect" not in written(world.folder)["config.toml"], "the default is the one"
    assert (len(host.posts), host.tasks) == (1, [])


@pytest.mark.proof
async def test_init_writes_a_detected_dialect_and_reports_a_wrong_one(world: World) -> None:
    header = {"x-litellm-version": "1.106.2"}
    odd = OddGateway(v1__videos=replace(UNKNOWN_TASK, status=500, headers=header))
    async with odd.serve() as url:
        address = {"ZOETROPE_GATEWAYS__MAIN__BASE_URL": url}
        code, said = await zoetrope("init", "--yes", folder=world.folder, **three(world, **address))
        assert (code, "The gateway runs LiteLLM 1.106.2.\n" in said) == (0, True), said
        assert 'dialect = "openai"' in written(world.folder)["config.toml"]
        wrong = {**address, "ZOETROPE_GATEWAYS__MAIN__DIALECT": "documented"}
        code, said = await zoetrope("init", "--yes", folder=world.folder, **three(world, **wrong))
    assert (code, 'Set gateways.main.dialect = "openai".' in said) == (0, True), said
    assert [path for method, path, _ in odd.requests if method != "GET"] == []


@pytest.mark.parametrize(("number", "code"), [("3.0", 0), ("3.5", 78), ("many", 78)])
@pytest.mark.proof
async def test_init_reads_a_limit_in_the_environment_as_the_service_does(
    world: World, number: str, code: int
) -> None:
    variables = three(world, ZOETROPE_LIMITS__PERSON_VIDEOS_PER_DAY=number)
    ended, said = await zoetrope("init", "--yes", folder=world.folder, **variables)
    assert (ended, "Traceback" in said) == (code, False), said
    assert ("limits.person_videos_per_day is '" in said) is (code == 78)


@pytest.mark.proof
async def test_init_yes_names_all_missing_settings_at_once(world: World) -> None:
    code, said = await zoetrope("init", "--yes", folder=world.folder)
    assert code == 78
    assert [line.partition(" ")[0] for line in said.splitlines()] == [
        "No",
        "gateways.main.base_url",
        "gateways.main.api_key",
    ]
    assert "Set ZOETROPE_DISCORD__TOKEN or ZOETROPE_TELEGRAM__TOKEN to" in said
    assert written(world.folder) == {}


@pytest.mark.proof
async def test_a_bad_gateway_key_ends_init_yes_in_one_sentence(world: World) -> None:
    wrong = three(world, ZOETROPE_GATEWAYS__MAIN__API_KEY="sk-wrong-and-secret")
    code, said = await zoetrope("init", "--yes", folder=world.folder, **wrong)
    assert code == 1
    assert "The gateway does not accept the key." in said
    assert "sk-wrong-and-secret" not in said + "".join(written(world.folder).values())


@pytest.mark.proof
async def test_init_without_a_terminal_asks_nothing_and_fails(world: World) -> None:
    code, said = await zoetrope("init", folder=world.folder, **where(world.discord))
    assert (code, written(world.folder)) == (1, {})
    assert "There is no terminal" in said


@pytest.mark.proof
async def test_init_with_a_closed_stdin_says_that_there_is_no_terminal(world: World) -> None:
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", 'exec "$0" -m bot init <&-', sys.executable,
        cwd=world.folder, stdout=PIPE, stderr=STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    assert process.returncode == 1
    assert said.decode().startswith("There is no terminal")


@pytest.mark.proof
async def test_run_refuses_a_secrets_file_that_other_accounts_can_read(world: World) -> None:
    await zoetrope("init", "--yes", folder=world.folder, **three(world))
    (world.folder / "secrets.env").chmod(0o644)
    code, said = await zoetrope("run", folder=world.folder, **where(world.discord))
    assert code == 78
    assert "other users of this machine can read. Run: chmod 600 secrets.env" in said


# --- the same mistakes with `run` ----------------------------------------------------------------


STARTS: Mapping[str, tuple[Mapping[str, str], int, str]] = {
    "client secret": (
        {"DISCORD__TOKEN": PASTED["client secret"][0]},
        78,
        "looks like the client secret",
    ),
    "key with a space": (
        {"GATEWAYS__MAIN__API_KEY": "sk-one sk-two"},
        78,
        "has characters that such a secret never has",
    ),
    "intent in vain": (
        {"DISCORD__MESSAGE_CONTENT_INTENT": "true"},
        1,
        "Discord refuses an intent that I asked for.",
    ),
    "folder that is a file": ({"DATA_DIR": "/dev/null/data"}, 78, "/dev/null"),
}


@pytest.mark.proof
@pytest.mark.parametrize(("change", "code", "sentence"), STARTS.values(), ids=STARTS)
async def test_run_ends_in_one_sentence_for_every_mistake_that_init_names(
    world: World, change: Mapping[str, str], code: int, sentence: str
) -> None:
    ended, said = await zoetrope("run", folder=world.folder, **world.environment(**change))
    assert ended == code, said
    assert sentence in said
    assert "Traceback" not in said


@pytest.mark.proof
async def test_run_accepts_a_discord_token_with_prefix_and_spaces(world: World) -> None:
    variables = world.environment(DISCORD__TOKEN=f" Bot {world.discord.token}\n")
    async with terminal("run", folder=world.folder, **variables):
        await world.discord.connected()
    await world.discord.disconnected()


@pytest.mark.proof
async def test_run_tells_the_bots_name_and_the_obstacles_to_its_work_on_discord(
    world: World,
) -> None:
    variables = {**world.environment(), "ZOETROPE_ACCESS": "closed"}
    world.discord.guild.commands_scope = False
    async with terminal("run", folder=world.folder, **variables) as person:
        await person.sees("On Discord it is zoetrope, in 1 server.\n")
        await person.sees("The Workshop: the bot was invited without the scope")
        if "send:  /claim " not in person.screen:  # printed once a network has accepted the token
            await person.sees("send:  /claim ")
    await world.discord.disconnected()
    world.discord.guild.bot_is_member = False
    async with terminal("run", folder=world.folder, **variables) as person:
        await person.sees("zoetrope is in no server. Invite it: https://discord.com/oauth2/")
    await world.discord.disconnected()


@pytest.mark.proof
async def test_run_starts_although_the_list_of_discord_servers_cannot_be_fetched(
    world: World,
) -> None:
    world.discord.faults.add("GET", "/users/@me/guilds", OUTAGE, times=None)
    async with terminal("run", folder=world.folder, **world.environment()) as person:
        await person.sees("introduction.failed")
        await world.discord.connected()
        assert "Traceback" not in person.screen
    await world.discord.disconnected()


@pytest.mark.proof
async def test_a_second_run_names_the_first_instance(world: World) -> None:
    async with world.app():
        code, said = await zoetrope("run", folder=world.folder, **world.environment())
    assert code == 75
    assert "Another instance (" in said
