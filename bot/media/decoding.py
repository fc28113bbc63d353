"""Decodes a person's picture file to pixels: upright, and no more of them than are needed.

The file is not trusted. Its bytes select the only decoder that runs, its header is checked before
that, and metadata that makes the decoder fail is removed first.
"""

import io
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pi_heif
from PIL import Image, ImageStat, UnidentifiedImageError

from bot.core.errors import Refused
from bot.core.headers import Format, header_of
from bot.core.orders import check_picture
from bot.core.segments import ended
from bot.core.unread import refusal_of
from bot.media.missing import lacks_its_end

Size = tuple[int, int]

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
_LYING = frozenset(_TURNS[each] for each in (5, 6, 7, 8))
"""Turns that swap width and height."""

_MOVING = frozenset({Format.PNG, Format.GIF, Format.WEBP, Format.AVIF})
"""Formats that may hold an animation. More pictures in a JPEG or HEIF are depth maps or bursts."""
_MOST_FRAMES = 200
_MOST_LOOKED_AT = 200_000_000
"""The most pixels of an animation that are decoded to find a frame with enough content."""
_GLANCE = (64, 64)
_PLENTY = 40
"""Standard deviation, in levels, of a frame with enough content; photos have more."""

_PNG_START = 8
_PNG_KEPT = frozenset({b"tRNS", b"iCCP", b"eXIf", b"acTL", b"fcTL", b"fdAT"})
"""Ancillary chunks that change how a PNG looks."""
_MOST_PROFILE = 1_000_000
"""The most bytes of a decompressed colour profile."""

# Pillow's decoders may raise any of these for hostile bytes.
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

pi_heif.register_heif_opener(
    thumbnails=False, depth_images=False, aux_images=False, decode_threads=2
)


def decode(source: Path, needed: Callable[[Size], Size]) -> Image.Image:
    """Decode the picture, upright, in a mode that can be resized: L, RGB, RGBA or CMYK.

    `needed` gets the picture's size and returns the size to shrink it to; the picture is never
    enlarged. If possible it is shrunk during decoding. Of an animation, the result is the first
    frame with enough content.

    Raises `Refused`: `picture_format`, `picture_kind`, `moves_already`, `picture_too_many_pixels`,
    `picture_demanding` or `picture_broken`.
    """
    with _translated(), _opened(source) as (picture, kind):
        turn, size = _turn(picture), picture.size
        box = _swapped(needed(_swapped(size, turn)), turn)
        if kind is Format.JPEG:
            # A JPEG can be decoded at a half, a quarter or an eighth of its size.
            picture.draft(picture.mode, box)
        shown = _shown(picture, kind)
        if kind is Format.JPEG and lacks_its_end(shown, source.read_bytes()):
            raise Refused("picture_broken")
        plain = _shrunk(_plain(shown), box)
    return plain if turn is None else plain.transpose(turn)


def upright_size(source: Path) -> Size:
    """Return width and height of the upright picture, by its header. Raises as `decode` does."""
    with _translated(), _opened(source) as (picture, _):
        return _swapped(picture.size, _turn(picture))


@contextmanager
def _translated() -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except MemoryError as error:
        raise Refused("picture_demanding") from error
    except Image.DecompressionBombError as error:  # a frame that is larger than the header says
        raise Refused("picture_broken") from error
    except UnidentifiedImageError as error:
        raise Refused("picture_broken") from error
    except _DECODER_ERRORS as error:
        raise Refused("picture_broken") from error


@contextmanager
def _opened(source: Path) -> Iterator[tuple[Image.Image, Format]]:
    with source.open("rb") as file:
        header = header_of(file)
        if header is None:
            raise refusal_of(file)
        file.seek(0)
        content = _PREPARED.get(header.format, _as_it_is)(file)
        with Image.open(content, formats=[header.format]) as picture:
            check_picture(0, *picture.size)
            yield picture, header.format


def _turn(picture: Image.Image) -> Image.Transpose | None:
    """Return the turn that EXIF asks for. XMP is ignored, as in browsers: it may be outdated.

    The HEIF decoder turns the picture itself and updates EXIF.
    """
    exif = Image.Exif()
    try:
        exif.load(picture.info.get("exif") or b"")
        return _TURNS.get(exif.get(_ORIENTATION, 1))
    except _DECODER_ERRORS:
        return None  # a broken EXIF block is no reason to refuse good pixels


def _swapped(size: Size, turn: Image.Transpose | None) -> Size:
    return (size[1], size[0]) if turn in _LYING else size


def _shown(picture: Image.Image, kind: Format) -> Image.Image:
    """Return the first frame with enough content, or else the frame with the most content.

    A blank frame, a watermark on white or the start of a fade would waste a paid order.
    """
    picture.load()
    most = _PLENTY if kind not in _MOVING else _content(picture)
    if most >= _PLENTY:
        return picture
    best = picture.copy()
    affordable = _MOST_LOOKED_AT // (picture.width * picture.height)
    try:
        for number in range(1, min(affordable, _MOST_FRAMES)):
            picture.seek(number)
            picture.load()
            content = _content(picture)
            if content >= _PLENTY:
                return picture
            if content > most:
                best, most = picture.copy(), content
    except _DECODER_ERRORS:
        pass  # the end, or a damaged frame: use the best frame so far
    return best


def _content(frame: Image.Image) -> float:
    """Return how much a frame shows: the spread of its levels at a small size."""
    is_clear = frame.has_transparency_data
    wanted = "RGBA" if is_clear else "RGB"
    plain = frame if frame.mode == wanted else frame.convert(wanted)
    # Band by band: Pillow would copy a picture with alpha to resize all bands at once.
    glances = [plain.getchannel(band).resize(_GLANCE, Image.Resampling.BOX) for band in wanted]
    seen = Image.merge("RGB", glances[:3])
    spread = ImageStat.Stat(seen).stddev
    if is_clear:
        ground = Image.new("RGB", _GLANCE, "grey")
        ground.paste(seen, mask=glances[3])
        spread = [*ImageStat.Stat(ground).stddev, *ImageStat.Stat(glances[3]).stddev]
    return max(spread)


def _plain(picture: Image.Image) -> Image.Image:
    """Convert the picture to a mode that can be resized."""
    if picture.mode.startswith("I"):
        # Pillow clips 16 bits to 8 instead of scaling them, and its `point` on this mode only
        # understands a factor; a transparent grey of 16 bits has no 8-bit counterpart.
        picture.info.pop("transparency", None)
        return picture.point(lambda value: value * (1 / 256)).convert("L")
    if picture.has_transparency_data:
        return picture if picture.mode == "RGBA" else picture.convert("RGBA")
    return picture if picture.mode in ("L", "RGB", "CMYK") else picture.convert("RGB")


def _shrunk(picture: Image.Image, box: Size) -> Image.Image:
    """Return a shrunk copy that no longer depends on the file.

    The HEIF plugin reads files with several pictures again, and fails if the size has changed.
    """
    size = min(box[0], picture.width), min(box[1], picture.height)
    if size == picture.size:
        return picture.copy()
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _without_texts(file: IO[bytes]) -> IO[bytes]:
    """Return a PNG with only those chunks that change how it looks.

    Pillow refuses a whole picture if a text or profile is too large when decompressed, or has a
    wrong checksum. The orientation is moved to the front, to be known before decoding.
    """
    body = file.read()
    front, rest, at = [body[:_PNG_START]], [], _PNG_START
    while at + 12 <= len(body):
        end = at + 12 + int.from_bytes(body[at : at + 4])
        kind, chunk = body[at + 4 : at + 8], body[at:end]
        if kind == b"IHDR" or (kind == b"eXIf" and _is_sound(chunk)):
            front.append(chunk)
        elif kind[0] < ord("a") or (kind in _PNG_KEPT and _is_sound(chunk)):
            rest.append(chunk)
        if kind == b"IEND":
            break
        at = end
    return io.BytesIO(b"".join(front + rest))


def _as_it_is(file: IO[bytes]) -> IO[bytes]:
    return file


def _with_its_end(file: IO[bytes]) -> IO[bytes]:
    """Complete a JPEG that is cut off: all apps show such a picture as far as it goes."""
    return io.BytesIO(ended(file.read()))


def _by_its_usual_name(file: IO[bytes]) -> IO[bytes]:
    """Return a HEIF whose major brand is `mif1`: the plugin looks only at the major brand."""
    body = file.read()
    return io.BytesIO(body[:8] + b"mif1" + body[12:])


def _is_sound(chunk: bytes) -> bool:
    """Whether a PNG chunk is intact.

    Its checksum must be right. An ICC profile must decompress to at most `_MOST_PROFILE` bytes.
    """
    if zlib.crc32(chunk[4:-4]) != int.from_bytes(chunk[-4:]):
        return False
    if chunk[4:8] != b"iCCP":
        return True
    packed = chunk[8:-4].partition(b"\0")[2][1:]
    try:
        return len(zlib.decompressobj().decompress(packed, _MOST_PROFILE + 1)) <= _MOST_PROFILE
    except zlib.error:
        return False


_PREPARED: dict[Format, Callable[[IO[bytes]], IO[bytes]]] = {
    Format.PNG: _without_texts,
    Format.JPEG: _with_its_end,
    Format.HEIF: _by_its_usual_name,
}
"""Functions that change a file, by format, so that the decoder does not fail on it."""
