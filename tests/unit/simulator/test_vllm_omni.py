"""The profile `vllm-omni`: a server of one's own that reads forms only."""

import json

import aiohttp
import pytest

from bot.simulator.faults import Fault
from bot.simulator.profiles import VLLM_OMNI, VLLM_OMNI_WHOLE, Profile, serving
from bot.simulator.server import Simulator

from .conftest import BLANK, Clock, served
from .own import detail, polled, sent
from .pictures import form, gif
from .plugged import LINK, ONE, ONE_URI, TWO, TWO_URI, Shop, raw, shop

WAN, H3 = "Wan-AI/Wan2.2-TI2V-5B-Diffusers", "MiniMaxAI/MiniMax-H3"
BOTH = pytest.mark.parametrize(
    "profile", [VLLM_OMNI, VLLM_OMNI_WHOLE], ids=["the route alone", "the whole server"]
)


# ----------------------------------------------------------------------------- answers


async def test_a_video_of_vllm_omni_needs_no_key_and_is_queued_then_completed(
    clock: Clock,
) -> None:
    async with served(VLLM_OMNI, clock) as (simulator, client):
        headers = {"Authorization": ""}
        fields = {"prompt": "a cat", "model": WAN, "seconds": "8", "size": "1280x720"}
        async with client.post("/v1/videos", data=form(fields), headers=headers) as answer:
            first = await answer.json()
        it = Shop(simulator, client, clock)
        await simulator.rendered()
        words = []
        for _ in range(3):
            words.append((await polled(it, first["id"]))[1]["status"])
            clock.time += 4
        _, last = await polled(it, first["id"])
        async with client.get(f"/v1/videos/{first['id']}/content") as content:
            assert await content.read() == BLANK
    assert (answer.status, words) == (200, ["queued", "in_progress", "completed"])
    assert first["id"].startswith("video_gen_")
    shown = {"model": WAN, "prompt": "a cat", "size": "1280x720", "seconds": "8", "progress": 0}
    assert first.items() >= {**shown, "quality": "default", "completed_at": None}.items()
    assert (last["progress"], last["file_name"]) == (100, f"{first['id']}.mp4")
    assert content.headers["Content-Disposition"] == f'attachment; filename="{first["id"]}.mp4"'


async def test_a_job_of_vllm_omni_repeats_only_what_its_request_decides(clock: Clock) -> None:
    names = ("size", "seconds", "quality", "fps", "num_frames", "duration_s")
    async with shop(VLLM_OMNI) as it:
        bare = await sent(it, {})
        done = await it.over(bare)
        full = await sent(it, {"size": "640x360", "seconds": "5", "quality": "high", "fps": "16"})
    assert [bare.body[name] for name in names] == [None, "4", "default", 24.0, None, None]
    assert [done[name] for name in names] == [bare.body[name] for name in names]
    assert [full.body[name] for name in names] == ["640x360", "5", "high", 16.0, 80, 5.0]


@pytest.mark.parametrize(("code", "status"), [("500", 500), ("422", 422), ("engine", 500)])
@BOTH
async def test_a_failed_job_of_vllm_omni_answers_with_an_errors_status_and_the_job(
    profile: Profile, code: str, status: int
) -> None:
    async with shop(profile) as it:
        it.simulator.faults.add(Fault("create", "fail", message="CUDA out of memory", code=code))
        order = await sent(it, {})
        await it.simulator.rendered()
        it.clock.time += 8
        found, body = await polled(it, order.body["id"])
        async with it.client.get(f"/v1/videos/{order.body['id']}/content") as content:
            assert content.status == 422
    assert (found, body["status"], body["id"]) == (status, "failed", order.body["id"])
    assert body["error"] == {"code": status, "message": "CUDA out of memory"}


async def test_content_of_vllm_omni_is_missing_until_the_video_is_made() -> None:
    async with shop(VLLM_OMNI) as it:
        order = await sent(it, {})
        said = []
        for path in (f"/v1/videos/{order.body['id']}/content", "/v1/videos/video_gen_1/content"):
            async with it.client.get(path) as answer:
                said.append((answer.status, (await answer.json())["detail"]))
        withheld = await sent(it, {"prompt": "a cat [moderated-silent]"})
        await it.over(withheld)
        async with it.client.get(f"/v1/videos/{withheld.body['id']}/content") as answer:
            said.append((answer.status, (await answer.json())["detail"]))
    assert said == [
        (404, "Generation is still in-progress"),
        (404, "Video not found"),
        (404, "Generated video file not found on disk"),
    ]


async def test_vllm_omni_lists_and_deletes_videos_and_stops_a_running_one() -> None:
    async with shop(VLLM_OMNI) as it:
        done, running = await sent(it, {}), await sent(it, {"prompt": "a dog [stuck]"})
        await it.over(done)
        pages = []
        for query in ("", "?limit=1", "?limit=0", "?limit=101", "?after=nobody", "?order=up"):
            async with it.client.get(f"/v1/videos{query}") as answer:
                page = await answer.json()
            pages.append((answer.status, [each["id"] for each in page.get("data", [])]))
        it.simulator.faults.add(Fault("delete", "answer", 409, "Cancellation in progress."))
        gone = []
        for name in (running.body["id"],) * 3:
            async with it.client.delete(f"/v1/videos/{name}") as answer:
                gone.append((answer.status, (await answer.json()).get("deleted")))
        found, _ = await polled(it, running.body["id"])
    both = [running.body["id"], done.body["id"]]
    assert pages == [(200, both), (200, both[:1]), (200, []), (422, []), (200, []), (422, [])]
    assert (gone, found) == ([(409, None), (200, True), (404, None)], 404)


async def test_vllm_omni_lists_the_served_model_and_may_have_a_key(clock: Clock) -> None:
    async with served(VLLM_OMNI, clock) as (_, client), client.get("/v1/models") as answer:
        (model,) = (await answer.json())["data"]
    assert (model["id"], model["owned_by"]) == (WAN, "vllm")


# ---------------------------------------------------------------------------- refusals

INVALID: dict[str, tuple[dict[str, str], list[str]]] = {
    "no prompt": ({"prompt": ""}, ["prompt"]),
    "a broken length": ({"seconds": "5.5"}, ["seconds"]),
    "a length of nothing": ({"seconds": "0"}, ["seconds"]),
    "a size with a star": ({"size": "1280*720"}, ["size"]),
    "a tier": ({"size": "720P"}, ["size"]),
    "words for numbers": ({"seed": "x", "fps": "fast"}, ["fps", "seed"]),
    "too many outputs": ({"num_outputs_per_prompt": "11"}, ["num_outputs_per_prompt"]),
    "no outputs": ({"num_outputs_per_prompt": "0"}, ["num_outputs_per_prompt"]),
    "a switch that is none": ({"generate_sound": "loud"}, ["generate_sound"]),
    "a picture as text": ({"input_reference": ONE_URI}, ["input_reference"]),
}


@pytest.mark.parametrize("case", INVALID)
async def test_an_invalid_form_is_refused_by_vllm_omni_field_by_field(case: str) -> None:
    fields, names = INVALID[case]
    async with shop(VLLM_OMNI) as it:
        order = await sent(it, fields)
        assert it.simulator.charges == 0
    assert detail(order) == (422, names)


async def test_json_is_a_form_without_a_prompt_for_vllm_omni() -> None:
    async with shop(VLLM_OMNI) as it:
        order = await it.order(WAN)
        broken = await it.post(data=b"{", headers={"Content-Type": "application/json"})
    missing = [
        {"type": "missing", "loc": ["body", "prompt"], "msg": "Field required", "input": None}
    ]
    assert (order.status, order.body) == (422, {"detail": missing})
    assert broken.body == order.body


REFUSED: dict[str, tuple[dict[str, str], list[tuple[str, bytes]], str]] = {
    "another model": ({"model": "sora-2"}, [], "Model mismatch"),
    "a file and an address": (
        {"image_reference": json.dumps({"image_url": ONE_URI})},
        [("input_reference", ONE)],
        "Provide only one of",
    ),
    "references and a file": (
        {},
        [("input_references", ONE), ("input_reference", TWO)],
        "Provide input_references alone",
    ),
    "references at a model for one": ({}, [("input_references", ONE)], "can't be decoded"),
    "a file that is no picture": ({}, [("input_reference", b"GIF or not")], "not a valid image"),
    "an address that is none": (
        {"image_reference": json.dumps({"image_url": "cat.png"})},
        [],
        "must be an http(s) URL or data URL",
    ),
    "an address that is no JSON": ({"image_reference": "{"}, [], "Invalid JSON in form field."),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_a_form_that_breaks_a_rule_of_vllm_omni_is_refused_with_400(case: str) -> None:
    fields, files, words = REFUSED[case]
    async with shop(VLLM_OMNI) as it:
        order = await sent(it, fields, *files)
        assert it.simulator.charges == 0
    assert order.status == 400
    assert words in str(order.body["detail"])


@pytest.mark.parametrize(
    "fields", [{"quality": "standard"}, {"num_inference_steps": "201"}, {"width": "0"}]
)
async def test_the_route_of_vllm_omni_breaks_at_values_that_the_form_does_not_check(
    fields: dict[str, str],
) -> None:
    async with shop(VLLM_OMNI) as it:
        body = form({"prompt": "a cat", **fields})
        async with it.client.post("/v1/videos", data=body) as answer:
            assert (answer.status, await answer.text()) == (500, "Internal Server Error")
        order = await sent(it, {"quality": "lossless"})
    assert order.status == 200


async def test_a_text_of_more_than_a_mebibyte_is_refused_by_vllm_omni() -> None:
    async with shop(VLLM_OMNI) as it:
        fields = {"prompt": "a cat", "image_reference": "x" * ((1 << 20) + 1)}
        order = await it.post(**raw(fields))
    assert detail(order) == (400, "Part exceeded maximum size of 1024KB.")


async def test_the_whole_server_of_vllm_omni_answers_in_openais_envelope_with_400() -> None:
    async with shop(VLLM_OMNI_WHOLE) as it:
        found = [
            (order.status, error["type"], error["code"], error["param"], error["message"])
            for order in (
                await sent(it, {"size": "720P"}),
                await it.order(WAN),
                await sent(it, {"quality": "standard"}),
                await sent(it, {"model": "sora-2"}),
            )
            if isinstance(error := order.body["error"], dict)
        ]
        async with it.client.get("/v1/videos/video_gen_1") as answer:
            unknown = (await answer.json())["error"]
    assert [each[:4] for each in found] == [
        (400, "Bad Request", 400, "body.size"),
        (400, "Bad Request", 400, "body.prompt"),
        (400, "Bad Request", 400, None),
        (400, "Bad Request", 400, None),
    ]
    assert found[1][4].startswith("1 validation error:")
    expected = {"message": "Video not found", "type": "Not Found", "param": None, "code": 404}
    assert (answer.status, unknown) == (404, expected)


# ------------------------------------------------------------------ what reached the model


async def test_fields_that_vllm_omni_does_not_know_are_lost_and_the_video_is_made() -> None:
    async with shop(VLLM_OMNI) as it:
        lost = {"image": ONE_URI, "images": ONE_URI, "duration": "9", "watermark": "false"}
        order = await sent(it, {**lost, "metadata": json.dumps({"img_url": ONE_URI})})
        done = await it.over(order)
    assert (order.status, done["status"], order.entry.charged) == (200, "completed", True)
    assert (order.pictures, order.built["fields"]) == ([], {"prompt": "a cat"})
    assert order.built["seconds"] == 4


async def test_each_value_that_vllm_omni_knows_reaches_the_model() -> None:
    async with shop(VLLM_OMNI) as it:
        fields = {"seconds": "6", "size": "1280x720", "seed": "7", "negative_prompt": "dogs"}
        order = await sent(it, {**fields, "generate_sound": "true"}, ("input_reference", ONE))
        frames = await sent(it, {"num_frames": "48", "fps": "24", "width": "640", "height": "360"})
    names = ("plugin", "version", "seconds", "resolution", "seed", "negative_prompt", "sound")
    values = ("vllm-omni", "0.30.0", 6, "1280x720", 7, "dogs", True)
    assert tuple(order.built[name] for name in names) == values
    assert order.pictures == [("first_frame", "one")]
    assert (frames.built["seconds"], frames.built["resolution"]) == (2, "640x360")


async def test_pictures_as_addresses_reach_vllm_omni_as_first_and_last_frame() -> None:
    async with shop(VLLM_OMNI) as it:
        both = [{"image_url": ONE_URI}, {"image_url": TWO_URI}]
        order = await sent(it, {"image_reference": json.dumps(both)})
        one = await sent(it, {"image_reference": json.dumps({"image_url": LINK})})
    assert order.pictures == [("first_frame", "one"), ("last_frame", "two")]
    assert one.pictures == [("first_frame", LINK)]
    assert "base64," not in str(order.built), "the journal keeps no bytes"


async def test_only_minimax_h3_takes_several_references_at_vllm_omni() -> None:
    async with shop(serving("vllm-omni", H3)) as it:
        order = await sent(it, {}, ("input_references", ONE), ("input_references", TWO))
        many = await sent(it, {}, *[("input_references", ONE)] * 13)
        odd = await sent(it, {}, ("input_references", gif((64, 48))))
    assert order.pictures == [("reference", "one"), ("reference", "two")]
    assert detail(many) == (400, "MiniMax H3 accepts at most 12 total references.")
    assert detail(odd) == (400, "MiniMax H3 reference images must not be GIF.")


async def test_a_vllm_omni_with_a_key_refuses_every_other(clock: Clock) -> None:
    simulator = Simulator(profile=VLLM_OMNI, key="sk-mine", now=clock)
    statuses = []
    async with simulator.serve() as url, aiohttp.ClientSession(url) as client:
        for key in ("sk-mine", "sk-sim", ""):
            headers = {"Authorization": f"Bearer {key}"}
            async with client.get("/v1/models", headers=headers) as answer:
                statuses.append((answer.status, (await answer.json()).get("error")))
    assert statuses == [(200, None), (401, "Unauthorized"), (401, "Unauthorized")]
