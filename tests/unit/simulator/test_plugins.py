"""The plugins of generation C: pictures and forms that each version reads or drops."""

import pytest

from tests.unit.simulator.plugin_models import GROK, H3, HAILUO, JIMENG, SEEDANCE, VEO, WAN

from .pictures import RED, png
from .plugged import LINK, ONE, ONE_BARE, ONE_URI, TWO_BARE, TWO_URI, Order, plugged, shop

# --- pictures: a case for every field -----------------------------------------------------------


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
async def test_a_picture_in_a_field_that_the_newest_plugin_reads_reaches_the_vendor(
    case: str,
) -> None:
    model, fields, pictures = ARRIVES[case]
    async with shop() as it:
        order = await it.order(model, **fields)
    assert (order.status, order.entry.charged) == (200, True), order.body
    assert order.pictures == pictures


FILES = {"kling-v1": "one", "viduq1": "one", HAILUO: "one", VEO: "one", GROK: "one", H3: "one"}


@pytest.mark.parametrize("model", FILES)
async def test_an_uploaded_file_reaches_the_vendor_as_the_picture(model: str) -> None:
    async with shop() as it:
        order = await it.fill(model, file=ONE)
    assert order.pictures == [("first_frame", "one")]


async def test_an_uploaded_file_of_the_right_size_reaches_sora() -> None:
    picture = png(RED, (720, 1280))
    async with shop() as it:
        order = await it.fill("sora-2", file=picture, size="720x1280")
    assert (order.status, len(order.pictures)) == (200, 1)


# --- pictures: accepted, dropped and paid -------------------------------------------------------


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
async def test_a_picture_that_a_plugin_drops_makes_a_charged_video_from_the_prompt_alone(
    case: str,
) -> None:
    version, model, fields = DROPPED[case]
    keys = ("alibaba", "doubao", "google", "hailuo", "jimeng", "kling", "vidu")
    async with plugged(**dict.fromkeys(keys, version)) as it:
        order = await it.order(model, **fields)
        over = await it.over(order)
        (entry, *_) = it.simulator.journal
    assert (order.status, over["status"]) == (200, "completed"), order.body
    assert (order.pictures, order.built["prompt"]) == ([], "a cat")
    assert (entry.charged, entry.refunded) == (True, False)


async def test_forms_lose_the_metadata_of_wan_and_the_images_of_seedance() -> None:
    metadata = {"input": {"img_url": ONE_URI}, "parameters": {"seed": 7}}
    async with plugged(alibaba="1.0.0") as it:
        wan = await it.fill(WAN, metadata=metadata)
        seedance = await it.fill(SEEDANCE, images=ONE_URI)
    assert [(order.status, order.pictures) for order in (wan, seedance)] == [(200, []), (200, [])]
    assert wan.built["seed"] is None


async def test_two_pictures_for_vidu_cannot_be_sent_in_a_form() -> None:
    async with shop() as it:
        order = await it.fill("viduq1", images=[ONE_URI, TWO_URI])
    assert order.said() == "400 images must be provided once"


async def test_a_file_for_jimeng_is_refused_by_the_vendor_and_refunded() -> None:
    async with shop() as it:
        order = await it.fill(JIMENG, file=ONE)
    assert (order.status, order.body["code"]) == (400, "fail_to_fetch_task")
    assert (order.entry.charged, order.entry.refunded, order.entry.built) == (True, True, None)


async def test_kling_refuses_a_data_uri_and_vidu_refuses_bare_base64() -> None:
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
async def test_jimeng_3_0_has_a_vendor_name_for_each_number_of_pictures(
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
    # model → the answer to a form at 1.0.0 and at the newest, and to a form with a file at both
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
async def test_the_first_versions_of_most_plugins_refuse_forms(model: str) -> None:
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
async def test_the_plugins_of_wan_and_seedance_never_take_a_file(model: str) -> None:
    async with shop() as it:
        order = await it.fill(model, file=ONE)
    assert order.status == 400
    assert "URLs" in order.said()


LARGEST = {"kling-v1": 10_485_760, "viduq1": 15_728_640, JIMENG: 4_928_307, VEO: 20_971_520}


@pytest.mark.parametrize("model", LARGEST)
async def test_a_file_over_the_limit_of_a_plugin_is_answered_with_500_unpaid(model: str) -> None:
    async with shop() as it:
        order = await it.fill(model, file=bytes(LARGEST[model] + 1))
    assert (order.status, order.body["code"]) == (500, "build_request_failed")
    assert f"exceeds the {LARGEST[model]} byte limit" in str(order.body["message"])
    assert not order.entry.charged
