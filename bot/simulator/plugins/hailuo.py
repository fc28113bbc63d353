"""The plugin for MiniMax's Hailuo and for MiniMax-H3, whose many rules are in `minimax_h3`.

For Hailuo 02 and 2.3 the field `images` is accepted and dropped: with no other picture, the video
is made from the prompt alone.
"""

from collections.abc import Mapping
from dataclasses import replace

from bot.simulator.plugins import minimax_h3 as h3
from bot.simulator.plugins.plugin import (
    PHOTOS,
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
from bot.simulator.plugins.values import Values, array, mapping, number, text, whole
from bot.simulator.vendors.limits import PictureRules

TIERS: Mapping[str, tuple[str, ...]] = {
    "MiniMax-Hailuo-02": ("768P", "1080P"),
    "MiniMax-Hailuo-2.3": ("768P", "1080P"),
    "MiniMax-Hailuo-2.3-Fast": ("768P", "1080P"),
}
FAST, SMALL = "MiniMax-Hailuo-2.3-Fast", "MiniMax-Hailuo-02"
DIRECTOR = "T2V-01-Director"
OLD = (DIRECTOR, "T2V-01", "I2V-01-Director", "I2V-01-live", "I2V-01", "S2V-01")
FIRST = (*TIERS, *OLD)
KEYS = (
    "prompt_optimizer", "fast_pretreatment", "callback_url", "aigc_watermark",
    "first_frame_image", "last_frame_image", "subject_reference",
)  # fmt: skip
LARGEST = 20_971_520


def decode(sent: Sent) -> Values:
    """Read and check all fields of a request; a file becomes the first frame."""
    said = fields(sent)
    metadata = dict(mapping(said.get("metadata"), "metadata"))
    asked = said["seconds"] if said.get("seconds") is not None else said.get("duration")
    if asked is not None:
        said["duration"] = number(asked)
    file = upload(sent, most=LARGEST, prefix=True)
    image = file or text(said.get("input_reference") or said.get("image"))
    if image and (file or not metadata.get("first_frame_image")):
        metadata["first_frame_image"] = image
    said["metadata"] = metadata
    if sent.model != h3.MODEL:
        pictured = bool(array(said.get("images"))) or any(metadata.get(key) for key in KEYS[4:])
        _check(sent.model, said, pictured=pictured)
    return said


def _check(model: str, said: Values, *, pictured: bool) -> None:
    if model == FAST and not pictured:
        raise ValueError(f"{FAST} supports image-to-video only")
    seconds = whole(said.get("duration", 6))
    if model not in TIERS:
        if seconds != 6:
            raise ValueError(f"{model} duration must be 6")
        return
    if seconds not in (6, 10):
        raise ValueError(f"{model} duration must be 6 or 10")
    small = ("512P",) if model == SMALL and pictured else ()
    allowed = ("768P", *small) if seconds == 10 else (*small, *TIERS[model])
    if _asked_tier(model, said) not in allowed:
        words = " or ".join(allowed)
        raise ValueError(f"{model} duration {seconds} only allows resolution {words}")


def _asked_tier(model: str, said: Values) -> str:
    metadata = mapping(said.get("metadata"), "metadata")
    asked = said.get("resolution") or metadata.get("resolution") or said.get("size")
    found = _tier(model, asked)
    return "768P" if found == "720P" and model in TIERS else found


def _tier(model: str, asked: object) -> str:
    for tier in ("1080", "768", "720", "512"):
        if tier in text(asked):
            return f"{tier}P"
    return "768P" if model in TIERS else "720P"


def build_first(model: str, said: Values) -> Built:
    """Build the vendor's request as the plugin's version 1.0.0 does.

    The length is read from `duration` and not from `seconds`, pictures from metadata only.
    """
    seconds = whole(said.get("duration")) or 0
    large = "768" if model == DIRECTOR else ""
    tier = _tier(model, said.get("size") or large)
    held = held_first(said, 6)
    built = _built(model, said, max(seconds, 0) or 6, tier)
    return replace(built, held=held, settled=held)  # the vendor's response has no length to charge


def build(model: str, said: Values) -> Built:
    """Build the vendor's request from the checked fields; requests for H3 are checked here."""
    if model == h3.MODEL:
        return h3.build(said)
    return _built(model, said, whole(said.get("duration")) or 6, _asked_tier(model, said))


def _built(model: str, said: Values, seconds: int, resolution: str) -> Built:
    metadata = mapping(said.get("metadata"), "metadata")
    body: Values = {"model": model, "duration": seconds, "resolution": resolution}
    if said.get("prompt"):
        body["prompt"] = said["prompt"]
    body |= {key: metadata[key] for key in KEYS if metadata.get(key) is not None}
    roles = {"first_frame_image": "first_frame", "last_frame_image": "last_frame"}
    watermark = body.get("aigc_watermark")
    return Built(
        body=body,
        prompt=text(body.get("prompt")),
        seconds=seconds,
        unit="second",
        held=float(seconds),
        settled=float(seconds),
        resolution=resolution,
        pictures=tuple(Shot(role, text(body[key])) for key, role in roles.items() if body.get(key)),
        watermark=watermark if isinstance(watermark, bool) else None,
        prompt_extend=body.get("prompt_optimizer") is not False,
    )


def complaint(model: str, built: Built) -> str | None:
    """Return MiniMax's refusal of a request that plugin version 1.0.0 lets through, or None."""
    if model != h3.MODEL and built.seconds not in (6, 10):
        return f"duration {built.seconds} is not supported by {model}"
    if not built.prompt and not built.pictures:
        return "prompt is required"
    return None


PLUGIN = Plugin(
    key="hailuo",
    newest="1.2.1",
    ways={
        "1.0.0": Way(FIRST, json_only, build_first),
        "1.0.1": Way(FIRST, decode, build),
        "1.2.0": Way((*FIRST, h3.MODEL), decode, build),
    },
    limits=lambda _model: PictureRules(formats=PHOTOS, weight=LARGEST),
    check=complaint,
)
