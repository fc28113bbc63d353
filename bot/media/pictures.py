"""A stranger's picture becomes a plain JPEG that a model accepts.

Runs in a worker process and trusts nothing: the header is judged before a pixel is decoded, and
only pixels leave. EXIF, GPS, XMP, profiles, comments and whatever hid behind the picture do not.
"""

import io
import math
import struct
import warnings
import zlib
from pathlib import Path
from typing import IO

from PIL import Image, ImageCms, ImageOps, ImageStat, UnidentifiedImageError

from bot.core.errors import Refused
from bot.core.orders import PICTURE_BYTES, PICTURE_PIXELS, Fit, Shaping

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
MOST_PIXELS = PICTURE_PIXELS
MOST_SIDE = 8192

_QUALITIES = (92, 88, 82, 75, 65, 50)
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_BARS = (0, 0, 0)
_PAPER = (255, 255, 255)
_SLATE = (32, 34, 37)

# Pillow's decoders answer hostile bytes with whatever they stumble over.
_DECODER_ERRORS = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


WHOLE = Fit(widest=float(MOST_SIDE), most_bytes=PICTURE_BYTES)
"""Nothing is cut off: for whatever else is made of the picture later."""


def fit_pictures(
    source: Path, fit: Fit, target: Path, whole: Path
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Write `source` to `target` made to fit, and to `whole` as it is; both sizes.

    Upright sRGB JPEGs, both.

    Raises `Refused("picture_bad", why=...)`; `why` is `format` (none of the four we read),
    `too_large` (pixels) or `broken` (cannot be decoded). Or `Refused("picture_stays_large")`, for
    bytes that no quality brings down.
    """
    with source.open("rb") as file:
        picture = _decode(file)
    return _write(picture, fit, target), _write(picture, WHOLE, whole)


def _write(picture: Image.Image, fit: Fit, target: Path) -> tuple[int, int]:
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


def _decode(file: IO[bytes]) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _read(file)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Refused("picture_bad", why="too_large") from error
    except UnidentifiedImageError as error:
        raise Refused("picture_bad", why="format") from error
    except _DECODER_ERRORS as error:
        raise Refused("picture_bad", why="broken") from error


def _read(file: IO[bytes]) -> Image.Image:
    with Image.open(file, formats=FORMATS) as picture:
        if picture.width * picture.height > MOST_PIXELS or max(picture.size) > MOST_SIDE:
            raise Refused("picture_bad", why="too_large")
        picture.load()
        turn = _turn(picture)
        plain = _plain(picture)
    return plain if turn is None else plain.transpose(turn)


def _turn(picture: Image.Image) -> Image.Transpose | None:
    try:
        return _TURNS.get(picture.getexif().get(_ORIENTATION, 1))
    except _DECODER_ERRORS:
        return None  # a broken EXIF block is no reason to refuse good pixels


def _plain(picture: Image.Image) -> Image.Image:
    """The same pixels in a mode that can be resized: L, RGB, RGBA or CMYK."""
    if picture.mode.startswith("I"):
        # Pillow clips 16 bits to 8 instead of scaling them, and its `point` on this mode only
        # understands a factor; a transparent grey of 16 bits has no 8-bit counterpart.
        picture.info.pop("transparency", None)
        return picture.point(lambda value: value * (1 / 256)).convert("L")
    if picture.has_transparency_data:
        return picture.convert("RGBA")
    return picture if picture.mode in ("L", "RGB", "CMYK") else picture.convert("RGB")


def _fitting_size(width: int, height: int, fit: Fit) -> tuple[int, int]:
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
    """sRGB without transparency: on white, or on slate where white would swallow the motif."""
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
            converted = None  # a profile we can't read: the bare numbers are the best guess
        if converted is not None:
            return converted
    return colours.convert("RGB")


def _encode(picture: Image.Image, fit: Fit) -> tuple[bytes, tuple[int, int]]:
    picture.info.clear()  # or Pillow would carry the comment over
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
