"""Recognizing a container by its first bytes."""

import pytest

from bot.core.containers import Container, container_of
from bot.core.headers import PICTURE_BRANDS


@pytest.mark.parametrize(
    ("head", "container"),
    [
        (b"\0\0\0\x18ftypisom", Container.MP4),
        (b"\0\0\0\x18ftypmp42", Container.MP4),
        (b"\0\0\0\x14ftypqt  ", Container.QUICKTIME),
        (b"\0\0\0\x08wide\0\0\0\0", Container.QUICKTIME),
        (b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\xf7", Container.MATROSKA),
        (b"RIFF\0\0\1\0AVI LIST", Container.AVI),
        (b"\x47" + bytes(187) + b"\x47", Container.TRANSPORT),
        (b"GIF89a\1\0\1\0\0\0", Container.GIF),
        (b"\x89PNG\r\n\x1a\n" + bytes(25) + b"\0\0\0\x08acTL", Container.APNG),
        (b"\x89PNG\r\n\x1a\n" + bytes(25) + b"\0\1\0\0IDAT\0\0acTL", None),
        (b"DKIF\0\0\x20\0VP90", Container.IVF),
        (b"\0\0\0\x1cftypavif", None),
        (b"\0\0\0\x1cftypheic", None),
        (b"RIFF\0\0\1\0WEBPVP8 ", None),
        (b"RIFF\0\0\1\0WAVEfmt ", None),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0\1", None),
        (b"\x89PNG\r\n\x1a\n\0\0\0\r", None),
        (b"Go away, you!" + bytes(188), None),
        (b"<!doctype html>", None),
        (b'{"url": "https', None),
        (b"#EXTM3U\n#EXT-X-", None),
        (b"ID3\4\0\0\0\0\0\0\0\0", None),
        (b"%PDF-1.7", None),
        (b"", None),
    ],
    ids=repr,
)
def test_a_container_is_recognized_by_its_first_bytes(
    head: bytes, container: Container | None
) -> None:
    assert container_of(head) == container


@pytest.mark.parametrize("brand", sorted(PICTURE_BRANDS | {b"avis", b"hevc", b"hevs"}))
def test_a_picture_in_an_mp4_container_is_not_recognized_as_a_video(brand: bytes) -> None:
    """This holds for sequences of pictures too: libav reads their first picture only."""
    assert container_of(b"\0\0\0\x1cftyp" + brand) is None
