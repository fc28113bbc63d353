"""`zoetrope doctor` in a sound installation, and with trouble at Discord."""

from typing import Any

import pytest

from bot.cli.doctor.findings import Mark
from tests.e2e.command_line import zoetrope
from tests.e2e.findings import poll, problems, sentences
from tests.e2e.world import World
from tests.fakes.discord import Intent, Permission, rate_limited
from tests.fakes.discord.faults import Fault
from tests.fakes.discord.rest import Outcome
from tests.fakes.gateways import (
    OddGateway,
)
from tests.unit.config.conftest import PACKAGED

pytestmark = pytest.mark.usefixtures("only_looks")

INVITATION = "https://discord.com/oauth2/authorize?client_id="


async def test_doctor_finds_no_problem_in_a_sound_installation(world: World) -> None:
    variables = world.written()
    code, said = await zoetrope("doctor", folder=world.folder, **variables)
    lines = [(line[:9].strip(), line[9:]) for line in said.splitlines() if line]
    assert (code, lines.pop()) == (0, ("Everythin", "g works.")), said
    assert [mark for mark, _ in lines if mark not in ("ok", "note")] == []
    words = "\n".join(sentence for _, sentence in lines)
    for part in (
        f"{len(PACKAGED)} models can be used",
        "GB are free in",
        "There is no database yet. The first `zoetrope run` creates it.",
        "The bot is called zoetrope",
        "clock agrees with the clock of Discord",
        "I ask for no privileged intent",
        "zoetrope is in: The Workshop.",
        "every permission that it needs wherever it may write (channels: 1)",
        "reload Discord with Ctrl+R",
        "Gateway main accepts the key.",
        "Gateway main runs unknown software (first seen 20",
        "the key has every model",
        "does not tell the key's balance",
        "The service can listen at http://127.0.0.1:",
        "web.public_url is not set",
    ):
        assert part in words
    assert world.discord.token not in said
    assert [each.name for each in (world.folder / "data").iterdir()] == ["gateways.json"]


@pytest.mark.proof
async def test_doctor_lists_every_mistake_in_the_configuration(world: World) -> None:
    variables = world.written(WEB__PORT="here", COLOUR="red")
    code, said = await zoetrope("doctor", folder=world.folder, **variables)
    assert code == 1
    assert [line.split()[:2] for line in said.splitlines()] == [
        ["problem", "web.port"],
        ["problem", "colour"],
        [],
        ["2", "problems"],
    ]


# --- Discord -------------------------------------------------------------------------------------


async def test_doctor_reports_a_bad_discord_token(world: World) -> None:
    (told,) = await problems(world, DISCORD__TOKEN="MTE4.GhIjKl.MnOpQrStUvWxYz")
    assert told.startswith("Discord does not accept the token. Copy it again")


async def test_doctor_reports_a_refused_discord_intent_and_confirms_a_granted_one(
    world: World,
) -> None:
    (told,) = await problems(world, DISCORD__MESSAGE_CONTENT_INTENT="true")
    assert told.startswith("Discord refuses an intent that I asked for. Switch on")
    world.discord.grant(Intent.MESSAGE_CONTENT)
    found = await poll(world, DISCORD__MESSAGE_CONTENT_INTENT="true")
    assert "I ask for Message Content Intent, and Discord grants it." in sentences(found, Mark.OK)


async def test_doctor_gives_the_invitation_if_the_bot_is_in_no_server(world: World) -> None:
    world.discord.guild.bot_is_member = False
    (told,) = await problems(world)
    assert told.startswith("zoetrope is in no server. Invite it: " + INVITATION)


@pytest.mark.proof
async def test_doctor_reports_a_server_joined_without_the_scope_for_commands(world: World) -> None:
    other = world.discord.add_guild("Old Hall")
    world.discord.add_channel(other, "hall")
    other.commands_scope = False
    (told,) = await problems(world)
    assert told.startswith("Old Hall: the bot was invited without the scope applications.commands")
    assert INVITATION in told


async def test_doctor_names_the_registered_discord_commands(world: World) -> None:
    world.discord.world.commands = [{"name": "video", "type": 1}, {"name": "Animate", "type": 3}]
    found = await poll(world)
    assert "Registered commands: video, Animate. If you don't see" in sentences(found, Mark.OK)


async def test_doctor_names_the_permissions_that_a_channel_lacks(world: World) -> None:
    """A channel where the bot may not write at all is left out: somebody wanted that."""
    for name in ("art", "videos"):
        channel = world.discord.add_channel(world.discord.guild, name)
        world.discord.deny(channel, Permission.ATTACH_FILES | Permission.EMBED_LINKS)
    news = world.discord.add_channel(world.discord.guild, "news")
    world.discord.deny(news, Permission.SEND_MESSAGES)
    secret = world.discord.add_channel(world.discord.guild, "secret")
    world.discord.deny(secret, Permission.VIEW_CHANNEL)
    (told,) = await problems(world)
    assert told.startswith(
        "The Workshop, #art, #videos: missing permissions: Embed Links, Attach Files. Allow them"
    )


@pytest.mark.proof
async def test_control_characters_in_names_of_servers_do_not_reach_the_terminal(
    world: World,
) -> None:
    """A letter that the terminal's encoding lacks does not end the command either."""
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


async def test_doctor_reports_a_server_without_a_channel_to_write_in(world: World) -> None:
    world.discord.guild.bot_permissions = Permission.VIEW_CHANNEL
    (told,) = await problems(world)
    assert told.startswith("The Workshop: the bot may not write in any channel.")


async def test_doctor_finds_no_missing_permission_for_an_administrator(world: World) -> None:
    world.discord.guild.bot_permissions = Permission.ADMINISTRATOR
    assert await problems(world) == []


@pytest.mark.parametrize("said", [{"id": "1", "name": "Lame"}, {}, [], "null"])
async def test_doctor_notes_a_server_without_roles_and_still_checks_the_other_servers(
    world: World, said: Any
) -> None:
    lame = world.discord.add_guild("Lame")
    world.discord.add_channel(lame, "hall")
    answer = Fault(answer=Outcome(200, said))
    world.discord.faults.add("GET", f"/guilds/{lame.id}$", answer, times=None)
    found = await poll(world)
    assert "Lame: Discord does not show me the permissions there." in sentences(found, Mark.NOTE)
    assert "The Workshop" in sentences(found, Mark.OK)
    assert await problems(world) == []


async def test_doctor_reads_every_page_of_a_long_list_of_servers(world: World) -> None:
    for number in range(205):
        guild = world.discord.add_guild(f"Hall {number}")
        world.discord.add_channel(guild, "hall")
    found = await poll(world)
    assert "zoetrope is in: The Workshop, Hall 0, Hall 1, Hall 2, Hall 3, 201 more." in sentences(
        found, Mark.OK
    )


async def test_doctor_reports_that_discord_cannot_be_reached(world: World) -> None:
    told = await problems(world, DISCORD__API_URL="http://127.0.0.1:1")
    assert told == [
        "I can't reach Discord. Check this machine's network, and discord.api_url if it is set."
    ]


async def test_doctor_reports_that_no_platform_is_configured(world: World) -> None:
    (told,) = await problems(world, DISCORD__TOKEN="")
    assert told.startswith("No chat platform is configured.")


async def test_doctor_finds_no_problem_with_the_room_as_the_only_platform(world: World) -> None:
    found = await poll(world, DISCORD__TOKEN="", PLAYGROUND__ENABLED="true")
    assert sentences(found, Mark.PROBLEM) == ""
    assert "Discord" not in "".join(finding.sentence for finding in found)
    assert world.discord.requests == []


async def test_doctor_reports_a_storage_folder_with_which_run_would_not_start(world: World) -> None:
    told = await problems(world, STORAGE_URL="/dev/null/media")
    assert [sentence.partition(",")[0] for sentence in told] == ["storage_url is /dev/null/media"]


@pytest.mark.proof
async def test_doctor_reports_a_port_taken_by_another_program_but_not_by_the_service_itself(
    world: World,
) -> None:
    """If another program has the port, `run` would end."""
    async with OddGateway().serve() as elsewhere:
        port = elsewhere.rpartition(":")[2]
        (told,) = await problems(world, WEB__PORT=port)
    assert told.startswith(f"Another program already listens at 127.0.0.1:{port}.")
    async with world.app(WEB__PORT=port):
        found = await poll(world, WEB__PORT=port)
    world.discord.requests.clear()
    assert sentences(found, Mark.PROBLEM) == ""


async def test_doctor_retries_when_discord_answers_429(world: World) -> None:
    world.discord.faults.add("GET", "/users/@me$", rate_limited(), times=2)
    assert await problems(world) == []
