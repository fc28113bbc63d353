"""The profile `openai`: strict about requests, with all fields, lists and remixes."""

from io import BytesIO

import aiohttp
import pytest
from PIL import Image

from bot.simulator.faults import Fault
from bot.simulator.profiles import OPENAI

from .conftest import BLANK, Clock, served
from .pictures import data_uri, form, png

CAT = {"prompt": "a cat", "model": "sora-2"}
TALL = png(size=(720, 1280))
OTHER = {"Authorization": "Bearer sk-other"}


async def made(client: aiohttp.ClientSession, prompt: str = "a cat") -> str:
    async with client.post("/v1/videos", data=form(CAT | {"prompt": prompt})) as answer:
        assert answer.status == 200
        return str((await answer.json())["id"])


async def asked(client: aiohttp.ClientSession, path: str) -> tuple[int, dict[str, object]]:
    async with client.get(path) as answer:
        return answer.status, await answer.json()


async def test_a_video_of_openai_is_queued_then_in_progress_then_completed(clock: Clock) -> None:
    async with served(OPENAI, clock) as (simulator, client):
        async with client.post("/v1/videos", data=form(CAT)) as answer:
            first = await answer.json()
        await simulator.rendered()
        words = []
        for _ in range(3):
            words.append((await asked(client, f"/v1/videos/{first['id']}"))[1]["status"])
            clock.time += 4
        _, last = await asked(client, f"/v1/videos/{first['id']}")

    assert (answer.status, words) == (200, ["queued", "in_progress", "completed"])
    expected = {
        "id": first["id"],
        "object": "video",
        "model": "sora-2",
        "status": "queued",
        "progress": 0,
        "created_at": 1640995200,
        "completed_at": None,
        "expires_at": None,
        "prompt": "a cat",
        "size": "720x1280",
        "seconds": "4",
        "remixed_from_video_id": None,
        "error": None,
    }
    assert first == expected
    done = {"status": "completed", "progress": 100, "completed_at": 1640995208}
    assert last == expected | done | {"expires_at": 1640998808}


async def test_a_failed_video_of_openai_has_an_error_and_is_refunded(clock: Clock) -> None:
    async with served(OPENAI, clock) as (simulator, client):
        name = await made(client, "a cat [fail]")
        clock.time += 8
        _, body = await asked(client, f"/v1/videos/{name}")
        assert [entry.refunded for entry in simulator.journal[:1]] == [True]
    assert (body["status"], body["expires_at"]) == ("failed", None)
    assert body["error"] == {
        "code": "moderation_blocked",
        "message": "The prompt was rejected by the content policy.",
    }


FORMS: dict[str, tuple[dict[str, str], dict[str, bytes], str | None, str | None]] = {
    "no prompt": ({"model": "sora-2"}, {}, "prompt", "missing_required_parameter"),
    "blank prompt": ({"prompt": " "}, {}, "prompt", "missing_required_parameter"),
    "endless prompt": ({"prompt": "a" * 32001}, {}, "prompt", "string_above_max_length"),
    "unknown model": (CAT | {"model": "viduq1"}, {}, "model", "invalid_value"),
    "five seconds": (CAT | {"seconds": "5"}, {}, "seconds", "invalid_value"),
    "a size of pro": (CAT | {"size": "1792x1024"}, {}, "size", "invalid_value"),
    "a size of nobody": (
        CAT | {"model": "sora-2-pro", "size": "1920x1080"},
        {},
        "size",
        "invalid_value",
    ),
    "metadata": (CAT | {"metadata": "{}"}, {}, "metadata", "unknown_parameter"),
    "another file": (CAT, {"image": TALL}, "image", "unknown_parameter"),
    "a picture of another size": (CAT, {"input_reference": png()}, "input_reference", None),
    "a file that is no picture": (
        CAT,
        {"input_reference": b"GIF or not"},
        "input_reference",
        "invalid_image",
    ),
    "a picture as text": (
        CAT | {"input_reference": data_uri(TALL)},
        {},
        "input_reference",
        "invalid_type",
    ),
    "both kinds of reference": (
        CAT | {"input_reference[image_url]": "https://a/b", "input_reference[file_id]": "file-1"},
        {},
        "input_reference",
        "invalid_type",
    ),
}


@pytest.mark.parametrize("case", FORMS)
async def test_a_form_that_breaks_a_rule_of_openai_is_refused_with_param_and_code(
    clock: Clock, case: str
) -> None:
    fields, files, param, code = FORMS[case]
    async with served(OPENAI, clock) as (simulator, client):
        async with client.post("/v1/videos", data=form(fields, **files)) as answer:
            error = (await answer.json())["error"]
        assert simulator.charges == 0
    assert (answer.status, error["param"], error["code"]) == (400, param, code)
    assert (error["type"], error.keys()) == (
        "invalid_request_error",
        {"message", "type", "param", "code"},
    )


JSONS: dict[str, tuple[dict[str, object], str | None]] = {
    "seconds as a number": ({"prompt": "a", "seconds": 4}, "invalid_type"),
    "a reference as text": ({"prompt": "a", "input_reference": data_uri(TALL)}, "invalid_type"),
    "a reference to too much": (
        {"prompt": "a", "input_reference": {"image_url": "https://a/b", "file_id": "file-1"}},
        "invalid_type",
    ),
    "a reference to nothing": ({"prompt": "a", "input_reference": {}}, "invalid_type"),
    "an address that is none": (
        {"prompt": "a", "input_reference": {"image_url": "cat.png"}},
        "invalid_value",
    ),
    "a picture of another size": (
        {"prompt": "a", "input_reference": {"image_url": data_uri(png())}},
        None,
    ),
    "unknown parameter": ({"prompt": "a", "duration": 4}, "unknown_parameter"),
}


@pytest.mark.parametrize("case", JSONS)
async def test_a_json_body_that_breaks_a_rule_of_openai_is_refused_with_its_code(
    clock: Clock, case: str
) -> None:
    content, code = JSONS[case]
    async with (
        served(OPENAI, clock) as (_, client),
        client.post("/v1/videos", json=content) as answer,
    ):
        error = (await answer.json())["error"]
    assert (answer.status, error["code"]) == (400, code)


@pytest.mark.parametrize(
    "reference",
    [{"image_url": data_uri(TALL)}, {"image_url": "https://a/b.png"}, {"file_id": "file-1"}, None],
)
async def test_openai_accepts_a_picture_reference_in_json(clock: Clock, reference: object) -> None:
    content = {"prompt": "a", "seconds": "12", "input_reference": reference}
    async with (
        served(OPENAI, clock) as (_, client),
        client.post("/v1/videos", json=content) as answer,
    ):
        assert (answer.status, (await answer.json())["seconds"]) == (200, "12")


async def test_openai_accepts_a_picture_or_its_address_in_a_form(clock: Clock) -> None:
    async with served(OPENAI, clock) as (_, client):
        bodies = [
            form(CAT, input_reference=TALL),
            form(CAT | {"input_reference[image_url]": data_uri(TALL)}),
        ]
        codes = []
        for body in bodies:
            async with client.post("/v1/videos", data=body) as answer:
                codes.append(answer.status)
    assert codes == [200, 200]


async def test_openai_checks_an_unnamed_file_by_its_bytes_and_refuses_a_text_type(
    clock: Clock,
) -> None:
    codes = []
    async with served(OPENAI, clock) as (_, client):
        for kind in ("application/octet-stream", "text/plain"):
            body = aiohttp.FormData(CAT)
            body.add_field("input_reference", TALL, filename="a", content_type=kind)
            async with client.post("/v1/videos", data=body) as answer:
                codes.append(answer.status)
    assert codes == [200, 400]


async def test_openai_refuses_an_urlencoded_body(clock: Clock) -> None:
    async with (
        served(OPENAI, clock) as (_, client),
        client.post("/v1/videos", data={"prompt": "urlencoded"}) as answer,
    ):
        assert answer.status == 400


async def test_openai_serves_content_when_it_is_ready_and_supports_ranges(clock: Clock) -> None:
    async with served(OPENAI, clock) as (simulator, client):
        path = f"/v1/videos/{await made(client)}/content"
        early, _ = await asked(client, path)
        await simulator.rendered()
        clock.time += 8
        async with client.get(path, headers={"Range": "bytes=4-7"}) as answer:
            part = await answer.read()
        async with client.get(path, params={"variant": "video"}) as whole:
            assert await whole.read() == BLANK
    assert (early, answer.status, part) == (404, 206, b"ftyp")


async def test_openai_serves_a_thumbnail_and_a_spritesheet(clock: Clock) -> None:
    sizes = []
    async with served(OPENAI, clock) as (simulator, client):
        path = f"/v1/videos/{await made(client)}/content"
        await simulator.rendered()
        clock.time += 8
        for variant in ("thumbnail", "spritesheet"):
            async with client.get(path, params={"variant": variant}) as answer:
                picture = Image.open(BytesIO(await answer.read()))
            sizes.append((answer.content_type, picture.size))
        unknown, _ = await asked(client, f"{path}?variant=sound")
    assert sizes == [("image/webp", (180, 320)), ("image/jpeg", (720, 320))]
    assert unknown == 400


async def test_openai_lists_videos_newest_first_in_pages(clock: Clock) -> None:
    async with served(OPENAI, clock) as (_, client):
        names = [await made(client) for _ in range(3)]
        _, both = await asked(client, "/v1/videos?limit=2")
        _, rest = await asked(client, f"/v1/videos?after={names[1]}")
        _, oldest = await asked(client, "/v1/videos?order=asc&limit=1")
        code, _ = await asked(client, "/v1/videos?limit=0")
    pages = [(each["first_id"], each["last_id"], each["has_more"]) for each in (both, rest, oldest)]
    assert pages == [
        (names[2], names[1], True),
        (names[0], names[0], False),
        (names[0], names[0], True),
    ]
    assert (both["object"], code) == ("list", 400)


async def test_a_video_deleted_at_openai_is_unknown_afterwards(clock: Clock) -> None:
    async with served(OPENAI, clock) as (simulator, client):
        name = await made(client)
        await simulator.rendered()
        async with client.delete(f"/v1/videos/{name}") as answer:
            body = await answer.json()
        code, _ = await asked(client, f"/v1/videos/{name}")
    assert body == {"id": name, "deleted": True, "object": "video.deleted"}
    assert code == 404


async def test_a_remix_at_openai_keeps_everything_but_the_prompt(clock: Clock) -> None:
    async with served(OPENAI, clock) as (simulator, client):
        name = await made(client)
        path = f"/v1/videos/{name}/remix"
        async with client.post(path, json={"prompt": "a dog"}) as answer:
            body = await answer.json()
        async with client.post(path, json={"prompt": "a dog", "seconds": "8"}) as refused:
            error = (await refused.json())["error"]
        assert simulator.charges == 2
    assert (body["remixed_from_video_id"], body["prompt"]) == (name, "a dog")
    assert (refused.status, error["param"]) == (400, "seconds")


async def test_a_remix_does_not_inherit_a_trouble_of_its_source(clock: Clock) -> None:
    async with served(OPENAI, clock) as (simulator, client):
        path = f"/v1/videos/{await made(client, 'a cat [stuck]')}"
        async with client.post(f"{path}/remix", json={"prompt": "a dog"}) as answer:
            name = (await answer.json())["id"]
        await simulator.rendered()
        clock.time += 8
        remix, source = [(await asked(client, each))[1] for each in (f"/v1/videos/{name}", path)]
    assert (remix["status"], source["status"]) == ("completed", "in_progress")


async def test_a_trouble_with_a_remix_does_not_affect_its_source(clock: Clock) -> None:
    async with served(OPENAI, clock) as (simulator, client):
        path = f"/v1/videos/{await made(client)}"
        await simulator.rendered()
        clock.time += 8
        simulator.faults.add(Fault("create", "fail"))
        async with client.post(f"{path}/remix", json={"prompt": "a dog"}) as answer:
            assert answer.status == 200
        assert (await asked(client, path))[1]["status"] == "completed"


async def test_a_video_of_another_key_is_unknown(clock: Clock) -> None:
    async with served(OPENAI, clock, other_keys=("sk-other",)) as (simulator, client):
        path = f"/v1/videos/{await made(client)}"
        await simulator.rendered()
        clock.time += 8
        codes = []
        for address in (path, f"{path}/content"):
            async with client.get(address, headers=OTHER) as answer:
                codes.append(answer.status)
        async with client.get("/v1/videos", headers=OTHER) as answer:
            assert (await answer.json())["data"] == []
        async with client.post(f"{path}/remix", json={"prompt": "a"}, headers=OTHER) as answer:
            codes.append(answer.status)
        async with client.delete(path, headers=OTHER) as answer:
            codes.append(answer.status)
    assert codes == [404, 404, 404, 404]


@pytest.mark.proof
async def test_each_key_may_have_a_limited_number_of_videos_at_once(clock: Clock) -> None:
    codes = []
    async with served(OPENAI, clock, at_once=2, other_keys=("sk-other",)) as (simulator, client):
        for key in ("sk-sim", "sk-sim", "sk-sim", "sk-other"):
            headers = {"Authorization": f"Bearer {key}"}
            async with client.post("/v1/videos", data=form(CAT), headers=headers) as answer:
                codes.append(answer.status)
        await simulator.rendered()
        clock.time += 8
        async with client.post("/v1/videos", data=form(CAT)) as answer:
            codes.append(answer.status)
        assert simulator.charges == 4
    assert codes == [200, 200, 429, 200, 200]


async def test_openai_answers_a_wrong_key_and_an_unknown_path_with_its_errors(clock: Clock) -> None:
    async with served(OPENAI, clock) as (_, client):
        async with client.get("/v1/models", headers=OTHER) as answer:
            assert (answer.status, (await answer.json())["error"]["code"]) == (
                401,
                "invalid_api_key",
            )
        code, body = await asked(client, "/v1/nothing")
        _, models = await asked(client, "/v1/models")
    assert isinstance(models["data"], list)
    assert [each["id"] for each in models["data"]] == ["sora-2", "sora-2-pro"]
    error = {"type": "invalid_request_error", "param": None, "code": None}
    assert (code, body) == (404, {"error": {"message": "Invalid URL (GET /v1/nothing)", **error}})
