"""The options of `zoetrope simulator`."""

import re

import aiohttp
import pytest
from typer.testing import CliRunner

from bot.cli.main import app
from bot.cli.simulator import build_simulator
from bot.core.errors import Broken
from bot.simulator.profiles import PROFILES
from bot.simulator.server import Simulator


def built(profile: str, *troubles: str, key: str | None = None) -> Simulator:
    return build_simulator(
        key=key, other_keys=["sk-other"], render_time=8, profile=profile, tick=None,
        at_once=1, troubles=troubles,
    )  # fmt: skip


@pytest.mark.proof
async def test_the_simulator_command_starts_with_the_named_profile_and_troubles() -> None:
    simulator = built("new-api", "create-503", "not-yet")
    content = {"prompt": "a", "model": "kling-v1"}
    answers = []
    async with simulator.serve() as url, aiohttp.ClientSession(url) as client:
        for key in ("sk-sim", "sk-sim", "sk-sim", "sk-other", "sk-no"):
            headers = {"Authorization": f"Bearer {key}"}
            async with client.post("/v1/videos", json=content, headers=headers) as answer:
                answers.append(answer.status)
    assert (len(simulator.faults), answers) == (2, [503, 200, 429, 200, 401])


@pytest.mark.parametrize(
    ("options", "code"),
    [(("new-apy",), "unknown_profile"), (("openai", "explode"), "unknown_trouble")],
)
def test_an_unknown_profile_or_trouble_of_the_simulator_is_refused(
    options: tuple[str, ...], code: str
) -> None:
    with pytest.raises(Broken) as caught:
        built(*options)
    assert (caught.value.code, caught.value.values["name"]) == (code, options[-1])


def test_the_simulators_help_names_every_profile_and_shows_how_to_choose_plugins() -> None:
    shown = CliRunner().invoke(app, ["simulator", "--help"], env={"COLUMNS": "400"}).output
    (line,) = [line for line in shown.splitlines() if "--profile" in line]
    listed = line.partition("imitate:")[2].partition(";")[0]
    names = re.split(r", | or ", listed.strip())
    assert {*names} == {*PROFILES}
    example = re.search(r"new-api-c:[\w.,=-]*\w", line)
    assert example is not None
    built(example[0])


@pytest.mark.parametrize(
    ("key", "statuses"),
    [(None, [401, 401, 404]), ("", [404, 404, 404]), ("sk-mine", [401, 401, 401])],
)
async def test_the_simulator_needs_the_given_key_or_none_if_it_is_empty(
    key: str | None, statuses: list[int]
) -> None:
    found = []
    async with built("documented", key=key).serve() as url, aiohttp.ClientSession(url) as client:
        for sent in ({}, {"Authorization": "Bearer sk-no"}, {"Authorization": "Bearer sk-sim"}):
            async with client.get("/v1/videos/video_1", headers=sent) as answer:
                found.append(answer.status)
    assert found == statuses


async def test_the_simulator_can_run_each_plugin_in_its_own_version() -> None:
    simulator = built("new-api-c:kling=1.0.0,alibaba=none")
    headers = {"Authorization": "Bearer sk-sim"}
    async with simulator.serve() as url, aiohttp.ClientSession(url, headers=headers) as client:
        for model in ("kling-v1", "wan2.5-t2v-preview"):
            content = {"prompt": "a", "model": model, "image": "no picture"}
            async with client.post("/v1/videos", json=content):
                pass
    assert [entry.status for entry in simulator.journal] == [200, 503]


async def test_a_server_of_ones_own_serves_the_named_model_and_needs_no_key() -> None:
    simulator = built("vllm-omni:MiniMaxAI/MiniMax-H3")
    async with (
        simulator.serve() as url,
        aiohttp.ClientSession(url) as client,
        client.get("/v1/models") as answer,
    ):
        models = [model["id"] for model in (await answer.json())["data"]]
    assert (answer.status, models) == (200, ["MiniMaxAI/MiniMax-H3"])


@pytest.mark.parametrize(
    ("profile", "code"),
    [
        ("openrouter:google/veo-3.1", "unknown_profile"),
        ("new-api-c:klling=1.0.0", "bad_plugin"),
        ("new-api-c:kling", "bad_plugin"),
        ("new-api-c:", "bad_plugin"),
        ("new-api:kling=1.0.0", "unknown_profile"),
    ],
)
def test_an_impossible_plugin_of_the_simulator_is_refused(profile: str, code: str) -> None:
    with pytest.raises(Broken) as caught:
        built(profile)
    assert caught.value.code == code
