"""A stranger's picture file becomes pixels: upright, and no more of them than are needed.

Trusts nothing. The bytes choose the one decoder that runs, the header is judged before it does, and
metadata that it would stumble over never reaches it.
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
"""Turns after which width and height have changed places."""

_MOVING = frozenset({Format.PNG, Format.GIF, Format.WEBP, Format.AVIF})
"""Formats that may hold an animation. In JPEG and HEIF further pictures are depths or bursts."""
_MOST_FRAMES = 200
_MOST_LOOKED_AT = 200_000_000
"""Pixels of an animation that are decoded, at most, to find a frame that shows something."""
_GLANCE = (64, 64)
_PLENTY = 40
"""Standard deviation, in levels, of a frame that shows enough; photos have more."""

_PNG_START = 8
_PNG_KEPT = frozenset({b"tRNS", b"iCCP", b"eXIf", b"acTL", b"fcTL", b"fdAT"})
"""Chunks besides the critical ones that say how a PNG looks."""
_MOST_PROFILE = 1_000_000
"""Bytes of an unpacked colour profile."""

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

pi_heif.register_heif_opener(
    thumbnails=False, depth_images=False, aux_images=False, decode_threads=2
)


def decode(source: Path, needed: Callable[[Size], Size]) -> Image.Image:
    """The picture, upright, in a mode that can be resized: L, RGB, RGBA or CMYK.

    It is shrunk, where possible while it is decoded, to the size that `needed` answers for its own;
    it is never enlarged. Of an animation it is the first frame that shows plenty.

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
    """Width and height as people see the picture, by its header. Raises `Refused` as `decode`."""
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
    """By EXIF alone, as browsers do: XMP may speak of pixels that were turned long ago.

    The decoder of HEIF turns by itself and says in EXIF that it has.
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
    """The first frame that shows plenty; where none does, the one that shows the most.

    A blank one, a watermark on white and the beginning of a fade would be paid for as they are.
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
        pass  # the end, or a damaged frame: then there is nothing else to show
    return best


def _content(frame: Image.Image) -> float:
    """How much is to be seen: the spread of its levels, from afar."""
    is_clear = frame.has_transparency_data
    wanted = "RGBA" if is_clear else "RGB"
    plain = frame if frame.mode == wanted else frame.convert(wanted)
    # Band by band: to resize all at once, Pillow would copy a picture that has an alpha channel.
    glances = [plain.getchannel(band).resize(_GLANCE, Image.Resampling.BOX) for band in wanted]
    seen = Image.merge("RGB", glances[:3])
    spread = ImageStat.Stat(seen).stddev
    if is_clear:
        ground = Image.new("RGB", _GLANCE, "grey")
        ground.paste(seen, mask=glances[3])
        spread = [*ImageStat.Stat(ground).stddev, *ImageStat.Stat(glances[3]).stddev]
    return max(spread)


def _plain(picture: Image.Image) -> Image.Image:
    """The same pixels in a mode that can be resized."""
    if picture.mode.startswith("I"):
        # Pillow clips 16 bits to 8 instead of scaling them, and its `point` on this mode only
        # understands a factor; a transparent grey of 16 bits has no 8-bit counterpart.
        picture.info.pop("transparency", None)
        return picture.point(lambda value: value * (1 / 256)).convert("L")
    if picture.has_transparency_data:
        return picture if picture.mode == "RGBA" else picture.convert("RGBA")
    return picture if picture.mode in ("L", "RGB", "CMYK") else picture.convert("RGB")


def _shrunk(picture: Image.Image, box: Size) -> Image.Image:
    """A picture of its own: one that is still tied to its file may be read from there once more.

    The plugin of HEIF does so where the file holds several, and trips over a size that has changed.
    """
    size = min(box[0], picture.width), min(box[1], picture.height)
    if size == picture.size:
        return picture.copy()
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _without_texts(file: IO[bytes]) -> IO[bytes]:
    """A PNG with nothing but what says how it looks.

    Pillow refuses a whole picture for texts or a profile that unpack to too much, or whose checksum
    is wrong. The orientation comes first, so that it is known before anything is decoded.
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
    """A JPEG that is cut off: all apps show what is there of it."""
    return io.BytesIO(ended(file.read()))


def _by_its_usual_name(file: IO[bytes]) -> IO[bytes]:
    """A HEIF that says so first: its plugin goes by the first of the names that a file has."""
    body = file.read()
    return io.BytesIO(body[:8] + b"mif1" + body[12:])


def _is_sound(chunk: bytes) -> bool:
    """Whether a chunk is whole, and does not unpack to more than it may."""
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
"""Formats of which the decoder gets only what it does not stumble over."""
