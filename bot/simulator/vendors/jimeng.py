"""Jimeng behind new-api: the one adaptor besides sora's that takes a file, if it is small."""

import base64
from collections.abc import Mapping

from bot.simulator.models import Size
from bot.simulator.pictures import bare, is_address
from bot.simulator.refusals import Refused, flat
from bot.simulator.scenes import Film, Picture
from bot.simulator.vendors.limits import MEGABYTE, Limits
from bot.simulator.vendors.submission import Submission, whole

FIELDS: Mapping[str, type] = {
    "aspect_ratio": str,
    "seed": int,
    "frames": int,
    "image_urls": list,
    "binary_data_base64": list,
}
LARGEST = int(4.7 * MEGABYTE)
SIZES: Mapping[str, Size] = {
    "16:9": (1280, 720),
    "4:3": (960, 720),
    "1:1": (720, 720),
    "3:4": (720, 960),
    "9:16": (720, 1280),
    "21:9": (1680, 720),
    "9:21": (720, 1680),
}
FRAMES = 121  # five seconds; 241, which is ten, belongs to newer models
PICTURES = Limits(formats=frozenset({"JPEG", "PNG"}), weight=LARGEST)


def film(sent: Submission) -> Film:
    """Return the film that Jimeng makes of a request, or its refusal."""
    if any(len(upload.data) > LARGEST for upload in sent.files):
        raise sent.unconverted("文件大小超过限制，最大允许4.7MB")
    said = sent.fields(FIELDS)
    frames = said.get("frames", 241 if whole(sent.seconds, 5) == 10 else FRAMES)
    aspect = str(said.get("aspect_ratio") or "16:9")
    if frames != FRAMES:
        raise refused(f"frames: {frames} is not supported by {sent.model}")
    if aspect not in SIZES:
        raise refused(f"aspect_ratio: {aspect} is not supported")
    width, height = SIZES[aspect]
    return Film(
        model=sent.model,
        prompt=sent.prompt,
        width=width,
        height=height,
        seconds=5,
        pictures=_pictures(sent, said),
        seed=max(int(str(said.get("seed", 0))), 0),  # -1 is any
    )


def _pictures(sent: Submission, said: Mapping[str, object]) -> tuple[Picture, ...]:
    if "t2v" in sent.model:
        return ()  # an image is ignored
    texts = [*_list(said, "image_urls"), *_list(said, "binary_data_base64"), *sent.addresses]
    files = [base64.b64encode(upload.data).decode() for upload in sent.files]
    pictures = tuple(_picture(text) for text in [*files, *texts])
    if len(pictures) != 1:
        raise refused(f"{sent.model} needs one image, not {len(pictures)}")
    return pictures


def _list(said: Mapping[str, object], name: str) -> list[str]:
    value = said.get(name)
    return [str(each) for each in value] if isinstance(value, list) else []


def _picture(text: str) -> Picture:
    if is_address(text):
        return text
    data = bare(text)  # a `data:` prefix is no base64 either
    if data is None:
        raise refused("binary_data_base64 cannot be decoded", 50206)
    if complaint := PICTURES.complaint(data):
        raise refused(complaint, 50206)
    return data


def refused(message: str, number: int = 50200) -> Refused:
    """What Jimeng says no with: its number is the code."""
    return flat(str(number), message, 500, upstream=True)
