"""The plugins `google` and `vertex-ai` for Google's Veo: the first of `images` is the picture.

`image`, a text `input_reference` and links are accepted and dropped, so the video is made from
the prompt alone.
"""

import re
from dataclasses import replace

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
from bot.simulator.plugins.values import Values, array, crossed, mapping, number, text, tier, whole
from bot.simulator.vendors.limits import PictureRules

FIRST = (
    "veo-3.0-generate-001", "veo-3.0-fast-generate-001", "veo-3.1-generate-preview",
    "veo-3.1-fast-generate-preview",
)  # fmt: skip
MODELS = (
    *FIRST, "veo-3.1-lite-generate-preview", "veo-3.1-generate-001", "veo-3.1-fast-generate-001",
    "veo-3.1-lite-generate-001",
)  # fmt: skip
SECONDS, USUAL = (4, 6, 8), 8
TIERS = ("720p", "1080p", "4k")
STEPS = ((3840, "4k"), (1920, "1080p"))
LARGEST = 20_971_520


def decode(sent: Sent) -> Values:
    """Read all fields of a request, and check length and resolution; a file is the picture."""
    said = fields(sent)
    asked = said["seconds"] if said.get("seconds") is not None else said.get("duration")
    if asked is not None:
        if number(asked) not in SECONDS:
            raise ValueError("seconds must be one of 4, 6, or 8")
        said["duration"] = number(asked)
    metadata = dict(mapping(said.get("metadata"), "metadata"))
    resolution = text(said.get("resolution") or metadata.get("resolution")).lower()
    if resolution and resolution not in TIERS:
        raise ValueError("resolution must be one of 720p, 1080p, or 4k")
    if resolution:
        said["metadata"] = {**metadata, "resolution": resolution}
    if file := upload(sent, most=LARGEST, prefix=False):
        said["images"] = [file]
    return said


def build_first(_model: str, said: Values) -> Built:
    """Build the vendor's request as the plugin's version 1.0.0 does.

    The length is read from metadata, else from `duration`, and never from `seconds`.
    """
    parameters = dict(mapping(said.get("metadata"), "metadata"))
    asked = parameters.get("durationSeconds") or said.get("duration")
    built = _built({**said, "duration": asked}, {**parameters, "sampleCount": 1})
    return replace(built, held=held_first({**said, "duration": asked}, USUAL))


def build(_model: str, said: Values) -> Built:
    """Build the vendor's request: its parameters are those of `metadata`, with size and length.

    The field `duration` replaces a length in `metadata`. The field `size` is used only for what
    `metadata` leaves out.
    """
    return _built(said, {**mapping(said.get("metadata"), "metadata"), "numberOfVideos": 1})


def _built(said: Values, parameters: Values) -> Built:
    if (seconds := whole(said.get("duration")) or 0) > 0:
        parameters["durationSeconds"] = seconds
    if said.get("size"):
        parameters["resolution"] = parameters.get("resolution") or _tier(said["size"])
        parameters["aspectRatio"] = parameters.get("aspectRatio") or _ratio(said["size"])
    images = array(said.get("images"))
    picture = _picture(text(images[0])) if images else ""
    instance: Values = {"prompt": said.get("prompt")}
    if picture:
        first = "sampleCount" in parameters
        instance["image"] = (
            {"bytesBase64Encoded": picture} if first else {"inlineData": {"data": picture}}
        )
    lasting = whole(parameters.get("durationSeconds")) or USUAL
    sound = parameters.get("generateAudio")
    return Built(
        body={"instances": [instance], "parameters": parameters},
        prompt=text(said.get("prompt")),
        seconds=lasting,
        unit="second",
        held=float(lasting),
        settled=float(lasting),
        resolution=text(parameters.get("resolution")).lower() or "720p",
        ratio=text(parameters.get("aspectRatio")) or "16:9",
        pictures=(Shot("first_frame", picture),) if picture else (),
        seed=whole(parameters.get("seed")),
        negative_prompt=text(parameters.get("negativePrompt")),
        sound=sound if isinstance(sound, bool) else None,
    )


def _tier(size: object) -> str:
    return tier(size, STEPS, "720p") if crossed(size) else "720p"


def _ratio(size: object) -> str:
    width, height = crossed(size) or (16, 9)
    return "9:16" if height > width else "16:9"


def _picture(value: str) -> str:
    """Return the base64 of a picture, also from a `data:` URI; "" for anything else."""
    payload = value.partition(",")[2] if value.startswith("data:") else value
    return payload if re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", payload) else ""


def complaint(model: str, built: Built) -> str | None:
    """Return Google's refusal of a request that plugin version 1.0.0 lets through, or None."""
    if built.seconds not in SECONDS:
        return f"durationSeconds {built.seconds} is not supported by {model}"
    if built.resolution not in TIERS:
        return f"resolution {built.resolution} is not supported by {model}"
    return None if built.prompt or built.pictures else "prompt is required"


def _plugin(key: str, newest: str) -> Plugin:
    return Plugin(
        key=key,
        newest=newest,
        ways={
            "1.0.0": Way(FIRST, json_only, build_first),
            "1.0.1": Way(FIRST, decode, build),
            "1.0.3": Way(MODELS, decode, build),
        },
        bare=True,
        limits=lambda _model: PictureRules(formats=PHOTOS, weight=LARGEST),
        check=complaint,
    )


GOOGLE = _plugin("google", "1.0.3")
VERTEX = _plugin("vertex-ai", "1.0.2")
