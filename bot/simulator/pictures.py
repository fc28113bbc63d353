"""Reads pictures in requests: from base64, and their sizes. Pixels are not decoded."""

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from bot.simulator.models import Size

TURNED = {5, 6, 7, 8}  # EXIF orientations that swap width and height


@dataclass(frozen=True, slots=True)
class PictureHead:
    """The header of a picture. `size` is the size after the EXIF rotation."""

    size: Size
    format: str | None
    alpha: bool


def head_of(data: bytes) -> PictureHead:
    """Read the header of a picture. Raises `ValueError` if `data` is no picture."""
    try:
        with Image.open(BytesIO(data)) as picture:
            turned = picture.getexif().get(0x0112) in TURNED
            size = (picture.height, picture.width) if turned else picture.size
            return PictureHead(size, picture.format, picture.has_transparency_data)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError("not an image") from error


def data_uri(text: str) -> tuple[str, bytes] | None:
    """Return media type and bytes of a base64 `data:` URI; None if the text is no such URI."""
    head, comma, payload = text.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        return None
    data = bare(payload)
    return None if data is None else (head[5:-7], data)


def bare(text: str) -> bytes | None:
    """Return the bytes of base64 without any prefix; None if the text is no base64."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return None


def is_address(text: str) -> bool:
    """Whether the text is an http(s) address. The simulator never fetches it."""
    return text.startswith(("http://", "https://"))


def following(size: Size, tier: Sequence[Size]) -> Size:
    """Return the size of a video that follows a picture of this size.

    That is the tier's size with the picture's ratio, or else a size with as many pixels, in steps
    of 16.
    """
    width, height = size
    for known in tier:
        if width * known[1] == height * known[0]:
            return known
    width, height = max(width, height // 4), max(height, width // 4)  # at most 4:1
    area = tier[0][0] * tier[0][1]
    wide, high = math.isqrt(area * width // height), math.isqrt(area * height // width)
    return wide // 16 * 16, high // 16 * 16
