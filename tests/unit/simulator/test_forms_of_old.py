"""Forms as clients of the older generations send them, and what each plugin makes of them.

They are written by hand, one per model and kind, as clients of the document, of new-api and of
OpenAI write them. `paid and wrong` is a video without a picture that was sent.
"""

import json

import pytest

from .pictures import RED, png
from .plugged import ONE, ONE_BARE, ONE_URI, TWO_BARE, TWO_URI, Order, Shop, plugged, raw, shop

LARGE_URI = "data:image/jpeg;base64," + "A" * 530_000
"""390 KB in base64: a form's metadata contains it twice, flat and nested, and may have 1 MiB."""
Fields = dict[str, object]


def wan(*, flat: bool = False, **pictures: str) -> str:
    """Return the metadata of Wan: with copies for both readers, or flat only."""
    extras: dict[str, object] = {"watermark": False, "seed": 7, **pictures}
    if flat:
        return json.dumps(extras)
    given = {"negative_prompt": "rain", **pictures}
    parameters = {"watermark": False, "seed": 7, "audio": True}
    return json.dumps({**extras, **given, "input": given, "parameters": parameters})


KLING = {"seconds": "5", "size": "1280x720", "aspect_ratio": "16:9", "negative_prompt": "rain"}
KLING_EXTRAS = {"aspect_ratio": "16:9", "negative_prompt": "rain"}
I2V, T2V, KF2V = "wan2.5-i2v-preview", "wan2.5-t2v-preview", "wan2.2-kf2v-flash"
SIXTEEN_BY_NINE = png(RED, (1280, 720))
FILE: Fields = {"file": ONE}
JIMENG, JIMENG_I2V = "jimeng_vgfm_t2v_l20", "jimeng_vgfm_i2v_l20"
FIVE = {"seconds": "5"}

NO_JSON = "400 JSON object required"
MISSING = f"400 plugin_request_invalid: {I2V} requires img_url or image"
NOBODY = "503"
# model and dialect → the form, the result with 1.0.0 and the newest plugin, and what is lost
CELLS: dict[str, tuple[str, Fields, str, str]] = {
    "wan t2v, new-api": (
        T2V,
        {**FIVE, "size": "1280*720", "metadata": wan()},
        "right without negative_prompt, seed",
        "right",
    ),
    "wan t2v, documented": (
        T2V,
        {**FIVE, "size": "1280*720", "metadata": wan(flat=True)},
        "right without negative_prompt, seed",
        "right without negative_prompt, seed",
    ),
    "wan t2v, openai": (
        T2V,
        {**FIVE, "size": "1280x720"},
        "400 plugin_request_invalid: invalid size: 1280x720, example: 1920*1080",
        "right without negative_prompt, seed",
    ),
    "wan i2v, new-api": (
        I2V,
        {**FIVE, "size": "720P", "input_reference": ONE_URI, "metadata": wan(img_url=ONE_URI)},
        "right without negative_prompt, seed",
        "right",
    ),
    "wan i2v, documented": (
        I2V,
        {**FIVE, "size": "720P", "metadata": wan(flat=True, img_url=ONE_URI)},
        "paid and wrong",
        MISSING,
    ),
    "wan kf2v, new-api": (
        KF2V,
        {**FIVE, "size": "720P", "metadata": wan(first_frame_url=ONE_URI, last_frame_url=TWO_URI)},
        NOBODY,
        "right",
    ),
    "wan kf2v, documented": (
        KF2V,
        {**FIVE, "metadata": wan(flat=True, first_frame_url=ONE_URI, last_frame_url=TWO_URI)},
        NOBODY,
        f"400 plugin_request_invalid: {KF2V} requires first_frame_url or image",
    ),
    "sora t2v": ("sora-2", {"seconds": "4", "size": "1280x720"}, NO_JSON, "right"),
    "sora i2v": (
        "sora-2",
        {"seconds": "4", "size": "1280x720", "file": SIXTEEN_BY_NINE},
        NO_JSON,
        "right",
    ),
    "kling t2v, new-api": (
        "kling-v1",
        {**KLING, "metadata": json.dumps(KLING_EXTRAS)},
        "right without negative_prompt",
        "right",
    ),
    "kling t2v, others": ("kling-v2-master", {**FIVE, "size": "1280x720"}, "right", "right"),
    "kling i2v, new-api": (
        "kling-v1",
        {**KLING, "image": ONE_BARE, "metadata": json.dumps(KLING_EXTRAS)},
        "paid and wrong",
        "right",
    ),
    "kling i2v, others": (
        "kling-v1",
        {**FIVE, "size": "1280x720", **FILE},
        "400 uploaded input_reference is not supported",
        "right",
    ),
    "kling kf2v, new-api": (
        "kling-v1",
        {
            **KLING,
            "image": ONE_BARE,
            "image_tail": TWO_BARE,
            "metadata": json.dumps({**KLING_EXTRAS, "image_tail": TWO_BARE}),
        },
        "paid and wrong",
        "right",
    ),
    "vidu t2v": ("viduq1", {**FIVE, "size": "1080p"}, NO_JSON, "right"),
    "vidu i2v, new-api": ("viduq1", {**FIVE, "image": ONE_URI}, NO_JSON, "right"),
    "vidu i2v, others": ("viduq1", {**FIVE, "size": "1920x1080", **FILE}, NO_JSON, "right"),
    "vidu kf2v, new-api": (
        "viduq1",
        {**FIVE, "images": [ONE_URI, TWO_URI]},
        NO_JSON,
        "400 images must be provided once",
    ),
    "jimeng t2v": (JIMENG, {**FIVE, "aspect_ratio": "16:9"}, NO_JSON, "right"),
    "jimeng i2v": (JIMENG_I2V, {**FIVE, **FILE}, NOBODY, NOBODY),
}
FIRST = dict.fromkeys(("alibaba", "jimeng", "kling", "sora", "vidu"), "1.0.0")


@pytest.mark.parametrize("cell", CELLS)
async def test_a_form_of_each_older_client_is_right_or_loses_what_the_table_says(cell: str) -> None:
    model, fields, first, newest = CELLS[cell]
    async with plugged(**FIRST) as it:
        old = await made(it, cell, model, dict(fields))
    async with shop() as it:
        new = await made(it, cell, model, dict(fields))
    assert (old, new) == (first, newest)


async def made(it: Shop, cell: str, model: str, fields: Fields) -> str:
    """Order the video, and say whether it is right and, if not, what it cost."""
    file = fields.pop("file", None)
    order = await it.fill(model, file=file if isinstance(file, bytes) else None, **fields)
    if order.status != 200:
        assert not order.entry.charged
        return NOBODY if order.status == 503 else order.said()
    assert order.entry.charged
    expected = 2 if "kf2v" in cell else 1 if "i2v" in cell else 0
    if len(order.pictures) != expected:
        return "paid and wrong"
    lost = missing(order, cell)
    return f"right without {', '.join(lost)}" if lost else "right"


def missing(order: Order, cell: str) -> list[str]:
    """Return the options that the model has and that did not reach the vendor."""
    wanted = {"negative_prompt": "rain", "seed": 7} if cell.startswith("wan") else {}
    if cell == "kling t2v, new-api":
        wanted = {"negative_prompt": "rain"}
    return [name for name, value in wanted.items() if order.built[name] != value]


@pytest.mark.parametrize("version", ["1.0.0", "newest"])
async def test_a_form_with_two_copies_of_a_390_kb_picture_is_refused_as_too_large(
    version: str,
) -> None:
    metadata = wan(img_url=LARGE_URI)
    async with plugged(alibaba=version) as it:
        order = await it.post(**raw({"model": I2V, "prompt": "a cat", "metadata": metadata}))
    assert order.said() == '400 request field "metadata" exceeds 1048576 bytes'
    assert not order.entry.charged


@pytest.mark.parametrize(
    ("model", "fields", "pictures"),
    [
        (I2V, {"image": ONE_URI, "input_reference": ONE_URI}, [("first_frame", "one")]),
        ("viduq1", {"images": [ONE_URI]}, [("first_frame", "one")]),
        ("viduq1", {"images": [ONE_URI, TWO_URI]}, [("first_frame", "one"), ("last_frame", "two")]),
        (
            "doubao-seedance-1-0-pro-250528",
            {"images": [ONE_URI]},
            [("first_frame", "one")],
        ),
        ("veo-3.0-generate-001", {"images": [ONE_URI]}, [("first_frame", "one")]),
        (
            "MiniMax-Hailuo-02",
            {"metadata": {"first_frame_image": ONE_URI}, "image": ONE_URI},
            [("first_frame", "one")],
        ),
    ],
)
async def test_one_json_body_is_right_with_every_version_of_a_plugin(
    model: str, fields: Fields, pictures: list[tuple[str, str]]
) -> None:
    for version in ("1.0.0", "newest"):
        keys = ("alibaba", "doubao", "google", "hailuo", "vidu")
        async with plugged(**dict.fromkeys(keys, version)) as it:
            order = await it.order(model, **fields)
        assert order.pictures == pictures, version
