"""The plugins of generation C: what each version of each reads, drops, refuses and passes on."""

import pytest

from bot.simulator.profiles import NEW_API_C, new_api_c

from .pictures import RED, png
from .plugged import LINK, ONE, ONE_BARE, ONE_URI, TWO_BARE, TWO_URI, Order, plugged, shop

WAN, GROK, VEO = "wan2.5-i2v-preview", "grok-imagine-video", "veo-3.1-generate-preview"
SEEDANCE, HAILUO, H3 = "doubao-seedance-2-0-260128", "MiniMax-Hailuo-02", "MiniMax-H3"
JIMENG = "jimeng_vgfm_t2v_l20"


# ----------------------------------------------------- pictures: one case for each place there is

ARRIVES: dict[str, tuple[str, dict[str, object], list[tuple[str, str]]]] = {
    "wan image": (WAN, {"image": ONE_URI}, [("first_frame", "one")]),
    "wan images": (WAN, {"images": [ONE_URI]}, [("first_frame", "one")]),
    "wan input_reference": (WAN, {"input_reference": LINK}, [("first_frame", LINK)]),
    "wan metadata": (
        WAN,
        {"metadata": {"input": {"img_url": ONE_URI}}},
        [("first_frame", "one")],
    ),
    "wan two frames": (
        "wan2.2-kf2v-flash",
        {"images": [ONE_URI, TWO_URI]},
        [("first_frame", "one"), ("last_frame", "two")],
    ),
    "wan 2.7 two frames": (
        "wan2.7-i2v",
        {"images": [ONE_URI, TWO_URI]},
        [("first_frame", "one"), ("last_frame", "two")],
    ),
    "wan 3.0 references": (
        "wan3.0-video",
        {"metadata": {"input": {"media": [{"type": "reference_image", "url": ONE_URI}]}}},
        [("reference", "one")],
    ),
    "wan speech": (
        "wan2.2-s2v",
        {"image": ONE_URI, "audio_url": LINK},
        [("first_frame", "one")],
    ),
    "kling image": ("kling-v1", {"image": ONE_BARE}, [("first_frame", "one")]),
    "kling input_reference": ("kling-v1", {"input_reference": LINK}, [("first_frame", LINK)]),
    "kling tail": (
        "kling-v1",
        {"image": ONE_BARE, "metadata": {"image_tail": TWO_BARE}},
        [("first_frame", "one"), ("last_frame", "two")],
    ),
    "vidu image": ("viduq1", {"image": ONE_URI}, [("first_frame", "one")]),
    "vidu two": (
        "viduq1",
        {"images": [ONE_URI, TWO_URI]},
        [("first_frame", "one"), ("last_frame", "two")],
    ),
    "vidu references": ("viduq2", {"images": [ONE_URI] * 3}, [("reference", "one")] * 3),
    "jimeng image": (JIMENG, {"image": ONE_BARE}, [("first_frame", "one")]),
    "jimeng link": (JIMENG, {"images": [LINK]}, [("first_frame", LINK)]),
    "jimeng 3.0 two": (
        "jimeng_v30",
        {"images": [ONE_BARE, TWO_BARE]},
        [("first_frame", "one"), ("last_frame", "two")],
    ),
    "seedance images": (SEEDANCE, {"images": [ONE_URI]}, [("first_frame", "one")]),
    "seedance content": (
        SEEDANCE,
        {
            "metadata": {
                "content": [
                    {"type": "image_url", "role": "first_frame", "image_url": {"url": ONE_URI}},
                    {"type": "image_url", "role": "last_frame", "image_url": {"url": TWO_URI}},
                ]
            }
        },
        [("first_frame", "one"), ("last_frame", "two")],
    ),
    "hailuo image": (HAILUO, {"image": ONE_URI}, [("first_frame", "one")]),
    "hailuo last": (
        HAILUO,
        {"image": ONE_URI, "metadata": {"last_frame_image": TWO_URI}},
        [("first_frame", "one"), ("last_frame", "two")],
    ),
    "h3 images": (
        H3,
        {"images": [ONE_URI, TWO_URI]},
        [("first_frame", "one"), ("last_frame", "two")],
    ),
    "veo images": (VEO, {"images": [ONE_BARE]}, [("first_frame", "one")]),
    "veo images as uri": (VEO, {"images": [ONE_URI]}, [("first_frame", "one")]),
    "grok image": (GROK, {"image": {"url": ONE_URI}}, [("first_frame", "one")]),
    "grok input_reference": (GROK, {"input_reference": ONE_URI}, [("first_frame", "one")]),
    "grok one of images": (GROK, {"images": [ONE_URI]}, [("first_frame", "one")]),
    "grok two are references": (
        GROK,
        {"images": [ONE_URI, TWO_URI]},
        [("reference", "one"), ("reference", "two")],
    ),
    "grok last frame": (
        GROK,
        {"image": ONE_URI, "last_frame": TWO_URI},
        [("first_frame", "one"), ("last_frame", "two")],
    ),
}


@pytest.mark.parametrize("case", ARRIVES)
async def test_a_picture_arrives_where_the_newest_plugin_looks(case: str) -> None:
    model, fields, pictures = ARRIVES[case]
    async with shop() as it:
        order = await it.order(model, **fields)
    assert (order.status, order.entry.charged) == (200, True), order.body
    assert order.pictures == pictures


FILES = {"kling-v1": "one", "viduq1": "one", HAILUO: "one", VEO: "one", GROK: "one", H3: "one"}


@pytest.mark.parametrize("model", FILES)
async def test_a_file_becomes_the_picture(model: str) -> None:
    async with shop() as it:
        order = await it.fill(model, file=ONE)
    assert order.pictures == [("first_frame", "one")]


async def test_a_file_of_the_right_size_reaches_sora() -> None:
    picture = png(RED, (720, 1280))
    async with shop() as it:
        order = await it.fill("sora-2", file=picture, size="720x1280")
    assert (order.status, len(order.pictures)) == (200, 1)


# -------------------------------------------------------------- traps: accepted, dropped and paid

DROPPED: dict[str, tuple[str, str, dict[str, object]]] = {
    "kling 1.0.0 image": ("1.0.0", "kling-v1", {"image": ONE_BARE}),
    "kling 1.0.0 metadata": ("1.0.0", "kling-v1", {"metadata": {"image": ONE_BARE}}),
    "kling images": ("newest", "kling-v1", {"images": [ONE_BARE, TWO_BARE]}),
    "kling tail on top": ("newest", "kling-v1", {"image_tail": TWO_BARE}),
    "vidu 1.0.0 image": ("1.0.0", "viduq1", {"image": ONE_URI}),
    "vidu 1.0.0 input_reference": ("1.0.0", "viduq1", {"input_reference": ONE_URI}),
    "seedance image": ("newest", SEEDANCE, {"image": ONE_URI}),
    "seedance input_reference": ("newest", SEEDANCE, {"input_reference": ONE_URI}),
    "seedance 1.0.0 image": ("1.0.0", SEEDANCE, {"image": ONE_URI}),
    "veo image": ("newest", VEO, {"image": ONE_URI}),
    "veo input_reference": ("newest", VEO, {"input_reference": ONE_URI}),
    "veo link": ("newest", VEO, {"images": [LINK]}),
    "hailuo images": ("newest", HAILUO, {"images": [ONE_URI]}),
    "hailuo 1.0.0 image": ("1.0.0", HAILUO, {"image": ONE_URI}),
    "jimeng 1.0.0 images": ("1.0.0", JIMENG, {"images": [ONE_BARE]}),
    "wan 1.0.0 flat metadata": ("1.0.0", WAN, {"metadata": {"img_url": ONE_URI}}),
}


@pytest.mark.parametrize("case", DROPPED)
async def test_a_dropped_picture_makes_a_charged_video_of_words_alone(case: str) -> None:
    version, model, fields = DROPPED[case]
    keys = ("alibaba", "doubao", "google", "hailuo", "jimeng", "kling", "vidu")
    async with plugged(**dict.fromkeys(keys, version)) as it:
        order = await it.order(model, **fields)
        over = await it.over(order)
        (entry, *_) = it.simulator.journal
    assert (order.status, over["status"]) == (200, "completed"), order.body
    assert (order.pictures, order.built["prompt"]) == ([], "a cat")
    assert (entry.charged, entry.refunded) == (True, False)


async def test_a_form_loses_the_metadata_of_wan_and_the_images_of_seedance() -> None:
    metadata = {"input": {"img_url": ONE_URI}, "parameters": {"seed": 7}}
    async with plugged(alibaba="1.0.0") as it:
        wan = await it.fill(WAN, metadata=metadata)
        seedance = await it.fill(SEEDANCE, images=ONE_URI)
    assert [(order.status, order.pictures) for order in (wan, seedance)] == [(200, []), (200, [])]
    assert wan.built["seed"] is None


async def test_two_pictures_of_vidu_cannot_go_in_a_form() -> None:
    async with shop() as it:
        order = await it.fill("viduq1", images=[ONE_URI, TWO_URI])
    assert order.said() == "400 images must be provided once"


async def test_jimeng_gets_an_object_in_place_of_a_file_and_refuses_it() -> None:
    async with shop() as it:
        order = await it.fill(JIMENG, file=ONE)
    assert (order.status, order.body["code"]) == (400, "fail_to_fetch_task")
    assert (order.entry.charged, order.entry.refunded, order.entry.built) == (True, True, None)


async def test_a_data_uri_is_no_picture_to_kling_and_bare_base64_none_to_vidu() -> None:
    async with shop() as it:
        kling = await it.order("kling-v1", image=ONE_URI)
        vidu = await it.order("viduq1", image=ONE_BARE)
    assert [kling.body["code"], vidu.body["code"]] == ["fail_to_fetch_task"] * 2


KEYS_OF_3_0 = {
    ("jimeng_v30", 0): "jimeng_t2v_v30",
    ("jimeng_v30", 1): "jimeng_i2v_first_v30",
    ("jimeng_v30", 2): "jimeng_i2v_first_tail_v30",
    ("jimeng_v30_720p", 0): "jimeng_t2v_v30_720p",
    ("jimeng_v30_1080p", 0): "jimeng_t2v_v30_1080p",
    ("jimeng_v30_1080p", 1): "jimeng_i2v_first_v30_1080",
    ("jimeng_v30_pro", 0): "jimeng_ti2v_v30_pro",
    ("jimeng_v30_pro", 1): "jimeng_ti2v_v30_pro",
}
"""Model and number of pictures → the vendor's own name."""


@pytest.mark.parametrize(("model", "pictures"), KEYS_OF_3_0)
@pytest.mark.parametrize("version", ["1.0.0", "newest"])
async def test_jimeng_3_0_has_a_name_for_each_number_of_pictures(
    model: str, pictures: int, version: str
) -> None:
    async with plugged(jimeng=version) as it:
        order = await it.order(model, images=[ONE_BARE] * pictures, duration=10)
    assert order.entry.built is not None
    fields = order.entry.built["fields"]
    assert isinstance(fields, dict)
    assert (fields["req_key"], fields["frames"]) == (KEYS_OF_3_0[model, pictures], 241)


# ------------------------------------------------------------------- forms, version by version

FORMS: dict[str, tuple[str, str, bytes | None, str]] = {
    # model → the answer to a form at 1.0.0, at the newest, and to a form with a file at both
    "sora-2": ("400 JSON object required", "200", None, ""),
    "viduq1": ("400 JSON object required", "200", None, ""),
    JIMENG: ("400 JSON object required", "200", None, ""),
    SEEDANCE: ("400 JSON object required", "200", None, ""),
    HAILUO: ("400 JSON object required", "200", None, ""),
    VEO: ("400 JSON object required", "200", None, ""),
    "kling-v1": ("200", "200", ONE, "400 uploaded input_reference is not supported"),
    "wan2.5-t2v-preview": ("200", "200", ONE, "400 Ali requires input_reference to be a URL"),
}


@pytest.mark.parametrize("model", FORMS)
async def test_most_plugins_take_no_form_at_first(model: str) -> None:
    first, newest, file, complaint = FORMS[model]
    keys = ("alibaba", "doubao", "google", "hailuo", "jimeng", "kling", "sora", "vidu")
    async with plugged(**dict.fromkeys(keys, "1.0.0")) as it:
        old = await it.fill(model)
        filed = await it.fill(model, file=file) if file else None
    async with shop() as it:
        new = await it.fill(model)
    assert [_said(old), _said(new)] == [first, newest]
    assert filed is None or _said(filed) == complaint


def _said(order: Order) -> str:
    return "200" if order.status == 200 else order.said()


@pytest.mark.parametrize("model", ["wan2.5-t2v-preview", SEEDANCE])
async def test_two_plugins_never_take_a_file(model: str) -> None:
    async with shop() as it:
        order = await it.fill(model, file=ONE)
    assert order.status == 400
    assert "URLs" in order.said()


LARGEST = {"kling-v1": 10_485_760, "viduq1": 15_728_640, JIMENG: 4_928_307, VEO: 20_971_520}


@pytest.mark.parametrize("model", LARGEST)
async def test_a_file_over_the_plugins_limit_is_a_500(model: str) -> None:
    async with shop() as it:
        order = await it.fill(model, file=bytes(LARGEST[model] + 1))
    assert (order.status, order.body["code"]) == (500, "build_request_failed")
    assert f"exceeds the {LARGEST[model]} byte limit" in str(order.body["message"])
    assert not order.entry.charged


# ----------------------------------------------------------------------------- refusals by rule

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
async def test_a_rule_of_a_plugin_is_kept_before_anything_is_charged(case: str) -> None:
    model, fields, said = REFUSED[case]
    async with shop() as it:
        order = await it.order(model, **fields)
    assert order.said() == said
    assert (order.entry.charged, order.entry.built) == (False, None)


# ----------------------------------------------------------------------- what is asked for arrives

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
async def test_the_journal_tells_what_the_vendor_got(case: str) -> None:
    model, fields, told = SAID[case]
    async with shop() as it:
        order = await it.order(model, **fields)
    assert order.status == 200, order.body
    assert {name: order.built[name] for name in told} == told


@pytest.mark.parametrize("version", ["1.0.0", "1.0.1"])
async def test_old_versions_of_wan_drop_no_and_zero(version: str) -> None:
    parameters = {"prompt_extend": False, "watermark": False, "seed": 0}
    async with plugged(alibaba=version) as it:
        order = await it.order("wan2.5-t2v-preview", metadata={"parameters": parameters})
    built = order.built
    assert (built["prompt_extend"], built["watermark"], built["seed"]) == (True, None, None)


async def test_old_versions_of_wan_want_a_star_between_the_sides() -> None:
    async with plugged(alibaba="1.0.1") as it:
        order = await it.order("wan2.5-t2v-preview", size="1280x720")
    assert order.said() == (
        "400 plugin_request_invalid: invalid size: 1280x720, example: 1920*1080"
    )


@pytest.mark.parametrize(
    ("model", "seconds"), [("viduq1", 5), (HAILUO, 6), (VEO, 8), ("kling-v1", 10)]
)
async def test_seconds_are_dropped_at_first_by_most(model: str, seconds: int) -> None:
    keys = ("google", "hailuo", "kling", "vidu")
    async with plugged(**dict.fromkeys(keys, "1.0.0")) as it:
        order = await it.order(model, seconds="10")
    assert order.built["seconds"] == seconds


@pytest.mark.parametrize(
    ("model", "prices"),
    [("viduq1", (10.0, 5.0)), (HAILUO, (10.0, 10.0)), (VEO, (10.0, 8.0)), (JIMENG, (10.0, 5.0))],
)
async def test_seconds_that_are_dropped_are_held_for(
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
def test_a_plugin_that_nobody_has_is_refused(plugins: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"kl|one|1\.0"):
        new_api_c("c", plugins)


async def test_two_plugins_of_one_model_are_both_asked() -> None:
    async with plugged(vertex_ai="newest", google="1.0.0") as it:
        taken = await it.fill(VEO)
        refused = await it.order(VEO, seconds="5")
        both = await it.order(VEO, seconds="-1")
    assert (taken.built["plugin"], refused.built["plugin"]) == ("vertex-ai", "google")
    assert both.said() == (
        "400 google: seconds must be between 1 and 3600;"
        " vertex-ai: seconds must be one of 4, 6, or 8"
    )
