"""The profile `sglang`: a server of one's own that reads forms and JSON, and checks little."""

import json
import re
from io import BytesIO

import aiohttp
import pytest

from bot.simulator.faults import Fault
from bot.simulator.profiles import SGLANG, SGLANG_CLOUD, serving
from bot.simulator.render import Renderer
from bot.simulator.server import Simulator

from .conftest import BLANK, Clock, served
from .own import detail, polled, sent
from .pictures import data_uri, form
from .plugged import LINK, ONE, ONE_URI, TWO, TWO_URI, Shop, shop

WAN = "Wan-AI/Wan2.2-TI2V-5B-Diffusers"
T2V, I2V = "Wan-AI/Wan2.2-T2V-A14B-Diffusers", "Wan-AI/Wan2.2-I2V-A14B-Diffusers"


# ----------------------------------------------------------------------------- answers


async def test_a_video_of_sglang_needs_no_key_and_has_its_path_on_the_server(clock: Clock) -> None:
    async with served(SGLANG, clock) as (simulator, client):
        fields = {"prompt": "a cat", "seconds": "5", "size": "1280x720"}
        headers = {"Authorization": ""}
        async with client.post("/v1/videos", data=form(fields), headers=headers) as answer:
            first = await answer.json()
        it = Shop(simulator, client, clock)
        await simulator.rendered()
        words = []
        for _ in range(3):
            words.append((await polled(it, first["id"]))[1]["status"])
            clock.time += 4
        _, last = await polled(it, first["id"])
        async with client.get(f"/v1/videos/{first['id']}/content?variant=0") as content:
            assert await content.read() == BLANK
    assert (answer.status, words) == (200, ["queued", "in_progress", "completed"])
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", first["id"])
    shown = {"model": WAN, "size": "1280x720", "seconds": "5", "quality": "standard"}
    assert first.items() >= {**shown, "progress": 0, "url": None, "error": None}.items()
    assert (last["progress"], last["url"], last["urls"]) == (100, None, [None])
    assert last["file_paths"] == [last["file_path"]] == [first["file_path"]]
    assert first["file_path"].endswith(f"/{first['id']}.mp4")


async def test_a_failed_video_of_sglang_answers_200_and_has_an_error_without_a_code() -> None:
    async with shop(SGLANG) as it:
        it.simulator.faults.add(Fault("create", "fail", message="CUDA out of memory"))
        order = await sent(it, {})
        await it.simulator.rendered()
        it.clock.time += 8
        status, body = await polled(it, order.body["id"])
        async with it.client.get(f"/v1/videos/{order.body['id']}/content") as content:
            said = (await content.json())["detail"]
    assert (status, body["status"], body["error"]) == (
        200,
        "failed",
        {"message": "CUDA out of memory"},
    )
    assert (body["file_path"], content.status) == (None, 404)
    assert said == "Video variant None not found"


async def test_content_of_sglang_is_missing_until_the_video_is_made() -> None:
    async with shop(SGLANG) as it:
        order = await sent(it, {})
        name, said = order.body["id"], []
        async with it.client.get(f"/v1/videos/{name}/content") as answer:
            said.append((answer.status, (await answer.json())["detail"]))
        await it.over(order)
        for path in (f"{name}/content?variant=1", "nobody/content", "nobody"):
            async with it.client.get(f"/v1/videos/{path}") as answer:
                said.append((answer.status, (await answer.json())["detail"]))
    assert said == [
        (404, "Generation is still in-progress"),
        (404, "Video variant 1 not found"),
        (404, "Video not found"),
        (404, "Video not found"),
    ]


async def test_with_cloud_storage_sglang_links_to_the_video_and_does_not_deliver_it() -> None:
    async with shop(SGLANG_CLOUD) as it:
        order = await sent(it, {})
        body = await it.over(order)
        async with it.client.get(f"/v1/videos/{order.body['id']}/content") as answer:
            refusal = (answer.status, (await answer.json())["detail"])
        url = str(body["url"])
        async with aiohttp.ClientSession() as stranger, stranger.get(url) as answer:
            assert await answer.read() == BLANK
    assert (body["urls"], body["file_path"], body["file_paths"]) == ([url], None, [None])
    words = "Video has been uploaded to cloud storage. Please use the cloud URL:"
    assert refusal == (400, f"{words} {url}")


async def test_sglang_lists_videos_and_answers_a_deletion_with_the_deleted_job() -> None:
    async with shop(SGLANG) as it:
        first, second = await sent(it, {}), await sent(it, {"prompt": "a dog"})
        await it.over(first)
        pages = []
        for query in ("", "?limit=1&order=asc", "?limit=0", "?limit=x", "?after=nobody"):
            async with it.client.get(f"/v1/videos{query}") as answer:
                page = await answer.json()
            pages.append((answer.status, [each["id"] for each in page.get("data", [])]))
        path = f"/v1/videos/{first.body['id']}"
        async with it.client.delete(path) as answer:
            deleted = await answer.json()
        async with it.client.delete(path) as answer:
            assert answer.status == 404
    one, two = first.body["id"], second.body["id"]
    assert pages == [(200, [two, one]), (200, [one]), (422, []), (422, []), (200, [])]
    assert (deleted["id"], deleted["status"], deleted["progress"]) == (one, "deleted", 100)


@pytest.mark.parametrize(("model", "task"), [(WAN, "TI2V"), (T2V, "T2V"), (I2V, "I2V")])
async def test_sglang_lists_the_served_model_with_its_task(model: str, task: str) -> None:
    async with shop(serving("sglang", model)) as it, it.client.get("/v1/models") as answer:
        (card,) = (await answer.json())["data"]
    assert (card["id"], card["owned_by"]) == (model, "sglang")
    assert (card["task_type"], card["supported_task_types"]) == (task, [task])


# ---------------------------------------------------------------------------- refusals

FORMS: dict[str, tuple[dict[str, str], int, object]] = {
    "no prompt": ({"prompt": ""}, 400, "prompt is required"),
    "a broken length": ({"seconds": "5.5"}, 422, ["seconds"]),
    "words for numbers": ({"seed": "x", "fps": "y"}, 422, ["fps", "seed"]),
    "a picture as text": ({"input_reference": ONE_URI}, 422, ["input_reference"]),
    "a tier": ({"size": "720P"}, 400, "size must be formatted as positive WIDTHxHEIGHT"),
    "a size with a star": (
        {"size": "1280*720"},
        400,
        "size must be formatted as positive WIDTHxHEIGHT",
    ),
    "no width": ({"width": "0"}, 400, "width must be positive"),
    "extras that are no JSON": ({"extra_params": "{"}, 400, "extra_params is not valid JSON"),
    "a link that is none": (
        {"reference_url": "cat.png"},
        400,
        "Failed to process image source: Unsupported image url format",
    ),
}


@pytest.mark.parametrize("case", FORMS)
async def test_a_form_that_breaks_a_rule_of_sglang_is_refused(case: str) -> None:
    fields, status, words = FORMS[case]
    async with shop(SGLANG) as it:
        order = await sent(it, fields)
        assert it.simulator.charges == 0
    assert detail(order) == (status, words)


JSONS: dict[str, tuple[dict[str, object], str]] = {
    "no prompt": ({"prompt": None}, "prompt\n  Field required"),
    "a broken length": ({"seconds": "5.5"}, "seconds\n  Input should be a valid integer"),
    "a picture as an object": (
        {"input_reference": {"image_url": ONE_URI}},
        "input_reference\n  Input should be a valid string",
    ),
}


@pytest.mark.parametrize("case", JSONS)
async def test_a_json_body_that_breaks_a_rule_of_sglang_is_refused_with_400(case: str) -> None:
    fields, words = JSONS[case]
    async with shop(SGLANG) as it:
        order = await it.order(WAN, **fields)
        assert it.simulator.charges == 0
    status, said = detail(order)
    assert status == 400
    assert f"Invalid request body: 1 validation error for VideoGenerationsRequest\n{words}" in str(
        said
    )


async def test_broken_json_is_an_empty_object_for_sglang() -> None:
    async with shop(SGLANG) as it:
        for body in (b"{", b"[]", b""):
            headers = {"Content-Type": "application/json"}
            order = await it.post(data=BytesIO(body), headers=headers)
            status, said = detail(order)
            assert (status, str(said).endswith("prompt\n  Field required")) == (400, True)


async def test_a_model_of_sglang_for_words_refuses_pictures_and_one_for_pictures_needs_one() -> (
    None
):
    async with shop(serving("sglang", T2V)) as it:
        words = await sent(it, {}, ("input_reference", ONE))
    async with shop(serving("sglang", I2V)) as it:
        picture = await sent(it, {})
        right = await sent(it, {}, ("input_reference", ONE))
    assert detail(words) == (400, "input_reference is not supported for T2V models.")
    status, said = detail(picture)
    assert (status, "requires an 'image_path' input" in str(said)) == (400, True)
    assert right.pictures == [("first_frame", "one")]


# ------------------------------------------------------------------ what reached the model


async def test_fields_that_sglangs_model_does_not_declare_are_lost_and_the_video_is_made() -> None:
    async with shop(SGLANG) as it:
        lost = {"image": ONE_URI, "images": ONE_URI, "duration": "9"}
        order = await sent(it, {**lost, "metadata": json.dumps({"img_url": ONE_URI})})
        done = await it.over(order)
        said = await it.order(WAN, image=ONE_URI, images=[ONE_URI], metadata={"img_url": ONE_URI})
    assert (order.status, done["status"], order.entry.charged) == (200, "completed", True)
    assert (order.pictures, order.built["fields"]) == ([], {"prompt": "a cat", "seconds": 4})
    assert (said.status, said.pictures) == (200, [])
    assert said.built["fields"] == {"prompt": "a cat", "model": WAN}


async def test_each_value_that_sglang_knows_reaches_the_model_by_form_and_by_json() -> None:
    names = ("plugin", "seconds", "resolution", "seed", "negative_prompt")
    values = ("sglang", 6, "1280x720", 7, "dogs")
    async with shop(SGLANG) as it:
        fields = {"seconds": "6", "size": "1280x720", "seed": "7", "negative_prompt": "dogs"}
        filled = await sent(it, fields, ("input_reference", ONE))
        said = await it.order(
            "any/model", seconds=6, size="1280 X 720", seed=7, negative_prompt="dogs",
            reference_url=ONE_URI,
        )  # fmt: skip
        extras = json.dumps({"seed": 8, "negative_prompt": "dogs"})
        extra = await sent(it, {"extra_params": extras, "seed": "7"})
        inner = await it.order(WAN, extra_body={"seed": 7, "extra": 1})
    assert tuple(filled.built[name] for name in names) == values
    assert tuple(said.built[name] for name in names) == values
    assert filled.pictures == said.pictures == [("first_frame", "one")]
    assert said.body["model"] == "any/model"
    assert (extra.built["seed"], extra.built["negative_prompt"]) == (7, "dogs")
    assert inner.built["seed"] == 7
    assert "base64," not in str(said.entry.as_json()), "the journal keeps no bytes"


async def test_sglang_uses_the_first_picture_and_never_a_second_one() -> None:
    async with shop(SGLANG) as it:
        file = await sent(it, {"reference_url": TWO_URI}, ("input_reference", ONE))
        two = await sent(it, {}, ("input_reference", ONE), ("input_reference", TWO))
        link = await it.order(WAN, reference_url=LINK, input_reference="/a.png")
    assert file.pictures == two.pictures == [("first_frame", "one")]
    assert link.pictures == [("first_frame", LINK)]


async def test_a_video_reaches_sglang_by_its_address_or_as_a_file() -> None:
    address = "https://a.example/a.mp4?x=1"
    async with shop(SGLANG) as it:
        said = await it.order(WAN, video_url=address)
        link = await it.order(WAN, reference_url=address)
        file = await sent(it, {}, ("video_reference", b"a video"))
    paths = [order.built["fields"]["video_path"] for order in (said, link, file)]  # type: ignore[index]
    assert paths == [address, address, "a.png"]
    assert said.pictures == link.pictures == file.pictures == []


@pytest.mark.parametrize("reference", ["/home/cat.png", data_uri(b"GIF or not")])
async def test_a_picture_that_sglang_cannot_open_makes_the_video_fail(
    reference: str, clock: Clock, renderer: Renderer
) -> None:
    simulator = Simulator(profile=SGLANG, now=clock, renderer=renderer)
    async with simulator.serve() as url, aiohttp.ClientSession(url) as client:
        it = Shop(simulator, client, clock)
        order = await it.order(WAN, input_reference=reference)
        await simulator.rendered()
        clock.time += 8
        _, body = await polled(it, order.body["id"])
    assert (order.status, body["status"]) == (200, "failed")
    assert body["error"] == {"message": "The input picture could not be read."}
