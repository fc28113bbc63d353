"""The profile `openrouter`: what it refuses, what it drops, and what reaches the provider."""

import pytest

from bot.simulator.profiles import OPENROUTER
from bot.simulator.profiles.openrouter_models import OFFERED
from bot.simulator.scenes import Scene

from .pictures import data_uri
from .plugged import LINK, ONE, ONE_URI, TWO_URI, shop

VEO, SEEDANCE, WAN = "google/veo-3.1", "bytedance/seedance-2.0", "alibaba/wan-2.6"
FLASH, HAILUO, KLING = "alibaba/wan-2.6-i2v-flash", "minimax/hailuo-2.3", "kwaivgi/kling-v3"
GROK, NOVA, TOPAZ = "x-ai/grok-imagine-video", "amazon/nova-reel-1.1", "topaz/video-upscale"


def frame(url: str, role: str = "first_frame") -> dict[str, object]:
    return {"type": "image_url", "image_url": {"url": url}, "frame_type": role}


def part(url: str, kind: str = "image_url") -> dict[str, object]:
    return {"type": kind, kind: {"url": url}}


REFUSED: dict[str, tuple[str, dict[str, object], str]] = {
    "no model": ("", {}, "model: Required"),
    "another gateway's model": ("sora-2", {}, "sora-2 is not a valid video model ID"),
    "no prompt": (VEO, {"prompt": None}, "prompt: Required"),
    "a length that the model lacks": (VEO, {"duration": 5}, "supported: 4, 6, 8"),
    "a length as text": (VEO, {"duration": "8"}, "duration: Invalid input: expected int"),
    "a length as a switch": (GROK, {"duration": True}, "duration: Invalid input: expected int"),
    "a resolution that the model lacks": (VEO, {"resolution": "480p"}, "supported: 720p, 1080p"),
    "a resolution that can't be chosen": (KLING, {"resolution": "720p"}, "supported: none"),
    "a ratio that the model lacks": (VEO, {"aspect_ratio": "1:1"}, "supported: 16:9, 9:16"),
    "a size that the model lacks": (VEO, {"size": "640x360"}, "supported: 1280x720"),
    "a size that can't be chosen": (SEEDANCE, {"size": "1280x720"}, "supported: none"),
    "a last frame that the model lacks": (
        WAN,
        {"frame_images": [frame(ONE_URI), frame(TWO_URI, "last_frame")]},
        "last_frame is not supported by Alibaba: Wan 2.6",
    ),
    "a frame at a model without any": (
        NOVA,
        {"frame_images": [frame(ONE_URI)]},
        "first_frame is not supported by Amazon: Nova Reel 1.1",
    ),
    "a frame without a type": (
        VEO,
        {"frame_images": [part(ONE_URI)]},
        "frame_images.0.frame_type: expected first_frame or last_frame",
    ),
    "two first frames": (
        VEO,
        {"frame_images": [frame(ONE_URI), frame(TWO_URI)]},
        "frame_images has more than one first_frame",
    ),
    "a frame as text": (VEO, {"frame_images": [ONE_URI]}, "expected a list of objects"),
    "a frame that is no address": (
        VEO,
        {"frame_images": [frame("cat.png")]},
        "must be a URL or a base64 data URL",
    ),
    "a frame that is no picture": (
        VEO,
        {"frame_images": [frame(data_uri(b"GIF or not"))]},
        "the image could not be read",
    ),
    "no frame at a model for pictures": (FLASH, {}, "requires a first_frame image"),
    "a reference that the model lacks": (
        HAILUO,
        {"input_references": [part(ONE_URI)]},
        "input_references is not supported by MiniMax: Hailuo 2.3",
    ),
    "too many references": (
        VEO,
        {"input_references": [part(ONE_URI)] * 4},
        "takes at most 3 references",
    ),
    "a reference of an unknown type": (
        VEO,
        {"input_references": [part(ONE_URI, "file_url")]},
        "input_references.0.type",
    ),
    "no video at an upscaler": (TOPAZ, {}, "requires a video reference"),
    "an upscaler's field elsewhere": (
        VEO,
        {"upscale_factor": 2},
        "upscale_factor is not supported",
    ),
    "an earlier job at a model without": (
        WAN,
        {"previous_job_id": "gen-vid-1-a"},
        "previous_job_id is not supported",
    ),
    "a callback without TLS": (VEO, {"callback_url": "http://a.example"}, "an HTTPS URL"),
    "a long session": (VEO, {"session_id": "a" * 257}, "at most 256 characters"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_openrouter_refuses_free_of_charge_what_the_model_lacks(case: str) -> None:
    model, fields, words = REFUSED[case]
    async with shop(OPENROUTER) as it:
        order = await it.order(model, **fields)
        assert it.simulator.charges == 0
    assert order.status == 400
    assert words in order.said()


async def test_frames_of_openrouter_reach_the_provider_in_order_with_the_other_values() -> None:
    frames = [frame(LINK, "last_frame"), frame(ONE_URI)]
    async with shop(OPENROUTER) as it:
        order = await it.order(
            SEEDANCE, duration=5, resolution="480p", aspect_ratio="21:9", seed=7,
            generate_audio=False, frame_images=frames,
        )  # fmt: skip
    assert order.status == 202
    assert order.pictures == [("first_frame", "one"), ("last_frame", LINK)]
    shown = {"plugin", "seconds", "resolution", "ratio", "seed", "sound", "unit"}
    assert {name: order.built[name] for name in shown} == {
        "plugin": "byteplus",
        "seconds": 5,
        "resolution": "480p",
        "ratio": "21:9",
        "seed": 7,
        "sound": False,
        "unit": "USD",
    }
    assert "base64," not in str(order.entry.as_json()), "the journal keeps no bytes"


async def test_frames_win_over_references_of_openrouter_which_are_dropped() -> None:
    async with shop(OPENROUTER) as it:
        order = await it.order(VEO, frame_images=[frame(ONE_URI)], input_references=[part(TWO_URI)])
        alone = await it.order(VEO, input_references=[part(TWO_URI), part(ONE_URI)])
    assert (order.status, order.pictures) == (202, [("first_frame", "one")])
    assert alone.pictures == [("reference", "two"), ("reference", "one")]


async def test_videos_and_sounds_reach_only_a_provider_of_openrouter_that_takes_them() -> None:
    video, sound = "https://a.example/a.mp4", "data:audio/mpeg;base64,AAAA"
    references = [part(ONE_URI), part(video, "video_url"), part(sound, "audio_url")]
    async with shop(OPENROUTER) as it:
        whole = await it.order(SEEDANCE, input_references=references)
        less = await it.order(GROK, input_references=references)
    kinds = [
        [each["type"] for each in order.built["fields"]["input_references"]]  # type: ignore[index]
        for order in (whole, less)
    ]
    assert kinds == [["image_url", "video_url", "audio_url"], ["image_url"]]
    assert (less.status, less.pictures) == (202, [("reference", "one")])


async def test_openrouter_drops_fields_of_other_gateways_without_a_word() -> None:
    async with shop(OPENROUTER) as it:
        order = await it.order(
            WAN, seconds="10", negative_prompt="dogs", image=ONE_URI, images=[ONE_URI],
            metadata={"watermark": False},
        )  # fmt: skip
    assert (order.status, order.pictures) == (202, [])
    assert order.built["fields"] == {
        "model": WAN,
        "prompt": "a cat",
        "duration": 5,
        "generate_audio": True,
    }


async def test_only_the_providers_own_options_of_openrouter_that_it_allows_are_passed_on() -> None:
    options = {
        "alibaba": {"negative_prompt": "dogs", "watermark": False, "cfg": 3},
        "google-vertex": {"negativePrompt": "cats"},
    }
    async with shop(OPENROUTER) as it:
        order = await it.order(WAN, provider={"options": options})
        nested = {"google-vertex": {"parameters": {"negativePrompt": "dogs"}}}
        veo = await it.order(VEO, provider={"options": nested})
    fields = order.built["fields"]
    assert isinstance(fields, dict)
    assert fields["options"] == {"negative_prompt": "dogs", "watermark": False}
    assert order.built["negative_prompt"] == veo.built["negative_prompt"] == "dogs"


async def test_sound_and_seed_of_openrouter_are_dropped_where_the_model_has_none() -> None:
    async with shop(OPENROUTER) as it:
        hailuo = await it.order(HAILUO, generate_audio=True, seed=7)
        veo = await it.order(VEO, seed=7)
    assert (hailuo.built["sound"], hailuo.built["seed"]) == (False, None)
    assert (veo.built["sound"], veo.built["seed"]) == (True, 7)


async def test_an_earlier_job_of_openrouter_is_continued_by_the_same_model_when_it_is_made() -> (
    None
):
    async with shop(OPENROUTER) as it:
        first = await it.order(GROK)
        name = first.body["id"]
        early = await it.order(GROK, previous_job_id=name)
        await it.over(first)
        other = await it.order(VEO, previous_job_id=name)
        unknown = await it.order(GROK, previous_job_id="gen-vid-1-none")
        right = await it.order(GROK, previous_job_id=name, prompt="then it jumps")
    assert early.said() == "400 The previous job has not completed"
    assert other.said() == f"400 The previous job used another model: {GROK}"
    assert unknown.said() == "404 Previous video generation job not found"
    fields = right.built["fields"]
    assert isinstance(fields, dict)
    assert (right.status, fields["previous_job_id"]) == (202, name)


async def test_a_model_of_openrouter_for_pictures_needs_no_prompt() -> None:
    async with shop(OPENROUTER) as it:
        order = await it.order(FLASH, prompt=None, frame_images=[frame(ONE_URI)])
    assert (order.status, order.pictures) == (202, [("first_frame", "one")])


async def test_a_frame_decides_the_ratio_of_openrouters_video_if_the_request_does_not() -> None:
    async with shop(OPENROUTER) as it:
        sizes = []
        for fields in (
            {"frame_images": [frame(ONE_URI)]},
            {"frame_images": [frame(ONE_URI)], "aspect_ratio": "9:16"},
            {"size": "1080x1920"},
            {},
        ):
            order = await it.order(WAN, **fields)
            video = it.simulator._library.get(str(order.body["id"]))
            assert video is not None
            sizes.append((video.scene.width, video.scene.height))
    assert sizes == [(960, 720), (720, 1280), (1080, 1920), (1280, 720)]
    assert ONE  # 640x480, so 4:3


@pytest.mark.parametrize(
    ("model", "size", "sound", "cost"),
    [
        (VEO, (1280, 720), True, 4.0),
        (VEO, (1080, 1920), True, 6.0),
        (WAN, (1920, 1080), True, 1.5),
        (FLASH, (1280, 720), True, 0.5),
        (FLASH, (1920, 1080), False, 0.375),
        (SEEDANCE, (1280, 720), True, 1.512),
        (SEEDANCE, (1280, 720), False, 0.756),
        (KLING, (1280, 720), False, 0.9),
        (HAILUO, (1366, 768), False, 0.47),
        (NOVA, (1280, 720), False, None),
    ],
)
def test_openrouter_charges_by_the_most_specific_price_of_the_model(
    model: str, size: tuple[int, int], sound: bool, cost: float | None
) -> None:
    scene = Scene(
        model=model, prompt="a cat", width=size[0], height=size[1], seconds=10, sound=sound
    )
    assert OFFERED[model].cost(scene) == cost
