"""`zoetrope doctor` in a sound world and in broken ones: one line each, with the remedy."""

import socket
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.cli.doctor import findings
from bot.cli.doctor.clock import compared
from bot.cli.doctor.findings import Finding, Mark
from bot.cli.doctor.machine import files, folder, room
from bot.simulator.profiles import DOCUMENTED, MODELS
from bot.simulator.render import Renderer
from bot.simulator.server import Simulator
from tests.e2e.test_cli import zoetrope
from tests.e2e.world import World
from tests.fakes.buckets import URL, FakeBucket
from tests.fakes.discord import FakeDiscord, Intent, Permission, rate_limited
from tests.fakes.discord.faults import Fault
from tests.fakes.discord.rest import Outcome
from tests.fakes.gateways import (
    BAD_KEY,
    NO_DATABASE,
    PAGE,
    SPENT_KEY,
    UNKNOWN_TASK,
    OddGateway,
    PluginHost,
    Said,
    models,
    usage,
)
from tests.unit.config.conftest import PACKAGED

INVITATION = "https://discord.com/oauth2/authorize?client_id="


async def poll(world: World, **changes: str) -> list[Finding]:
    """Everything that is found, in a configuration with these changes."""
    return [finding async for finding in findings(world.config(**changes))]


async def problems(world: World, **changes: str) -> list[str]:
    """The sentences of what is to mend."""
    found = await poll(world, **changes)
    return [finding.sentence for finding in found if finding.mark is Mark.PROBLEM]


def sentences(found: list[Finding], mark: Mark) -> str:
    return "\n".join(finding.sentence for finding in found if finding.mark is mark)


@pytest.fixture(autouse=True)
async def _only_looks(world: World) -> AsyncIterator[None]:
    """Nothing is changed on Discord and nothing is paid, whatever is found."""
    yield
    assert {request.method for request in world.discord.requests} <= {"GET"}
    assert world.simulator.charges == 0


async def test_in_a_sound_world_nothing_is_broken(world: World) -> None:
    variables = world.written()
    code, said = await zoetrope("doctor", folder=world.folder, **variables)
    lines = [(line[:9].strip(), line[9:]) for line in said.splitlines() if line]
    assert (code, lines.pop()) == (0, ("Nothing i", "s broken.")), said
    assert [mark for mark, _ in lines if mark not in ("ok", "note")] == []
    words = "\n".join(sentence for _, sentence in lines)
    for part in (
        f"{len(PACKAGED)} models can be used",
        "GB are free in",
        "The database can be used.",
        "the bot is called zoetrope",
        "clock agrees with that of Discord",
        "No privileged intent is asked for",
        "zoetrope is in: The Workshop.",
        "all that is needed is allowed wherever the bot may write (channels: 1)",
        "reload Discord with Ctrl+R",
        "Gateway main takes the key.",
        "Gateway main runs software that could not be told; found so since 20",
        "the key has every model",
        "does not tell what is left",
        "The service can listen at http://127.0.0.1:",
        "web.public_url is not set",
    ):
        assert part in words
    assert world.discord.token not in said
    assert [each.name for each in (world.folder / "data").iterdir()] == ["gateways.json"]


@pytest.mark.proof
async def test_every_mistake_in_the_configuration_is_a_problem(world: World) -> None:
    variables = world.written(WEB__PORT="here", COLOUR="red")
    code, said = await zoetrope("doctor", folder=world.folder, **variables)
    assert code == 1
    assert [line.split()[:2] for line in said.splitlines()] == [
        ["problem", "web.port"],
        ["problem", "colour"],
        [],
        ["2", "things"],
    ]


# --- Discord -------------------------------------------------------------------------------------


async def test_a_bad_token(world: World) -> None:
    (told,) = await problems(world, DISCORD__TOKEN="MTE4.GhIjKl.MnOpQrStUvWxYz")
    assert told.startswith("Discord does not accept the token. Copy it afresh")


async def test_an_intent_asked_for_in_vain_and_one_granted(world: World) -> None:
    (told,) = await problems(world, DISCORD__MESSAGE_CONTENT_INTENT="true")
    assert told.startswith("Discord refuses an intent that was asked for. Switch on")
    world.discord.grant(Intent.MESSAGE_CONTENT)
    found = await poll(world, DISCORD__MESSAGE_CONTENT_INTENT="true")
    assert "Message Content Intent is asked for and granted." in sentences(found, Mark.OK)


async def test_no_server(world: World) -> None:
    world.discord.guild.bot_is_member = False
    (told,) = await problems(world)
    assert told.startswith("zoetrope is in no server. Invite it: " + INVITATION)


@pytest.mark.proof
async def test_a_server_joined_without_the_scope_for_commands(world: World) -> None:
    other = world.discord.add_guild("Old Hall")
    world.discord.add_channel(other, "hall")
    other.commands_scope = False
    (told,) = await problems(world)
    assert told.startswith("Old Hall: the bot was invited without the scope applications.commands")
    assert INVITATION in told


async def test_commands_registered_are_named(world: World) -> None:
    world.discord.world.commands = [{"name": "video", "type": 1}, {"name": "Animate", "type": 3}]
    found = await poll(world)
    assert "Registered commands: video, Animate. Who does not see" in sentences(found, Mark.OK)


async def test_permissions_that_a_channel_lacks(world: World) -> None:
    """Where the bot may not write at all, somebody wanted it so."""
    for name in ("art", "videos"):
        channel = world.discord.add_channel(world.discord.guild, name)
        world.discord.deny(channel, Permission.ATTACH_FILES | Permission.EMBED_LINKS)
    news = world.discord.add_channel(world.discord.guild, "news")
    world.discord.deny(news, Permission.SEND_MESSAGES)
    secret = world.discord.add_channel(world.discord.guild, "secret")
    world.discord.deny(secret, Permission.VIEW_CHANNEL)
    (told,) = await problems(world)
    assert told.startswith(
        "The Workshop, #art, #videos: not allowed: Embed Links, Attach Files. Allow it"
    )


@pytest.mark.proof
async def test_names_that_others_chose_do_no_harm_to_a_terminal(world: World) -> None:
    """They move no cursor, and end nothing where the terminal lacks their letters."""
    other = world.discord.add_guild("\x1b[2J 工坊 🎬")
    hall = world.discord.add_channel(other, "hall\x1b]0;title\x07")
    world.discord.deny(hall, Permission.EMBED_LINKS)
    told = await problems(world)
    assert [sentence.partition(":")[0] for sentence in told] == [
        "·[2J 工坊 🎬, #hall·]0;title·",
    ]
    variables = {**world.written(), "PYTHONIOENCODING": "ascii"}
    code, said = await zoetrope("doctor", folder=world.folder, **variables)
    assert (code, "Traceback" in said) == (1, False)
    assert "\\xb7[2J \\u5de5\\u574a \\U0001f3ac, #hall" in said


async def test_a_server_without_a_channel_to_write_in(world: World) -> None:
    world.discord.guild.bot_permissions = Permission.VIEW_CHANNEL
    (told,) = await problems(world)
    assert told.startswith("The Workshop: there is no channel where the bot may write.")


async def test_an_administrator_lacks_nothing(world: World) -> None:
    world.discord.guild.bot_permissions = Permission.ADMINISTRATOR
    assert await problems(world) == []


@pytest.mark.parametrize("said", [{"id": "1", "name": "Lame"}, {}, [], "null"])
async def test_a_server_that_comes_without_its_roles_is_told_and_the_others_looked_at(
    world: World, said: Any
) -> None:
    lame = world.discord.add_guild("Lame")
    world.discord.add_channel(lame, "hall")
    answer = Fault(answer=Outcome(200, said))
    world.discord.faults.add("GET", f"/guilds/{lame.id}$", answer, times=None)
    found = await poll(world)
    assert "Lame: Discord does not show the permissions there." in sentences(found, Mark.NOTE)
    assert "The Workshop" in sentences(found, Mark.OK)
    assert await problems(world) == []


async def test_a_list_of_servers_longer_than_a_page(world: World) -> None:
    for number in range(205):
        guild = world.discord.add_guild(f"Hall {number}")
        world.discord.add_channel(guild, "hall")
    found = await poll(world)
    assert "zoetrope is in: The Workshop, Hall 0, Hall 1, Hall 2, Hall 3, 201 more." in sentences(
        found, Mark.OK
    )


async def test_discord_out_of_reach(world: World) -> None:
    told = await problems(world, DISCORD__API_URL="http://127.0.0.1:1")
    assert told == [
        "Discord can't be reached. Check this machine's network, and discord.api_url if it is set."
    ]


async def test_no_platform_at_all(world: World) -> None:
    (told,) = await problems(world, DISCORD__TOKEN="")
    assert told.startswith("No chat platform is configured.")


async def test_a_room_in_the_browser_is_platform_enough(world: World) -> None:
    found = await poll(world, DISCORD__TOKEN="", PLAYGROUND__ENABLED="true")
    assert sentences(found, Mark.PROBLEM) == ""
    assert "Discord" not in "".join(finding.sentence for finding in found)
    assert world.discord.requests == []


async def test_what_run_refuses_the_doctor_tells(world: World) -> None:
    told = await problems(world, STORAGE_URL="/dev/null/media")
    assert [sentence.partition(",")[0] for sentence in told] == ["storage_url is /dev/null/media"]


@pytest.mark.proof
async def test_a_port_that_another_program_has_is_told_and_that_of_our_own_service_is_not(
    world: World,
) -> None:
    """`run` would end there."""
    async with OddGateway().serve() as elsewhere:
        port = elsewhere.rpartition(":")[2]
        (told,) = await problems(world, WEB__PORT=port)
    assert told.startswith(f"Something else listens at 127.0.0.1:{port}.")
    async with world.app(WEB__PORT=port):
        found = await poll(world, WEB__PORT=port)
    world.discord.requests.clear()
    assert sentences(found, Mark.PROBLEM) == ""


async def test_discord_is_asked_again_where_it_wants_us_to_be_slower(world: World) -> None:
    world.discord.faults.add("GET", "/users/@me$", rate_limited(), times=2)
    assert await problems(world) == []


# --- gateways ------------------------------------------------------------------------------------

GATEWAYS: Mapping[str, tuple[Mapping[str, Said], str]] = {
    "bad key": ({"v1__videos": BAD_KEY}, "Gateway main: The gateway does not take the key. Copy"),
    "spent key": ({"v1__videos": SPENT_KEY}, "Gateway main: Nothing is left on this key. Top it"),
    "wrong key at litellm": (
        {"v1__videos": NO_DATABASE, "v1__models": NO_DATABASE},
        "Gateway main: The gateway does not take the key.",
    ),
    "wall": (
        {"v1__videos": Said(403, "<html>Just a moment...", {"Server": "cloudflare"})},
        "and turns this program away (HTTP 403), so the gateway was not even asked.",
    ),
    "sends on": (
        {
            "v1__videos__zoetrope": UNKNOWN_TASK,
            "v1__videos": Said(308, "", {"Location": "/v1/videos/"}),
        },
        "sends on what is ordered at /v1/videos (HTTP 308, to “/v1/videos/”).",
    ),
    "page": ({"v1__videos": PAGE}, "is a web page, not a gateway."),
    "busy": ({"v1__videos": Said(429)}, "asks us to slow down, and says nothing else for now."),
    "moved nowhere": (
        {"v1__videos": Said(302, "", {"Location": "mailto:x@y"})},
        "sends everybody on, but not to a gateway.",
    ),
    "no balance": (
        {"v1__videos": UNKNOWN_TASK, "api__usage__token": usage(0)},
        "Gateway main: nothing is left on the key. Top it up there.",
    ),
    "model lacking": (
        {"v1__videos": UNKNOWN_TASK, "v1__models": models(*{*PACKAGED} - {"wan2.5-i2v-preview"})},
        'hide it: [models."wan2.5-i2v-preview"] hidden = true',
    ),
}


@pytest.mark.parametrize(("answers", "sentence"), GATEWAYS.values(), ids=GATEWAYS)
async def test_a_gateway_in_trouble(
    world: World, answers: Mapping[str, Said], sentence: str
) -> None:
    odd = OddGateway(**answers)
    async with odd.serve() as url:
        (told,) = await problems(
            world, GATEWAYS__MAIN__BASE_URL=url, GATEWAYS__MAIN__DIALECT="new-api"
        )
    assert sentence in told
    assert [path for method, path, _ in odd.requests if method != "GET"] in ([], ["/v1/videos"] * 2)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (usage(420), "420 units are left on the key."),
        (usage(-7, unlimited=True), "the key has no limit of its own."),
    ],
)
async def test_a_balance_that_is_told(world: World, said: Said, sentence: str) -> None:
    odd = OddGateway(v1__videos=UNKNOWN_TASK, api__usage__token=said)
    async with odd.serve() as url:
        found = await poll(world, GATEWAYS__MAIN__BASE_URL=url)
    assert sentence in sentences(found, Mark.OK)
    assert "does not list its models" in sentences(found, Mark.NOTE)


async def test_a_key_that_goes_through_the_internet_in_the_open(world: World) -> None:
    told = await problems(world, GATEWAYS__MAIN__BASE_URL="http://192.0.2.1.example.invalid/v1")
    assert "is not encrypted, so anybody on the way can read the key. Use https." in told[0]
    assert "Nothing answers at http://192.0.2.1.example.invalid (" in told[1]


# --- which software it is ------------------------------------------------------------------------


async def test_the_software_is_told_with_what_is_held_back_and_kept(world: World) -> None:
    host = PluginHost("kling-v1", *PACKAGED)
    new_api = {"GATEWAYS__MAIN__DIALECT": "new-api"}
    async with host.serve() as url:
        found = await poll(world, GATEWAYS__MAIN__BASE_URL=url, **new_api)
        assert sentences(found, Mark.PROBLEM) == ""
        told = sentences(found, Mark.NOTE)
        assert "Gateway main runs new-api v1.0.0-rc.24, generation C; found so since 20" in told
        assert "Held back: Kling (i2v, kf2v) at gateway main, until gateways.main.plugins." in told
        assert 'write them down: in [gateways.main], plugins.kling = "1.1.0".' in told
        config = world.config(GATEWAYS__MAIN__BASE_URL=url, **new_api)
        assert config.settings.gateways["main"].generation == "C"
        named = await poll(
            world,
            GATEWAYS__MAIN__BASE_URL=url,
            GATEWAYS__MAIN__PLUGINS='{"kling": "1.1.0", "jimeng": "1.1.0"}',
            **new_api,
        )
        assert "Held back" not in sentences(named, Mark.NOTE)
    assert (len(host.posts), host.tasks) == (2, [])


async def test_models_are_counted_with_what_was_found_just_now(world: World) -> None:
    """The first look ever: nothing is kept yet of the models that the key has."""
    async with PluginHost("wan3.0-video", "grok-imagine-video", *PACKAGED).serve() as url:
        changes = {"GATEWAYS__MAIN__BASE_URL": url, "GATEWAYS__MAIN__DIALECT": "new-api"}
        first = sentences(await poll(world, **changes), Mark.OK)
        again = sentences(await poll(world, **changes), Mark.OK)
        offered = len(world.config(**changes).catalog.models)
    (counted,) = [line for line in first.splitlines() if "can be used" in line and "model" in line]
    assert f": {offered} models can be used." in counted
    assert counted in again


async def test_a_list_that_was_left_aside_is_no_problem_once_there_is_another(
    world: World,
) -> None:
    host = PluginHost("kling-v1")
    changes = {"GATEWAYS__MAIN__DIALECT": "new-api", "DEFAULT_MODEL": "wan-2.2"}
    async with host.serve() as url:
        aside = await problems(world, GATEWAYS__MAIN__BASE_URL=url, **changes)
        assert "default_model is wan-2.2" in "".join(aside)
        host.names = PACKAGED
        assert await problems(world, GATEWAYS__MAIN__BASE_URL=url, **changes) == []


async def test_what_has_changed_since_is_told(world: World) -> None:
    host = PluginHost("kling-v1", *PACKAGED)
    new_api = {"GATEWAYS__MAIN__DIALECT": "new-api"}
    async with host.serve() as url:
        await poll(world, GATEWAYS__MAIN__BASE_URL=url, **new_api)
        again = await poll(world, GATEWAYS__MAIN__BASE_URL=url, **new_api)
        assert not [each for each in again if "has changed" in each.sentence]
        host.version, host.names = "v1.0.1", ("wan3.0-video", "gpt-9", *PACKAGED[:-1])
        told = sentences(await poll(world, GATEWAYS__MAIN__BASE_URL=url, **new_api), Mark.NOTE)
    assert "has changed: on 20" in told
    assert "it was new-api v1.0.0-rc.24, generation C. A service that runs takes" in told
    assert ": wan3.0-video. A service that runs offers them after its next start." in told
    assert f"on 20{told.partition(' no longer; on 20')[2][:8]} it had them: {PACKAGED[-1]}." in told


async def test_an_older_relay_is_told_and_not_counted_on(world: World) -> None:
    odd = OddGateway(
        v1__videos__zoetrope=UNKNOWN_TASK,
        v1__videos=Said(400, {"error": {"message": "model name?", "type": "new_api_error"}}),
    )
    async with odd.serve() as url:
        changes = {"GATEWAYS__MAIN__BASE_URL": url, "GATEWAYS__MAIN__DIALECT": "new-api"}
        told = sentences(await poll(world, **changes), Mark.NOTE)
        assert "Gateway main runs new-api, generation A or B; found so since" in told
        assert 'set gateways.main.generation = "B".' in told
        assert "Held back: Kling (i2v, kf2v)" in told
        assert world.config(**changes).settings.gateways["main"].generation is None
        told = sentences(await poll(world, GATEWAYS__MAIN__GENERATION="B", **changes), Mark.NOTE)
    assert ('set gateways.main.generation = "B".' in told, "Held back: Kling" in told) == (
        False,
        False,
    )


@pytest.mark.proof
async def test_a_dialect_that_is_not_its_own_is_a_problem(world: World) -> None:
    """The doctor says so, and so does `check` from then on, until the dialect is another."""
    async with PluginHost("sora-2", *PACKAGED).serve() as url:
        (told,) = await problems(world, GATEWAYS__MAIN__BASE_URL=url)
        wrong = world.written(GATEWAYS__MAIN__BASE_URL=url)
        right = world.written(GATEWAYS__MAIN__BASE_URL=url, GATEWAYS__MAIN__DIALECT="new-api")
        assert told.endswith('pictures can get lost. Set gateways.main.dialect = "new-api".')
        for variables, is_told in ((wrong, True), (right, False)):
            code, said = await zoetrope("check", folder=world.folder, **variables)
            assert (code, told in said) == (0, is_told)


async def test_what_was_kept_and_cannot_be_read_is_told_and_mended(world: World) -> None:
    (world.folder / "data").mkdir()
    (world.folder / "data" / "gateways.json").write_text("{", "utf-8")
    (told,) = await problems(world)
    assert "gateways.json can't be read, so nothing in it counts" in told
    assert await problems(world) == []


# --- the machine ---------------------------------------------------------------------------------


async def test_a_clock_that_is_wrong(tmp_path: Path, renderer: Renderer) -> None:
    """By Discord's clock, and by the gateway's."""

    def ahead() -> float:
        return time.time() + 600

    simulator = Simulator(renderer=renderer, now=ahead)
    async with FakeDiscord(clock=ahead) as discord, simulator.serve() as url:
        world = World(discord=discord, simulator=simulator, gateway_url=url, folder=tmp_path)
        told = await problems(world)
    assert [each.partition(" that of ")[2].split()[0] for each in told] == ["main", "Discord"]
    for each in told:  # HTTP tells whole seconds, and a busy machine takes some
        assert -660 < int(each.partition(" by ")[2].split()[0]) < -540


def test_a_clock_that_says_nothing_is_no_finding() -> None:
    assert [compared("it", date, now=0.0) for date in ("", "yesterday")] == [None, None]


def test_a_disk_with_too_little_room() -> None:
    low, enough = room("/data", free=300_000_000), room("/data", free=5_000_000_000)
    assert (low.mark, enough.mark) == (Mark.PROBLEM, Mark.OK)
    assert low.sentence.startswith("Only 0.3 GB are free in /data; 1 GB are wanted. Make room")


def test_a_machine_that_allows_too_few_open_files() -> None:
    low, enough = files(1024), files(4096)
    assert (low.mark, enough.mark) == (Mark.PROBLEM, Mark.OK)
    assert low.sentence.startswith("Only 1024 files and connections may be open at once; 1536 are")
    assert "the web server takes 256 connections" in low.sentence


async def test_a_folder_that_cannot_be_written(world: World) -> None:
    told = await problems(world, DATA_DIR="/proc/zoetrope")
    assert told[0].startswith("I can't write in /proc (")


@pytest.mark.parametrize("name", ["scratch", "received", "media"])
async def test_what_stops_the_start_inside_the_data_folder_is_told(world: World, name: str) -> None:
    """A folder that somebody else made there, root by an accident, is one more such thing."""
    (world.folder / "data").mkdir()
    (world.folder / "data" / name).touch()
    (told,) = await problems(world)
    assert told.startswith(f"I can't write in {world.folder / 'data' / name} (")
    with pytest.raises(FileExistsError):
        async with world.app():
            pass


async def test_a_folder_for_backups_that_takes_none_is_told_with_its_setting(world: World) -> None:
    (world.folder / "data").mkdir()
    (world.folder / "data" / "backups").touch()
    (told,) = await problems(world)
    assert "or set data_dir to another folder" in told
    (told,) = await problems(world, BACKUP__FOLDER="/proc/backups")
    assert "or set backup.folder to another folder" in told
    (told,) = await problems(world, BACKUP__COPY_TO="/proc/copies", BACKUP__FOLDER="backups")
    assert "or set backup.copy_to to another folder" in told


async def test_a_lock_that_cannot_be_taken_is_told_before_there_is_a_database(
    world: World,
) -> None:
    lock = world.folder / "data" / "zoetrope.db.lock"
    lock.mkdir(parents=True)
    assert await problems(world) == [f"I can't use {lock}: Is a directory."]
    with pytest.raises(IsADirectoryError):
        async with world.app():
            pass


async def test_trouble_that_ends_one_look_leaves_the_others(world: World) -> None:
    (world.folder / "data" / "pending-ids").mkdir(parents=True)
    found = await poll(world)
    assert "pending-ids: Is a directory" in sentences(found, Mark.PROBLEM)
    assert "Gateway main takes the key." in sentences(found, Mark.OK)


async def test_a_bucket_is_asked_whether_it_takes_files(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = FakeBucket()
    async with bucket.serve() as variables:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        found = await poll(world, STORAGE_URL=URL)
        assert "The bucket s3://videos answers and takes files." in sentences(found, Mark.OK)
        bucket.trouble = (403, "AccessDenied")
        for setting in ("STORAGE_URL", "BACKUP__COPY_TO"):
            (told,) = await problems(world, **{setting: URL})
            assert told.startswith("The bucket s3://videos is not well: refused.")


def test_a_folder_that_cannot_even_be_looked_for(tmp_path: Path) -> None:
    """Its name is too long to be asked for; below a folder that is closed to us it is the same."""
    found = folder(tmp_path / ("x" * 300) / "data")
    assert str(tmp_path) in found.sentence


async def test_a_database_server_that_is_away_is_told_as_run_tells_it(world: World) -> None:
    (told,) = await problems(world, DATABASE_URL="postgresql+asyncpg://ann:hunter2@127.0.0.1:1/z")
    assert told.startswith("The database at 127.0.0.1:1 can't be reached (Connection refused).")


async def test_a_damaged_database(world: World) -> None:
    (world.folder / "data").mkdir()
    (world.folder / "data" / "zoetrope.db").write_bytes(b"no database at all " * 100)
    (told,) = await problems(world)
    assert "is damaged (" in told


@pytest.mark.proof
async def test_an_instance_that_is_running_is_no_problem(world: World) -> None:
    async with world.app():
        found = await poll(world)
    world.discord.requests.clear()
    assert sentences(found, Mark.PROBLEM) == ""
    assert "An instance is running (" in sentences(found, Mark.NOTE)


@pytest.mark.proof
async def test_a_public_address_that_leads_here_or_elsewhere(world: World) -> None:
    async with world.app() as address:
        found = await poll(world, WEB__PUBLIC_URL=address)
    world.discord.requests.clear()
    assert f"{address} leads here: links work." in sentences(found, Mark.OK)
    async with OddGateway().serve() as elsewhere:
        (told,) = await problems(world, WEB__PUBLIC_URL=elsewhere)
    assert told.startswith(f"Something else answers at {elsewhere} (HTTP 404).")
    (told,) = await problems(world, WEB__PUBLIC_URL="http://127.0.0.1:1")
    assert told.startswith("http://127.0.0.1:1 does not answer (")


async def test_a_public_address_while_the_service_is_down(world: World) -> None:
    """Somebody has to answer, so the doctor does it."""
    with socket.socket() as held:
        # Nobody else is given the port; who asks for it by its number has it all the same.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        port = str(held.getsockname()[1])
        found = await poll(world, WEB__PORT=port, WEB__PUBLIC_URL=f"http://127.0.0.1:{port}")
    assert "leads here: links work." in sentences(found, Mark.OK)


async def test_the_key_lacks_a_model_of_the_simulated_gateway(
    world: World, renderer: Renderer
) -> None:
    some = replace(DOCUMENTED, models={"sora-2": MODELS["sora-2"]})
    async with Simulator(profile=some, renderer=renderer).serve() as url:
        (told,) = await problems(world, GATEWAYS__MAIN__BASE_URL=url)
    # Those that the operator's own tables name; what else is not there is offered to nobody.
    assert "the key lacks wan2.5-i2v-preview, wan2.5-t2v-preview, so videos" in told


async def test_the_key_of_a_community_is_asked_once_for_what_it_is_to_make(world: World) -> None:
    odd = OddGateway(v1__videos=UNKNOWN_TASK, v1__models=models("sora-2"), api__usage=usage(9))
    async with odd.serve() as url:
        (told,) = await problems(
            world,
            GATEWAYS__CLUB__BASE_URL=url,
            GATEWAYS__CLUB__API_KEY="sk-club",
            COMMUNITIES='{"telegram:-5": {"gateway": "club"}, "telegram:-6": {"gateway": "club"}}',
        )
    assert told.startswith("Gateway club: the key lacks wan2.5-i2v-preview, wan2.5-t2v-preview,")
    assert [path for _, path, _ in odd.requests].count("/v1/models") == 1
