"""POST /v1/videos: what the API document shows is accepted, and what it forbids is refused."""

import io
import json

import aiohttp
import pytest

from bot.simulator.server import Simulator

from .conftest import Clock
from .pictures import data_uri, form, png

ASTRONAUT = "一个穿着宇航服的宇航员在月球上行走, 高品质, 电影级"
CAT = "猫咪慢慢睁开眼睛,伸懒腰"
KITTEN = "一只可爱的小猫在花园里玩耍,阳光明媚,色彩鲜艳"
MOVE = "让这张图片动起来,添加自然的运动效果"
FLAGS = {"watermark": False, "prompt_extend": True}
KEYFRAMES = {
    "first_frame_url": "https://example.com/start.jpg",
    "last_frame_url": "https://example.com/end.jpg",
    "resolution": "720P",
    "watermark": False,
}

Fields = dict[str, str]

EXAMPLES: dict[str, tuple[Fields, dict[str, bytes], str]] = {
    "curl text-to-video": (
        {"prompt": ASTRONAUT, "model": "sora-2", "seconds": "5", "size": "1920x1080"},
        {},
        "1920x1080",
    ),
    "curl and JS image-to-video": (
        {"prompt": CAT, "model": "sora-2", "seconds": "3", "size": "1920x1080"},
        {"input_reference": png()},
        "1920x1080",
    ),
    "curl Wan text-to-video": (
        {"prompt": KITTEN, "model": "wan2.5-t2v-preview", "seconds": "5", "size": "1920*1080"},
        {},
        "1920x1080",
    ),
    "curl Wan image-to-video": (
        {
            "prompt": MOVE,
            "model": "wan2.5-i2v-preview",
            "seconds": "5",
            "size": "1280P",
            "metadata": '{"img_url":"https://example.com/image.jpg"}',
        },
        {},
        "1280x720",
    ),
    "JS Wan text-to-video": (
        {
            "prompt": KITTEN,
            "model": "wan2.5-t2v-preview",
            "seconds": "5",
            "size": "1920*1080",
            "metadata": json.dumps(FLAGS),
        },
        {},
        "1920x1080",
    ),
    "JS Wan key frames": (
        {
            "prompt": "从开始到结束的平滑过渡动画",
            "model": "wan2.2-kf2v-flash",
            "seconds": "4",
            "metadata": json.dumps(KEYFRAMES),
        },
        {},
        "1280x720",
    ),
    "only a prompt": ({"prompt": "a cat"}, {}, "720x1280"),
}


@pytest.mark.parametrize("example", EXAMPLES)
async def test_every_example_of_the_api_document_is_accepted(
    client: aiohttp.ClientSession, clock: Clock, example: str
) -> None:
    fields, files, size = EXAMPLES[example]

    async with client.post("/v1/videos", data=form(fields, **files)) as answer:
        body = await answer.json()

    assert answer.status == 201
    name = body.pop("id")
    assert name.startswith("video_")
    assert body == {
        "object": "video",
        "model": fields.get("model", "sora-2"),
        "created_at": 1640995200,
        "status": "processing",
        "progress": 0,
    }
    async with client.get(f"/v1/videos/{name}") as answer:
        video = await answer.json()
    assert (video["size"], video["seconds"]) == (size, fields.get("seconds", "4"))


async def test_an_order_in_json_makes_the_same_video_as_a_form(
    client: aiohttp.ClientSession,
) -> None:
    content = {"prompt": "a cat", "model": "wan2.5-i2v-preview", "seconds": 5, "size": "480P"}
    content["metadata"] = {"img_url": "https://example.com/cat.jpg"}

    async with client.post("/v1/videos", json=content) as answer:
        assert answer.status == 201
        name = (await answer.json())["id"]

    async with client.get(f"/v1/videos/{name}") as answer:
        video = await answer.json()
    assert (video["size"], video["seconds"]) == ("832x480", "5")


@pytest.mark.parametrize(
    ("picture", "tier", "size"),
    [
        ((750, 1000), "720P", "816x1104"),  # seen at the real vendor
        ((1600, 900), "720P", "1280x720"),
        ((1600, 900), "1080p", "1920x1080"),
        ((500, 500), "480P", "624x624"),
        ((2000, 20), "720P", "1920x480"),
    ],
)
async def test_the_size_of_a_video_from_a_picture_follows_its_ratio_and_the_chosen_tier(
    client: aiohttp.ClientSession, picture: tuple[int, int], tier: str, size: str
) -> None:
    extras = json.dumps({"img_url": data_uri(png(size=picture)), "resolution": tier})
    fields = {"prompt": "move", "model": "wan2.5-i2v-preview", "metadata": extras}

    async with client.post("/v1/videos", data=form(fields)) as answer:
        name = (await answer.json())["id"]

    async with client.get(f"/v1/videos/{name}") as answer:
        assert (await answer.json())["size"] == size


FACE = {"image_url": "https://example.com/cat.jpg"}
S2V = {"prompt": "a", "model": "wan2.2-s2v", "metadata": json.dumps(FACE)}
I2V = {"prompt": "move", "model": "wan2.5-i2v-preview"}

REFUSALS: dict[str, tuple[Fields, dict[str, bytes], str]] = {
    # The document's own JavaScript sample; its text says that files are not supported.
    "JS Wan image-to-video": (
        I2V | {"seconds": "3", "resolution": "720P", "metadata": json.dumps(FLAGS)},
        {"input_reference": png()},
        "metadata.img_url",
    ),
    "no prompt": ({"model": "sora-2"}, {}, "prompt"),
    "blank prompt": ({"prompt": " \n"}, {}, "prompt"),
    "[refuse]": ({"prompt": "a cat [refuse]"}, {}, "refused"),
    "unknown model": ({"prompt": "a", "model": "sora-9"}, {}, "wan2.2-kf2v-flash"),
    "no number of seconds": ({"prompt": "a", "seconds": "4s"}, {}, "seconds"),
    "no time at all": ({"prompt": "a", "seconds": "0"}, {}, "seconds"),
    "too long": ({"prompt": "a", "seconds": "61"}, {}, "seconds"),
    "no size": ({"prompt": "a", "size": "big"}, {}, "size"),
    "odd size": ({"prompt": "a", "size": "721x1281"}, {}, "even"),
    "huge size": ({"prompt": "a", "size": "9000x9000"}, {}, "2048"),
    "size not of Wan": (
        {"prompt": "a", "model": "wan2.5-t2v-preview", "size": "640*360"},
        {},
        "832*480",
    ),
    "metadata no JSON": ({"prompt": "a", "metadata": "{img_url:"}, {}, "metadata"),
    "metadata no object": ({"prompt": "a", "metadata": "[1]"}, {}, "metadata"),
    "watermark no boolean": ({"prompt": "a", "metadata": '{"watermark":"no"}'}, {}, "watermark"),
    "seed no number": ({"prompt": "a", "metadata": '{"seed":"7"}'}, {}, "seed"),
    "file no picture": ({"prompt": "a"}, {"input_reference": b"GIF8 or not"}, "not an image"),
    "file of another name": ({"prompt": "a"}, {"image": png()}, "input_reference"),
    "Wan without its picture": (I2V, {}, "metadata.img_url"),
    "Wan text model with a file": (
        {"prompt": "a", "model": "wan2.5-t2v-preview"},
        {"input_reference": png()},
        "metadata.img_url",
    ),
    "img_url no address": (I2V | {"metadata": '{"img_url":"cat.jpg"}'}, {}, "img_url"),
    "img_url bad base64": (
        I2V | {"metadata": '{"img_url":"data:image/png;base64,@@"}'},
        {},
        "img_url",
    ),
    "img_url no picture": (
        I2V | {"metadata": json.dumps({"img_url": data_uri(b"text")})},
        {},
        "not an image",
    ),
    "one key frame": (
        {
            "prompt": "a",
            "model": "wan2.2-kf2v-flash",
            "metadata": '{"first_frame_url":"https://example.com/a.jpg"}',
        },
        {},
        "last_frame_url",
    ),
    "a voice without its picture": (S2V | {"metadata": "{}"}, {}, "metadata.image_url"),
    "no voice": (S2V, {}, "metadata.audio_url"),
    "a voice that is no sound": (
        S2V | {"metadata": json.dumps(FACE | {"audio_url": data_uri(b"text")})},
        {},
        "not a sound",
    ),
    "Jimeng without its picture": (
        {"prompt": "a", "model": "jimeng_vgfm_i2v_l20"},
        {},
        "input_reference",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
async def test_an_order_that_the_api_document_forbids_is_refused_and_not_charged(
    client: aiohttp.ClientSession, simulator: Simulator, case: str
) -> None:
    fields, files, word = REFUSALS[case]

    async with client.post("/v1/videos", data=form(fields, **files)) as answer:
        body = await answer.json()

    assert answer.status == 400
    assert body["error"]["type"] == "invalid_request_error"
    assert word in body["error"]["message"]
    assert [(entry.status, entry.charged) for entry in simulator.journal] == [(400, False)]


@pytest.mark.parametrize(("length", "status"), [(1_048_576, 201), (1_048_577, 400)])
async def test_a_text_part_of_a_form_may_have_1_mib_at_most(
    client: aiohttp.ClientSession, length: int, status: int
) -> None:
    head = b'--edge\r\nContent-Disposition: form-data; name="prompt"\r\n\r\n'
    body = io.BytesIO(head + b"x" * length + b"\r\n--edge--\r\n")
    said = {"Content-Type": "multipart/form-data; boundary=edge"}
    async with client.post("/v1/videos", data=body, headers=said) as answer:
        assert answer.status == status
        assert ("exceeds 1048576 bytes" in await answer.text()) == (status == 400)


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b"[" * 100_000])
async def test_a_json_body_that_is_no_object_is_refused(
    client: aiohttp.ClientSession, body: bytes
) -> None:
    headers = {"Content-Type": "application/json"}
    async with client.post("/v1/videos", data=body, headers=headers) as answer:
        assert (answer.status, "the body" in await answer.text()) == (400, True)


async def test_an_urlencoded_body_is_refused(client: aiohttp.ClientSession) -> None:
    async with client.post("/v1/videos", data={"prompt": "urlencoded"}) as answer:
        assert answer.status == 400


@pytest.mark.parametrize("path", ["/v1/videos/video_1", "/v1/videos/video_1/content", "/v1/models"])
@pytest.mark.parametrize("given", ["Bearer sk-other", "Basic sk-sim", "Bearer", "sk-sim"])
async def test_a_request_with_a_wrong_key_is_refused_and_not_charged(
    client: aiohttp.ClientSession, simulator: Simulator, path: str, given: str
) -> None:
    headers = {"Authorization": given}

    async with client.get(path, headers=headers) as answer:
        body = await answer.json()
    async with client.post("/v1/videos", data=form({"prompt": "a"}), headers=headers) as posted:
        pass

    assert (answer.status, posted.status, simulator.charges) == (401, 401, 0)
    assert body == {
        "error": {"message": "invalid or missing API key", "type": "invalid_request_error"}
    }


async def test_the_front_page_the_models_and_unknown_paths_are_answered(
    client: aiohttp.ClientSession,
) -> None:
    async with client.get("/") as answer:
        assert "simulated video gateway" in await answer.text()
    async with client.get("/v1/models") as answer:
        models = await answer.json()
    assert models["object"] == "list"
    assert {"sora-2", "viduq1", "wan2.2-kf2v-flash"} <= {each["id"] for each in models["data"]}
    async with client.get("/v1/nothing") as answer:
        assert (answer.status, await answer.json()) == (
            404,
            {
                "error": {
                    "message": "there is nothing at GET /v1/nothing",
                    "type": "invalid_request_error",
                }
            },
        )
