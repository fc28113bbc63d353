"""Mistakes in the answers to `zoetrope init`: each gets its own sentence."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.cli.init.gateway import respell
from bot.cli.init.setup import Setup
from tests.e2e.command_line import zoetrope
from tests.e2e.conversations import (
    ADDRESS,
    KEY,
    OUTAGE,
    PASTED,
    SECRET,
    TOKEN,
    init,
    three,
    written,
)
from tests.e2e.world import World
from tests.fakes.gateways import (
    BAD_KEY,
    NO_DATABASE,
    PAGE,
    SPENT_KEY,
    UNKNOWN_TASK,
    WRONG_PATH,
    OddGateway,
    Said,
    models,
    usage,
)

pytestmark = pytest.mark.usefixtures("nothing_is_paid_by_itself")


@pytest.mark.proof
async def test_every_wrong_text_pasted_as_a_discord_token_gets_its_own_sentence(
    world: World,
) -> None:
    async with init(world) as person:
        for pasted, sentence in PASTED.values():
            await person.answers(TOKEN, pasted)
            await person.sees(sentence)
        world.discord.faults.add("GET", "/users/@me$", OUTAGE)
        await person.answers(TOKEN, world.discord.token)
        await person.sees("I can't reach Discord.")
        await person.answers(TOKEN, f'  "Bot {world.discord.token}"  ')
        await person.sees("Discord accepts the token.")
    assert f"={world.discord.token}\n" in written(world.folder)["secrets.env"]


ELSEWHERE: Mapping[str, tuple[Said, str]] = {
    "page": (PAGE, "is a web page, not a gateway."),
    "no videos": (WRONG_PATH, "has no /v1/videos"),
    "down": (Said(503, "upstream"), "the gateway behind it does not (HTTP 503)"),
    "moved": (
        Said(308, "", {"Location": "https://elsewhere.example/v1/videos/x"}),
        "redirects to https://elsewhere.example. Use that address.",
    ),
    "http at an https port": (
        Said(400, "<html>The plain HTTP request was sent to HTTPS port</html>"),
        "redirects to https://127.0.0.1",
    ),
}


@pytest.mark.proof
async def test_every_address_that_is_no_gateway_gets_its_own_sentence(world: World) -> None:
    odd = OddGateway()
    async with init(world) as person, odd.serve() as url:
        await person.answers(TOKEN, world.discord.token)
        for said, sentence in ELSEWHERE.values():
            odd.answers = {"/v1/videos": said}
            await person.answers(ADDRESS, url)
            await person.sees(sentence)
        for address, sentence in {
            "ftp://gateway": "has to be a web address",
            "127.0.0.1:1": "I can't reach http://127.0.0.1:1 (",
            url.replace("http", "https"): "does not speak https",
        }.items():
            await person.answers(ADDRESS, address)
            await person.sees(sentence)
        await person.answers(ADDRESS, "'sk-canary'")
        await person.sees("sk-canary'\n")
        assert "canary" not in await person.sees("looks like an API key,")
        await person.answers(ADDRESS, f' "{world.gateway_url}/v1/videos/" ')
        await person.sees(f"There is a gateway at {world.gateway_url}.\n")
    assert not [request for request in odd.requests if request[2]], "nobody was shown a key"


@pytest.mark.proof
async def test_every_fault_of_a_gateway_key_gets_its_own_sentence(world: World) -> None:
    odd = OddGateway(v1__videos=BAD_KEY)
    async with init(world) as person, odd.serve() as url:
        await person.answers(TOKEN, world.discord.token)
        await person.answers(ADDRESS, url)
        await person.answers(SECRET, "sk-one sk-two")
        await person.sees("has characters that such a secret never has")
        await person.answers(SECRET, "sk-wrong")
        await person.sees("does not accept the key.")
        odd.answers |= {"/v1/videos": NO_DATABASE, "/v1/models": NO_DATABASE}
        await person.answers(SECRET, "sk-litellm")
        await person.sees("does not accept the key.")
        del odd.answers["/v1/models"]
        odd.answers["/v1/videos"] = SPENT_KEY
        await person.answers(SECRET, "sk-spent")
        await person.sees("The key has no money left. Top it up")
        odd.answers |= {"/v1/videos": UNKNOWN_TASK, "/v1/models": BAD_KEY}
        await person.answers(SECRET, "sk-half")
        await person.sees("does not accept the key.")
        odd.answers |= {"/v1/models": models("gpt-9\x1b[2J"), "/api/usage/token": usage(0)}
        await person.answers(SECRET, "Bearer 'sk-right'")
        await person.sees("the key has no money left. Top it up there.")
        await person.sees("The key has none of the models that I know")
        assert "It has: nothing that I can read." in await person.sees("another key.")
    assert [path for method, path, _ in odd.requests if method != "GET"] == ["/v1/videos"] * 2
    assert "API_KEY=sk-right\n" in written(world.folder)["secrets.env"]
    assert "sk-wrong" not in "".join(written(world.folder).values())


@pytest.mark.proof
async def test_init_can_replace_the_address_of_a_wrong_gateway(world: World) -> None:
    """The address can be replaced at once and after a restart.

    Enter alone keeps the present address.
    """
    odd = OddGateway(v1__videos=BAD_KEY)
    async with odd.serve() as url:
        async with init(world) as person:
            await person.answers(TOKEN, world.discord.token)
            await person.answers(ADDRESS, url)
            await person.answers(SECRET, KEY)
            await person.sees("does not accept the key.")
            await person.answers(SECRET, "")
            await person.sees(f"{ADDRESS}, such as https://88api.ai: [{url}]")
            person.types("\n")
            await person.sees(SECRET)
        async with init(world) as person:
            await person.answers(SECRET, "")
            await person.answers(ADDRESS, world.gateway_url)
            await person.answers(SECRET, KEY)
            await person.sees("The gateway accepts the key.")
    assert f'base_url = "{world.gateway_url}"' in written(world.folder)["config.toml"]


@pytest.mark.proof
def test_the_dialect_openai_is_replaced_when_the_address_is_no_longer_openais(
    tmp_path: Path,
) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[gateways.main]\ndialect = "openai"\n', "utf-8")
    setup = Setup(file, environment={})
    respell(setup, "main", before="https://api.openai.com", url="https://88api.ai")
    assert setup.get("gateways", "main", "dialect") == "new-api"


@pytest.mark.proof
async def test_init_does_not_ask_for_a_gateway_address_that_the_environment_sets(
    world: World,
) -> None:
    async with init(world, ZOETROPE_GATEWAYS__MAIN__BASE_URL=world.gateway_url) as person:
        await person.answers(TOKEN, world.discord.token)
        await person.answers(SECRET, "")
        await person.sees("ZOETROPE_GATEWAYS__MAIN__BASE_URL is set in your environment")
        assert await person.ends() == 78


@pytest.mark.proof
async def test_init_reports_an_invitation_without_the_scope_for_commands(world: World) -> None:
    world.discord.guild.commands_scope = False
    async with init(world) as person:
        await person.answers(TOKEN, world.discord.token)
        await person.sees("The Workshop: the bot was invited without the scope")


@pytest.mark.proof
async def test_init_reports_a_discord_intent_that_is_refused(world: World) -> None:
    (world.folder / "config.toml").write_text("[discord]\nmessage_content_intent = true\n")
    async with init(world) as person:
        await person.answers(TOKEN, world.discord.token)
        await person.sees("Discord refuses an intent that I asked for. Switch on")


@pytest.mark.proof
async def test_a_bad_token_in_the_environment_ends_init_instead_of_asking_for_ever(
    world: World,
) -> None:
    async with init(world, ZOETROPE_DISCORD__TOKEN="MTE4.GhIjKl.MnOpQrStUvWxYz") as person:
        await person.sees("Discord does not accept the token.")
        await person.sees("ZOETROPE_DISCORD__TOKEN is set in your environment and overrides")
        assert await person.ends() == 78


@pytest.mark.proof
async def test_init_leaves_a_file_alone_that_cannot_be_edited_line_by_line(world: World) -> None:
    tricky = 'language = """\n[gateways.main]\n"""\n'
    (world.folder / "config.toml").write_text(tricky, "utf-8")
    code, said = await zoetrope("init", "--yes", folder=world.folder, **three(world))
    assert code == 1
    assert "can't write secrets into config.toml without breaking the file" in said
    assert written(world.folder)["config.toml"] == tricky
