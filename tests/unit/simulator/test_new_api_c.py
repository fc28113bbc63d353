"""The host of generation C: what it accepts, what it answers about a task, and how a task ends."""

import json

import pytest

from bot.simulator.profiles import (
    NEW_API,
    NEW_API_A,
    NEW_API_C,
    NEW_API_C_FIRST,
    NEW_API_C_MIXED,
    PROFILES,
    Profile,
)

from .conftest import BLANK, Clock, served
from .pictures import form
from .plugged import ONE_URI, Shop, plugged, raw, shop

WAN, KLING, VEO, GROK = (
    "wan2.5-t2v-preview",
    "kling-v1",
    "veo-3.0-generate-001",
    "grok-imagine-video",
)
NOW = 1640995200
ALL = pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
NEW_APIS = pytest.mark.parametrize(
    "profile", [NEW_API, NEW_API_A, NEW_API_C], ids=lambda each: each.name
)


# --- version and status -----------------------------------------------------------------------


@NEW_APIS
async def test_every_answer_of_new_api_names_its_version(clock: Clock, profile: Profile) -> None:
    async with served(profile, clock) as (_, client), client.get("/v1/videos/1") as answer:
        assert answer.headers["X-New-Api-Version"] == profile.version
    assert profile.version.startswith("v1.0.0-rc.")


@NEW_APIS
async def test_the_status_page_of_new_api_needs_no_key(clock: Clock, profile: Profile) -> None:
    async with (
        served(profile, clock) as (_, client),
        client.get("/api/status", headers={"Authorization": ""}) as answer,
    ):
        assert (await answer.json())["data"]["version"] == profile.version


@NEW_APIS
async def test_new_apis_list_of_models_names_their_endpoint(clock: Clock, profile: Profile) -> None:
    async with served(profile, clock) as (_, client), client.get("/v1/models") as answer:
        models = (await answer.json())["data"]
    assert {model["id"] for model in models} == profile.models.keys()
    assert all(model["supported_endpoint_types"] == ["openai-video"] for model in models)


async def test_other_profiles_have_neither_status_page_nor_version_header(clock: Clock) -> None:
    for name in ("documented", "openai"):
        async with served(PROFILES[name], clock) as (_, client):
            async with client.get("/api/status") as answer:
                assert answer.status == 404
            assert "X-New-Api-Version" not in answer.headers


# --- posts that begin no task -----------------------------------------------------------------

PROBES: dict[str, dict[str, object]] = {
    "an empty object": {"json": {}},
    "half an object": {"data": b'{"model":', "headers": {"Content-Type": "application/json"}},
    "a list": {"json": []},
    "a form with a size": {"data": form({"size": "1280x720"})},
    "an urlencoded size": {"data": {"size": "1280x720"}},
    "text": {"data": b"hello", "headers": {"Content-Type": "text/plain"}},
    "nothing": {"data": b"", "headers": {"Content-Type": "application/json"}},
    "no type": {"data": b"{}", "skip_auto_headers": ["Content-Type"]},
    "metadata that is none": {"json": {"metadata": "x"}},
    "a blank model and prompt": {"json": {"model": " ", "prompt": " "}},
}


@ALL
async def test_a_post_without_model_and_prompt_begins_no_task(
    clock: Clock, profile: Profile
) -> None:
    async with served(profile, clock) as (simulator, client):
        for name, probe in PROBES.items():
            if name == "a form with a size":
                probe = {"data": form({"size": "1280x720"})}
            if name == "a blank model and prompt" and profile.name.startswith("sglang"):
                continue  # SGLang takes a blank for a prompt
            async with client.post("/v1/videos", **probe) as answer:  # type: ignore[arg-type]
                assert answer.status >= 400, name
    assert [entry for entry in simulator.journal if entry.charged or entry.video] == []


# ------------------------------------------------------------------------------------- bodies


async def _sent(it: Shop, **kwargs: object) -> str:
    return (await it.post(**kwargs)).said()


async def test_a_body_that_is_neither_json_nor_multipart_is_refused_with_415() -> None:
    fields = {"model": WAN, "prompt": "a cat"}
    text = json.dumps(fields).encode()
    async with shop() as it:
        said = [
            await _sent(it, data=fields),
            await _sent(it, data=text, headers={"Content-Type": "text/plain"}),
            await _sent(it, data=text, skip_auto_headers=["Content-Type"]),
        ]
    assert said == [
        "415 unsupported request body for this operation",
        '415 unsupported task plugin media type "text/plain"',
        '415 unsupported task plugin media type "application/octet-stream"',
    ]


@pytest.mark.parametrize("body", [b'{"model": "wan', b"[]", b"", b'"x"'])
async def test_any_broken_json_body_is_refused_with_the_same_message(body: bytes) -> None:
    async with shop() as it:
        said = await _sent(it, data=body, headers={"Content-Type": "application/json"})
    assert said == "400 Invalid task protocol request"


async def test_a_form_field_over_1_mib_is_refused_and_a_json_field_is_not() -> None:
    large = "data:image/png;base64," + "A" * (1 << 20)
    fields = {"model": "wan2.5-i2v-preview", "prompt": "a cat", "image": large}
    async with shop() as it:
        order = await it.post(**raw(fields))
        same = await it.order(**fields)
    assert order.said() == '400 request field "image" exceeds 1048576 bytes'
    assert same.body["code"] == "fail_to_fetch_task"  # the field arrived, and is no picture


async def test_a_form_with_too_many_fields_files_or_parts_is_refused() -> None:
    async with shop() as it:
        for fields, files, said in [
            (300, 0, "400 request body exceeds 256 fields"),
            (2, 33, "400 multipart body exceeds 32 files"),
            (240, 20, "400 multipart body exceeds 256 parts"),
        ]:
            body = form({"model": WAN, "prompt": "a"} | {f"f{n}": "" for n in range(fields - 2)})
            for number in range(files):
                body.add_field(f"g{number}", b"x", filename="x.png")
            assert await _sent(it, data=body) == said
        body = form({"model": WAN, "prompt": "a", "n" * 257: ""})
        assert await _sent(it, data=body) == "400 invalid multipart field name"


async def test_a_form_with_a_repeated_field_or_two_files_is_refused() -> None:
    async with shop() as it:
        twice = await it.fill(KLING, size=["1280x720", "720x1280"])
        other = form({"model": KLING, "prompt": "a"}, image=b"x")
        two = form({"model": KLING, "prompt": "a"}, input_reference=b"x")
        two.add_field("input_reference", b"y", filename="b.png")
        said = [twice.said(), await _sent(it, data=other), await _sent(it, data=two)]
    assert said == [
        "400 size must be provided once",
        "400 unexpected file field: image",
        "400 input_reference must be provided once",
    ]


@pytest.mark.parametrize("metadata", ["{broken", "[]", '"x"', "1"])
@pytest.mark.parametrize("model", [WAN, KLING, VEO, "viduq1", "sora-2"])
async def test_form_metadata_that_is_no_json_object_is_refused(model: str, metadata: str) -> None:
    async with shop() as it:
        order = await it.fill(model, metadata=metadata)
    assert order.said() == "400 metadata must be a JSON object string"


async def test_refusals_of_the_decoder_have_an_error_object_and_those_of_the_builder_are_flat() -> (
    None
):
    async with shop() as it:
        decoder = await it.order(KLING, seconds="x")
        builder = await it.order("wan2.5-i2v-preview")
    message = str(decoder.body["error"]["message"])  # type: ignore[index]
    assert (decoder.status, "(request id: " in message) == (400, True)
    assert decoder.body["error"] == {"message": message, "type": "new_api_error", "code": ""}
    assert builder.body == {
        "code": "plugin_request_invalid",
        "message": "wan2.5-i2v-preview requires img_url or image",
        "data": None,
    }
    assert [entry.charged for entry in it.simulator.journal] == [False, False]


async def test_a_model_name_with_other_capitals_is_accepted() -> None:
    async with shop() as it:
        order = await it.order("minimax-hailuo-02")
    assert order.body["model"] == "MiniMax-Hailuo-02"


UNCLAIMED = "jimeng_vgfm_i2v_l20"


async def test_a_model_without_a_plugin_has_no_channel_or_uses_the_older_relay() -> None:
    async with shop() as it:
        refused = await it.order(UNCLAIMED)
    async with shop(NEW_API_C_MIXED) as it:
        taken = await it.order(UNCLAIMED, image=ONE_URI.partition(",")[2])
    assert (refused.status, refused.body["error"]["code"]) == (503, "model_not_found")  # type: ignore[index]
    assert (taken.status, taken.body["task_id"], taken.entry.built) == (200, taken.body["id"], None)
    async with shop(NEW_API_C_FIRST) as it:
        assert (await it.order("wan2.2-kf2v-flash")).status == 503


# ------------------------------------------------------------------------------------ a task


@pytest.mark.parametrize("model", [WAN, KLING, "viduq1", VEO, "doubao-seedance-2-0-260128"])
async def test_a_task_of_a_plugin_shows_no_address_of_its_video(model: str) -> None:
    async with shop() as it:
        order = await it.order(model)
        over = await it.over(order)
    same = {"id": order.body["id"], "object": "video", "model": model, "created_at": NOW}
    assert order.body == {**same, "status": "queued", "progress": 0}
    done = {**same, "status": "completed", "progress": 100, "completed_at": NOW + 15}
    assert over == ({**done, "seconds": "5.1"} if model == KLING else done)


async def test_the_newest_sora_plugin_shows_the_vendors_fields_and_the_first_did_not() -> None:
    async with shop() as it:
        new = await it.over(await it.order("sora-2"))
    async with plugged(sora="1.0.0") as it:
        old = await it.over(await it.order("sora-2"))
    assert (new["seconds"], new["size"], new["prompt"]) == ("4", "720x1280", "a cat")
    assert old.keys() == {
        "id", "object", "model", "status", "progress", "created_at", "completed_at",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("model", "code"), [(WAN, "moderation_blocked"), (KLING, ""), ("viduq1", "moderation_blocked")]
)
async def test_a_failed_task_of_a_plugin_has_an_error_and_is_refunded(
    model: str, code: str
) -> None:
    async with shop() as it:
        over = await it.over(await it.order(model, prompt="a cat [fail]"))
        entry = it.simulator.journal[0]
    assert (over["status"], over["error"]["code"]) == ("failed", code)  # type: ignore[index]
    assert (entry.charged, entry.refunded) == (True, True)


async def test_content_of_generation_c_supports_head_and_range_requests() -> None:
    async with shop() as it:
        order = await it.order(WAN)
        await it.over(order)
        path = f"/v1/videos/{order.body['id']}/content"
        async with it.client.head(path) as head:
            assert (head.status, head.content_length) == (200, len(BLANK))
        async with it.client.get(path, headers={"Range": "bytes=4-7"}) as part:
            assert (part.status, await part.read()) == (206, BLANK[4:8])


CHARGED = (True, False)


@pytest.mark.parametrize(
    ("trouble", "error"),
    [("moderated-charged", {"code": "moderation_blocked"}), ("moderated-silent", None)],
)
@pytest.mark.parametrize("profile", [NEW_API_C, NEW_API, PROFILES["documented"]])
async def test_a_moderated_video_is_completed_charged_and_has_no_content(
    profile: Profile, trouble: str, error: dict[str, str] | None
) -> None:
    model = GROK if profile is NEW_API_C else KLING
    async with shop(profile) as it:
        order = await it.order(model, prompt=f"a cat [{trouble}]")
        over = await it.over(order)
        async with it.client.get(f"/v1/videos/{order.body['id']}/content") as content:
            text = await content.text()
        entry = it.simulator.journal[0]
    assert over["status"] in ("completed", "succeeded")
    assert {"url", "metadata"} & over.keys() == set()
    said = over.get("error")
    assert (said and said["code"]) == (error and error["code"])  # type: ignore[index]
    assert (content.status, (entry.charged, entry.refunded)) == (404, CHARGED)
    if profile is NEW_API_C:
        assert "artifact_not_found" in text


async def test_a_task_whose_vendor_does_not_answer_fails_and_is_refunded_after_twenty_polls() -> (
    None
):
    async with shop() as it:
        order = await it.order(WAN, prompt="a cat [vendor-away]")
        it.clock.time += 19 * 15 - 15
        before = await it.over(order)
        after = await it.over(order)
        entry = it.simulator.journal[0]
    assert (before["status"], after["status"]) == ("in_progress", "failed")
    assert (entry.charged, entry.refunded) == (True, True)


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        ("begun-failed", "plugin_submit_response_failed"),
        ("begun-invalid", "plugin_submit_response_invalid"),
    ],
)
async def test_a_vendors_answer_that_the_plugin_cannot_read_leaves_a_charged_task(
    trouble: str, code: str
) -> None:
    async with shop() as it:
        order = await it.order(WAN, prompt=f"a cat [{trouble}]")
    assert (order.status, order.body["code"]) == (502, code)
    assert (order.entry.charged, order.entry.status, order.built["plugin"]) == (
        True,
        502,
        "alibaba",
    )
    assert order.entry.video is not None


@pytest.mark.parametrize("status", [400, 500])
async def test_a_failed_task_may_be_answered_with_an_error_status(status: int) -> None:
    async with shop() as it:
        order = await it.order(WAN, prompt=f"a cat [failed-{status}]")
        path = f"/v1/videos/{order.body['id']}"
        async with it.client.get(path) as early:
            pass
        over = await it.over(order)
        async with it.client.get(path) as late:
            pass
    assert (early.status, late.status, over["status"]) == (200, status, "failed")


async def test_videos_of_the_old_minimax_plugin_cannot_be_downloaded() -> None:
    async with plugged(hailuo="1.2.0") as it:
        for model, status in [("MiniMax-Hailuo-02", 502), ("MiniMax-H3", 200)]:
            order = await it.order(model)
            await it.over(order)
            async with it.client.get(f"/v1/videos/{order.body['id']}/content") as content:
                assert content.status == status
    assert [entry.charged for entry in it.simulator.journal if entry.operation == "create"] == [
        True,
        True,
    ]


async def test_the_journal_page_shows_the_request_that_the_vendor_got() -> None:
    async with shop() as it:
        await it.order("wan2.5-i2v-preview", image=ONE_URI, seconds="10")
        async with it.client.get("/simulator/journal") as answer:
            (entry,) = (await answer.json())["journal"]
    built = entry["built"]
    assert (built["plugin"], built["version"], built["seconds"]) == ("alibaba", "1.4.2", 10)
    assert "data_uri" in built["fields"]["input"]["img_url"]
    assert (
        built["pictures"][0]["sha256"] == built["fields"]["input"]["img_url"]["data_uri"]["sha256"]
    )


async def test_a_wrong_key_is_refused_before_the_body_is_read(clock: Clock) -> None:
    headers = {"Authorization": "Bearer no"}
    async with (
        served(NEW_API_C, clock) as (_, client),
        client.post("/v1/videos", json={}, headers=headers) as answer,
    ):
        assert answer.status == 401
