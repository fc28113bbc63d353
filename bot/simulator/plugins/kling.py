"""The plugin for Kling. Version 1.0.0 ignores pictures; later versions animate one picture.

A last frame is read from metadata only: `images` and a top-level `image_tail` are dropped.
"""

import math
from collections.abc import Mapping

from bot.simulator.plugins.plugin import (
    LONGEST,
    Built,
    Plugin,
    Sent,
    Shot,
    Way,
    fields,
    once,
    upload,
)
from bot.simulator.plugins.values import Values, mapping, text, whole
from bot.simulator.vendors import kling as vendor

MODELS = ("kling-v1", "kling-v1-6", "kling-v2-master")
RATES: Mapping[str, Mapping[str, float]] = {
    "kling-v1": {"std": 0.2, "pro": 0.7},
    "kling-v1-6": {"std": 0.4, "pro": 0.7},
    "kling-v2-master": {"pro": 2.0},
}
"""Credits for one second of video, by model and mode."""
FIRST_RATES = {"std": 2.0, "pro": 3.5}
"""Credits that the plugin's version 1.0.0 charges in advance per five seconds, by mode."""
LARGEST = 10_485_760


def decode_first(sent: Sent) -> Values:
    """Read a request as the plugin's version 1.0.0 does: prompt, length and size only."""
    said = dict(sent.values)
    if sent.form:
        said = {name: once(sent, name) for name in ("prompt", "seconds", "size")}
        if any(name == "input_reference" for name, _ in sent.files):
            raise ValueError("uploaded input_reference is not supported")
    return {
        "prompt": said.get("prompt"),
        "duration": said.get("seconds") or said.get("duration"),
        "size": said.get("size"),
    }


def decode(sent: Sent) -> Values:
    """Read all fields of a request; a file becomes the picture."""
    said = fields(sent)
    asked = said["seconds"] if said.get("seconds") is not None else said.get("duration")
    seconds = 5 if asked is None else whole(asked)
    if seconds is None or not 0 < seconds <= LONGEST:
        raise ValueError(f"seconds must be a positive integer at most {LONGEST}")
    said["duration"] = seconds
    image = upload(sent, most=LARGEST, prefix=False)
    said["image"] = image or text(said.get("input_reference") or said.get("image"))
    metadata = mapping(said.get("metadata"), "metadata")
    said["mode"] = _mode(sent.model, text(said.get("mode") or metadata.get("mode")))
    return said


def build_first(model: str, said: Values) -> Built:
    """Build the vendor's request as plugin version 1.0.0 does: in mode `std`, at its rate."""
    held = FIRST_RATES["std"] * math.ceil((whole(said.get("duration")) or 5) / 5)
    return _built(model, _body(model, said, "std"), held)


def build(model: str, said: Values) -> Built:
    """Build the vendor's request; values in metadata override the fields."""
    body = _body(model, said, text(said["mode"]))
    body |= mapping(said.get("metadata"), "metadata")
    body["mode"] = _mode(model, text(body["mode"]))
    return _built(model, body, None)


def _mode(model: str, asked: str) -> str:
    rates = RATES[model]
    mode = asked.lower() or next(iter(rates))
    if mode not in rates:
        if mode == "std":
            raise ValueError(f"{model} does not support mode std")
        raise ValueError(f"mode must be {' or '.join(rates)}")
    return mode


def _body(model: str, said: Values, mode: str) -> Values:
    body: Values = {
        "prompt": said.get("prompt") or "",
        "image": said.get("image") or "",
        "mode": mode,
        "duration": text(said.get("duration") or 5),
        "aspect_ratio": vendor.ASPECTS.get(text(said.get("size")), vendor.SQUARE),
        "model_name": model,
        "model": model,
        "cfg_scale": 0.5,
    }
    return {name: value for name, value in body.items() if value != ""}


def _built(model: str, body: Values, held: float | None) -> Built:
    seconds = whole(body["duration"]) or 0
    rates = RATES[model]
    due = rates.get(text(body["mode"]), rates["pro"]) * seconds
    roles = {"image": "first_frame", "image_tail": "last_frame"}
    return Built(
        body=body,
        prompt=text(body.get("prompt")),
        seconds=seconds,
        unit="credit",
        held=due if held is None else held,
        settled=due,
        resolution="720p",
        ratio=text(body["aspect_ratio"]),
        pictures=tuple(
            Shot(role, text(body[name])) for name, role in roles.items() if body.get(name)
        ),
        negative_prompt=text(body.get("negative_prompt")),
    )


def complaint(_model: str, built: Built) -> str | None:
    """Return Kling's refusal of a request, or None."""
    if text(built.seconds) not in vendor.SECONDS:
        return f"duration value '{built.seconds}' is invalid"
    if built.ratio not in vendor.SIZES:
        return f"aspect_ratio value '{built.ratio}' is invalid"
    if not built.prompt and not built.pictures:
        return "prompt is required"
    if max(len(built.prompt), len(built.negative_prompt)) > vendor.LONGEST:
        return f"prompt and negative_prompt have at most {vendor.LONGEST} characters"
    if [shot.role for shot in built.pictures] == ["last_frame"]:
        return "image_tail needs an image"
    return None


PLUGIN = Plugin(
    key="kling",
    newest="1.1.0",
    ways={"1.0.0": Way(MODELS, decode_first, build_first), "1.0.1": Way(MODELS, decode, build)},
    bare=True,
    limits=lambda _model: vendor.PICTURES,
    check=complaint,
)
