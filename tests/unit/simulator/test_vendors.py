"""How each vendor behind new-api reads a request, and what it or the gateway refuses.

Bodies are written by hand, as curl would send them; reading one needs no server.
"""

import base64
import json
from io import BytesIO

import pytest
from PIL import Image

from bot.simulator.bodies import Body, Upload
from bot.simulator.profiles import NEW_API, NEW_API_A, Profile
from bot.simulator.refusals import Refused
from bot.simulator.scenes import Scene

from .pictures import data_uri, gif, png

LAKE = png(size=(640, 480))
SORA = png(size=(720, 1280))
BARE = base64.b64encode(LAKE).decode()
GIF = gif((720, 1280))
URL = "https://example.com/cat.jpg"
KLING, VIDU = "kling-v1", "viduq1"
T2V, I2V, KF2V = "wan2.5-t2v-preview", "wan2.5-i2v-preview", "wan2.2-kf2v-flash"
JIMENG = "jimeng_vgfm_i2v_l20"
A_AND_B = pytest.mark.parametrize("profile", [NEW_API, NEW_API_A], ids=lambda each: each.name)


def sent(model: str, *files: bytes, **fields: str) -> Body:
    """Return a form with these fields; every file is in the field input_reference."""
    names = ("input_reference", "input_reference (2)")
    uploads = {
        name: Upload("cat.png", "image/png", data) for name, data in zip(names, files, strict=False)
    }
    return Body({"prompt": "a cat", "model": model} | fields, uploads)


def with_json(model: str, **content: object) -> Body:
    """Return a JSON body, read as it is read from the wire."""
    content = {"prompt": "a cat", "model": model} | content
    fields = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in content.items()
    }
    return Body(fields, json=content, kind="application/json")


def nested(metadata: object = None, /, **groups: object) -> str:
    """Return metadata as the JSON text that a form contains."""
    return json.dumps(groups if metadata is None else metadata)


def size(scene: Scene) -> str:
    return f"{scene.width}x{scene.height}"


def refusal(profile: Profile, body: Body) -> tuple[int, str | None, str]:
    """Return the status, code and message with which the profile refuses a body."""
    with pytest.raises(Refused) as caught:
        profile.scene(body)
    return caught.value.status, caught.value.code, caught.value.message


# --- requests and their videos -------------------------------------------------------

# The request, the number of pictures that the vendor got, the size, and the seconds.
SAMPLES: dict[str, tuple[Body, int, str, int]] = {
    "sora file": (sent("sora-2", SORA), 1, "720x1280", 4),
    "sora pro": (
        sent("sora-2-pro", size="1792x1024", seconds="12"), 0, "1792x1024", 12,
    ),
    "sora address in a form": (
        sent("sora-2", **{"input_reference[image_url]": data_uri(SORA)}), 1, "720x1280", 4,
    ),
    "wan text": (sent(T2V, size="1280*720", seconds="10"), 0, "1280x720", 10),
    "wan text, nothing said": (sent(T2V), 0, "1920x1080", 5),
    "wan text, a file is dropped": (sent(T2V, LAKE), 0, "1920x1080", 5),
    "wan text, flat metadata is dropped": (
        sent(T2V, metadata=nested({"size": "832*480", "img_url": "junk"})), 0, "1920x1080", 5,
    ),
    "wan text, nested metadata": (
        sent(T2V, metadata=nested(parameters={"size": "832*480", "duration": 10})),
        0, "832x480", 10,
    ),
    "wan text, broken metadata is dropped": (sent(T2V, metadata="{size"), 0, "1920x1080", 5),
    "wan picture as text": (sent(I2V, input_reference=data_uri(LAKE)), 1, "1648x1232", 5),
    "wan picture nested": (
        sent(I2V, size="720P", metadata=nested(input={"img_url": URL})), 1, "1280x720", 5,
    ),
    "wan tier without P, in small letters": (
        sent(I2V, size="480", input_reference=URL), 1, "832x480", 5,
    ),
    "wan tier nested": (
        sent(I2V, input_reference=URL, metadata=nested(parameters={"resolution": "480P"})),
        1, "832x480", 5,
    ),
    "wan flash is 720P by default": (
        sent("wan2.2-i2v-flash", input_reference=URL), 1, "1280x720", 5,
    ),
    "wan plus is 1080P by default": (
        sent("wan2.2-i2v-plus", input_reference=URL), 1, "1920x1080", 5,
    ),
    "wan turbo, three seconds": (
        sent("wanx2.1-i2v-turbo", input_reference=URL, seconds="3"), 1, "1280x720", 3,
    ),
    "wan frames": (
        sent(KF2V, metadata=nested(input={"first_frame_url": URL, "last_frame_url": URL})),
        2, "1280x720", 5,
    ),
    "wan frames by a template": (
        sent(KF2V, metadata=nested(input={"first_frame_url": URL, "template": "x"})),
        1, "1280x720", 5,
    ),
    "wan JSON": (with_json(T2V, seconds="10", size="832*480"), 0, "832x480", 10),
    "wan JSON duration before seconds": (
        with_json(T2V, seconds="5", duration=10), 0, "1920x1080", 10,
    ),
    "wan JSON metadata as an object": (
        with_json(I2V, metadata={"input": {"img_url": URL}}), 1, "1920x1080", 5,
    ),
    "kling text": (sent(KLING, size="720x1280", seconds="10"), 0, "720x1280", 10),
    "kling size of nobody is square": (sent(KLING, size="640x480"), 0, "960x960", 5),
    "kling bare base64": (sent(KLING, size="1920x1080", image=BARE), 1, "1280x720", 5),
    "kling address": (sent(KLING, image=URL), 1, "960x960", 5),
    "kling tail and aspect as fields": (
        sent(KLING, image=BARE, image_tail=BARE, aspect_ratio="9:16", cfg_scale="0.7"),
        2, "720x1280", 5,
    ),
    "kling file is dropped": (sent(KLING, LAKE), 0, "960x960", 5),
    "kling text reference is ignored": (sent(KLING, input_reference=URL), 0, "960x960", 5),
    "kling JSON seconds are not seen": (with_json(KLING, seconds="10"), 0, "960x960", 5),
    "kling JSON duration": (with_json(KLING, duration=10), 0, "960x960", 10),
    "jimeng file": (sent(JIMENG, LAKE), 1, "1280x720", 5),
    "jimeng address, aspect as a field": (
        sent(JIMENG, image=URL, aspect_ratio="9:16"), 1, "720x1280", 5,
    ),
    "jimeng base64, seed as a field": (sent(JIMENG, image=BARE, seed="7"), 1, "1280x720", 5),
    "jimeng text ignores a picture": (
        sent("jimeng_vgfm_t2v_l20", LAKE, size="720x1280"), 0, "1280x720", 5,
    ),
    "vidu text": (sent(VIDU), 0, "1920x1080", 5),
    "vidu picture": (sent(VIDU, size="1080p", image=data_uri(LAKE)), 1, "1648x1232", 5),
    "vidu first and last": (
        sent(VIDU, images=data_uri(LAKE), **{"images (2)": URL}), 2, "1648x1232", 5,
    ),
    "vidu file is dropped": (sent(VIDU, LAKE), 0, "1920x1080", 5),
    "vidu JSON images": (with_json(VIDU, images=[URL]), 1, "1920x1080", 5),
}  # fmt: skip


@A_AND_B
@pytest.mark.parametrize("case", SAMPLES)
def test_a_vendor_behind_new_api_reads_size_length_and_pictures_from_a_request(
    profile: Profile, case: str
) -> None:
    body, pictures, pixels, seconds = SAMPLES[case]
    scene = profile.scene(body)
    assert (len(scene.pictures), size(scene), scene.seconds) == (pictures, pixels, seconds)


def test_wan_reads_switches_only_in_the_nested_parameters() -> None:
    switches = {"watermark": True, "seed": 7, "audio": False}
    inside = NEW_API.scene(sent(T2V, metadata=nested(parameters=switches)))
    outside = NEW_API.scene(sent(T2V, metadata=nested(switches)))
    assert (inside.watermark, inside.seed, inside.sound) == (True, 7, False)
    assert (outside.watermark, outside.seed, outside.sound) == (False, 0, True)


def test_null_in_the_metadata_counts_as_missing() -> None:
    scene = NEW_API.scene(sent(T2V, metadata=nested(parameters={"audio": None, "seed": None})))
    assert (scene.sound, scene.seed) == (True, 0)


@pytest.mark.parametrize(
    ("model", "metadata", "pictures", "pixels"),
    [
        (KLING, {"image": BARE, "image_tail": BARE, "aspect_ratio": "16:9"}, 2, "1280x720"),
        (JIMENG, {"image_urls": [URL], "aspect_ratio": "1:1"}, 1, "720x720"),
        (VIDU, {"images": [URL, URL, URL], "bgm": True}, 3, "1920x1080"),
    ],
)
def test_metadata_of_a_form_is_read_by_generation_b_and_not_by_a(
    model: str, metadata: object, pictures: int, pixels: str
) -> None:
    scene = NEW_API.scene(sent(model, metadata=nested(metadata)))
    assert (len(scene.pictures), size(scene)) == (pictures, pixels)

    image = {"image": data_uri(LAKE) if model == VIDU else BARE}
    blind = NEW_API_A.scene(sent(model, metadata=nested(metadata), **image))
    assert len(blind.pictures) == 1


def test_metadata_in_json_is_read_by_generation_a_too() -> None:
    scene = NEW_API_A.scene(with_json(KLING, metadata={"aspect_ratio": "9:16"}))
    assert size(scene) == "720x1280"


def test_in_generation_b_metadata_wins_over_fields_of_the_same_name() -> None:
    body = sent(KLING, aspect_ratio="16:9", metadata=nested({"aspect_ratio": "9:16"}))
    assert (size(NEW_API.scene(body)), size(NEW_API_A.scene(body))) == ("720x1280", "1280x720")


# --- refusals by the gateway ------------------------------------------------------------

GATEWAY: dict[str, tuple[Body, int, str | None, str]] = {
    "no model": (Body({"prompt": "a"}), 400, None, "model"),
    "a body that is not read": (Body(kind="text/plain"), 400, None, "model"),
    "blank prompt": (sent(T2V, prompt=" \n"), 400, "invalid_request", "prompt is required"),
    "sora size": (sent("sora-2", size="1920x1080"), 400, "invalid_size", "sora-2"),
    "sora pro size": (sent("sora-2-pro", size="1920x1080"), 400, "invalid_size", "sora-2-pro"),
    "JSON number of seconds, wan": (with_json(T2V, seconds=5), 400, "invalid_json", "seconds"),
    "JSON number of seconds, vidu": (
        with_json(VIDU, seconds=5), 400, "invalid_request", "seconds",
    ),
    "JSON object reference": (
        with_json("sora-2", input_reference={"image_url": URL}), 400, "invalid_json",
        "input_reference",
    ),
    "JSON images as text": (with_json(VIDU, images=URL), 400, "invalid_request", "images"),
    "JSON duration in parts": (with_json(T2V, duration=5.5), 400, "invalid_json", "duration"),
    "repeated reference": (
        sent(I2V, input_reference=URL, **{"input_reference (2)": URL}), 400,
        "invalid_multipart_form", "input_reference",
    ),
    "repeated image": (
        sent(KLING, image=URL, **{"image (2)": URL}), 400, "invalid_multipart_form", "image",
    ),
    "one of images, wan": (sent(I2V, images=URL), 400, "invalid_multipart_form", "images"),
    "one of images, sora": (sent("sora-2", images=URL), 400, "invalid_multipart_form", "images"),
    "kling number of the wrong kind": (
        sent(KLING, cfg_scale="much"), 500, "build_request_failed", "cfg_scale",
    ),
    "jimeng file too large": (
        sent(JIMENG, b"x" * 4_930_000), 500, "build_request_failed", "4.7MB",
    ),
}  # fmt: skip


@A_AND_B
@pytest.mark.parametrize("case", GATEWAY)
def test_a_request_that_the_gateway_cannot_read_is_refused_unpaid(
    profile: Profile, case: str
) -> None:
    body, status, code, word = GATEWAY[case]
    said = refusal(profile, body)
    assert (said[:2], word in said[2]) == ((status, code), True)


UNCONVERTED: dict[str, Body] = {
    "size with an x": sent(T2V, size="1920x1080"),
    "size in words": sent(T2V, size="1080P"),
    "another model": sent(T2V, metadata=nested({"model": "wan9"})),
    "watermark as text": sent(T2V, metadata=nested(parameters={"watermark": "false"})),
    "seed as text": sent(T2V, metadata=nested(parameters={"seed": "7"})),
    "seed as a boolean": sent(T2V, metadata=nested(parameters={"seed": True})),
    "duration as text": sent(T2V, metadata=nested(parameters={"duration": "5"})),
    "img_url no text": sent(I2V, metadata=nested(input={"img_url": 7})),
    "input no object": sent(I2V, metadata=nested(input=[URL])),
    "seconds no number": sent(T2V, seconds="5s"),
}


@pytest.mark.parametrize("case", UNCONVERTED)
@pytest.mark.parametrize(
    ("profile", "code"),
    [(NEW_API, "build_request_failed"), (NEW_API_A, "convert_to_ali_request_failed")],
    ids=["B", "A"],
)
def test_a_request_that_cannot_be_converted_for_wan_gives_the_gateways_own_500(
    profile: Profile, code: str, case: str
) -> None:
    assert refusal(profile, UNCONVERTED[case])[:2] == (500, code)


@pytest.mark.parametrize(
    ("model", "metadata"),
    [
        (KLING, {"cfg_scale": "0.5"}),
        (KLING, {"camera_control": "left"}),
        (JIMENG, {"seed": 1.5}),
        (JIMENG, {"image_urls": [7]}),
        (VIDU, {"bgm": "true"}),
        (VIDU, {"images": URL}),
    ],
)
def test_metadata_of_a_wrong_type_gives_the_gateways_own_500(model: str, metadata: object) -> None:
    said = refusal(NEW_API, sent(model, metadata=nested(metadata)))
    assert said[:2] == (500, "build_request_failed")


def test_a_model_in_the_metadata_is_ignored_for_kling() -> None:
    assert NEW_API.scene(sent(KLING, metadata=nested({"model": "kling-v9"}))).model == KLING


def test_a_single_images_value_in_a_form_is_accepted_by_generation_a_only() -> None:
    body = sent(VIDU, images=URL)
    assert refusal(NEW_API, body)[:2] == (400, "invalid_multipart_form")
    assert NEW_API_A.scene(body).pictures == (URL,)


def test_a_duration_as_text_in_json_is_accepted_by_generation_b_only() -> None:
    body = with_json(T2V, duration="10")
    assert NEW_API.scene(body).seconds == 10
    assert refusal(NEW_API_A, body)[:2] == (400, "invalid_json")


def test_the_duration_of_a_form_is_read_by_generation_b_only() -> None:
    body = sent(KLING, duration="10")
    assert (NEW_API.scene(body).seconds, NEW_API_A.scene(body).seconds) == (10, 5)


@pytest.mark.parametrize(("profile", "code"), [(NEW_API, "model_not_found"), (NEW_API_A, "")])
def test_an_unknown_model_is_answered_with_503(profile: Profile, code: str) -> None:
    assert refusal(profile, sent("wan2.2-s2v"))[:2] == (503, code)


# --- refusals by the vendor ------------------------------------------------------------

WAN, KUAISHOU, SHENGSHU, OPENAI = "InvalidParameter", "1201", "FieldInvalid", "invalid_value"

UPSTREAM: dict[str, tuple[Body, str, str]] = {
    "wan file is dropped": (sent(I2V, LAKE), WAN, "img_url"),
    "wan flat metadata is dropped": (sent(I2V, metadata=nested({"img_url": URL})), WAN, "img_url"),
    "wan image is no reference": (sent(I2V, image=URL), WAN, "img_url"),
    "wan picture that is none": (sent(I2V, input_reference="cat.jpg"), "InvalidURL", "img_url"),
    "wan picture too small": (sent(I2V, input_reference=data_uri(png())), WAN, "360"),
    "wan picture too large": (
        sent(I2V, input_reference=data_uri(png(size=(2001, 400)))), WAN, "2000",
    ),
    "wan bytes that are no picture": (
        sent(I2V, input_reference=data_uri(b"text")), WAN, "cannot be read",
    ),
    "wan size of nobody": (sent(T2V, size="640*360"), WAN, "640*360"),
    "wan size nested": (
        sent(T2V, metadata=nested(parameters={"size": "1280x720"})), WAN, "1280x720",
    ),
    "wan tier of the document": (sent(I2V, size="1280P", input_reference=URL), WAN, "1280P"),
    "wan pixels for a tier": (sent(I2V, size="1280x720", input_reference=URL), WAN, "1280X720P"),
    "wan tier that plus lacks": (
        sent("wan2.2-i2v-plus", size="720P", input_reference=URL), WAN, "720P",
    ),
    "wan three seconds": (sent(T2V, seconds="3"), WAN, "duration"),
    "wan flash ten seconds": (
        sent("wan2.2-i2v-flash", seconds="10", input_reference=URL), WAN, "duration",
    ),
    "wan seed below nothing": (sent(T2V, metadata=nested(parameters={"seed": -1})), WAN, "seed"),
    "wan endless negative prompt": (
        sent(T2V, metadata=nested(input={"negative_prompt": "a" * 501})), WAN, "negative_prompt",
    ),
    "wan one frame": (
        sent(KF2V, metadata=nested(input={"first_frame_url": URL})), WAN, "last_frame_url",
    ),
    "kling data: prefix": (sent(KLING, image=data_uri(LAKE)), KUAISHOU, "base64"),
    "kling small picture": (
        sent(KLING, image=base64.b64encode(png()).decode()), KUAISHOU, "300",
    ),
    "kling ribbon": (
        sent(KLING, image=base64.b64encode(png(size=(1000, 300))).decode()), KUAISHOU, "ratio",
    ),
    "kling four seconds": (sent(KLING, seconds="4"), KUAISHOU, "duration"),
    "kling endless prompt": (sent(KLING, prompt="a" * 2501), KUAISHOU, "2500"),
    "kling aspect": (sent(KLING, aspect_ratio="4:3"), KUAISHOU, "aspect_ratio"),
    "kling cfg_scale": (sent(KLING, cfg_scale="2"), KUAISHOU, "cfg_scale"),
    "kling mode": (sent(KLING, mode="fast"), KUAISHOU, "mode"),
    "kling masks and a tail": (
        sent(KLING, image=BARE, image_tail=BARE, static_mask=BARE), KUAISHOU, "masks",
    ),
    "kling GIF": (sent(KLING, image=base64.b64encode(GIF).decode()), KUAISHOU, "GIF"),
    "kling tail alone": (sent(KLING, image_tail=BARE), KUAISHOU, "image_tail"),
    "vidu bare base64": (sent(VIDU, image=BARE), SHENGSHU, "content type"),
    "vidu pixels": (sent(VIDU, size="1920x1080"), SHENGSHU, "1920x1080"),
    "vidu tier in capitals": (sent(VIDU, size="1080P"), SHENGSHU, "1080P"),
    "vidu four seconds": (sent(VIDU, seconds="4"), SHENGSHU, "duration"),
    "vidu ribbon": (
        sent(VIDU, image=data_uri(png(size=(500, 100)))), SHENGSHU, "ratio",
    ),
    "vidu endless prompt": (sent(VIDU, prompt="a" * 1501), SHENGSHU, "1500"),
    "vidu eight pictures": (with_json(VIDU, images=[URL] * 8), SHENGSHU, "7"),
    "vidu amplitude": (sent(VIDU, movement_amplitude="huge"), SHENGSHU, "movement_amplitude"),
    "sora five seconds": (sent("sora-2", seconds="5"), OPENAI, "'5'"),
    "sora GIF": (sent("sora-2", GIF), "invalid_image", "GIF"),
    "sora seconds twice": (
        sent("sora-2", seconds="4", **{"seconds (2)": "8"}), "duplicate_parameter", "seconds",
    ),
    "sora metadata": (sent("sora-2", metadata="{}"), "unknown_parameter", "metadata"),
    "sora text reference": (
        sent("sora-2", input_reference=data_uri(SORA)), "invalid_type", "input_reference",
    ),
    "sora picture of another size": (sent("sora-2", LAKE), "null", "width and height"),
}  # fmt: skip


@A_AND_B
@pytest.mark.parametrize("case", UPSTREAM)
def test_a_refusal_of_a_vendor_is_passed_on_as_the_vendors_own_json(
    profile: Profile, case: str
) -> None:
    body, code, word = UPSTREAM[case]
    status, wrapped, message = refusal(profile, body)
    assert (status, wrapped) == (400, "fail_to_fetch_task")
    raw = json.loads(message)
    said = json.dumps(raw.get("error", raw), ensure_ascii=False)
    assert (code in said, word in said) == (True, True)


JIMENGS: dict[str, Body] = {
    "no picture": sent(JIMENG),
    "two pictures": sent(JIMENG, LAKE, LAKE),
    "data: prefix": sent(JIMENG, image=data_uri(LAKE)),
    "too large for the vendor": sent(
        JIMENG, image=base64.b64encode(LAKE + bytes(4_930_000)).decode()
    ),
    "ten seconds": sent(JIMENG, LAKE, seconds="10"),
    "aspect": sent(JIMENG, LAKE, aspect_ratio="2:1"),
    "a text for a picture": sent(JIMENG, b"text"),
}


@A_AND_B
@pytest.mark.parametrize("case", JIMENGS)
def test_a_refusal_of_jimeng_is_passed_on_with_a_number_as_its_code(
    profile: Profile, case: str
) -> None:
    status, code, _ = refusal(profile, JIMENGS[case])
    assert (status, str(code).isdecimal()) == (500, True)


def test_wan_refuses_a_picture_with_transparency() -> None:
    file = BytesIO()
    Image.new("RGBA", (640, 480)).save(file, "PNG")
    said = refusal(NEW_API, sent(I2V, input_reference=data_uri(file.getvalue())))
    assert "alpha" in said[2]


def test_only_a_refusal_of_the_vendor_itself_counts_as_upstream() -> None:
    refusals = []
    for body in (sent(T2V, size="640*360"), sent(T2V, size="640x360"), sent(JIMENG)):
        with pytest.raises(Refused) as caught:
            NEW_API.scene(body)
        refusals.append(caught.value.upstream)
    assert refusals == [True, False, True]
