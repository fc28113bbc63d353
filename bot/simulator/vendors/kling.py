"""Kling behind new-api: pictures only as base64, without any `data:` prefix.

An uploaded file is dropped silently: the vendor gets a request without picture at the same price.
"""

from collections.abc import Mapping

from bot.simulator.models import Size
from bot.simulator.pictures import bare, is_address
from bot.simulator.refusals import Refused
from bot.simulator.scenes import Picture, Scene
from bot.simulator.vendors.limits import PictureRules
from bot.simulator.vendors.submission import Submission, rejected, whole

FIELDS: Mapping[str, type] = {
    "image": str,
    "image_tail": str,
    "negative_prompt": str,
    "mode": str,
    "duration": str,
    "aspect_ratio": str,
    "cfg_scale": float,
    "camera_control": dict,
    "static_mask": str,
    "dynamic_masks": object,
}
SQUARE = "1:1"  # for sizes that the adaptor does not know
ASPECTS: Mapping[str, str] = {
    "1280x720": "16:9",
    "1920x1080": "16:9",
    "720x1280": "9:16",
    "1080x1920": "9:16",
    "1024x1024": SQUARE,
    "512x512": SQUARE,
}
SIZES: Mapping[str, Size] = {"16:9": (1280, 720), "9:16": (720, 1280), SQUARE: (960, 960)}
SECONDS = ("5", "10")
LONGEST = 2500
PICTURES = PictureRules(formats=frozenset({"JPEG", "PNG"}), least=300, ratio=2.5)


def scene(sent: Submission) -> Scene:
    """Return the video that Kling makes of a request, or its refusal."""
    said = sent.fields(FIELDS)
    seconds = str(said.get("duration") or sent.duration or whole(sent.seconds, 5))
    aspect = str(said.get("aspect_ratio") or ASPECTS.get(sent.size, SQUARE))
    if seconds not in SECONDS:
        raise refused(f"duration value '{seconds}' is invalid")
    if aspect not in SIZES:
        raise refused(f"aspect_ratio value '{aspect}' is invalid")
    _check(sent, said)
    width, height = SIZES[aspect]
    return Scene(
        model=sent.model,
        prompt=sent.prompt,
        width=width,
        height=height,
        seconds=int(seconds),
        pictures=_pictures(sent, said),
    )


def _check(sent: Submission, said: Mapping[str, object]) -> None:
    if max(len(sent.prompt), len(str(said.get("negative_prompt", "")))) > LONGEST:
        raise refused(f"prompt and negative_prompt have at most {LONGEST} characters")
    mode = str(said.get("mode") or sent.mode or "std")
    if mode not in ("std", "pro"):
        raise refused(f"mode value '{mode}' is invalid")
    if not 0 <= float(str(said.get("cfg_scale", 0.5))) <= 1:
        raise refused("cfg_scale must be from 0 to 1")
    masks = said.keys() & {"static_mask", "dynamic_masks"}
    if masks and "image_tail" in said:
        raise refused("masks and image_tail exclude each other")


def _pictures(sent: Submission, said: Mapping[str, object]) -> tuple[Picture, ...]:
    first = str(said.get("image") or next(iter(sent.addresses), ""))
    last = str(said.get("image_tail", ""))
    if last and not first:
        raise refused("image_tail needs an image")
    return tuple(_picture(text) for text in (first, last) if text)


def _picture(text: str) -> Picture:
    if is_address(text):
        return text
    data = bare(text)
    if data is None:
        raise refused("File is not in a valid base64 format")
    if complaint := PICTURES.complaint(data):
        raise refused(complaint)
    return data


def refused(message: str) -> Refused:
    """Return Kling's refusal."""
    return rejected({"code": 1201, "message": message, "request_id": "sim"})
