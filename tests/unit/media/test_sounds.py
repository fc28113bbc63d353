"""Strangers' sounds: what people record is read, all else is refused, and only samples leave."""

import struct
from pathlib import Path

import av
import pytest
from PIL import Image

from bot.cli.words import explain
from bot.core.errors import Refused
from bot.core.orders import SoundFit
from bot.media import sounds
from bot.media.sounds import fit_sound

from .samples import encoded, write_sound, write_video

FIT = SoundFit(least_seconds=1, most_seconds=30)
KINDS = [
    ("wav", "pcm_s16le"),
    ("wav", "pcm_u8"),
    ("mp3", "libmp3lame"),
    ("ogg", "libopus"),
    ("ogg", "vorbis"),
    ("ipod", "aac"),
    ("mp4", "aac"),
    ("adts", "aac"),
]


def made(target: Path) -> tuple[str, int, int, float]:
    """Codec, channels, rate and seconds of what was written."""
    with av.open(str(target)) as container:
        assert not container.metadata
        (stream,) = container.streams
        assert isinstance(stream, av.AudioStream)
        seconds = (container.duration or 0) / av.time_base
        return stream.codec_context.name, stream.channels, stream.rate, round(seconds, 1)


def why(source: Path, target: Path, fit: SoundFit = FIT) -> str:
    with pytest.raises(Refused) as refused:
        fit_sound(source, fit, target)
    return refused.value.code.removeprefix("sound_")


def told(source: Path, target: Path, fit: SoundFit) -> str:
    with pytest.raises(Refused) as refused:
        fit_sound(source, fit, target)
    return explain(refused.value)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "made.mp3"


@pytest.mark.parametrize(("container", "codec"), KINDS)
def test_what_people_record_becomes_a_plain_mp3(
    tmp_path: Path, target: Path, container: str, codec: str
) -> None:
    source = write_sound(tmp_path / "sound", container, codec)
    assert fit_sound(source, FIT, target) == pytest.approx(4.0, abs=0.1)
    assert made(target) == ("mp3float", 1, 44_100, 4.0)
    assert b"at home" not in target.read_bytes()


def test_a_long_sound_is_cut_so_that_it_never_exceeds_what_is_taken(
    tmp_path: Path, target: Path
) -> None:
    source = write_sound(tmp_path / "sound", seconds=9)
    assert 3.8 < fit_sound(source, SoundFit(most_seconds=4), target) <= 3.9
    assert made(target)[-1] <= 3.9


def test_a_sound_that_is_too_short_is_refused(tmp_path: Path, target: Path) -> None:
    source = write_sound(tmp_path / "sound", seconds=2)
    said = "That sound lasts 2 s; 3 s is the least that works."
    assert told(source, target, SoundFit(least_seconds=3)) == said


def test_a_sound_is_made_as_small_as_it_must_be(tmp_path: Path, target: Path) -> None:
    source = write_sound(tmp_path / "sound", seconds=10)
    fit_sound(source, SoundFit(most_bytes=60_000), target)
    assert target.stat().st_size < 60_000
    said = told(source, target, SoundFit(most_bytes=30_000))
    assert said.endswith("kB; up to 30 work. Send a shorter one.")


COVER = encoded(Image.new("RGB", (32, 32), "red"), "JPEG")


def covered(folder: Path) -> Path:
    """An MP3 with a picture in front of its sound."""
    body = b"\0image/jpeg\0\x03\0" + COVER
    frame = b"APIC" + struct.pack(">I", len(body)) + b"\0\0" + body
    size = bytes(len(frame) >> shift & 127 for shift in (21, 14, 7, 0))
    bare = write_sound(folder / "bare", "mp3", "libmp3lame").read_bytes()
    source = folder / "sound"
    source.write_bytes(b"ID3\x03\0\0" + size + frame + bare[bare.index(b"\xff\xfb") :])
    return source


def test_a_cover_is_no_film_and_does_not_come_along(tmp_path: Path, target: Path) -> None:
    assert fit_sound(covered(tmp_path), FIT, target) == pytest.approx(4.0, abs=0.1)
    assert made(target)[0] == "mp3float"
    assert COVER not in target.read_bytes()


def test_no_other_decoder_runs_while_the_file_is_looked_at(tmp_path: Path) -> None:
    """The size of a cover is known only to whoever decodes it."""
    with sounds._opened(covered(tmp_path), "mp3") as container:
        assert container.streams.video[0].width == 0


def test_a_film_is_no_sound_though_it_has_one(tmp_path: Path, target: Path) -> None:
    assert why(write_video(tmp_path / "film"), target) == "format"


def test_other_codecs_are_not_let_near_the_decoder(tmp_path: Path, target: Path) -> None:
    assert why(write_sound(tmp_path / "sound", "wav", "adpcm_ms"), target) == "format"
    assert why(write_sound(tmp_path / "sound", "ogg", "flac"), target) == "format"


def test_some_bytes_that_cannot_be_decoded_are_passed_over(tmp_path: Path, target: Path) -> None:
    whole = write_sound(tmp_path / "whole", "mp3", "libmp3lame").read_bytes()
    source = tmp_path / "sound"
    source.write_bytes(whole[:20_000] + bytes(3_000) + whole[20_000:])
    assert fit_sound(source, FIT, target) > 3.5


def wave(rate: int, channels: int = 1) -> bytes:
    data = bytes(rate * channels * 4 if rate > 100 else 4_000)
    about = struct.pack("<IHHIIHH", 16, 1, channels, rate, rate * channels, channels, 8)
    body = b"WAVEfmt " + about + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


HOSTILE = {
    "nothing": (b"", "format"),
    "one byte": (b"\xff", "format"),
    "a playlist": (b"#EXTM3U\nfile:///etc/passwd\n", "format"),
    "a concatenation": (b"ffconcat version 1.0\nfile /etc/passwd\n", "format"),
    "a page": (b"<html>", "format"),
    "an ID3 tag alone": (b"ID3\x03\0\0\0\0\0\0", "broken"),
    "a header alone": (b"RIFF\0\0\0\0WAVEfmt ", "broken"),
    "noise after a header": (b"OggS" + bytes(range(256)) * 20, "broken"),
    "one sample a second": (wave(1), "broken"),
    "64 channels": (wave(8_000, 64), "broken"),
}


@pytest.mark.parametrize(("data", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_bytes_are_refused(tmp_path: Path, target: Path, data: bytes, reason: str) -> None:
    source = tmp_path / "sound"
    source.write_bytes(data)
    assert why(source, target, SoundFit(least_seconds=0)) == reason


def test_a_full_disk_is_no_fault_of_the_sound(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        fit_sound(write_sound(tmp_path / "sound"), FIT, Path("/dev/full"))


def test_a_truncated_m4a_is_broken(tmp_path: Path, target: Path) -> None:
    source = write_sound(tmp_path / "sound", "ipod", "aac")
    source.write_bytes(source.read_bytes()[:10_000])
    assert why(source, target) == "broken"
