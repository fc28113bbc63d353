"""Unsupported kinds of files are recognized by name, or by content if the name is wrong."""

import io
import struct
from pathlib import Path

import pytest

from bot.core.errors import Refused
from bot.core.headers import header_of
from bot.core.unread import is_meant_as_picture, refusal_by_name
from bot.media.decoding import decode

from .heif import heic
from .samples import encoded, quarters, write_video

STILL = quarters(64, 32)
JPEG = encoded(STILL, "JPEG")
SOF = JPEG.index(b"\xff\xc0")


def video() -> bytes:
    """Return the first boxes of a HEIF that holds only a video."""
    return b"\0\0\0\x18ftypmsf1\0\0\0\0msf1hevc" + struct.pack(">I", 8) + b"moov"


BYTES = {
    "JPEG XL": b"\xff\x0a" + bytes(90),
    "JPEG XL in boxes": b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(90),
    "JPEG 2000": encoded(STILL, "JPEG2000"),
    "BMP": encoded(STILL, "BMP"),
    "TIFF": encoded(STILL, "TIFF"),
    "TIFF of CMYK": encoded(STILL.convert("CMYK"), "TIFF"),
    "TIFF of Motorola": b"MM\0\x2a" + bytes(90),
    "ICO": encoded(STILL, "ICO"),
    "ICO of a cursor": b"\0\0\2\0\1\0" + bytes(90),
    "TGA": encoded(STILL, "TGA"),
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "SVG with a head": b'\xef\xbb\xbf<?xml version="1.0"?><!-- a cat -->\n<svg/>',
    "PSD": b"8BPS\0\1" + bytes(90),
    "HDR": b"#?RADIANCE\n" + bytes(90),
    "EXR": b"\x76\x2f\x31\x01" + bytes(90),
    "DDS": encoded(STILL.convert("RGBA"), "DDS"),
    "QOI": b"qoif" + bytes(90),
    "camera raw of Canon": b"II\x2a\0\x10\0\0\0CR\2\0" + bytes(90),
    "camera raw of Canon in boxes": b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + bytes(90),
    "camera raw of Fuji": b"FUJIVIDEOCCD-RAW 0201" + bytes(90),
    "PDF": b"%PDF-1.7\n" + bytes(90),
    "TGS": b"\x1f\x8b\x08" + bytes(90),
    "a JPEG of 12 bits": JPEG[: SOF + 4] + b"\x0c" + JPEG[SOF + 5 :],
    "lossless JPEG": JPEG[:SOF] + b"\xff\xc3" + JPEG[SOF + 2 :],
    "HEIF with H.264 in it": heic(STILL, brand=b"mif1", kind=b"avc1"),
    "HEIF with a JPEG in it": heic(STILL, brand=b"mif1", kind=b"jpeg"),
    "HEIF with AV1 in it": heic(STILL, brand=b"mif1", kind=b"av01"),
    "HEIF with H.264 in it, told by its brand": heic(STILL, brand=b"avci", kind=b"avc1"),
    "HEIF that contains only a video": video(),
}
"""The beginning of each kind of file, by the name that the refusal gives."""


@pytest.mark.parametrize("name", BYTES)
def test_an_unsupported_kind_of_picture_is_named_in_the_refusal(tmp_path: Path, name: str) -> None:
    source = tmp_path / "source.jpg"
    source.write_bytes(BYTES[name])
    with pytest.raises(Refused) as refused:
        decode(source, lambda size: size)
    assert refused.value.code == "picture_kind"
    assert name.startswith(str(refused.value.values["kind"]))


@pytest.mark.parametrize("container", ["mp4", "quicktime", "webm"])
def test_a_video_sent_as_a_picture_is_refused_because_it_moves_already(
    tmp_path: Path, container: str
) -> None:
    """People send the video of a Live Photo, a GIF that Telegram made a video of, or an animated
    sticker.
    """
    source = write_video(tmp_path / "video.mp4", seconds=1, sound=False)
    body = source.read_bytes()
    if container == "quicktime":
        body = body[:8] + b"qt  " + body[12:]
    if container == "webm":
        body = b"\x1a\x45\xdf\xa3" + bytes(90)
    source.write_bytes(body)
    with pytest.raises(Refused, match="moves_already"):
        decode(source, lambda size: size)


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"<html>", "picture_format"), (b"", "picture_format"), (b"\0" * 90, "picture_format")],
)
def test_bytes_of_an_unknown_kind_are_refused_as_no_picture(
    tmp_path: Path, body: bytes, code: str
) -> None:
    source = tmp_path / "source.jpg"
    source.write_bytes(body)
    with pytest.raises(Refused, match=code):
        decode(source, lambda size: size)


@pytest.mark.parametrize("brand", [b"miaf", b"msf1", b"mif2", b"hevc", b"heim"])
def test_a_heif_with_any_of_its_brands_is_read(tmp_path: Path, brand: bytes) -> None:
    source = tmp_path / "source"
    source.write_bytes(heic(STILL, brand=brand))
    assert header_of(io.BytesIO(source.read_bytes())) is not None
    assert decode(source, lambda size: size).size == (64, 32)


def test_a_heif_with_endless_boxes_is_damaged() -> None:
    """Stepping over each box takes time; real files have some dozen."""
    body = heic(STILL)
    at = int.from_bytes(body[:4])
    with pytest.raises(Refused, match="picture_broken"):
        header_of(io.BytesIO(body[:at] + b"\0\0\0\x08free" * 5_000 + body[at:]))


@pytest.mark.parametrize(
    ("filename", "media_type", "told"),
    [
        ("a.tif", None, "TIFF"),
        ("a.TIFF", "image/tiff", "TIFF"),
        ("a", "image/svg+xml", "SVG"),
        ("a.jxl", "application/octet-stream", "JPEG XL"),
        ("IMG_1.DNG", "image/x-adobe-dng", "camera raw"),
        ("a.cr3", "", "camera raw"),
        ("a.pdf", "application/pdf", "PDF"),
        ("a.tgs", "application/x-tgsticker", "TGS"),
        ("IMG_1.MOV", "video/quicktime", "moves_already"),
        ("a.webm", None, "moves_already"),
        ("notes.txt", "text/plain", "no_picture"),
        ("song.mid", "audio/midi", "no_sound"),
    ],
)
def test_file_name_and_media_type_refuse_a_file_before_it_is_downloaded(
    filename: str, media_type: str | None, told: str
) -> None:
    refused = refusal_by_name(filename, media_type)
    assert refused.values.get("kind", refused.code) == told
    is_picture = told not in ("PDF", "TGS", "moves_already", "no_picture", "no_sound")
    assert is_meant_as_picture(filename, media_type) == is_picture
