"""Jimeng behind new-api: the only adaptor besides sora's that takes a file, if it is small.

For version 3.0 a gateway has its own names; the number of pictures decides the vendor's name.
"""

import base64
from collections.abc import Mapping

from bot.simulator.models import Size
from bot.simulator.pictures import bare, is_address
from bot.simulator.refusals import Refused, flat
from bot.simulator.scenes import Picture, Scene
from bot.simulator.vendors.limits import MEGABYTE, PictureRules
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
FRAMES = 121  # five seconds
TEN_SECONDS = 241  # frames, of 3.0 alone
V30 = "jimeng_v30"
KINDS_V30 = ("t2v", "i2v_first", "i2v_first_tail")
"""The kind of video in the vendor's name of the model, by the number of pictures."""
KEYS_V30 = {f"jimeng_{kind}_v30" for kind in KINDS_V30} | {
    "jimeng_ti2v_v30_pro",
    "jimeng_t2v_v30_720p",
    "jimeng_t2v_v30_1080p",
    "jimeng_i2v_first_v30_1080",
    "jimeng_i2v_first_tail_v30_1080",
}
"""The vendor's own names of its 3.0 models."""
PICTURES = PictureRules(formats=frozenset({"JPEG", "PNG"}), weight=LARGEST)


def scene(sent: Submission) -> Scene:
    """Return the video that Jimeng makes of a request, or its refusal."""
    if any(len(upload.data) > LARGEST for upload in sent.files):
        raise sent.unconverted("文件大小超过限制，最大允许4.7MB")
    said = sent.fields(FIELDS)
    seconds = sent.duration or whole(sent.seconds, 5)
    frames = said.get("frames", TEN_SECONDS if seconds == 10 else FRAMES)
    aspect = str(said.get("aspect_ratio") or "16:9")
    pictures = _pictures(sent, said)
    key = vendors_key(sent.model, len(pictures))
    if complaint := complaint_about(key, frames, len(pictures)):
        raise refused(complaint)
    if aspect not in SIZES:
        raise refused(f"aspect_ratio: {aspect} is not supported")
    width, height = (side * 3 // 2 if tier(key) == "1080p" else side for side in SIZES[aspect])
    return Scene(
        model=sent.model,
        prompt=sent.prompt,
        width=width,
        height=height,
        seconds=10 if frames == TEN_SECONDS else 5,
        pictures=pictures,
        seed=max(int(str(said.get("seed", 0))), 0),  # -1 means any seed
    )


def vendors_key(model: str, pictures: int) -> str:
    """Return the vendor's name that new-api sends for a model, by the number of pictures."""
    if not model.startswith(V30):
        return model
    if model == f"{V30}_pro":
        return "jimeng_ti2v_v30_pro"
    rest = model.removeprefix(V30)
    kind = KINDS_V30[min(pictures, 2)]
    return f"jimeng_{kind}_v30{rest.removesuffix('p') if pictures else rest}"


def complaint_about(key: str, frames: object, pictures: int) -> str | None:
    """Return the vendor's message against a name, a length or the number of pictures, or None."""
    newer = "v30" in key
    if newer and key not in KEYS_V30:
        return f"req_key: {key} is not supported"
    if frames not in ((FRAMES, TEN_SECONDS) if newer else (None, FRAMES)):
        return f"frames: {frames} is not supported by {key}"
    if key == "jimeng_ti2v_v30_pro" and pictures > 1:
        return f"{key} takes one image, not {pictures}"
    return None


def tier(key: str) -> str:
    """Return the resolution that a vendor's name stands for."""
    return "1080p" if "1080" in key or key.endswith("_pro") else "720p"


def _pictures(sent: Submission, said: Mapping[str, object]) -> tuple[Picture, ...]:
    if "t2v" in sent.model:
        return ()  # an image is ignored
    most = 2 if sent.model.startswith(V30) else 1
    texts = [*_list(said, "image_urls"), *_list(said, "binary_data_base64"), *sent.addresses]
    files = [base64.b64encode(upload.data).decode() for upload in sent.files]
    pictures = tuple(_picture(text) for text in [*files, *texts])
    if len(pictures) > most or (most == 1 and not pictures):
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
    """Return Jimeng's refusal, whose number is the code."""
    return flat(str(number), message, 500, upstream=True)
