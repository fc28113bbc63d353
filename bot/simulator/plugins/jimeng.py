"""The plugin for Jimeng. It declares one model, which it replaces by another if there is a picture.

A gateway's operator can also set up the names of Jimeng 3.0; the simulator has them.

A file never reaches the vendor: the plugin writes the body as text, and the host, which should put
the file into it, replaces nothing in a text.
"""

from dataclasses import replace

from bot.simulator.models import JIMENG_V30
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

DECLARED = "jimeng_vgfm_t2v_l20"
MODELS = (DECLARED, *JIMENG_V30)
ANIMATING = "jimeng_vgfm_i2v_l20"
RATIOS = ("16:9", "9:16", "1:1", "4:3", "3:4", "21:9")
KEYS = (
    "req_key", "binary_data_base64", "image_urls", "prompt", "seed", "aspect_ratio", "frames",
)  # fmt: skip
LARGEST = 4_928_307
UNREPLACED = "[object Object]"
"""The text that the vendor gets in place of a file."""
SECONDS = 5


def decode(sent: Sent) -> Values:
    """Read all fields of a request. Raises `ValueError` for a length that the model lacks."""
    said = fields(sent)
    if upload(sent, most=LARGEST, prefix=False):
        said["images"] = [UNREPLACED]
    elif not array(said.get("images")):
        image = text(said.get("input_reference") or said.get("image"))
        said["images"] = [image] if image else []
    asked = said["seconds"] if said.get("seconds") is not None else said.get("duration")
    can = (SECONDS, 10) if sent.model in JIMENG_V30 else (SECONDS,)
    if asked is not None and number(asked) not in can:
        raise ValueError(f"seconds must be {' or '.join(map(str, can))}")
    said["duration"] = asked
    return said


def build_first(model: str, said: Values) -> Built:
    """Build the vendor's request as the plugin's version 1.0.0 does.

    The declared model is not replaced, so it ignores pictures. The ratio is read from metadata
    only.
    """
    built = _built(model, said, {"aspect_ratio": "", "frames": _frames(said)})
    if model in JIMENG_V30:
        built = _switched(built)
    return replace(built, held=held_first(said, SECONDS))


def build(model: str, said: Values) -> Built:
    """Build the vendor's request; the ratio is read from metadata, its own field or the size."""
    ratio = _ratio(said)
    more: Values = {"aspect_ratio": ratio} if ratio else {}
    if model in JIMENG_V30:
        more["frames"] = _frames(said)
    built = _built(model, said, more)
    if model not in JIMENG_V30:
        body = {name: value for name, value in built.body.items() if name != "frames"}
        built = replace(built, body=body)
    return _switched(built)


def _frames(said: Values) -> int:
    return vendor.TEN_SECONDS if number(said.get("duration")) == 10 else vendor.FRAMES


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
    seconds = 10 if body.get("frames") == vendor.TEN_SECONDS else SECONDS
    return Built(
        body=body,
        prompt=text(body["prompt"]),
        seconds=seconds,
        unit="second",
        held=float(seconds),
        settled=float(seconds),
        resolution=vendor.tier(model),
        ratio=text(body.get("aspect_ratio")),
        seed=whole(body["seed"]),
    )


def _switched(built: Built) -> Built:
    """Return the request with the vendor's model for its number of pictures."""
    body = built.body
    images = [*array(body.get("image_urls")), *array(body.get("binary_data_base64"))]
    key = vendor.vendors_key(text(body["req_key"]), len(images))
    key = ANIMATING if images and key == DECLARED else key
    roles = ("first_frame", "last_frame", *["reference"] * len(images))
    shots = tuple(Shot(role, text(image)) for role, image in zip(roles, images, strict=False))
    return replace(built, body={**body, "req_key": key}, pictures=shots)


def refusal(_model: str, built: Built) -> str | None:
    """Return Jimeng's refusal of a request, or None."""
    if built.ratio and built.ratio not in vendor.SIZES:
        return f"aspect_ratio: {built.ratio} is not supported"
    key, frames = text(built.body["req_key"]), built.body.get("frames")
    if complaint := vendor.complaint_about(key, frames, len(built.pictures)):
        return complaint
    if not built.prompt and not built.pictures:
        return "prompt is required"
    if key == ANIMATING and len(built.pictures) > 1:
        return f"{ANIMATING} needs one image, not {len(built.pictures)}"
    return None


PLUGIN = Plugin(
    key="jimeng",
    newest="1.1.0",
    ways={"1.0.0": Way(MODELS, json_only, build_first), "1.0.1": Way(MODELS, decode, build)},
    bare=True,
    limits=lambda _model: vendor.PICTURES,
    check=refusal,
)
