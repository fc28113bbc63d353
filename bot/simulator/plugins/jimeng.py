"""Jimeng: one model is declared, which a picture turns into the animating one.

A file never arrives: the body is handed over as ready text, in which the host replaces nothing.
"""

from collections.abc import Mapping
from dataclasses import replace

from bot.simulator.plugins.plugin import (
    Built,
    Plugin,
    Sent,
    Shot,
    Way,
    fields,
    held_first,
    json_only,
    upload,
)
from bot.simulator.plugins.values import (
    Values,
    array,
    crossed,
    mapping,
    nearest,
    number,
    text,
    whole,
)
from bot.simulator.vendors import jimeng as vendor

MODELS = ("jimeng_vgfm_t2v_l20",)
ANIMATING = "jimeng_vgfm_i2v_l20"
RATIOS = ("16:9", "9:16", "1:1", "4:3", "3:4", "21:9")
KEYS = (
    "req_key", "binary_data_base64", "image_urls", "prompt", "seed", "aspect_ratio", "frames",
)  # fmt: skip
LARGEST = 4_928_307
UNREPLACED = "[object Object]"
"""The object in the vendor's body in place of a file."""
SECONDS = 5


def decode(sent: Sent) -> Values:
    """All fields are read; of seconds only five."""
    said = fields(sent)
    if upload(sent, most=LARGEST, prefix=False):
        said["images"] = [UNREPLACED]
    elif not array(said.get("images")):
        image = text(said.get("input_reference") or said.get("image"))
        said["images"] = [image] if image else []
    asked = said["seconds"] if said.get("seconds") is not None else said.get("duration")
    if asked is not None and number(asked) != SECONDS:
        raise ValueError(f"seconds must be {SECONDS}")
    return said


def build_first(model: str, said: Values) -> Built:
    """The model stays the one that looks at no picture; the ratio comes from metadata alone."""
    body: Values = {"aspect_ratio": "", "frames": 241 if said.get("duration") == 10 else 121}
    return replace(_built(model, said, body), held=held_first(said, SECONDS))


def build(model: str, said: Values) -> Built:
    """The ratio is looked for in all places."""
    ratio = _ratio(said)
    built = _built(model, said, {"aspect_ratio": ratio} if ratio else {})
    body = dict(built.body)
    body.pop("frames", None)
    return _switched(built, body)


def _ratio(said: Values) -> str:
    metadata = mapping(said.get("metadata"), "metadata")
    for value in (metadata.get("aspect_ratio"), said.get("aspect_ratio"), said.get("size")):
        if value in RATIOS:
            return text(value)
    found = crossed(said.get("size"))
    return nearest(*found, RATIOS) if found else ""


def _built(model: str, said: Values, more: Values) -> Built:
    images = [text(each) for each in array(said.get("images"))]
    body: Values = {"req_key": model, "prompt": said.get("prompt") or "", "seed": 0, **more}
    if images:
        linked = images[0].startswith("http")
        body["image_urls" if linked else "binary_data_base64"] = images
    metadata = mapping(said.get("metadata"), "metadata")
    body |= {name: metadata[name] for name in KEYS if metadata.get(name) is not None}
    return Built(
        body=body,
        prompt=text(body["prompt"]),
        seconds=SECONDS,
        unit="second",
        held=float(SECONDS),
        settled=float(SECONDS),
        resolution="720p",
        ratio=text(body.get("aspect_ratio")),
        seed=whole(body["seed"]),
    )


def _switched(built: Built, body: Mapping[str, object]) -> Built:
    """With a picture it is the animating model."""
    images = [*array(body.get("image_urls")), *array(body.get("binary_data_base64"))]
    key = ANIMATING if images and body["req_key"] in MODELS else body["req_key"]
    roles = ("first_frame", "last_frame", *["reference"] * len(images))
    shots = tuple(Shot(role, text(image)) for role, image in zip(roles, images, strict=False))
    return replace(built, body={**body, "req_key": key}, pictures=shots)


def complaint(_model: str, built: Built) -> str | None:
    """Jimeng's own no."""
    if built.ratio and built.ratio not in vendor.SIZES:
        return f"aspect_ratio: {built.ratio} is not supported"
    if built.body.get("frames") not in (None, vendor.FRAMES):
        return "frames is not supported by this req_key"
    if not built.prompt and not built.pictures:
        return "prompt is required"
    if len(built.pictures) > 1:
        return f"{ANIMATING} needs one image, not {len(built.pictures)}"
    return None


PLUGIN = Plugin(
    key="jimeng",
    newest="1.1.0",
    ways={"1.0.0": Way(MODELS, json_only, build_first), "1.0.1": Way(MODELS, decode, build)},
    bare=True,
    limits=lambda _model: vendor.PICTURES,
    check=complaint,
)
