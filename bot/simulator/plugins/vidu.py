"""The plugin for Vidu. Version 1.0.0 reads pictures from `images` only.

Later versions also read a file or a single picture. The number of pictures decides the kind of
video. Two pictures can be sent as JSON only, because a form can't repeat `images`.
"""

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
from bot.simulator.plugins.values import Values, array, mapping, number, sides, text, tier, whole
from bot.simulator.vendors import vidu as vendor

MODELS = ("viduq2", "viduq1", "vidu2.0", "vidu1.5")
TIERS = ("360p", "540p", "720p", "1080p")
STEPS = ((1920, "1080p"), (1280, "720p"), (960, "540p"))
LARGEST = 15_728_640
SHORT, SHORT_TIERS = 4, ("360p", "720p", "1080p")


def decode(sent: Sent) -> Values:
    """Read and check all fields of a request; a file becomes the picture."""
    said = fields(sent)
    model = sent.model
    asked = said["seconds"] if said.get("seconds") is not None else said.get("duration")
    said["duration"] = _usual_seconds(model) if asked is None else number(asked)
    if file := upload(sent, most=LARGEST, prefix=True):
        said["images"] = [file]
    elif not array(said.get("images")):
        image = text(said.get("input_reference") or said.get("image"))
        said["images"] = [image] if image else []
    said["resolution"] = _resolution(model, said)
    _check(model, said["duration"], text(said["resolution"]), array(said["images"]))
    return said


def build_first(model: str, said: Values) -> Built:
    """Build the vendor's request as the plugin's version 1.0.0 does.

    The length is read from `duration` and not from `seconds`. The size is sent unchanged as the
    resolution.
    """
    seconds = whole(said.get("duration")) or 5
    built = _built(model, said, seconds, text(said.get("size")) or "1080p")
    return replace(built, held=held_first(said, 5))


def build(model: str, said: Values) -> Built:
    """Build the vendor's request from the decoded fields; values in metadata override them."""
    seconds = whole(said.get("duration")) or _usual_seconds(model)
    return _built(model, said, seconds, text(said["resolution"]))


def _usual_seconds(model: str) -> int:
    return SHORT if model == "vidu2.0" else 5


def _resolution(model: str, said: Values) -> str:
    if model == "viduq1":
        return "1080p"
    metadata = mapping(said.get("metadata"), "metadata")
    asked = text(said.get("resolution") or metadata.get("resolution") or said.get("size")).lower()
    usual = {"viduq2": "720p", "vidu2.0": "360p"}.get(model, "1080p")
    if asked in TIERS:
        return asked
    return tier(asked, STEPS, "360p") if sides(asked) else usual


def _check(model: str, asked: object, resolution: str, images: list[object]) -> None:
    seconds = whole(asked)
    match model:
        case "vidu2.0" if not images:
            raise ValueError("vidu2.0 does not support text-to-video")
        case "viduq1" if seconds != 5:
            raise ValueError("viduq1 duration must be 5")
        case "vidu2.0" if seconds not in (SHORT, 8):
            raise ValueError("vidu2.0 duration must be 4 or 8")
        case "vidu2.0" if seconds == 8 and resolution != "720p":
            raise ValueError("vidu2.0 duration 8 only allows resolution 720p")
        case "vidu2.0" if resolution not in SHORT_TIERS:
            raise ValueError("vidu2.0 duration 4 only allows resolution 360p, 720p, or 1080p")
        case "viduq2" if seconds not in range(1, 11):
            raise ValueError("viduq2 duration must be between 1 and 10")
        case "vidu1.5" if seconds is None or seconds not in range(1, 3601):
            raise ValueError("seconds must be between 1 and 3600")


def _built(model: str, said: Values, seconds: int, resolution: str) -> Built:
    body: Values = {
        "model": model,
        "images": array(said.get("images")) or None,
        "prompt": said.get("prompt") or None,
        "duration": seconds,
        "resolution": resolution,
        "movement_amplitude": "auto",
    }
    body |= mapping(said.get("metadata"), "metadata")
    body.pop("action", None)
    for name in ("prompt", "bgm"):
        if not body.get(name):
            body.pop(name, None)
    images = [text(each) for each in array(body.get("images"))]
    return Built(
        body=body,
        prompt=text(body.get("prompt")),
        seconds=whole(body["duration"]) or 0,
        unit="second",
        held=float(seconds),
        settled=number(body["duration"]),
        resolution=text(body["resolution"]),
        ratio=text(body.get("aspect_ratio")),
        pictures=tuple(
            Shot(_role(index, len(images)), image) for index, image in enumerate(images)
        ),
        seed=whole(body.get("seed")),
        sound=body.get("bgm") is True,
    )


def _role(index: int, count: int) -> str:
    """Return the role of a picture: up to two pictures are frames, more are references."""
    return ("first_frame", "last_frame")[index] if count <= 2 else "reference"


def complaint(model: str, built: Built) -> str | None:
    """Return Vidu's refusal of a request that the plugin's version 1.0.0 lets through, or None."""
    tiers = ("1080p",) if model == "viduq1" else TIERS
    if built.resolution not in tiers:
        return f"resolution {built.resolution} is not supported by {model}"
    if model == "viduq1" and built.seconds != 5:
        return f"duration is not supported by {model}"
    if not built.prompt and not built.pictures:
        return "prompt is required"
    if len(built.prompt) > vendor.LONGEST:
        return f"prompt has more than {vendor.LONGEST} characters"
    if len(built.pictures) > vendor.MOST:
        return f"there are more than {vendor.MOST} images"
    return None


PLUGIN = Plugin(
    key="vidu",
    newest="1.0.2",
    ways={"1.0.0": Way(MODELS, json_only, build_first), "1.0.1": Way(MODELS, decode, build)},
    limits=lambda _model: vendor.PICTURES,
    check=complaint,
)
