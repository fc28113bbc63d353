"""The plugin for Doubao's Seedance: it reads pictures from `images` and `metadata.content` only.

`image` and `input_reference` are accepted and dropped: the video is made from the prompt alone.
`size` is not sent to the vendor; it only decides the charge in advance.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from bot.simulator.plugins.plugin import (
    CHOSEN,
    LONGEST,
    Built,
    Plugin,
    Sent,
    Shot,
    Way,
    fields,
    json_only,
)
from bot.simulator.plugins.values import Values, array, mapping, number, sides, text, tier, whole


@dataclass(frozen=True, slots=True)
class DoubaoModel:
    """A Seedance model: its tiers, the seconds of its longest video, and what else it takes."""

    tiers: tuple[str, ...]
    longest: int
    chooses: bool = False  # whether it takes -1 for the length
    scenes: bool = False  # whether it takes videos


TO_HD = ("480p", "720p", "1080p")
MODELS: Mapping[str, DoubaoModel] = {
    "doubao-seedance-1-0-pro-250528": DoubaoModel(TO_HD, 12),
    "doubao-seedance-1-0-lite-t2v": DoubaoModel(TO_HD, 12),
    "doubao-seedance-1-0-lite-i2v": DoubaoModel(TO_HD, 12),
    "doubao-seedance-1-5-pro-251215": DoubaoModel(TO_HD, 12, chooses=True),
    "doubao-seedance-2-0-260128": DoubaoModel((*TO_HD, "4k"), 15, chooses=True, scenes=True),
    "doubao-seedance-2-0-fast-260128": DoubaoModel(TO_HD[:2], 15, chooses=True, scenes=True),
    "doubao-seedance-2-0-mini-260615": DoubaoModel(TO_HD[:2], 15, chooses=True, scenes=True),
    "doubao-seedance-2-5-260628": DoubaoModel(TO_HD, 30, chooses=True, scenes=True),
}
PIXELS = {"480p": 854 * 480, "720p": 1280 * 720, "1080p": 1920 * 1080, "4k": 3840 * 2160}
"""The most pixels of a frame in each tier."""
STEPS = ((3840, "4k"), (1920, "1080p"), (1280, "720p"))
USUAL = "720p"
ROLES = {"": "first_frame", "reference_image": "reference", "reference_video": "reference"}
NO_FILES = "Doubao requires image and video references to be URLs inside metadata.content"


def decode(sent: Sent) -> Values:
    """Read all fields of a request, and check its seconds.

    A form's `images` is a single text, so it is ignored.
    """
    said = fields(sent, files=NO_FILES)
    asked = said["seconds"] if said.get("seconds") is not None else said.get("duration")
    if asked is not None:
        if number(asked) != -1 and not 0 < number(asked) <= LONGEST:
            raise ValueError(f"seconds must be -1 or between 1 and {LONGEST}")
        said["seconds"] = asked
    return said


def build_first(model: str, said: Values) -> Built:
    """Build the vendor's request as the plugin's version 1.0.0 does: the tier is not checked.

    Without `seconds`, five seconds are charged in advance; the field `duration` is ignored.
    """
    metadata = mapping(said.get("metadata"), "metadata")
    return _built(model, said, _tier(metadata.get("resolution") or said.get("size")), 5)


def build(model: str, said: Values) -> Built:
    """Build the vendor's request. Raises `ValueError` for a tier that the model lacks.

    Without a length, the model's longest video is charged in advance.
    """
    known = MODELS[model]
    metadata = mapping(said.get("metadata"), "metadata")
    asked = metadata.get("resolution") or said.get("size")
    named = text(asked).lower() in PIXELS or sides(asked)
    resolution = _tier(asked) if named else known.tiers[min(2, len(known.tiers) - 1)]
    if resolution not in known.tiers:
        raise ValueError(f"{model} resolution must be one of {', '.join(known.tiers)}")
    return _built(model, said, resolution, known.longest)


def _tier(asked: object) -> str:
    word = text(asked).lower()
    if word in PIXELS:
        return word
    return tier(word, STEPS, "480p") if sides(word) else USUAL


def tokens(seconds: float, resolution: str) -> float:
    """Return the most tokens that the vendor charges for a video of this length and tier."""
    return seconds * PIXELS.get(resolution, PIXELS[USUAL]) * 24 / 1024


def _built(model: str, said: Values, resolution: str, longest: int) -> Built:
    metadata = mapping(said.get("metadata"), "metadata")
    asked = number(said.get("seconds"))
    seconds = int(asked) if math.isfinite(asked) else 0
    body = {**metadata, "model": model, "content": _content(said, metadata)}
    if seconds > 0 or seconds == -1:
        body["duration"] = seconds
    lasting = whole(body.get("duration")) or 5
    length = CHOSEN if lasting == -1 else lasting
    made = text(body.get("resolution")).lower() or USUAL
    held = max(seconds, whole(metadata.get("duration")) or 0)
    audio = body.get("generate_audio")
    watermark = body.get("watermark")
    return Built(
        body=body,
        prompt=text(said.get("prompt")),
        seconds=lasting,
        unit="token",
        held=tokens(held if held > 0 else longest, resolution),
        settled=tokens(length, made),
        resolution=made,
        ratio=text(body.get("ratio")),
        pictures=_shots(body["content"], "image_url"),
        videos=_shots(body["content"], "video_url"),
        seed=whole(body.get("seed")),
        sound=audio if isinstance(audio, bool) else None,
        watermark=watermark if isinstance(watermark, bool) else None,
    )


def _content(said: Values, metadata: Mapping[str, object]) -> list[object]:
    images = [{"type": "image_url", "image_url": {"url": url}} for url in array(said.get("images"))]
    given = [each for each in array(metadata.get("content")) if isinstance(each, Mapping)]
    items: list[object] = [*images, *(each for each in given if each.get("type") != "text")]
    if text(said.get("prompt")) or not items:
        items.append({"type": "text", "text": said.get("prompt") or ""})
    return items


def _shots(content: object, kind: str) -> tuple[Shot, ...]:
    shots = []
    for each in array(content):
        if isinstance(each, Mapping) and each.get("type") == kind:
            role = text(each.get("role"))
            url = text(mapping(each.get(kind), kind).get("url"))
            shots.append(Shot(ROLES.get(role, role), url))
    return tuple(shots)


def complaint(model: str, built: Built) -> str | None:
    """Return the vendor's refusal of a request, or None."""
    known = MODELS[model]
    if built.resolution not in known.tiers:
        return f"resolution {built.resolution} is not supported by {model}"
    if built.seconds == -1:
        return None if known.chooses else f"duration -1 is not supported by {model}"
    if built.seconds > known.longest:
        return f"duration {built.seconds} is longer than {known.longest}"
    if built.videos and not known.scenes:
        return f"video_url is not supported by {model}"
    if not built.prompt and not built.pictures:
        return "content: a text or an image is required"
    return None


PLUGIN = Plugin(
    key="doubao",
    newest="1.3.0",
    ways={"1.0.0": Way(MODELS, json_only, build_first), "1.0.1": Way(MODELS, decode, build)},
    check=complaint,
)
