"""Pictures in and out: each kind that people send, its orientation, and data that must not be
passed on.
"""

import io
import struct
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bot.core.errors import Refused
from bot.core.headers import header_of
from bot.core.orders import PICTURE_PIXELS, Fit
from bot.media.decoding import decode, upright_size
from bot.media.pictures import fit_pictures
from bot.media.studio import Studio
from bot.media.workers import Workers

from . import tasks
from .heif import heic
from .samples import corners, encoded, noise, png_chunk, quarters

SEEN = {1: "RGWB", 2: "GRBW", 3: "WBRG", 4: "BWGR", 5: "RBWG", 6: "BRGW", 7: "WGRB", 8: "GWBR"}
"""The corners of `quarters` under each EXIF orientation."""
TURNED = {1: (0, None), 2: (0, 1), 3: (2, None), 4: (0, 0), 6: (3, None), 8: (1, None)}
"""The same orientations as a HEIF states them: quarter turns counter-clockwise, then a mirror."""


@dataclass
class Made:
    """The whole picture, the picture fitted to a model, and the bytes of the two files."""

    whole: Image.Image
    fitted: Image.Image
    body: bytes


Make = Callable[..., Made]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def made(body: bytes, fit: Fit | None = None) -> Made:
        source, target, whole = (tmp_path / name for name in ("source", "target", "whole"))
        source.write_bytes(body)
        fit_pictures(source, fit or Fit(), target, whole)
        body = target.read_bytes() + whole.read_bytes()
        return Made(whole=opened(whole), fitted=opened(target), body=body)

    return made


def opened(made: Path) -> Image.Image:
    with Image.open(made) as picture:
        picture.load()
    assert (picture.format, picture.mode) == ("JPEG", "RGB")
    return picture


def why(make: Make, body: bytes) -> str:
    """Return the reason for which a picture is refused."""
    with pytest.raises(Refused) as refused:
        make(body)
    return refused.value.code.removeprefix("picture_")


def exif(orientation: int = 1) -> bytes:
    """Return an EXIF block with an orientation, a location and secret texts."""
    block = Image.Exif()
    block[0x0112] = orientation
    block[0x010E] = "SECRET"
    place = block.get_ifd(0x8825)
    place[1], place[2] = "N", (52.0, 31.0, 12.0)
    place[3], place[4] = "E", (13.0, 24.0, 34.0)
    place[29] = "SECRET"
    return block.tobytes()


def pairs(**options: Any) -> bytes:
    """Return a JPEG with two pictures, as phones write them with a depth or gain map."""
    return encoded(
        quarters(120, 60), "MPO", save_all=True, append_images=[noise(60, 30)], **options
    )


def sequence(kind: str, *frames: Image.Image, **options: Any) -> bytes:
    first, *others = frames
    return encoded(first, kind, save_all=True, append_images=others, duration=50, **options)


def png_of_16_bits(picture: Image.Image) -> bytes:
    """Return a PNG of 16 bits whose upper and lower byte are the same level."""
    wide = len(picture.getbands()) * 2 * picture.width
    colour = {"L": 0, "RGB": 2, "RGBA": 6}[picture.mode]
    levels = bytes(each for level in picture.tobytes() for each in (level, level))
    rows = b"".join(b"\0" + levels[at : at + wide] for at in range(0, len(levels), wide))
    header = struct.pack(">IIBBBBB", *picture.size, 16, colour, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*each) for each in chunks)


STILL = quarters(120, 60)
PALETTE = STILL.convert("P", palette=Image.Palette.ADAPTIVE)
KINDS = {
    "JPEG": encoded(STILL, "JPEG"),
    "progressive JPEG": encoded(STILL, "JPEG", progressive=True),
    "grey JPEG": encoded(STILL.convert("L"), "JPEG"),
    "CMYK JPEG": encoded(STILL.convert("CMYK"), "JPEG"),
    "MPO": pairs(),
    "PNG": encoded(STILL),
    "palette PNG": encoded(STILL.convert("P", palette=Image.Palette.ADAPTIVE)),
    "palette PNG with alpha": encoded(PALETTE, transparency=bytes([255] * 4)),
    "PNG of 16 bits": png_of_16_bits(STILL),
    "PNG of 16 bits with alpha": png_of_16_bits(STILL.convert("RGBA")),
    "grey PNG of 16 bits": png_of_16_bits(STILL.convert("L")),
    "WEBP with alpha": encoded(STILL.convert("RGBA"), "WEBP", lossless=True),
    "APNG": sequence("PNG", STILL, noise(120, 60)),
    "WEBP": encoded(STILL, "WEBP"),
    "lossless WEBP": encoded(STILL, "WEBP", lossless=True),
    "moving WEBP": sequence("WEBP", STILL, noise(120, 60), lossless=True),
    "GIF": encoded(STILL, "GIF"),
    "moving GIF": sequence("GIF", STILL, noise(120, 60)),
    "AVIF": encoded(STILL, "AVIF"),
    "moving AVIF": sequence("AVIF", STILL, noise(120, 60)),
    "AVIF with alpha": encoded(STILL.convert("RGBA"), "AVIF"),
    "HEIC": heic(quarters(128, 64)),
    "HEIC of tiles, as on an iPhone": heic(quarters(256, 128), tiles=2),
    "HEIC of 10 bits": heic(quarters(128, 64), brand=b"heix", pix_fmt="yuv420p10le"),
    "HEIC of 4:4:4": heic(quarters(128, 64), brand=b"heix", pix_fmt="yuv444p"),
    "HEIF by its wider name": heic(quarters(128, 64), brand=b"mif1"),
}


@pytest.mark.parametrize("name", KINDS)
def test_every_supported_kind_of_picture_is_read(make: Make, name: str) -> None:
    grey = "grey" in name
    made, header = make(KINDS[name]), header_of(io.BytesIO(KINDS[name]))
    assert header is not None
    assert made.whole.size == (header.width, header.height)
    assert corners(made.whole) == ("????" if grey else "RGWB") or grey


def turned(kind: str, orientation: int) -> bytes:
    """Return a picture with this orientation and secret metadata."""
    if kind == "HEIC":
        turns, mirror = TURNED[orientation]
        return heic(quarters(128, 64), turns=turns, mirror=mirror, exif=exif(orientation))
    if kind == "HEIC of tiles":
        turns, mirror = TURNED[orientation]
        body = quarters(256, 128)
        return heic(body, tiles=2, turns=turns, mirror=mirror, exif=exif(orientation))
    if kind == "MPO":
        return pairs(exif=exif(orientation))
    return encoded(STILL, kind, exif=exif(orientation))


LYING = [
    *((kind, each) for kind in ("JPEG", "MPO", "PNG", "WEBP", "AVIF") for each in SEEN),
    *((kind, each) for kind in ("HEIC", "HEIC of tiles") for each in TURNED),
]


@pytest.mark.parametrize(("kind", "orientation"), LYING)
def test_a_picture_is_turned_upright_once_and_its_location_is_removed(
    make: Make, tmp_path: Path, kind: str, orientation: int
) -> None:
    body = turned(kind, orientation)
    assert b"SECRET" in body
    made = make(body, Fit(most_side=60))
    assert corners(made.whole) == corners(made.fitted) == SEEN[orientation]
    assert upright_size(tmp_path / "source") == made.whole.size
    assert (made.whole.height > made.whole.width) == (orientation >= 5)
    assert b"SECRET" not in made.body
    assert b"Exif" not in made.body
    assert not made.whole.getexif()


def test_a_heif_is_mirrored_after_it_is_turned(make: Make) -> None:
    assert corners(make(heic(quarters(128, 64), turns=1, mirror=0)).whole) == SEEN[5]


def test_a_heif_turned_by_its_own_orientation_is_not_turned_again_by_exif(make: Make) -> None:
    """HEIF has its own property for orientation.

    EXIF inside a HEIF only records what the camera did.
    """
    assert corners(make(heic(quarters(128, 64), exif=exif(6))).whole) == SEEN[1]


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF"])
def test_the_orientation_in_xmp_turns_nothing(make: Make, kind: str) -> None:
    xmp = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    assert corners(make(encoded(STILL, kind, xmp=xmp)).whole) == SEEN[1]


def test_no_data_behind_or_beside_the_pixels_is_passed_on(make: Make) -> None:
    for name, body in KINDS.items():
        assert b"SECRET" not in make(body + b"SECRET" * 50).body, name
    xmp = b"<x:xmpmeta>SECRET</x:xmpmeta>"
    for kind in ("JPEG", "WEBP", "AVIF"):
        assert b"SECRET" not in make(encoded(STILL, kind, xmp=xmp)).body, kind


# ---------------------------------------------------------------- endless metadata

BOMB = zlib.compress(bytes(80_000_000))
CHUNKS = {
    "3 MB of zipped text": png_chunk(b"zTXt", b"x\0\0" + zlib.compress(bytes(3_000_000))),
    "80 MB of zipped text": png_chunk(b"zTXt", b"x\0\0" + BOMB),
    "the same in Unicode": png_chunk(b"iTXt", b"x\0\1\0\0\0" + BOMB),
    "2 MB of plain text": png_chunk(b"tEXt", b"x\0" + bytes(2_000_000)),
    "a profile without end": png_chunk(b"iCCP", b"x\0\0" + BOMB),
    "a text with a wrong checksum": b"\0\0\0\3tEXtx\0ySUMS",
    "a profile that is no zip": png_chunk(b"iCCP", b"x\0\0none"),
    "a chunk that nobody knows": png_chunk(b"prVt", bytes(10)),
    "many texts": png_chunk(b"tEXt", b"x\0y") * 30_000,
}


@pytest.mark.parametrize("name", CHUNKS)
@pytest.mark.parametrize("place", ["in front", "behind"])
def test_metadata_that_a_decoder_cannot_read_is_ignored(
    make: Make, tmp_path: Path, name: str, place: str
) -> None:
    body = encoded(STILL)
    at = 33 if place == "in front" else len(body) - 12
    made = make(body[:at] + CHUNKS[name] + body[at:])
    assert corners(made.whole) == "RGWB"
    assert upright_size(tmp_path / "source") == (120, 60)


def test_the_orientation_of_a_png_is_found_behind_its_pixels(make: Make, tmp_path: Path) -> None:
    body = encoded(STILL)
    chunk = png_chunk(b"eXIf", exif(6).removeprefix(b"Exif\0\0"))
    assert corners(make(body[:-12] + chunk + body[-12:]).whole) == SEEN[6]
    assert upright_size(tmp_path / "source") == (60, 120)


def test_the_size_of_a_jpeg_is_found_behind_megabytes_of_metadata(make: Make) -> None:
    body = encoded(STILL, "JPEG")
    segments = b"\xff\xe1\xff\xff" + b"http://ns.adobe.com/xap/1.0/\0".ljust(65_533, b"x")
    assert corners(make(body[:2] + segments * 40 + body[2:]).whole) == "RGWB"


def test_the_size_of_a_png_is_found_behind_large_compressed_texts() -> None:
    text = PngInfo()
    text.add_text("x", "y" * 3_000_000, zip=True)
    header = header_of(io.BytesIO(encoded(STILL, pnginfo=text)))
    assert header is not None
    assert (header.width, header.height) == (120, 60)


# ---------------------------------------------------------------- the first frame with content

CLEAR = Image.new("RGBA", (120, 60))
BLACK, WHITE = (Image.new("RGB", (120, 60), colour) for colour in ("black", "white"))


@pytest.mark.parametrize("blank", [CLEAR, BLACK, WHITE], ids=["clear", "black", "white"])
@pytest.mark.parametrize("kind", ["GIF", "WEBP", "AVIF", "PNG"])
def test_blank_first_frames_of_an_animation_are_skipped(
    make: Make, kind: str, blank: Image.Image
) -> None:
    exact = {"lossless": True} if kind == "WEBP" else {}
    shown = STILL.convert(blank.mode)
    body = sequence(kind, blank, blank.copy(), shown, noise(120, 60).convert(blank.mode), **exact)
    assert corners(make(body).whole) == "RGWB"


MARKED = WHITE.copy()
MARKED.paste((200, 200, 200), (100, 50, 115, 56))
FADING = [Image.blend(BLACK, STILL, share) for share in (0.05, 0.1, 0.2, 0.25)]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "AVIF", "PNG"])
@pytest.mark.parametrize("start", [[MARKED], FADING], ids=["a watermark on white", "a fade"])
def test_frames_of_an_animation_that_show_little_are_skipped(
    make: Make, kind: str, start: list[Image.Image]
) -> None:
    exact = {"lossless": True} if kind == "WEBP" else {}
    assert corners(make(sequence(kind, *start, STILL, noise(120, 60), **exact)).whole) == "RGWB"


@pytest.mark.parametrize("kind", ["WEBP", "PNG"])
def test_the_colours_of_fully_transparent_pixels_do_not_count(make: Make, kind: str) -> None:
    hidden = STILL.convert("RGBA")
    hidden.putalpha(0)
    exact = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    body = sequence(kind, hidden, STILL.convert("RGBA"), **exact)
    assert corners(make(body).whole) == "RGWB"


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_if_all_frames_show_little_the_frame_that_shows_most_is_taken(
    make: Make, kind: str
) -> None:
    exact = {"lossless": True} if kind == "WEBP" else {}
    whole = make(sequence(kind, BLACK, *FADING, MARKED, **exact)).whole
    assert whole.getpixel((90, 45)) == pytest.approx((64, 64, 64), abs=3)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "AVIF", "PNG"])
def test_a_picture_of_one_colour_is_accepted(make: Make, kind: str) -> None:
    assert make(encoded(WHITE, kind)).whole.getpixel((5, 5)) == (255, 255, 255)
    assert make(sequence(kind, WHITE, BLACK)).whole.getpixel((5, 5)) == (255, 255, 255)


def test_with_a_damaged_second_frame_the_first_frame_is_taken(make: Make) -> None:
    body = sequence("GIF", WHITE, noise(120, 60))
    assert make(body[: len(body) // 2]).whole.getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.proof
def test_the_search_for_a_frame_that_shows_something_ends_soon(make: Make) -> None:
    """The animation has 20,000 frames; examining all of them would take minutes."""
    body = sequence("GIF", *(each.resize((600, 600)) for each in (BLACK, WHITE)))
    frame = body[body.rindex(b"\x21\xf9") : -1]
    begun = time.process_time()
    make(body[:-1] + frame * 20_000 + b"\x3b")
    assert time.process_time() - begun < 5


# ---------------------------------------------------------------- large pictures


@pytest.mark.proof
@pytest.mark.parametrize(
    ("size", "whole"),
    [((1080, 9600), (461, 4096)), ((1440, 20_000), (295, 4096)), ((16_000, 2000), (4096, 512))],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_long_screenshot_or_panorama_is_shrunk(
    make: Make, kind: str, size: tuple[int, int], whole: tuple[int, int]
) -> None:
    made = make(encoded(quarters(*size), kind, compress_level=1), Fit(widest=2.5, most_side=1280))
    assert made.whole.size == whole
    assert max(made.fitted.size) == 1280
    assert corners(made.whole) == corners(made.fitted) == "RGWB"


def test_a_jpeg_shrunk_while_it_is_decoded_is_as_sharp_as_one_shrunk_afterwards(
    tmp_path: Path,
) -> None:
    rough = noise(300, 200).resize((2000, 1333), Image.Resampling.BICUBIC)
    source = tmp_path / "source"
    source.write_bytes(encoded(rough, "JPEG", quality=95))
    plain = rough.resize((600, 400), Image.Resampling.LANCZOS).tobytes()
    seen = decode(source, lambda _: (600, 400)).tobytes()
    differences = [abs(one - other) for one, other in zip(seen, plain, strict=True)]
    assert sum(differences) / len(differences) < 8


@pytest.mark.proof
@pytest.mark.parametrize(
    "kind",
    [
        *("JPEG", "progressive", "PNG", "clear PNG", "GIF", "AVIF", "clear AVIF", "WEBP"),
        *("clear WEBP", "clear lossless WEBP", "WEBP that begins blank", "HEIC", "HEIC of tiles"),
    ],
)
async def test_the_largest_accepted_picture_of_each_kind_fits_into_a_workers_memory(
    tmp_path: Path, kind: str
) -> None:
    """A worker's memory is limited, so a picture that does not fit is refused."""
    side = int(PICTURE_PIXELS**0.5)
    picture = quarters(side, side)
    source = tmp_path / "source"
    if kind.startswith("HEIC"):
        columns, rows = (16, 12) if "tiles" in kind else (1, 1)
        source.write_bytes(heic(quarters(8064, 6048), tiles=columns, rows=rows))
    else:
        how: dict[str, dict[str, Any]] = {
            "progressive": {"progressive": True},
            "PNG": {"compress_level": 1},
            "AVIF": {"speed": 10, "subsampling": "4:4:4"},
            "WEBP": {"method": 0, "quality": 0, "lossless": "lossless" in kind},
        }
        name = next((each for each in how if each in kind), kind)
        if "clear" in kind:
            picture.putalpha(picture.getchannel("R"))
        if "blank" in kind:
            blank = Image.new("RGB", picture.size)
            source.write_bytes(sequence("WEBP", blank, picture, method=0))
        else:
            source.write_bytes(
                encoded(picture, "JPEG" if name == "progressive" else name, **how.get(name, {}))
            )
    async with Studio(tmp_path / "data") as studio:
        (still,) = await studio.keep_pictures([source], Fit(most_side=1280))
    assert max(still.width, still.height) == 4096


@pytest.mark.proof
async def test_a_picture_that_takes_too_long_is_not_called_damaged(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(encoded(noise(1500, 1500), "PNG"))
    async with Studio(tmp_path / "data", picture_patience=0.01) as studio:
        with pytest.raises(Refused, match="picture_demanding"):
            await studio.keep_pictures([source], Fit())


async def test_a_picture_that_needs_too_much_memory_is_not_called_damaged(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(encoded(quarters(3000, 3000), compress_level=1))
    workers = Workers(1)
    try:
        with pytest.raises(Refused, match="picture_demanding"):
            await workers.run(tasks.decode_in, 20_000_000, source, timeout=30)
    finally:
        await workers.close()


def test_a_heif_with_several_pictures_is_shrunk(tmp_path: Path) -> None:
    """Such files hold visible tiles, bursts or collections.

    The decoder takes each part for a picture.
    """
    source = tmp_path / "source"
    source.write_bytes(heic(quarters(512, 256), tiles=2, rows=2))
    shrunk = decode(source, lambda _: (128, 64))
    assert shrunk.size == (128, 64)
    assert corners(shrunk.resize((64, 32))) == "RGWB"


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (9000, 1)])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "AVIF"])
def test_a_picture_may_be_one_pixel_wide(make: Make, size: tuple[int, int], kind: str) -> None:
    made = make(encoded(quarters(*size), kind))
    assert made.whole.size == (min(size[0], 4096), size[1])


def test_a_refused_picture_names_its_reason(make: Make, tmp_path: Path) -> None:
    assert why(make, b"<html>") == "format"
    assert why(make, heic(quarters(128, 64))[:300]) == "broken"
    assert why(make, encoded(STILL, "AVIF")[:200]) == "broken"
    header = struct.pack(">IIBBBBB", 9000, 9000, 8, 2, 0, 0, 0)
    assert why(make, b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header)) == "too_many_pixels"
