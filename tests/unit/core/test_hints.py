"""File names and types are hints: phones, browsers and networks differ in both."""

import pytest

from bot.core.hints import is_called_picture, may_be_picture, may_be_sound, may_hold_sound


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
        ("cat.jpg", "text/plain"),
        ("cat.jpg", "text/html; charset=utf-8"),
    ],
)
def test_a_picture_is_recognized_by_its_name_or_its_type(
    name: str | None, said: str | None
) -> None:
    assert may_be_picture(name, said)
    assert is_called_picture(name, said)
    assert not may_be_sound(name, said)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("IMG", "application/octet-stream"),
        ("file", None),
        ("cat.jpg:large", None),
        ("cat.jpg_large", "application/octet-stream"),
        ("cat.jpg-large", ""),
        ("cat.jpeg!d", "binary/octet-stream"),
        ("cat.jpg (1)", None),
        ("cat.1", "application/octet-stream"),
        ("2026-11-28 12.30", None),
        ("cat", "image/whatever"),
        (None, None),
    ],
)
def test_a_file_without_a_telling_name_or_type_may_be_a_picture(
    name: str | None, said: str | None
) -> None:
    assert may_be_picture(name, said)
    assert not is_called_picture(name, said)
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
        ("Voice 001.3gp", "video/3gpp"),
        ("Voice 001.3gp", None),
        ("radio.latm", "application/octet-stream"),
        ("radio.loas", None),
        ("note.qta", "video/quicktime"),
        ("song.mp3", "text/plain"),
        ("voice", "audio/ogg; codecs=opus"),
        ("song.m4a", "application/mp4"),
        ("song.wma", ""),
    ],
)
def test_a_sound_is_recognized_by_its_name_or_its_type(name: str, said: str | None) -> None:
    assert may_be_sound(name, said)
    assert not may_be_picture(name, said)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("video.mp4", "video/mp4"),
        ("giphy.gif", "video/mp4"),  # a GIF that Telegram converted to a video
        ("cat.svg", "image/svg+xml"),
        ("scan.tiff", "image/tiff"),
        ("notes.txt", "text/plain"),
        ("notes.txt", "application/octet-stream"),
        ("all.zip", None),
        ("paper.docx", None),
        ("cat.tiff", "application/octet-stream"),
        ("song.mid", "audio/midi"),
        ("list.m3u", "audio/x-mpegurl"),
        ("paper.pdf", None),
        ("paper", "application/pdf"),
        ("page", "text/html"),
    ],
)
def test_a_file_that_is_named_as_neither_picture_nor_sound_is_refused_at_once(
    name: str | None, said: str | None
) -> None:
    assert not may_be_picture(name, said)
    assert not may_be_sound(name, said)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("talk.webm", "video/webm"),
        ("talk.mp4", "video/mp4"),
        ("talk.mp4", None),
        ("talk.mkv", "application/octet-stream"),
        ("talk", "application/octet-stream"),
        ("song.mp3", None),
    ],
)
def test_a_sound_may_come_in_a_video_container(name: str, said: str | None) -> None:
    assert may_hold_sound(name, said)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("song.mid", "audio/midi"),
        ("list.m3u", None),
        ("cat.jpg", None),
        ("cat", "image/jpeg"),
        ("notes.txt", None),
        ("paper.pdf", None),
    ],
)
def test_a_file_named_as_a_list_or_midi_is_no_sound(name: str, said: str | None) -> None:
    assert not may_hold_sound(name, said)
