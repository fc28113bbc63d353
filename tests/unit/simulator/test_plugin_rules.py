"""The plugins of generation C: orders that each version refuses, and requests that it passes on."""

import pytest

from bot.simulator.profiles import NEW_API_C, new_api_c
from tests.unit.simulator.plugin_models import GROK, H3, HAILUO, JIMENG, SEEDANCE, VEO, WAN

from .plugged import LINK, ONE_URI, TWO_URI, plugged, shop

# --- refused orders ---------------------------------------------------------------------------


INVALID, DECODER = "400 plugin_request_invalid: ", "400 "
REFUSED: dict[str, tuple[str, dict[str, object], str]] = {
    "wan: no picture": (WAN, {}, INVALID + f"{WAN} requires img_url or image"),
    "wan: flat metadata": (
        WAN,
        {"metadata": {"img_url": ONE_URI}},
        INVALID + f"{WAN} requires img_url or image",
    ),
    "wan: pixels": ("wan2.5-t2v-preview", {"size": "999x999"}, INVALID + "invalid size: 999*999"),
    "wan: tier": (
        "wan2.2-i2v-plus",
        {"image": ONE_URI, "size": "720P"},
        INVALID + "wan2.2-i2v-plus resolution must be one of 480P, 1080P",
    ),
    "wan: seconds": (
        "wan2.6-t2v",
        {"seconds": "16"},
        INVALID + "wan2.6-t2v duration must be an integer between 2 and 15",
    ),
    "wan: -1": (
        "wan2.6-t2v",
        {"seconds": -1},
        INVALID + "duration -1 (smart duration) is only supported by wan3.0 models",
    ),
    "wan: seed": (
        "wan2.5-t2v-preview",
        {"seed": -1},
        INVALID + "seed must be an integer between 0 and 2147483647",
    ),
    "wan: half a seed": (
        "wan2.5-t2v-preview",
        {"seed": 5.5},
        INVALID + "seed must be an integer between 0 and 2147483647",
    ),
    "wan: text for a boolean": (
        "wan2.5-t2v-preview",
        {"watermark": "false"},
        INVALID + "watermark must be a boolean",
    ),
    "wan: speech without its sound": (
        "wan2.2-s2v",
        {"image": ONE_URI},
        INVALID + "wan2.2-s2v requires image_url and audio_url",
    ),
    "wan: speech flat": (
        "wan2.2-s2v",
        {"metadata": {"image_url": ONE_URI, "audio_url": LINK}},
        INVALID + "wan2.2-s2v requires image_url and audio_url",
    ),
    "wan: only a last frame": (
        "wan3.0-video",
        {"metadata": {"input": {"media": [{"type": "last_frame", "url": LINK}]}}},
        INVALID + "unsupported wan3.0 input.media combination",
    ),
    "wan: images as text": (WAN, {"images": LINK}, DECODER + "images must be an array"),
    "kling: std of v2": (
        "kling-v2-master",
        {"mode": "std"},
        DECODER + "kling-v2-master does not support mode std",
    ),
    "kling: half a second": (
        "kling-v1",
        {"seconds": "5.5"},
        DECODER + "seconds must be a positive integer at most 3600",
    ),
    "vidu: seconds": ("viduq1", {"seconds": "8"}, DECODER + "viduq1 duration must be 5"),
    "vidu: 2.0 of words": (
        "vidu2.0",
        {},
        DECODER + "vidu2.0 does not support text-to-video",
    ),
    "vidu: 2.0 for long": (
        "vidu2.0",
        {"image": ONE_URI, "seconds": 8, "size": "1080p"},
        DECODER + "vidu2.0 duration 8 only allows resolution 720p",
    ),
    "jimeng 3.0: seconds": ("jimeng_v30", {"seconds": "7"}, DECODER + "seconds must be 5 or 10"),
    "jimeng: seconds": (JIMENG, {"seconds": "10"}, DECODER + "seconds must be 5"),
    "seedance: tier": (
        "doubao-seedance-2-0-fast-260128",
        {"metadata": {"resolution": "1080p"}},
        INVALID + "doubao-seedance-2-0-fast-260128 resolution must be one of 480p, 720p",
    ),
    "seedance: seconds": (
        SEEDANCE,
        {"seconds": 0},
        DECODER + "seconds must be -1 or between 1 and 3600",
    ),
    "hailuo: seconds": (
        HAILUO,
        {"seconds": 5},
        DECODER + f"{HAILUO} duration must be 6 or 10",
    ),
    "hailuo: long and large": (
        HAILUO,
        {"seconds": 10, "size": "1080P"},
        DECODER + f"{HAILUO} duration 10 only allows resolution 768P",
    ),
    "hailuo: fast of words": (
        "MiniMax-Hailuo-2.3-Fast",
        {},
        DECODER + "MiniMax-Hailuo-2.3-Fast supports image-to-video only",
    ),
    "h3: pixels": (H3, {"size": "1280x720"}, INVALID + f"{H3} resolution must be 768P or 2K"),
    "h3: seconds": (
        H3,
        {"seconds": 3},
        INVALID + f"{H3} duration must be an integer between 4 and 15 seconds",
    ),
    "h3: adaptive to nothing": (
        H3,
        {"metadata": {"ratio": "adaptive"}},
        INVALID + f"{H3} ratio adaptive requires an image or video input",
    ),
    "veo: seconds": (VEO, {"seconds": "5"}, DECODER + "seconds must be one of 4, 6, or 8"),
    "veo: resolution": (
        VEO,
        {"resolution": "480p"},
        DECODER + "resolution must be one of 720p, 1080p, or 4k",
    ),
    "grok: tier": (
        GROK,
        {"size": "1080p"},
        DECODER + f"{GROK} resolution must be one of 480p, 720p",
    ),
    "grok: seconds": (
        GROK,
        {"seconds": 16},
        DECODER + "duration must be an integer between 1 and 15",
    ),
    "grok: references in 1080p": (
        "grok-imagine-video-1.5",
        {"images": [ONE_URI, TWO_URI], "resolution": "1080p"},
        DECODER + "reference-to-video supports resolution 480p or 720p",
    ),
    "grok: file_id": (
        GROK,
        {"image": {"file_id": "file-1"}},
        DECODER + "image must be a URL; file_id is not supported",
    ),
    "sora: no prompt": ("sora-2", {"prompt": None}, INVALID + "field prompt is required"),
    "sora: no price": (
        "sora-2",
        {"size": "1920x1080"},
        "400 plugin_usage_invalid: usage fact size: 1920x1080 is not declared",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_an_order_that_breaks_a_rule_of_a_plugin_is_refused_unpaid(case: str) -> None:
    model, fields, said = REFUSED[case]
    async with shop() as it:
        order = await it.order(model, **fields)
    assert order.said() == said
    assert (order.entry.charged, order.entry.built) == (False, None)


# --- options that reach the vendor ---------------------------------------------------------------


SAID: dict[str, tuple[str, dict[str, object], dict[str, object]]] = {
    "wan keeps no and zero": (
        "wan2.5-t2v-preview",
        {"prompt_extend": False, "watermark": False, "audio": False, "seed": 0, "size": "720P"},
        {"prompt_extend": False, "watermark": False, "sound": False, "seed": 0},
    ),
    "wan rewrites prompts": (
        "wan2.5-t2v-preview",
        {},
        {"prompt_extend": True, "resolution": "1080P"},
    ),
    "wan metadata wins": (
        "wan2.5-t2v-preview",
        {"seconds": "5", "metadata": {"parameters": {"duration": 10, "size": "720*1280"}}},
        {"seconds": 10, "resolution": "720P", "ratio": "9:16"},
    ),
    "wan chooses": ("wan3.0-video", {"seconds": -1}, {"seconds": -1, "held": 30.0, "settled": 8.0}),
    "wan negative": (
        "wan2.5-t2v-preview",
        {"negative_prompt": "rain"},
        {"negative_prompt": "rain"},
    ),
    "kling v2 is pro": (
        "kling-v2-master",
        {"seconds": "10", "size": "720x1280"},
        {"ratio": "9:16", "unit": "credit", "held": 20.0},
    ),
    "kling any other size is square": (
        "kling-v1",
        {"size": "960x720"},
        {"ratio": "1:1", "held": 1.0},
    ),
    "kling metadata wins": (
        "kling-v1",
        {"size": "1280x720", "metadata": {"aspect_ratio": "9:16", "negative_prompt": "rain"}},
        {"ratio": "9:16", "negative_prompt": "rain"},
    ),
    "vidu size": (
        "viduq2",
        {"size": "1920x1080", "seconds": 9},
        {"resolution": "1080p", "seconds": 9},
    ),
    "vidu q1": ("viduq1", {"size": "360p"}, {"resolution": "1080p"}),
    "jimeng size": (JIMENG, {"size": "1280x720"}, {"ratio": "16:9"}),
    "seedance size decides what is held alone": (
        SEEDANCE,
        {"size": "1920x1080", "seconds": 5},
        {"resolution": "720p", "held": 243000.0, "settled": 108000.0, "unit": "token"},
    ),
    "seedance says nothing": (SEEDANCE, {}, {"held": 729000.0, "settled": 108000.0}),
    "seedance silent": (
        SEEDANCE,
        {"metadata": {"generate_audio": False, "seed": 3, "ratio": "9:16", "watermark": True}},
        {"sound": False, "seed": 3, "ratio": "9:16", "watermark": True},
    ),
    "hailuo": (HAILUO, {"size": "1280x720"}, {"resolution": "768P", "seconds": 6}),
    "h3": (H3, {"size": "2K", "seconds": 15}, {"resolution": "2K", "ratio": "16:9", "seconds": 15}),
    "veo": (
        VEO,
        {"size": "1080x1920", "seconds": "4", "metadata": {"negativePrompt": "rain"}},
        {"resolution": "1080p", "ratio": "9:16", "seconds": 4, "negative_prompt": "rain"},
    ),
    "grok": (GROK, {}, {"resolution": "480p", "seconds": 8}),
    "grok size": (
        GROK,
        {"size": "720x1280", "generate_audio": False},
        {"resolution": "720p", "ratio": "9:16", "sound": False},
    ),
}


@pytest.mark.parametrize("case", SAID)
async def test_the_journal_shows_the_values_that_the_vendor_got(case: str) -> None:
    model, fields, told = SAID[case]
    async with shop() as it:
        order = await it.order(model, **fields)
    assert order.status == 200, order.body
    assert {name: order.built[name] for name in told} == told


@pytest.mark.parametrize("version", ["1.0.0", "1.0.1"])
async def test_old_versions_of_the_wan_plugin_drop_false_and_zero(version: str) -> None:
    parameters = {"prompt_extend": False, "watermark": False, "seed": 0}
    async with plugged(alibaba=version) as it:
        order = await it.order("wan2.5-t2v-preview", metadata={"parameters": parameters})
    built = order.built
    assert (built["prompt_extend"], built["watermark"], built["seed"]) == (True, None, None)


async def test_old_versions_of_the_wan_plugin_require_a_star_in_the_size() -> None:
    async with plugged(alibaba="1.0.1") as it:
        order = await it.order("wan2.5-t2v-preview", size="1280x720")
    assert order.said() == (
        "400 plugin_request_invalid: invalid size: 1280x720, example: 1920*1080"
    )


@pytest.mark.parametrize(
    ("model", "seconds"), [("viduq1", 5), (HAILUO, 6), (VEO, 8), ("kling-v1", 10)]
)
async def test_the_first_versions_of_most_plugins_drop_the_seconds(
    model: str, seconds: int
) -> None:
    keys = ("google", "hailuo", "kling", "vidu")
    async with plugged(**dict.fromkeys(keys, "1.0.0")) as it:
        order = await it.order(model, seconds="10")
    assert order.built["seconds"] == seconds


@pytest.mark.parametrize(
    ("model", "prices"),
    [("viduq1", (10.0, 5.0)), (HAILUO, (10.0, 10.0)), (VEO, (10.0, 8.0)), (JIMENG, (10.0, 5.0))],
)
async def test_seconds_that_a_plugin_drops_are_still_held_from_the_balance(
    model: str, prices: tuple[float, float]
) -> None:
    async with plugged(**dict.fromkeys(("google", "hailuo", "jimeng", "vidu"), "1.0.0")) as it:
        order = await it.order(model, seconds="10")
    assert (order.built["held"], order.built["settled"]) == prices


# ---------------------------------------------------------------------------- sets of plugins


def test_each_plugin_has_a_version_of_its_own() -> None:
    models = new_api_c("c", {"alibaba": "1.0.0", "hailuo": "1.1.9", "kling": "none"}).models
    assert {"wan2.6-t2v", H3, "kling-v1"} & models.keys() == set()
    assert {"wan2.7-i2v", HAILUO, "viduq1"} <= models.keys()
    assert {"wan2.6-t2v", H3, "kling-v1"} <= NEW_API_C.models.keys()


@pytest.mark.parametrize("plugins", [{"klling": "1.0.0"}, {"kling": "one"}, {"kling": "1.0"}])
def test_an_unknown_plugin_or_version_is_refused(plugins: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"kl|one|1\.0"):
        new_api_c("c", plugins)


async def test_an_order_for_a_model_of_two_plugins_is_tried_with_both() -> None:
    async with plugged(vertex_ai="newest", google="1.0.0") as it:
        taken = await it.fill(VEO)
        refused = await it.order(VEO, seconds="5")
        both = await it.order(VEO, seconds="-1")
    assert (taken.built["plugin"], refused.built["plugin"]) == ("vertex-ai", "google")
    assert both.said() == (
        "400 google: seconds must be between 1 and 3600;"
        " vertex-ai: seconds must be one of 4, 6, or 8"
    )
