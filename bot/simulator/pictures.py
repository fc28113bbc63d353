"""Pictures as they arrive: from text, and how large they are; nothing is decoded further."""

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from bot.simulator.models import Size

TURNED = {5, 6, 7, 8}  # EXIF orientations that lay a picture on its side


@dataclass(frozen=True, slots=True)
class PictureHead:
    """The head of a picture: its size is as it is seen, after any EXIF turn."""

    size: Size
    format: str | None
    alpha: bool


def head_of(data: bytes) -> PictureHead:
    """Read the head of a picture; ValueError if it is none."""
    try:
        with Image.open(BytesIO(data)) as picture:
            turned = picture.getexif().get(0x0112) in TURNED
            size = (picture.height, picture.width) if turned else picture.size
            return PictureHead(size, picture.format, picture.has_transparency_data)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError("not an image") from error


def data_uri(text: str) -> tuple[str, bytes] | None:
    """Return media type and bytes of a base64 `data:` URI; None if the text is none."""
    head, comma, payload = text.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        return None
    data = bare(payload)
    return None if data is None else (head[5:-7], data)


def bare(text: str) -> bytes | None:
    """Return the bytes of base64 without any prefix; None if the text is none."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return None


def is_address(text: str) -> bool:
    """Say whether this is where a picture could be fetched; which is never done."""
    return text.startswith(("http://", "https://"))


def following(size: Size, tier: Sequence[Size]) -> Size:
    """The tier's size of the picture's ratio, else as many pixels with sides in steps of 16."""
    width, height = size
    for known in tier:
        if width * known[1] == height * known[0]:
            return known
    width, height = max(width, height // 4), max(height, width // 4)  # no ribbons
    area = tier[0][0] * tier[0][1]
    wide, high = math.isqrt(area * width // height), math.isqrt(area * height // width)
    return wide // 16 * 16, high // 16 * 16
