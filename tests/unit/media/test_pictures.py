import io
import random
import struct
import zipfile
from pathlib import Path

import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from bot.core.errors import Refused
from bot.core.orders import Fit
from bot.core.wishes import Shaping
from bot.media.pictures import fit_pictures
from tests.unit.media.heif import heic
from tests.unit.media.samples import corners, encoded, noise, png_of, quarters


class Bench:
    """Fits bytes as a picture, and opens the result."""

    def __init__(self, folder: Path) -> None:
        self.source = folder / "source"
        self.target = folder / "target.jpg"
        self.whole = folder / "whole.jpg"

    def fit(self, body: bytes, fit: Fit | None = None) -> Image.Image:
        self.source.write_bytes(body)
        fit_pictures(self.source, fit or Fit(), self.target, self.whole)
        with Image.open(self.target) as picture:
            picture.load()
        assert (picture.format, picture.mode) == ("JPEG", "RGB")
        return picture

    def why(self, body: bytes, fit: Fit | None = None) -> str:
        with pytest.raises(Refused) as refused:
            self.fit(body, fit)
        assert not self.target.exists()
        return refused.value.code.removeprefix("picture_")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def middle(picture: Image.Image) -> tuple[int, ...]:
    pixel = picture.getpixel((picture.width // 2, picture.height // 2))
    assert isinstance(pixel, tuple)
    return tuple(round(value) for value in pixel)


# ---------------------------------------------------------------- refused pictures


@pytest.mark.parametrize(
    ("width", "height"), [(50_000, 50_000), (20_000, 20_000), (8_100, 8_100), (700_000, 100)]
)
def test_a_decompression_bomb_is_refused_by_its_header(
    bench: Bench, width: int, height: int
) -> None:
    assert bench.why(png_of(width, height)) == "too_many_pixels"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "AVIF", "HEIC"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_truncated_picture_is_refused(bench: Bench, kind: str, share: float) -> None:
    """A JPEG that lacks only a little is accepted: see `test_jpegs`."""
    if kind == "JPEG":
        share = min(share, 0.65)
    grains = noise(96, 96)
    body = heic(grains) if kind == "HEIC" else encoded(grains, kind)
    assert bench.why(body[: int(len(body) * share)]) in {"broken", "format"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><script>alert(1)</script>",
        b"%PDF-1.7\n",
        encoded(quarters(8, 8), "BMP"),
        encoded(quarters(8, 8), "TIFF"),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n",
    ],
)
def test_a_file_of_an_unsupported_format_is_refused(bench: Bench, body: bytes) -> None:
    assert bench.why(body) in {"format", "kind"}


def test_html_behind_a_png_signature_is_refused(bench: Bench) -> None:
    assert bench.why(b"\x89PNG\r\n\x1a\n<html><script>alert(1)</script>") in {"broken", "format"}


# ---------------------------------------------------------------- removed data


def test_an_archive_hidden_behind_a_gif_is_removed(bench: Bench) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("Evil.class", "payload" * 10)
    assert bench.fit(encoded(quarters(64, 64), "GIF") + archive.getvalue()).size == (64, 64)
    assert not zipfile.is_zipfile(bench.target)
    assert b"Evil" not in bench.target.read_bytes()


def test_no_metadata_of_a_picture_is_passed_on(bench: Bench) -> None:
    exif = Image.Exif()
    exif[0x010E] = "SECRETDESCRIPTION"
    exif.get_ifd(0x8825)[29] = "SECRETGPSDATE"
    body = encoded(
        quarters(64, 64),
        "JPEG",
        exif=exif,
        comment=b"SECRETCOMMENT",
        xmp=b"<x:xmpmeta>SECRETXMP</x:xmpmeta>",
        dpi=(123, 123),
    )
    assert body.count(b"SECRET") == 4
    picture = bench.fit(body)
    assert b"SECRET" not in bench.target.read_bytes()
    assert b"Exif" not in bench.target.read_bytes()
    assert "comment" not in picture.info


def test_no_text_chunk_of_a_png_is_passed_on(bench: Bench) -> None:
    text = PngInfo()
    text.add_text("Comment", "SECRET")
    text.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta>SECRET</x:xmpmeta>")
    body = encoded(quarters(64, 64), pnginfo=text)
    assert body.count(b"SECRET") == 2
    bench.fit(body)
    assert b"SECRET" not in bench.target.read_bytes()


# ---------------------------------------------------------------- appearance


@pytest.mark.parametrize(
    ("orientation", "seen"),
    [
        (1, "RGWB"),
        (2, "GRBW"),
        (3, "WBRG"),
        (4, "BWGR"),
        (5, "RBWG"),
        (6, "BRGW"),
        (7, "WGRB"),
        (8, "GWBR"),
        (99, "RGWB"),
    ],
)
def test_the_exif_orientation_of_a_picture_is_applied(
    bench: Bench, orientation: int, seen: str
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = bench.fit(encoded(quarters(120, 60), "JPEG", exif=exif))
    assert corners(picture) == seen
    assert picture.size == ((60, 120) if 5 <= orientation <= 8 else (120, 60))


def test_a_broken_exif_block_does_no_harm(bench: Bench) -> None:
    exif = b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 60_000) + b"\xff" * 40
    assert corners(bench.fit(encoded(quarters(64, 64), "JPEG", exif=exif))) == "RGWB"


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_the_first_frame_of_an_animation_is_taken(bench: Bench, kind: str) -> None:
    later = [Image.new("RGB", (64, 64), colour) for colour in ("black", "gray")]
    body = encoded(quarters(64, 64), kind, save_all=True, append_images=later, duration=50)
    assert corners(bench.fit(body)) == "RGWB"


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_transparent_pixels_become_white(bench: Bench, kind: str) -> None:
    picture = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    picture.paste((0, 0, 80, 255), (0, 0, 10, 64))
    assert middle(bench.fit(encoded(picture, kind, lossless=True))) == (255, 255, 255)


def test_a_white_motif_on_transparency_gets_a_dark_background(bench: Bench) -> None:
    picture = Image.new("RGBA", (64, 64), (255, 255, 255, 0))
    picture.paste((255, 255, 255, 255), (0, 0, 16, 64))
    assert max(middle(bench.fit(encoded(picture)))) < 60


def test_a_fully_transparent_picture_becomes_white(bench: Bench) -> None:
    assert middle(bench.fit(encoded(Image.new("RGBA", (64, 64))))) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["P", "1", "L", "LA"])
def test_a_picture_of_every_colour_mode_keeps_its_content(bench: Bench, mode: str) -> None:
    picture = quarters(64, 64).convert("L").convert("RGB").convert(mode)
    seen = bench.fit(encoded(picture)).convert("L")
    red, white = seen.getpixel((16, 16)), seen.getpixel((48, 48))
    assert isinstance(red, int | float)
    assert isinstance(white, int | float)
    assert red < white - 50


def test_a_palette_with_transparency_is_flattened_to_white(bench: Bench) -> None:
    picture = Image.new("P", (64, 64), 1)
    picture.putpalette([255, 0, 0, 0, 255, 0])
    picture.paste(0, (0, 0, 16, 64))
    assert middle(bench.fit(encoded(picture, "PNG", transparency=1))) == (255, 255, 255)


def test_a_cmyk_jpeg_becomes_rgb(bench: Bench) -> None:
    body = encoded(quarters(64, 64).convert("CMYK"), "JPEG", quality=95)
    assert corners(bench.fit(body)) == "RGWB"


@pytest.mark.parametrize(("level", "seen"), [(0, 0), (0x8000, 128), (0xFFFF, 255)])
def test_sixteen_bit_levels_are_scaled_and_not_clipped(bench: Bench, level: int, seen: int) -> None:
    picture = Image.new("I;16", (64, 64), level)
    assert middle(bench.fit(encoded(picture))) == (seen, seen, seen)


def test_colours_with_an_icc_profile_are_converted_to_srgb(bench: Bench) -> None:
    """Under a profile without gamma, half the value is far more than half as bright."""
    profile = bytearray(_srgb())
    linear = b"curv" + bytes(4) + struct.pack(">I", 0)
    tags = profile.index(b"rTRC", 128)
    start = int.from_bytes(profile[tags + 4 : tags + 8])
    profile[start : start + len(linear)] = linear
    body = encoded(Image.new("RGB", (64, 64), (128, 128, 128)), icc_profile=bytes(profile))
    assert middle(bench.fit(body))[0] > 170
    assert "icc_profile" not in bench.fit(body).info


def test_a_broken_icc_profile_does_no_harm(bench: Bench) -> None:
    body = encoded(quarters(64, 64), "JPEG", icc_profile=b"no profile at all")
    assert corners(bench.fit(body)) == "RGWB"


# ---------------------------------------------------------------- limits of models


@pytest.mark.parametrize(
    ("size", "fit", "fitted"),
    [
        ((100, 80), Fit(), (100, 80)),
        ((1, 1), Fit(), (1, 1)),
        ((100, 80), Fit(width=64, height=36), (64, 36)),
        ((30, 90), Fit(width=128, height=72), (128, 72)),
        ((100, 80), Fit(least_side=160), (200, 160)),
        ((80, 100), Fit(most_side=50), (40, 50)),
        ((400, 100), Fit(widest=2.0), (200, 100)),
        ((100, 400), Fit(widest=2.0), (100, 200)),
        ((400, 100), Fit(widest=2.5, least_side=300, most_side=1000), (750, 300)),
        ((400, 100), Fit(widest=4.0, least_side=300, most_side=1000), (1000, 300)),
        ((333, 100), Fit(widest=2.5), (250, 100)),
        ((30, 90), Fit(width=128, height=72, shaping=Shaping.PAD), (128, 72)),
        ((400, 100), Fit(widest=2.0, shaping=Shaping.PAD), (400, 200)),
        ((100, 400), Fit(widest=2.5, most_side=200, shaping=Shaping.PAD), (80, 200)),
    ],
)
def test_a_picture_is_fitted_to_the_sizes_that_the_model_takes(
    bench: Bench, size: tuple[int, int], fit: Fit, fitted: tuple[int, int]
) -> None:
    assert bench.fit(encoded(quarters(*size)), fit).size == fitted


def test_any_picture_can_be_fitted_to_any_sensible_limits(bench: Bench) -> None:
    dice = random.Random(7)
    for _ in range(60):
        fit = Fit(
            least_side=dice.randint(1, 120),
            most_side=dice.randint(120, 400),
            widest=dice.uniform(1.0, 4.0),
            shaping=dice.choice(list(Shaping)),
        )
        body = encoded(Image.new("L", (dice.randint(1, 500), dice.randint(1, 500))))
        short, long = sorted(bench.fit(body, fit).size)
        assert fit.least_side <= short
        assert long <= fit.most_side
        assert long <= short * fit.widest


def test_a_picture_that_is_too_wide_is_cropped_at_its_two_ends(bench: Bench) -> None:
    picture = bench.fit(encoded(quarters(300, 100)), Fit(width=100, height=100))
    assert corners(picture) == "RGWB"


def test_a_padded_picture_stays_whole_between_black_bars(bench: Bench) -> None:
    fit = Fit(width=100, height=100, shaping=Shaping.PAD)
    picture = bench.fit(encoded(quarters(300, 100)), fit)
    whole = picture.crop((0, 33, 100, 67))
    assert corners(whole) == "RGWB"
    assert [sum(picture.getpixel((50, y))) < 30 for y in (5, 95)] == [True, True]  # type: ignore[arg-type]


def test_bars_are_black_although_transparency_becomes_white(bench: Bench) -> None:
    fit = Fit(width=90, height=30, shaping=Shaping.PAD)
    picture = bench.fit(encoded(Image.new("RGBA", (30, 30), (0, 0, 0, 0))), fit)
    assert middle(picture) == (255, 255, 255)
    assert max(picture.getpixel((5, 15))) < 10  # type: ignore[arg-type]


def test_a_picture_with_too_many_bytes_loses_quality_before_it_loses_pixels(bench: Bench) -> None:
    body = encoded(noise(400, 300))
    bench.fit(body)
    free = bench.target.stat().st_size
    assert bench.fit(body, Fit(most_bytes=free // 2)).size == (400, 300)
    assert bench.target.stat().st_size <= free // 2
    assert bench.fit(body, Fit(most_bytes=free // 10)).width < 400
    assert bench.target.stat().st_size <= free // 10


@pytest.mark.parametrize("fit", [Fit(width=300, height=300), Fit(least_side=300)])
def test_a_picture_that_cannot_be_made_small_enough_is_refused(bench: Bench, fit: Fit) -> None:
    tight = Fit(width=fit.width, height=fit.height, least_side=fit.least_side, most_bytes=2_000)
    with pytest.raises(Refused, match="picture_stays_large"):
        bench.fit(encoded(noise(400, 300)), tight)


# ---------------------------------------------------------------- fuzz


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "AVIF", "HEIC"])
def test_random_wrong_bytes_in_a_picture_give_a_picture_or_a_refusal(
    bench: Bench, kind: str
) -> None:
    """150 damaged files, 25 of each format, each with up to 8 wrong bytes."""
    exif = Image.Exif()
    exif[0x0112] = 6
    options = {"exif": exif, "icc_profile": _srgb()} if kind != "GIF" else {}
    grains = noise(64, 48)
    whole = heic(grains) if kind == "HEIC" else encoded(grains, kind, **options)
    reasons = set()
    for seed in range(25):
        dice = random.Random(seed)
        body = bytearray(whole)
        for _ in range(dice.randint(1, 8)):
            body[dice.randrange(min(len(body), dice.choice((40, 400, 4000))))] = dice.randrange(256)
        try:
            bench.fit(bytes(body))
        except Refused as refused:
            reasons.add(refused.code.removeprefix("picture_"))
    assert reasons <= {"format", "too_many_pixels", "broken", "kind"}


def _srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
