"""Converts a person's picture to a plain JPEG that a model accepts.

Runs in a worker process, and only pixels are kept. EXIF, GPS, XMP, profiles, comments and data
hidden behind the picture are dropped.
"""

import io
import math
from pathlib import Path

from PIL import Image, ImageCms, ImageOps, ImageStat

from bot.core.errors import Refused
from bot.core.orders import PICTURE_BYTES, Fit
from bot.core.wishes import Shaping
from bot.media.decoding import Size, decode

WIDEST = 8192.0
_QUALITIES = (92, 88, 82, 75, 65, 50)
_BARS = (0, 0, 0)
_PAPER = (255, 255, 255)
_SLATE = (32, 34, 37)

WHOLE = Fit(widest=WIDEST, most_bytes=PICTURE_BYTES)
"""A fit that cuts nothing off, for later use of the whole picture."""


def fit_pictures(source: Path, fit: Fit, target: Path, whole: Path) -> tuple[Size, Size]:
    """Write `source` to `target`, made to fit, and to `whole`, uncut; return both sizes.

    Both are upright sRGB JPEGs.

    Raises `Refused`: `picture_format` (none that we read), `picture_too_many_pixels`,
    `picture_broken` (cannot be decoded), or `picture_stays_large` (too many bytes even at the
    lowest quality).
    """
    picture = decode(source, lambda size: _needed(size, fit))
    return _write(picture, fit, target), _write(picture, WHOLE, whole)


def show(source: Path, target: Path) -> None:
    """Write `source` to `target` as a JPEG that browsers show. Raises `Refused`."""
    _write(decode(source, lambda size: _fitting_size(*size, WHOLE)), WHOLE, target)


def shrink_still(source: Path, side: int, target: Path) -> None:
    """Write one of our own stills to `target`, with sides of at most `side` pixels."""
    with Image.open(source, formats=["JPEG"]) as image:
        image.draft("RGB", (side, side))
        image.thumbnail((side, side))
        image.save(target, "JPEG", quality=80)


def _needed(size: Size, fit: Fit) -> Size:
    """Return the least size to decode, so that neither copy needs enlarging."""
    scale = min(1.0, max(_scale(size, each) for each in (fit, WHOLE)))
    return math.ceil(size[0] * scale), math.ceil(size[1] * scale)


def _scale(size: Size, fit: Fit) -> float:
    fitted = _fitting_size(*size, fit)
    ratios = [made / had for made, had in zip(fitted, size, strict=True)]
    return max(ratios) if fit.shaping is Shaping.CROP else min(ratios)


def _write(picture: Image.Image, fit: Fit, target: Path) -> Size:
    size = _fitting_size(picture.width, picture.height, fit)
    match fit.shaping:
        case Shaping.CROP:
            plain = _flatten(ImageOps.fit(picture, size, Image.Resampling.LANCZOS))
        case Shaping.PAD:
            whole = _flatten(ImageOps.contain(picture, size, Image.Resampling.LANCZOS))
            plain = ImageOps.pad(whole, size, color=_BARS)
    body, size = _encode(plain, fit)
    target.write_bytes(body)
    return size


def _fitting_size(width: int, height: int, fit: Fit) -> Size:
    if fit.width and fit.height:
        return fit.width, fit.height
    short, long = sorted((width, height))
    if fit.shaping is Shaping.PAD:
        short = max(short, math.ceil(long / fit.widest))
    kept = min(long, short * fit.widest)
    scale = min(max(1.0, fit.least_side / short), fit.most_side / kept)
    least = min(max(round(short * scale), fit.least_side), fit.most_side)
    most = max(min(round(kept * scale), int(least * fit.widest), fit.most_side), least)
    return (most, least) if width >= height else (least, most)


def _flatten(picture: Image.Image) -> Image.Image:
    """Convert to sRGB without transparency: on white, or on slate if the motif is bright."""
    colours = _to_srgb(picture)
    if picture.mode != "RGBA":
        return colours
    alpha = picture.getchannel("A")
    visible = ImageStat.Stat(colours.convert("L"), mask=alpha)
    is_bright = visible.count[0] > 0 and visible.mean[0] > 200
    ground = Image.new("RGB", picture.size, _SLATE if is_bright else _PAPER)
    ground.paste(colours, mask=alpha)
    return ground


def _to_srgb(picture: Image.Image) -> Image.Image:
    profile = picture.info.get("icc_profile")
    colours = picture.convert("RGB") if picture.mode == "RGBA" else picture
    if profile:
        try:
            converted = ImageCms.profileToProfile(
                colours,
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                outputMode="RGB",
            )
        except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
            converted = None  # an unreadable profile: take the values as sRGB
        if converted is not None:
            return converted
    return colours.convert("RGB")


def _encode(picture: Image.Image, fit: Fit) -> tuple[bytes, Size]:
    picture.info.clear()  # otherwise Pillow would copy the comment
    for quality in _QUALITIES:
        body = io.BytesIO()
        picture.save(body, "JPEG", quality=quality)
        if body.tell() <= fit.most_bytes:
            return body.getvalue(), picture.size
    smaller = (round(picture.width * 0.8), round(picture.height * 0.8))
    if (fit.width and fit.height) or min(smaller) < fit.least_side:
        raise Refused(
            "picture_stays_large", kilobytes=len(body.getvalue()) / 1e3, most=fit.most_bytes / 1e3
        )
    return _encode(picture.resize(smaller, Image.Resampling.LANCZOS), fit)
