"""JPEGs with missing data, with false headers, or that would take minutes to decode."""

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.core.errors import Refused
from bot.core.headers import header_of
from bot.core.segments import MOST_SCANS
from bot.media.decoding import decode

from .samples import corners, encoded, noise, quarters

WAYS: dict[str, dict[str, Any]] = {
    "baseline": {},
    "progressive": {"progressive": True},
    "in parts": {"restart_marker_rows": 1},
    "progressive in parts": {"progressive": True, "restart_marker_blocks": 5},
}
GREY = (128, 128, 128)


def read(folder: Path, body: bytes) -> Image.Image:
    source = folder / "source"
    source.write_bytes(body)
    return decode(source, lambda size: size)


def why(folder: Path, body: bytes) -> Refused:
    """Return the refusal of a picture."""
    with pytest.raises(Refused) as refused:
        read(folder, body)
    return refused.value


def said_to_be(body: bytes, width: int, height: int) -> bytes:
    """Return the same JPEG with other sides in its header."""
    at = max(body.find(b"\xff\xc0"), body.find(b"\xff\xc2")) + 5
    return body[:at] + height.to_bytes(2) + width.to_bytes(2) + body[at + 4 :]


def of_scans(count: int) -> bytes:
    """Return a small progressive JPEG whose last scan is repeated."""
    body = encoded(quarters(16, 16), "JPEG", progressive=True)
    scan = body[body.rindex(b"\xff\xda") : -2]
    return body[:-2] + scan * (count - body.count(b"\xff\xda")) + body[-2:]


def test_a_jpeg_with_more_scans_than_any_real_jpeg_is_refused(tmp_path: Path) -> None:
    """A scan of some hundred bytes costs the decoder as much as all pixels; thousands of scans take
    minutes.
    """
    assert read(tmp_path, of_scans(MOST_SCANS)).size == (16, 16)
    refused = why(tmp_path, of_scans(MOST_SCANS + 1))
    assert refused.values["kind"] == "a JPEG of more than 100 scans"


@pytest.mark.parametrize("hidden", [b"\xff\x02\x70\xf0", b"\xff\x01", b"\xff\xff", b"\xff\xd0\xff"])
def test_scans_of_a_jpeg_are_counted_behind_bytes_that_decoders_skip(hidden: bytes) -> None:
    body = of_scans(MOST_SCANS + 1)
    at = body.index(b"\xff\xda")
    with pytest.raises(Refused, match="picture_kind"):
        header_of(io.BytesIO(body[: at + 20] + hidden + body[at + 20 :]))


def test_the_scans_of_a_thumbnail_inside_the_metadata_do_not_count(tmp_path: Path) -> None:
    body, inner = encoded(quarters(64, 64), "JPEG"), of_scans(60)
    segment = b"\xff\xe1" + (len(inner) + 2).to_bytes(2) + inner
    assert corners(read(tmp_path, body[:2] + segment * 3 + body[2:])) == "RGWB"


def test_a_jpeg_with_endless_segments_is_damaged(tmp_path: Path) -> None:
    body = encoded(quarters(64, 64), "JPEG")
    assert why(tmp_path, body[:2] + b"\xff\xfe\0\2" * 5_000 + body[2:]).code == "picture_broken"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("lost", [1, 2, 3, 0.05])
def test_a_jpeg_that_lost_a_little_of_its_end_is_read(
    tmp_path: Path, way: str, lost: float
) -> None:
    for whole in (
        encoded(quarters(1200, 800), "JPEG", **WAYS[way]),
        encoded(noise(90, 60), "JPEG"),
    ):
        cut = lost if lost >= 1 else len(whole) * lost
        picture = read(tmp_path, whole[: -round(cut)])
        assert picture.size in ((1200, 800), (90, 60))
        assert picture.width == 90 or corners(picture) == "RGWB"


def test_a_progressive_jpeg_cut_between_two_passes_is_read(tmp_path: Path) -> None:
    whole = encoded(quarters(1200, 800), "JPEG", progressive=True)
    at = whole.rindex(b"\xff\xc4")
    for cut in (at, at + 1, at + 3, at + 9):
        assert corners(read(tmp_path, whole[:cut])) == "RGWB"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_jpeg_whose_header_claims_more_pixels_than_there_are_is_damaged(
    tmp_path: Path, way: str, mode: str
) -> None:
    body = encoded(noise(120, 80).convert(mode), "JPEG", **WAYS[way])
    assert read(tmp_path, body).size == (120, 80)
    for sides in ((120, 160), (128, 320), (300, 3_000)):
        assert why(tmp_path, said_to_be(body, *sides)).code == "picture_broken"


def test_a_jpeg_without_most_of_its_data_is_damaged(tmp_path: Path) -> None:
    body = encoded(noise(300, 200), "JPEG")
    for share in (0.1, 0.5):
        assert why(tmp_path, body[: int(len(body) * share)]).code == "picture_broken"


@pytest.mark.parametrize("way", WAYS)
def test_a_grey_jpeg_is_not_taken_for_one_with_missing_data(tmp_path: Path, way: str) -> None:
    half = noise(120, 80)
    half.paste(GREY, (0, 32, 120, 80))
    for picture in (half, Image.new("RGB", (120, 80), GREY), Image.new("L", (9, 1), 128)):
        body = encoded(picture, "JPEG", quality=95, **WAYS[way])
        assert read(tmp_path, body).size == picture.size


def test_the_jpeg_size_that_the_decoder_uses_is_limited_too(tmp_path: Path) -> None:
    """A JPEG may state two sizes. Here the first is small, and the decoder uses the second."""
    body = encoded(quarters(64, 64), "JPEG")
    at = body.index(b"\xff\xc0")
    second = said_to_be(body[at:], 9_000, 9_000)[: 2 + int.from_bytes(body[at + 2 : at + 4])]
    scan = body.index(b"\xff\xda")
    assert why(tmp_path, body[:scan] + second + body[scan:]).code == "picture_too_many_pixels"
