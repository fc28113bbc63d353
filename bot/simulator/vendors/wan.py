"""Alibaba's Wan behind new-api: how the adaptor `ali` reads a request, and how DashScope answers.

The adaptor silently drops files, and metadata that is not nested in `input` and `parameters`. The
vendor then gets the request without its picture, and refuses it.
"""

import re
from collections.abc import Mapping

from bot.simulator.models import WAN_SIZES, Size
from bot.simulator.pictures import data_uri, following, head_of, is_address
from bot.simulator.refusals import Refused
from bot.simulator.scenes import Picture, Scene
from bot.simulator.vendors.limits import PictureRules
from bot.simulator.vendors.submission import Submission, rejected, whole

INPUT: Mapping[str, type] = dict.fromkeys(
    ("img_url", "first_frame_url", "last_frame_url", "audio_url", "negative_prompt", "template"),
    str,
)
PARAMETERS: Mapping[str, type] = {
    "resolution": str,
    "size": str,
    "duration": int,
    "prompt_extend": bool,
    "watermark": bool,
    "audio": bool,
    "seed": int,
}
SECONDS: Mapping[str, tuple[int, ...]] = {
    "wan2.5-t2v-preview": (5, 10),
    "wan2.5-i2v-preview": (5, 10),
    "wanx2.1-i2v-turbo": (3, 4, 5),
}
TIERS: Mapping[str, tuple[str, ...]] = {
    "wan2.5-i2v-preview": ("480P", "720P", "1080P"),
    "wan2.2-i2v-flash": ("480P", "720P", "1080P"),
    "wan2.2-i2v-plus": ("480P", "1080P"),
    "wanx2.1-i2v-plus": ("720P",),
    "wanx2.1-i2v-turbo": ("480P", "720P"),
    "wan2.2-kf2v-flash": ("480P", "720P", "1080P"),
}
LARGE = ("wan2.5-i2v-preview", "wan2.2-i2v-plus")  # their default is 1080P
SILENT = ("wan2.2", "wanx2.1")
SEEDS = range(2**31)
LONGEST_NEGATIVE = 500
PICTURES = PictureRules(
    formats=frozenset({"JPEG", "PNG", "BMP", "WEBP"}), least=360, most=2000, alpha=False
)


def scene(sent: Submission) -> Scene:
    """Return the video that DashScope makes of a request, or its refusal."""
    if "model" in sent.metadata:
        raise sent.unconverted("metadata.model: the model cannot be changed")
    given, parameters = sent.fields(INPUT, "input"), sent.fields(PARAMETERS, "parameters")
    if sent.reference:
        given = {"img_url": sent.reference} | given
    size, tier = _size(sent, parameters)
    _check(given, parameters)
    pictures = _pictures(sent.model, given)
    width, height = size or _following(pictures, tier)
    return Scene(
        model=sent.model,
        prompt=sent.prompt,
        width=width,
        height=height,
        seconds=_seconds(sent, parameters),
        pictures=pictures,
        sound=not sent.model.startswith(SILENT) and parameters.get("audio") is not False,
        watermark=parameters.get("watermark") is True,
        seed=int(str(parameters.get("seed", 0))),
    )


def _size(sent: Submission, parameters: Mapping[str, object]) -> tuple[Size | None, str]:
    """Return the size for a text model, or the tier for a model that follows its picture."""
    tiers = TIERS.get(sent.model)
    if tiers is None:
        if sent.size and "*" not in sent.size:
            raise sent.unconverted(f"invalid size: {sent.size}, example: 1920*1080")
        return _pixels(str(parameters.get("size") or sent.size or "1920*1080")), ""
    tier = "1080P" if sent.model in LARGE else "720P"
    if sent.size and "*" not in sent.size:  # the vendor ignores a size with `*`
        tier = sent.size.upper()
        tier = tier if tier.endswith("P") else f"{tier}P"
    tier = str(parameters.get("resolution") or tier)
    if tier not in tiers:
        raise refused(f"resolution must be one of {', '.join(tiers)}, not {tier}")
    return None, tier


def _pixels(text: str) -> Size:
    found = re.fullmatch(r"([0-9]{1,5})\*([0-9]{1,5})", text)
    size = (int(found[1]), int(found[2])) if found else (0, 0)
    if not any(size in sizes for sizes in WAN_SIZES.values()):
        raise refused(f"size is not in the allowed list: {text}")
    return size


def _following(pictures: tuple[Picture, ...], tier: str) -> Size:
    sizes = WAN_SIZES[tier]
    first = pictures[0]
    return following(head_of(first).size, sizes) if isinstance(first, bytes) else sizes[0]


def _seconds(sent: Submission, parameters: Mapping[str, object]) -> int:
    known = SECONDS.get(sent.model, (5,))
    asked = sent.duration or whole(sent.seconds, 5)
    if asked is None:
        raise sent.unconverted(f"invalid seconds: {sent.seconds}")
    asked = int(str(parameters.get("duration", asked)))
    if asked not in known:
        raise refused(f"duration must be one of {', '.join(map(str, known))}, not {asked}")
    return asked


def _check(given: Mapping[str, object], parameters: Mapping[str, object]) -> None:
    if int(str(parameters.get("seed", 0))) not in SEEDS:
        raise refused("seed must be from 0 to 2147483647")
    if len(str(given.get("negative_prompt", ""))) > LONGEST_NEGATIVE:
        raise refused("negative_prompt is too long")


def _pictures(model: str, given: Mapping[str, object]) -> tuple[Picture, ...]:
    match model:
        case "wan2.2-kf2v-flash" if given.get("template"):
            names: tuple[str, ...] = ("first_frame_url",)
        case "wan2.2-kf2v-flash":
            names = ("first_frame_url", "last_frame_url")
        case _ if model in TIERS:
            names = ("img_url",)
        case _:
            names = ()  # a text model looks at no picture
    return tuple(_picture(name, str(given.get(name, ""))) for name in names)


def _picture(name: str, text: str) -> Picture:
    if is_address(text):
        return text
    decoded = data_uri(text)
    if decoded is None:
        code = "InvalidURL" if text else "InvalidParameter"
        raise refused(f"{name}: url error, please check url", code)
    if complaint := PICTURES.complaint(decoded[1]):
        raise refused(f"{name}: {complaint}")
    return decoded[1]


def refused(message: str, code: str = "InvalidParameter") -> Refused:
    """Return DashScope's refusal."""
    return rejected({"request_id": "00000000-sim", "code": code, "message": message})
