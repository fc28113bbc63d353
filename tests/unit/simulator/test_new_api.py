"""The profiles `new-api` (generation B) and `new-api-a`: ids, words, envelopes, charges."""

import json
import re

import aiohttp
import pytest

from bot.simulator.faults import Fault
from bot.simulator.profiles import NEW_API, NEW_API_A, Profile

from .conftest import BLANK, Clock, served
from .pictures import form, png

OTHER = {"Authorization": "Bearer sk-other"}
WAN, KLING, JIMENG, VIDU = "wan2.5-t2v-preview", "kling-v1", "jimeng_vgfm_t2v_l20", "viduq1"
NOW = 1640995200
A_AND_B = pytest.mark.parametrize("profile", [NEW_API, NEW_API_A], ids=lambda each: each.name)

Json = dict[str, object]


async def post(client: aiohttp.ClientSession, model: str, prompt: str = "a cat") -> Json:
    fields = {"prompt": prompt, "model": model}
    async with client.post("/v1/videos", data=form(fields)) as answer:
        assert answer.status == 200
        body = await answer.json()
        assert isinstance(body, dict)
        return body


async def made(client: aiohttp.ClientSession, model: str, prompt: str = "a cat") -> str:
    """Order a video and return its path."""
    return f"/v1/videos/{(await post(client, model, prompt))['id']}"


async def asked(client: aiohttp.ClientSession, path: str) -> tuple[int, Json]:
    async with client.get(path) as answer:
        return answer.status, await answer.json()


# --- ids and fields -------------------------------------------------------------------

UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
IDS = {"sora-2": r"video_[0-9a-f]{32}", WAN: UUID, KLING: r"\d{18}", JIMENG: r"\d{18}"}


@pytest.mark.parametrize("model", IDS)
async def test_task_ids_are_the_vendors_in_generation_a_and_the_gateways_in_b(
    clock: Clock, model: str
) -> None:
    async with served(NEW_API_A, clock) as (_, client):
        old = await post(client, model)
    async with served(NEW_API, clock) as (_, client):
        new = await post(client, model)
    assert re.fullmatch(IDS[model], str(old["id"]))
    assert re.fullmatch(r"task_[0-9A-Za-z]{32}", str(new["id"]))


CREATED: dict[str, tuple[Profile, str, Json]] = {
    "sora A": (NEW_API_A, "sora-2", {"size": "720x1280", "seconds": "4"}),
    "sora B": (NEW_API, "sora-2", {"size": "720x1280", "seconds": "4", "task_id": "its id"}),
    "wan A": (NEW_API_A, WAN, {"model": ""}),
    "wan B": (NEW_API, WAN, {"task_id": "its id"}),
    "kling A": (NEW_API_A, KLING, {"status": "", "task_id": "its id"}),
    "kling B": (NEW_API, KLING, {"task_id": "its id"}),
    "jimeng A": (NEW_API_A, JIMENG, {"status": "", "task_id": "its id"}),
    "vidu B": (NEW_API, VIDU, {"task_id": "its id"}),
}


@pytest.mark.parametrize("case", CREATED)
async def test_each_model_and_generation_answers_an_order_with_its_own_fields(
    clock: Clock, case: str
) -> None:
    profile, model, more = CREATED[case]
    async with served(profile, clock) as (_, client):
        body = await post(client, model)
    name = body["id"]
    if "task_id" in more:
        more = more | {"task_id": name}
    assert body == {
        "id": name, "object": "video", "model": model, "created_at": NOW, "status": "queued",
        "progress": 0,
    } | more  # fmt: skip


# What is answered about a running, a finished and a failed video, beside the id.
TOLD: dict[str, tuple[Json, Json, Json]] = {
    WAN: (
        {"model": WAN, "created_at": NOW, "completed_at": NOW + 15, "metadata": {"url": ""}},
        {"model": WAN, "created_at": NOW, "completed_at": NOW + 45, "metadata": {"url": "its url"}},
        {
            "model": WAN, "created_at": NOW, "completed_at": NOW + 45, "metadata": {"url": ""},
            "error": {"message": "no", "code": "why"},
        },
    ),
    KLING: (
        {"model": "", "created_at": NOW * 1000},
        {"model": "", "created_at": NOW * 1000, "seconds": "5.1", "metadata": {"url": "its url"}},
        {"model": "", "created_at": NOW * 1000, "error": {"message": "no", "code": ""}},
    ),
    JIMENG: (
        {"model": "", "created_at": NOW, "completed_at": NOW + 15, "metadata": {"url": ""}},
        {"model": "", "created_at": NOW, "completed_at": NOW + 45, "metadata": {"url": "its url"}},
        {"model": "", "created_at": NOW, "completed_at": NOW + 45, "metadata": {"url": ""}},
    ),
    VIDU: (
        {"model": "", "created_at": NOW, "completed_at": NOW + 15},
        {"model": "", "created_at": NOW, "completed_at": NOW + 45, "metadata": {"url": "its url"}},
        {
            "model": "", "created_at": NOW, "completed_at": NOW + 45,
            "error": {"message": "why", "code": "why"},
        },
    ),
}  # fmt: skip


@A_AND_B
@pytest.mark.parametrize("model", TOLD)
async def test_each_model_answers_polls_with_its_own_fields_and_times(
    clock: Clock, profile: Profile, model: str
) -> None:
    async with served(profile, clock) as (simulator, client):
        good = await made(client, model)
        simulator.faults.add(Fault("create", "fail", message="no", code="why"))
        bad = await made(client, model)
        for path in (good, bad):
            simulator.faults.add(Fault("retrieve", takes=40))
            await asked(client, path)
        await simulator.rendered()
        clock.time += 15
        early = (await asked(client, good))[1]
        clock.time += 30
        done, failed = (await asked(client, good))[1], (await asked(client, bad))[1]
        clock.time += 300
        assert (await asked(client, good))[1] == done
        async with client.get("/") as answer:
            url = answer.url.origin()

    name = good.rpartition("/")[2]
    same: Json = {"id": name, "object": "video"}
    under_way, over, broken = TOLD[model]
    if "metadata" in over:
        over = over | {"metadata": {"url": f"{url}/files/{name}.mp4"}}
    assert early == same | {"status": "queued", "progress": 20} | under_way
    assert done == same | {"status": "completed", "progress": 100} | over
    assert failed == same | {
        "id": bad.rpartition("/")[2], "status": "failed", "progress": 100,
    } | broken  # fmt: skip


@A_AND_B
async def test_a_poll_of_sora_is_answered_in_the_vendors_format(
    clock: Clock, profile: Profile
) -> None:
    async with served(profile, clock) as (_, client):
        path = await made(client, "sora-2")
        _, body = await asked(client, path)
    assert (body["status"], body["seconds"], body["remixed_from_video_id"]) == ("queued", "4", None)
    assert (body["id"], "metadata" in body) == (path.rpartition("/")[2], False)


@A_AND_B
async def test_every_answer_of_new_api_has_its_own_request_id(
    clock: Clock, profile: Profile
) -> None:
    async with served(profile, clock) as (_, client):
        ids = set()
        for _ in range(2):
            async with client.get("/v1/videos/1") as answer:
                ids.add(answer.headers["X-Oneapi-Request-Id"])
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("profile", "fields", "ratios"),
    [
        (NEW_API, {"model": WAN, "seconds": "10"}, {"seconds": 10}),
        (
            NEW_API,
            {"model": "sora-2-pro", "size": "1792x1024"},
            {"seconds": 4, "size": 1.666667},
        ),
        (NEW_API, {"model": KLING}, None),
        (NEW_API_A, {"model": WAN}, None),
    ],
)
async def test_generation_b_names_the_factors_of_the_price_in_a_header(
    clock: Clock, profile: Profile, fields: dict[str, str], ratios: Json | None
) -> None:
    async with (
        served(profile, clock) as (_, client),
        client.post("/v1/videos", data=form({"prompt": "a"} | fields)) as answer,
    ):
        said = answer.headers.get("X-New-Api-Other-Ratios")
    assert (json.loads(said) if said else None) == ratios


# --- when a task changes ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (KLING, [("unknown", 0), ("queued", 10), ("queued", 20), ("in_progress", 30)]),
        (WAN, [("queued", 0), ("queued", 10), ("queued", 20), ("in_progress", 30)]),
    ],
)
async def test_status_and_progress_of_new_api_rise_in_steps(
    clock: Clock, model: str, words: list[tuple[str, int]]
) -> None:
    async with served(NEW_API, clock, tick=0) as (simulator, client):
        path = await made(client, model)
        await simulator.rendered()
        seen = []
        for moment in (0, 1, 3, 6, 8):
            clock.time = NOW + moment
            _, body = await asked(client, path)
            seen.append((body["status"], body["progress"]))
    assert seen == [*words, ("completed", 100)]


@A_AND_B
async def test_the_state_of_a_task_changes_only_at_new_apis_own_polls_of_the_vendor(
    clock: Clock, profile: Profile
) -> None:
    async with served(profile, clock) as (simulator, client):
        path = await made(client, KLING)
        await simulator.rendered()
        clock.time += 14.9
        code, body = await asked(client, f"{path}/content")
        early = (await asked(client, path))[1]["status"]
        clock.time += 0.1
        late = (await asked(client, path))[1]["status"]
    assert (early, late) == ("unknown", "completed")
    assert (code, body) == (
        400,
        {
            "error": {
                "message": "Task is not completed yet, current status: NOT_START",
                "type": "invalid_request_error",
            }
        },
    )


@pytest.mark.parametrize(
    ("model", "status", "progress"),
    [(WAN, "in_progress", 100), ("sora-2", "in_progress", 100), (KLING, "failed", 100)],
)
async def test_generation_b_refunds_a_stuck_task_after_a_day_whatever_it_shows(
    clock: Clock, model: str, status: str, progress: int
) -> None:
    async with served(NEW_API, clock) as (simulator, client):
        path = await made(client, model, "a cat [stuck] [fail]")
        clock.time += 86399
        before = (await asked(client, path))[1]["status"]
        assert not simulator.journal[0].refunded
        clock.time += 1
        _, body = await asked(client, path)
        assert simulator.journal[0].refunded
    assert before == "in_progress"
    assert (body["status"], body["progress"], "error" in body) == (
        status,
        progress,
        model == "sora-2",
    )


async def test_generation_a_keeps_a_stuck_task_running_and_never_refunds(clock: Clock) -> None:
    async with served(NEW_API_A, clock) as (simulator, client):
        path = await made(client, WAN, "a cat [stuck]")
        clock.time += 1e6
        _, body = await asked(client, path)
        assert not simulator.journal[0].refunded
    assert (body["status"], body["progress"]) == ("in_progress", 30)


# ---------------------------------------------------------------- envelopes and addresses


@A_AND_B
async def test_an_unknown_task_id_is_answered_differently_by_polls_and_downloads(
    clock: Clock, profile: Profile
) -> None:
    async with served(profile, clock) as (_, client):
        row = await asked(client, "/v1/videos/task_1")
        content = await asked(client, "/v1/videos/task_1/content")
    assert row == (400, {"code": "task_not_exist", "message": "task_not_exist", "data": None})
    assert content == (
        404,
        {"error": {"message": "Task not found", "type": "invalid_request_error"}},
    )


@pytest.mark.parametrize(("profile", "code"), [(NEW_API, 404), (NEW_API_A, 200)])
async def test_only_generation_a_serves_content_to_other_keys(
    clock: Clock, profile: Profile, code: int
) -> None:
    async with served(profile, clock, other_keys=("sk-other",)) as (simulator, client):
        path = await made(client, WAN)
        await simulator.rendered()
        clock.time += 15
        async with client.get(f"{path}/content", headers=OTHER) as content:
            pass
        async with client.get(path, headers=OTHER) as row:
            pass
    assert (content.status, row.status) == (code, 400)


@A_AND_B
async def test_new_api_ignores_range_requests_although_it_announces_them(
    clock: Clock, profile: Profile
) -> None:
    async with served(profile, clock) as (simulator, client):
        path = await made(client, WAN)
        await simulator.rendered()
        clock.time += 15
        asks = {"Range": "bytes=4-7", "Accept": "application/binary"}
        async with client.get(f"{path}/content?variant=thumbnail", headers=asks) as answer:
            assert (answer.status, await answer.read()) == (200, BLANK)
        async with client.head(f"{path}/content") as head:
            pass
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Cache-Control"] == "public, max-age=86400"
    assert (answer.content_type, "Content-Disposition" in answer.headers) == ("video/mp4", False)
    assert head.status == 404


@A_AND_B
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/videos"), ("DELETE", "/v1/videos/1"), ("GET", "/v1/nothing")]
)
async def test_a_path_that_new_api_lacks_is_answered_with_invalid_url(
    clock: Clock, profile: Profile, method: str, path: str
) -> None:
    async with served(profile, clock) as (_, client), client.request(method, path) as answer:
        body = await answer.json()
    error = {"type": "invalid_request_error", "param": "", "code": ""}
    assert (answer.status, body) == (
        404,
        {"error": {"message": f"Invalid URL ({method} {path})"} | error},
    )


@A_AND_B
async def test_wrong_keys_and_missing_models_are_refused_before_a_task_begins(
    clock: Clock, profile: Profile
) -> None:
    async with served(profile, clock) as (_, client):
        async with client.get("/v1/models", headers=OTHER) as answer:
            key = await answer.json()
        async with client.post("/v1/videos", data=form({"prompt": "a"})) as nameless:
            model = await nameless.json()
        async with client.post("/v1/videos", data={"prompt": "a", "model": KLING}) as urlencoded:
            pass
        _, models = await asked(client, "/v1/models")
    assert (answer.status, nameless.status, urlencoded.status) == (401, 400, 200)
    assert "无效的令牌" in key["error"].pop("message")
    assert key == {"error": {"type": "new_api_error", "code": ""}}
    assert model == {
        "error": {"message": "model name is required", "type": "new_api_error", "code": ""}
    }
    assert isinstance(models["data"], list)
    assert len(models["data"]) == 18


# ----------------------------------------------------------------------------- remixes


async def test_generation_b_remixes_videos_of_sora_only(clock: Clock) -> None:
    async with served(NEW_API, clock) as (simulator, client):
        answers = []
        for path in (await made(client, "sora-2"), await made(client, KLING), "/v1/videos/task_1"):
            async with client.post(f"{path}/remix", json={"prompt": "a dog"}) as answer:
                answers.append((answer.status, (await answer.json()).get("code")))
        async with client.post(f"{await made(client, 'sora-2')}/remix", json={}) as blank:
            pass
        assert simulator.charges == 4
    assert answers == [(200, None), (501, "not_implemented"), (400, "task_not_exist")]
    assert blank.status == 400


async def test_generation_a_has_no_remixes(clock: Clock) -> None:
    async with served(NEW_API_A, clock) as (_, client):
        path = await made(client, "sora-2")
        async with client.post(f"{path}/remix", json={"prompt": "a dog"}) as answer:
            assert answer.status == 404


# --- charges -----------------------------------------------------------------------


@pytest.mark.parametrize("model", [KLING, VIDU])
@A_AND_B
async def test_a_file_that_the_relay_drops_makes_a_charged_video_from_the_prompt_alone(
    clock: Clock, profile: Profile, model: str
) -> None:
    async with served(profile, clock) as (simulator, client):
        body = form({"prompt": "a", "model": model}, input_reference=png(size=(400, 400)))
        async with client.post("/v1/videos", data=body) as answer:
            pass
        [entry] = simulator.journal
    assert (answer.status, entry.charged, len(entry.files)) == (200, True, 1)


@pytest.mark.parametrize(("profile", "paid"), [(NEW_API, True), (NEW_API_A, False)])
async def test_only_generation_b_charges_before_the_vendor_refuses(
    clock: Clock, profile: Profile, paid: bool
) -> None:
    async with served(profile, clock) as (simulator, client):
        fields = {"prompt": "a", "model": WAN, "seconds": "3"}
        async with client.post("/v1/videos", data=form(fields)) as answer:
            body = await answer.json()
        [entry] = simulator.journal
    assert (answer.status, body["code"], body["data"]) == (400, "fail_to_fetch_task", None)
    assert json.loads(body["message"])["code"] == "InvalidParameter"
    assert (entry.charged, entry.refunded) == (paid, paid)


@A_AND_B
async def test_too_many_videos_at_once_are_answered_as_a_busy_vendor(
    clock: Clock, profile: Profile
) -> None:
    async with served(profile, clock, at_once=1) as (_, client):
        await made(client, KLING)
        async with client.post("/v1/videos", data=form({"prompt": "a", "model": WAN})) as answer:
            body = await answer.json()
    assert (answer.status, "Retry-After" in answer.headers) == (429, False)
    assert body == {
        "code": "fail_to_fetch_task",
        "message": "当前分组上游负载已饱和，请稍后再试",
        "data": None,
    }
