"""Names and types are hints: what phones, browsers and networks call the same file."""

import pytest

from bot.core.hints import may_be_picture, may_be_sound


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cat.png", "image/png"),
        ("cat.jpg", "image/jpg"),
        ("cat.jpg", "image/pjpeg"),
        ("cat.JPG", None),
        ("IMG_0001.HEIC", ""),
        ("IMG_0001.HEIC", "application/octet-stream"),
        ("cat.jpg", "binary/octet-stream"),
        ("cat.jpeg", "application/x-download"),
        ("cat.png", "image/x-png"),
        ("cat.png", "IMAGE/PNG; charset=binary"),
        ("cat.jpg", "image/*"),
        ("cat.jfif", None),
        (None, "image/heic"),
        ("picture", "image/avif"),
        ("cat.webp", "application/zip"),
        ("cat.hif", None),
    ],
)
def test_a_picture_is_known_by_its_name_or_its_type(name: str | None, said: str | None) -> None:
    assert may_be_picture(name, said)
    assert not may_be_sound(name, said)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("song.mp3", "audio/mpeg"),
        ("song", "audio/x-vorbis+ogg"),
        ("song", "application/ogg"),
        ("song", "audio/vnd.wav"),
        ("song.flac", "audio/x-flac"),
        ("song.m4a", "video/mp4"),
        ("song.ogg", "video/ogg"),
        ("voice.amr", "application/octet-stream"),
        ("voice.OPUS", None),
        ("voice.3ga", None),
        ("voice.3gp", "video/3gpp"),
        ("voice", "audio/ogg; codecs=opus"),
        ("song.m4a", "application/mp4"),
        ("song.wma", ""),
    ],
)
def test_a_sound_is_known_by_its_name_or_its_type(name: str, said: str | None) -> None:
    assert may_be_sound(name, said)
    assert not may_be_picture(name, said)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("film.mp4", "video/mp4"),
        ("giphy.gif", "video/mp4"),  # a GIF as Telegram hands it on: it is none any more
        ("cat.svg", "image/svg+xml"),
        ("scan.tiff", "image/tiff"),
        ("notes.txt", "text/plain"),
        ("file", "application/octet-stream"),
        ("song.mid", "audio/midi"),
        ("list.m3u", "audio/x-mpegurl"),
        ("paper.pdf", None),
        (None, None),
    ],
)
def test_all_else_is_refused_at_once(name: str | None, said: str | None) -> None:
    assert not may_be_picture(name, said)
    assert not may_be_sound(name, said)
