"""Which software a gateway runs: every sign of the table, and that asking begins no task."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

import bot
from bot.gateways.dialects import DIALECTS
from bot.gateways.survey import identify, survey
from bot.gateways.which import ALIKE, FITTING, LABELS, SIGNS, UNKNOWN, Which, software_of
from bot.net.answers import Answer
from bot.simulator.profiles import PROFILES
from bot.simulator.render import Renderer
from bot.simulator.server import Simulator
from tests.fakes.gateways import UNKNOWN_TASK, OddGateway, PluginHost, Said

PAGE = Path(__file__).parents[3] / "docs" / "gateways.md"
VERSION = "X-New-Api-Version"


def said(status: int, body: object, **headers: str) -> Answer:
    text = body if isinstance(body, str) else json.dumps(body)
    return Answer(
        status, {name.replace("_", "-"): it for name, it in headers.items()}, text.encode()
    )


def error(message: str, *, type_: str = "new_api_error", code: object = "") -> object:
    return {"error": {"message": message, "type": type_, "code": code}}


def listed(**entry: object) -> Answer:
    return said(200, {"object": "list", "data": [{"id": "wan2.5-t2v-preview", **entry}]})


NO_TASK = said(400, {"code": "task_not_exist", "message": "task_not_exist", "data": None})
STATUS = said(200, {"success": True, "message": "", "data": {"version": "v1.0.0-rc.24"}})
C_JSON = said(400, error("Invalid task protocol request (request id: 1)"))
OLD_JSON = said(400, error("无效的请求, unexpected end of JSON input (request id: 1)"))
OLD_FORM = said(400, error("未指定模型名称，模型名称不能为空 (request id: 1)"))
A_FORM = said(400, error("model name is required"), X_New_Api_Version="v0.9.25")

KNOWN: Mapping[str, tuple[Mapping[str, Answer], Which]] = {
    "C by malformed JSON": (
        {"video": NO_TASK, "json": C_JSON},
        Which(software="new-api", generation="C"),
    ),
    "C by a form": (
        {"video": NO_TASK, "json": OLD_JSON, "form": said(415, error("unsupported media type"))},
        Which(software="new-api", generation="C"),
    ),
    "C with its version": (
        {"status": STATUS, "json": C_JSON},
        Which(software="new-api", generation="C", version="v1.0.0-rc.24"),
    ),
    "C of a fork without a sign before": (
        {"video": said(404, error("x", type_="y")), "json": C_JSON},
        Which(software="new-api", generation="C"),
    ),
    "B": (
        {"video": NO_TASK, "json": OLD_JSON, "form": OLD_FORM},
        Which(software="new-api", generation="B"),
    ),
    "A": (
        {"video": NO_TASK, "json": OLD_JSON, "form": A_FORM},
        Which(software="new-api", generation="A", version="v0.9.25"),
    ),
    "new-api by a header": (
        {"models": said(200, "", x_new_api_version="sha-0ec8afb")},
        Which(software="new-api", version="sha-0ec8afb"),
    ),
    "new-api by its status alone": (
        {"status": STATUS},
        Which(software="new-api", version="v1.0.0-rc.24"),
    ),
    "new-api by an unknown id": ({"video": NO_TASK}, Which(software="new-api")),
    "new-api by any error": ({"models": said(403, error("no"))}, Which(software="new-api")),
    "new-api by its models": (
        {"models": listed(supported_endpoint_types=["openai-video"])},
        Which(software="new-api"),
    ),
    "new-api by a request id": (
        {"video": said(404, "", X_Oneapi_Request_Id="1")},
        Which(software="new-api"),
    ),
    "LiteLLM": (
        {"models": said(200, "", x_litellm_version="1.106.2")},
        Which(software="litellm", version="1.106.2"),
    ),
    "LiteLLM with a version that is none": (
        {"models": said(200, "", x_litellm_version="\x7f")},
        Which(software="litellm"),
    ),
    "LiteLLM by a call id": (
        {"video": said(500, "", x_litellm_call_id="1")},
        Which(software="litellm"),
    ),
    "LiteLLM without a database": (
        {"video": said(400, error("No connected db.", type_="no_db_connection"))},
        Which(software="litellm"),
    ),
    "LiteLLM before new-api": (
        {"models": said(200, "", x_litellm_version="1.1.0"), "video": NO_TASK},
        Which(software="litellm", version="1.1.0"),
    ),
    "OpenRouter": (
        {"models": listed(canonical_slug="google/veo-3.1")},
        Which(software="openrouter"),
    ),
    "vLLM-Omni": ({"models": listed(owned_by="vllm")}, Which(software="vllm-omni")),
    "SGLang": ({"models": listed(owned_by="sglang")}, Which(software="sglang")),
    "OpenAI": (
        {"video": said(404, error("x", type_="y"), openai_version="2020-10-01")},
        Which(software="openai"),
    ),
}


@pytest.mark.parametrize(("answers", "which"), KNOWN.values(), ids=KNOWN)
def test_a_gateways_answers_reveal_its_software_and_generation(
    answers: Mapping[str, Answer], which: Which
) -> None:
    assert software_of(answers) == which


SILENT: Mapping[str, Mapping[str, Answer]] = {
    "nothing": {},
    "a page for everything": dict.fromkeys(
        ("models", "video", "status", "json", "form"), said(200, "<!doctype html>")
    ),
    "the document's own": {
        "models": listed(owned_by="simulator"),
        "video": said(404, error("there is no video", type_="invalid_request_error")),
        "json": said(400, error("not valid JSON", type_="invalid_request_error")),
    },
    "a 415 of anybody": {"form": said(415, "unsupported")},
    "a version of anything": {"status": said(200, {"version": "3.1"})},
    "a form that misses the model, of anybody": {"form": said(400, error("model?", type_="x"))},
}


@pytest.mark.parametrize("answers", SILENT.values(), ids=SILENT)
def test_answers_that_prove_nothing_leave_the_software_unknown(
    answers: Mapping[str, Answer],
) -> None:
    assert software_of(answers) == Which()


@pytest.mark.proof
def test_a_very_large_page_in_the_place_of_an_answer_is_searched_only_once() -> None:
    """Many servers answer any unknown path with their whole web page."""
    for status in (200, 400):
        page = said(status, '<script>"success" new_api_error model ' * 50_000)
        assert software_of(dict.fromkeys(ASKED, page)) == Which()


BUSY = {
    "slow down": said(429, error("slow down")),
    "no such key": said(401, error("无效的令牌")),
    "down": said(503, error("model is busy")),
    "a page": said(400, "<html>model"),
}


@pytest.mark.parametrize("answer", BUSY.values(), ids=BUSY)
def test_an_answer_about_something_else_reveals_no_generation(answer: Answer) -> None:
    """A gateway wrongly taken for an old relay would be sent pictures that it drops."""
    found = software_of({"video": NO_TASK, "json": answer, "form": answer})
    assert (found.software, found.generation) == ("new-api", None)


def test_every_sign_of_the_table_of_software_is_seen_by_a_test() -> None:
    """A sign that no answer above shows would be an untested sign."""
    seen = {
        sign
        for answers, _ in KNOWN.values()
        for question, answer in answers.items()
        for sign in SIGNS
        if sign.matches(question, answer)
    }
    assert [sign.shown for sign in SIGNS if sign not in seen] == []


def test_every_software_has_a_name_and_a_known_dialect() -> None:
    assert {sign.software for sign in SIGNS} == LABELS.keys() == FITTING.keys()
    assert {*FITTING.values()} <= DIALECTS.keys()
    assert UNKNOWN not in LABELS


# --- the documentation page ----------------------------------------------------------------------

ASKED = {
    "": "anything",
    "status": "`GET /api/status`",
    "models": "`GET /v1/models`",
    "video": "`GET /v1/videos/…`",
    "json": "`POST /v1/videos`, `{`",
    "form": "`POST /v1/videos`, an empty form",
}


def test_the_gateways_page_shows_the_table_of_software_row_by_row() -> None:
    section = PAGE.read_text("utf-8").partition("## Which gateway is this?")[2]
    shown = [line for line in section.partition("\n## ")[0].splitlines() if line[:1] == "|"]
    rows = [
        f"| {ASKED[sign.at]} | {sign.shown} | {LABELS[sign.software]}"
        f"{f', generation {ALIKE.get(told, told)}' if (told := sign.generation) else ''} |"
        for sign in SIGNS
    ]
    assert shown[2:] == rows


# --- identifying a gateway -----------------------------------------------------------------------


@pytest.mark.parametrize("profile", PROFILES)
async def test_identifying_the_software_begins_no_task_and_charges_nothing(
    profile: str, renderer: Renderer
) -> None:
    simulator = Simulator(profile=PROFILES[profile], renderer=renderer)
    async with simulator.serve() as url:
        seen = await survey(url, "sk-sim")
        found = await identify(url, "sk-sim", seen.answers)
    posts = [entry for entry in simulator.journal if entry.method == "POST"]
    assert len(posts) <= 2
    assert [entry for entry in simulator.journal if entry.video or entry.charged] == []
    assert simulator.charges == 0
    for post in posts:
        assert (post.fields, post.files, post.metadata, post.model) == ({}, {}, {}, None)
        assert 400 <= (post.status or 0) < 500
    assert (found.software == "new-api") == profile.startswith("new-api")
    for relative in ("openrouter", "vllm-omni", "sglang"):
        assert (found.software == relative) == profile.startswith(relative)
    if profile.startswith("new-api-c"):
        assert found.generation == "C"
    else:
        assert found.generation in (("A", "B") if found.software == "new-api" else (None,))


async def test_new_api_with_plugins_is_identified_after_one_unreadable_post() -> None:
    host = PluginHost()
    async with host.serve() as url:
        seen = await survey(url, "sk-1")
        found = await identify(url, "sk-1", seen.answers)
    assert found == Which(software="new-api", generation="C", version="v1.0.0-rc.24")
    assert (host.posts, host.tasks) == ([("application/json", b"{")], [])


async def test_an_older_new_api_is_identified_after_two_posts_of_which_one_is_empty() -> None:
    odd = OddGateway(v1__videos__zoetrope=UNKNOWN_TASK, v1__videos=Said(400, error("model?")))
    async with odd.serve() as url:
        found = await identify(url, "sk-1", {"video": NO_TASK})
    assert found == Which(software="new-api", generation="B")
    assert [method for method, _, _ in odd.requests] == ["GET", "POST", "POST"]


@pytest.mark.parametrize(
    "surveyed",
    [{"models": said(200, "", x_litellm_version="1")}, {"models": listed(owned_by="vllm")}],
)
async def test_other_software_is_identified_without_any_post(
    surveyed: Mapping[str, Answer],
) -> None:
    odd = OddGateway()
    async with odd.serve() as url:
        await identify(url, "sk-1", surveyed)
    assert [method for method, _, _ in odd.requests] == ["GET"]


async def test_a_gateway_that_refuses_the_first_identifying_post_gets_no_second() -> None:
    odd = OddGateway(v1__videos=Said(429, error("slow down")))
    async with odd.serve() as url:
        found = await identify(url, "sk-1", {"video": NO_TASK})
    assert found == Which(software="new-api")
    assert [method for method, _, _ in odd.requests] == ["GET", "POST"]


async def test_a_gateway_that_became_unreachable_is_identified_by_its_earlier_answers() -> None:
    async with OddGateway().serve() as url:
        pass
    assert await identify(url, "sk-1", {"video": NO_TASK}) == Which(software="new-api")


async def test_a_survey_of_a_gateway_sends_gets_only() -> None:
    """A running service sends this survey again and again."""
    odd = OddGateway(v1__videos=UNKNOWN_TASK)
    async with odd.serve() as url:
        await survey(url, "sk-1")
    assert {method for method, _, _ in odd.requests} == {"GET"}


def test_only_init_and_doctor_send_posts_to_identify_a_gateway() -> None:
    """All other commands read what these two wrote down."""
    root = Path(bot.__file__).parent
    callers = {
        word: {
            file.relative_to(root).as_posix()
            for file in root.rglob("*.py")
            if re.search(rf"(?<!def )(?<!super\(\)\.)\b{word}\(", file.read_text("utf-8"))
        }
        for word in ("identify", "find_out")
    }
    assert callers == {
        "identify": {"cli/software.py"},
        "find_out": {"cli/init/gateway.py", "cli/doctor/gateways.py"},
    }
