"""`zoetrope doctor` and trouble with gateways and their software."""

from collections.abc import Mapping

import pytest

from bot.cli.doctor.findings import Mark
from tests.e2e.command_line import zoetrope
from tests.e2e.findings import poll, problems, sentences
from tests.e2e.world import World
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

pytestmark = pytest.mark.usefixtures("only_looks")

# --- gateways ------------------------------------------------------------------------------------


GATEWAYS: Mapping[str, tuple[Mapping[str, Said], str]] = {
    "bad key": ({"v1__videos": BAD_KEY}, "Gateway main: The gateway does not accept the key. Copy"),
    "spent key": (
        {"v1__videos": SPENT_KEY},
        "Gateway main: The key has no money left. Top it",
    ),
    "wrong key at litellm": (
        {"v1__videos": NO_DATABASE, "v1__models": NO_DATABASE},
        "Gateway main: The gateway does not accept the key.",
    ),
    "firewall page": (
        {"v1__videos": Said(403, "<html>Just a moment...", {"Server": "cloudflare"})},
        "blocks this program (HTTP 403), so my request did not reach the gateway.",
    ),
    "redirect of orders": (
        {
            "v1__videos__zoetrope": UNKNOWN_TASK,
            "v1__videos": Said(308, "", {"Location": "/v1/videos/"}),
        },
        "redirects orders at /v1/videos (HTTP 308, to “/v1/videos/”).",
    ),
    "web page": ({"v1__videos": PAGE}, "is a web page, not a gateway."),
    "busy": ({"v1__videos": Said(429)}, "asks me to slow down and gives no other answer now."),
    "redirect to a mail address": (
        {"v1__videos": Said(302, "", {"Location": "mailto:x@y"})},
        "redirects, but not to a gateway.",
    ),
    "no balance": (
        {"v1__videos": UNKNOWN_TASK, "api__usage__token": usage(0)},
        "Gateway main: the key has no money left. Top it up there.",
    ),
    "missing model": (
        {"v1__videos": UNKNOWN_TASK, "v1__models": models(*{*PACKAGED} - {"wan2.5-i2v-preview"})},
        'hide them: [models."wan2.5-i2v-preview"] hidden = true',
    ),
}


@pytest.mark.parametrize(("answers", "sentence"), GATEWAYS.values(), ids=GATEWAYS)
async def test_doctor_reports_what_is_wrong_with_a_gateway(
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
        (usage(420), "the key has 420 units left."),
        (usage(-7, unlimited=True), "the key has no limit of its own."),
    ],
)
async def test_doctor_tells_the_balance_of_the_key(world: World, said: Said, sentence: str) -> None:
    odd = OddGateway(v1__videos=UNKNOWN_TASK, api__usage__token=said)
    async with odd.serve() as url:
        found = await poll(world, GATEWAYS__MAIN__BASE_URL=url)
    assert sentence in sentences(found, Mark.OK)
    assert "does not list its models" in sentences(found, Mark.NOTE)


async def test_doctor_reports_a_gateway_address_without_encryption(world: World) -> None:
    told = await problems(world, GATEWAYS__MAIN__BASE_URL="http://192.0.2.1.example.invalid/v1")
    assert "is not encrypted, so others in the network can read the key. Use https." in told[0]
    assert "I can't reach http://192.0.2.1.example.invalid (" in told[1]


# --- the gateway's software ----------------------------------------------------------------------


async def test_doctor_tells_the_gateways_software_and_the_models_held_back_and_keeps_the_finding(
    world: World,
) -> None:
    host = PluginHost("kling-v1", "wan3.0-video", *PACKAGED)
    new_api = {"GATEWAYS__MAIN__DIALECT": "new-api"}
    async with host.serve() as url:
        found = await poll(world, GATEWAYS__MAIN__BASE_URL=url, **new_api)
        assert sentences(found, Mark.PROBLEM) == ""
        told = sentences(found, Mark.NOTE)
        assert "Gateway main runs new-api v1.0.0-rc.24, generation C (first seen 20" in told
        assert "Held back: Kling (i2v, kf2v) at gateway main, until gateways.main.plugins." in told
        assert 'set them in [gateways.main], such as plugins.kling = "1.1.0".' in told
        config = world.config(GATEWAYS__MAIN__BASE_URL=url, **new_api)
        assert config.settings.gateways["main"].generation == "C"
        named = await poll(
            world,
            GATEWAYS__MAIN__BASE_URL=url,
            GATEWAYS__MAIN__PLUGINS='{"kling": "1.1.0", "jimeng": "1.1.0", "alibaba": "1.4.2"}',
            **new_api,
        )
        assert "Held back" not in sentences(named, Mark.NOTE)
    assert (len(host.posts), host.tasks) == (2, [])


async def test_the_first_doctor_run_counts_the_models_that_it_has_just_found(world: World) -> None:
    """Before this run, nothing is kept about the models of the key."""
    async with PluginHost("wan3.0-video", "grok-imagine-video", *PACKAGED).serve() as url:
        changes = {"GATEWAYS__MAIN__BASE_URL": url, "GATEWAYS__MAIN__DIALECT": "new-api"}
        first = sentences(await poll(world, **changes), Mark.OK)
        again = sentences(await poll(world, **changes), Mark.OK)
        offered = len(world.config(**changes).catalog.models)
    (counted,) = [line for line in first.splitlines() if "can be used" in line and "model" in line]
    assert f": {offered} models can be used." in counted
    assert counted in again


async def test_a_kept_list_of_models_that_hides_the_default_model_is_replaced_by_a_newer_list(
    world: World,
) -> None:
    host = PluginHost("kling-v1")
    changes = {"GATEWAYS__MAIN__DIALECT": "new-api", "DEFAULT_MODEL": "wan-2.2"}
    async with host.serve() as url:
        aside = await problems(world, GATEWAYS__MAIN__BASE_URL=url, **changes)
        assert "default_model is wan-2.2" in "".join(aside)
        host.names = ("wan3.0-video", *PACKAGED)
        assert await problems(world, GATEWAYS__MAIN__BASE_URL=url, **changes) == []


async def test_doctor_tells_which_software_and_models_changed_since_the_last_run(
    world: World,
) -> None:
    host = PluginHost("kling-v1", *PACKAGED)
    new_api = {"GATEWAYS__MAIN__DIALECT": "new-api"}
    async with host.serve() as url:
        await poll(world, GATEWAYS__MAIN__BASE_URL=url, **new_api)
        again = await poll(world, GATEWAYS__MAIN__BASE_URL=url, **new_api)
        assert not [each for each in again if "has changed" in each.sentence]
        host.version, host.names = "v1.0.1", ("wan3.0-video", "gpt-9", *PACKAGED[:-1])
        told = sentences(await poll(world, GATEWAYS__MAIN__BASE_URL=url, **new_api), Mark.NOTE)
    assert "has changed: on 20" in told
    assert "it ran new-api v1.0.0-rc.24, generation C. A running service uses" in told
    assert ": wan3.0-video. A running service offers them after its next start." in told
    assert f"on 20{told.partition(' which it had on 20')[2][:8]}: {PACKAGED[-1]}. A running" in told


async def test_doctor_tells_an_older_relay_but_does_not_count_on_the_finding(world: World) -> None:
    odd = OddGateway(
        v1__videos__zoetrope=UNKNOWN_TASK,
        v1__videos=Said(400, {"error": {"message": "model name?", "type": "new_api_error"}}),
    )
    async with odd.serve() as url:
        changes = {"GATEWAYS__MAIN__BASE_URL": url, "GATEWAYS__MAIN__DIALECT": "new-api"}
        told = sentences(await poll(world, **changes), Mark.NOTE)
        assert "Gateway main runs new-api, generation A or B (first seen" in told
        assert 'set gateways.main.generation = "B".' in told
        assert "Held back: Kling (i2v, kf2v)" in told
        assert world.config(**changes).settings.gateways["main"].generation is None
        told = sentences(await poll(world, GATEWAYS__MAIN__GENERATION="B", **changes), Mark.NOTE)
    assert ('set gateways.main.generation = "B".' in told, "Held back: Kling" in told) == (
        False,
        False,
    )


@pytest.mark.proof
async def test_a_dialect_that_does_not_match_the_gateways_software_is_a_problem(
    world: World,
) -> None:
    """Afterwards `check` says so too, until the dialect is corrected."""
    async with PluginHost("sora-2", *PACKAGED).serve() as url:
        (told,) = await problems(world, GATEWAYS__MAIN__BASE_URL=url)
        wrong = world.written(GATEWAYS__MAIN__BASE_URL=url)
        right = world.written(GATEWAYS__MAIN__BASE_URL=url, GATEWAYS__MAIN__DIALECT="new-api")
        assert told.endswith('pictures can get lost. Set gateways.main.dialect = "new-api".')
        for variables, is_told in ((wrong, True), (right, False)):
            code, said = await zoetrope("check", folder=world.folder, **variables)
            assert (code, told in said) == (0, is_told)


async def test_doctor_reports_a_damaged_gateways_json_and_replaces_the_file(world: World) -> None:
    (world.folder / "data").mkdir()
    (world.folder / "data" / "gateways.json").write_text("{", "utf-8")
    (told,) = await problems(world)
    assert "gateways.json, so I ignore it" in told
    assert await problems(world) == []
