"""Files that are named as videos and hold only sound, recognized by their lists of tracks."""

import io
import random
from pathlib import Path

import pytest

from bot.core.soundtracks import holds_only_sound
from tests.unit.media.samples import write_sound, write_video

SOUNDS = [
    ("mp4", "aac", {}),
    ("mp4", "aac", {"movflags": "faststart"}),
    ("mp4", "aac", {"movflags": "frag_keyframe+empty_moov"}),
    ("mov", "pcm_s16le", {}),
    ("3gp", "aac", {}),
    ("webm", "libopus", {}),
    ("webm", "libopus", {"live": "1"}),
    ("matroska", "flac", {}),
]


@pytest.mark.parametrize(("container", "codec", "more"), SOUNDS)
def test_a_video_container_with_a_sound_track_only_is_recognized_as_a_sound(
    tmp_path: Path, container: str, codec: str, more: dict[str, str]
) -> None:
    file = write_sound(tmp_path / "talk", container, codec, seconds=0.5, rate=48_000, more=more)
    with file.open("rb") as opened:
        assert holds_only_sound(opened)


@pytest.mark.parametrize("sound", [True, False])
def test_a_video_is_not_recognized_as_a_sound(tmp_path: Path, *, sound: bool) -> None:
    """Negative control, with a sound track and without."""
    file = write_video(tmp_path / "video.mp4", seconds=1, sound=sound)
    with file.open("rb") as opened:
        assert not holds_only_sound(opened)


@pytest.mark.parametrize(
    "body", [b"", b"words", b"\0\0\0\x08ftyp", b"\x1a\x45\xdf\xa3", b"\x47" * 999]
)
def test_unreadable_bytes_are_not_recognized_as_a_sound(body: bytes) -> None:
    assert not holds_only_sound(io.BytesIO(body))


def test_hostile_bytes_do_not_keep_the_recognition_of_sounds_busy(tmp_path: Path) -> None:
    boxes = b"\0\0\0\x10ftypmp42\0\0\0\0" + b"\0\0\0\x08free" * 100_000
    assert not holds_only_sound(io.BytesIO(boxes))
    dice = random.Random(7)
    for container, codec in (("mp4", "aac"), ("webm", "libopus")):
        file = write_sound(tmp_path / container, container, codec, seconds=0.1, rate=48_000)
        good = file.read_bytes()
        for _ in range(300):
            bad = bytearray(good[: dice.randrange(len(good))])
            for _ in range(min(8, len(bad))):
                bad[dice.randrange(len(bad))] = dice.randrange(256)
            holds_only_sound(io.BytesIO(bytes(bad)))


class _Counted(io.BytesIO):
    """Counts the bytes that are read."""

    count = 0

    def read(self, size: int | None = -1) -> bytes:
        found = super().read(size)
        self.count += len(found)
        return found


@pytest.mark.parametrize(
    "body",
    [
        # The header of the element that is searched for ends behind the track that contains it.
        b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\xff\x16\x54\xae\x6b\xff" + b"\xae\x81\x83" * 300,
        b"\0\0\0\x10ftypmp42\0\0\0\0"
        + b"\0\0\0\x20moov\0\0\0\x18trak\0\0\0\x10mdia\0\0\0\1hdlr" * 300,
    ],
)
def test_the_recognition_of_sounds_reads_only_the_declared_boxes(body: bytes) -> None:
    file = _Counted(body + bytes(1_000_000))
    assert not holds_only_sound(file)
    assert file.count < 100_000
