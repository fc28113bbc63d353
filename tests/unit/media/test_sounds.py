"""Sounds of strangers: recordings are read, everything else is refused, and only samples are passed
on.
"""

import array
import math
import random
import struct
import time
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from bot.cli.words import explain
from bot.core.errors import Refused
from bot.core.orders import SoundFit
from bot.media import sounds
from bot.media.sounds import fit_sound

from .samples import RATE, encoded, write_clip, write_sound, write_video

FIT = SoundFit(least_seconds=1, most_seconds=30)
RF64 = {"rf64": "always"}
WMA: dict[str, Any] = {"rate": 44_100, "more": {"b": "64000"}}
KINDS: list[tuple[str, str, dict[str, Any]]] = [
    ("wav", "pcm_s16le", {}),
    ("wav", "pcm_u8", {}),
    ("wav", "pcm_s24le", {}),
    ("wav", "pcm_f32le", {"layout": "5.1"}),
    ("wav", "pcm_s16le", {"layout": "7.1"}),
    ("ogg", "libopus", {"layout": "7.1"}),
    ("flac", "flac", {"rate": 192_000}),
    ("wav", "pcm_s16le", {"more": RF64}),
    ("wav", "pcm_alaw", {"rate": 8_000}),
    ("wav", "pcm_mulaw", {"rate": 8_000}),
    ("wav", "adpcm_ms", {}),
    ("wav", "adpcm_ima_wav", {}),
    ("wav", "adpcm_yamaha", {}),
    ("wav", "g722", {"rate": 16_000}),
    ("wav", "libmp3lame", {}),
    ("wav", "pcm_s16le", {"rate": 4_000}),
    ("wav", "pcm_s32le", {"rate": 384_000}),
    ("w64", "pcm_s16le", {}),
    ("mp3", "libmp3lame", {}),
    ("mp2", "mp2", {}),
    ("ogg", "libopus", {}),
    ("ogg", "vorbis", {}),
    ("ogg", "flac", {}),
    ("flac", "flac", {}),
    ("ipod", "aac", {}),
    ("ipod", "alac", {}),
    ("mp4", "aac", {}),
    ("mp4", "libopus", {}),
    ("mp4", "flac", {}),
    ("mp4", "libmp3lame", {}),
    ("mov", "pcm_s16be", {}),
    ("mov", "adpcm_ima_qt", {}),
    ("3gp", "libopencore_amrnb", {"rate": 8_000}),
    ("3gp", "aac", {}),
    ("amr", "libopencore_amrnb", {"rate": 8_000}),
    ("adts", "aac", {}),
    ("latm", "aac", {}),
    ("aiff", "pcm_s16be", {}),
    ("caf", "pcm_s16be", {}),
    ("caf", "alac", {}),
    ("au", "pcm_mulaw", {"rate": 8_000}),
    ("webm", "libopus", {}),
    ("matroska", "flac", {}),
    ("asf", "wmav2", WMA),
    ("ac3", "ac3", {}),
    ("eac3", "eac3", {}),
    ("wv", "wavpack", {}),
    ("tta", "tta", {}),
    ("voc", "pcm_u8", {}),
]
"""Container, codec, and further arguments of the recording."""


def made(target: Path) -> tuple[str, int, int, float]:
    """Return codec, channels, sample rate and seconds of a written sound."""
    with av.open(str(target)) as container:
        assert not container.metadata
        (stream,) = container.streams
        assert isinstance(stream, av.AudioStream)
        seconds = (container.duration or 0) / av.time_base
        return stream.codec_context.name, stream.channels, stream.rate, round(seconds, 1)


def why(source: Path, target: Path, fit: SoundFit = FIT) -> str:
    """Return the reason for which a sound is refused."""
    with pytest.raises(Refused) as refused:
        fit_sound(source, fit, target)
    return refused.value.code.removeprefix("sound_")


def told(source: Path, target: Path, fit: SoundFit) -> str:
    """Return the sentence with which a sound is refused."""
    with pytest.raises(Refused) as refused:
        fit_sound(source, fit, target)
    return explain(refused.value)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "made.mp3"


@pytest.mark.parametrize(("container", "codec", "how"), KINDS)
def test_a_sound_in_every_supported_format_becomes_a_plain_mp3(
    tmp_path: Path, target: Path, container: str, codec: str, how: dict[str, Any]
) -> None:
    source = write_sound(tmp_path / "sound", container, codec, seconds=1.2, **how)
    assert fit_sound(source, FIT, target) == pytest.approx(1.2, abs=0.1)
    *what, seconds = made(target)
    assert what == ["mp3float", 1, 44_100]
    assert seconds == pytest.approx(1.2, abs=0.1)
    assert b"at home" not in target.read_bytes()
    assert loudness(target) > 1_000


def loudness(sound: Path) -> float:
    """Return the mean of the absolute samples, by which a tone is distinguished from silence."""
    samples = array.array("h")
    resampler = av.AudioResampler(format="s16", layout="mono", rate=44_100)
    with av.open(str(sound)) as container:
        for frame in container.decode(audio=0):
            for each in resampler.resample(frame):
                samples.frombytes(bytes(each.planes[0])[: each.samples * 2])
    return sum(map(abs, samples)) / len(samples)


def tag(size: int = 3_000, version: int = 4) -> bytes:
    """Return an ID3 tag, whose size is written in seven bits a byte."""
    return (
        b"ID3"
        + bytes([version, 0, 0])
        + bytes(size >> shift & 127 for shift in (21, 14, 7, 0))
        + bytes(size)
    )


@pytest.mark.parametrize(
    ("container", "codec"),
    [
        ("adts", "aac"),
        ("flac", "flac"),
        ("mp3", "libmp3lame"),
        ("wav", "pcm_s16le"),
        ("aiff", "pcm_s16be"),
        ("tta", "tta"),
        ("ogg", "libopus"),
        ("ipod", "aac"),
    ],
)
@pytest.mark.parametrize("tags", [1, 2])
def test_tags_in_front_of_a_sound_are_skipped(
    tmp_path: Path, target: Path, container: str, codec: str, tags: int
) -> None:
    source = write_sound(tmp_path / "sound", container, codec, seconds=1.2)
    source.write_bytes(tag() * tags + source.read_bytes())
    assert fit_sound(source, FIT, target) == pytest.approx(1.2, abs=0.1)


def test_zeros_in_front_of_an_mp3_are_skipped(tmp_path: Path, target: Path) -> None:
    body = write_sound(tmp_path / "bare", "mp3", "libmp3lame").read_bytes()
    source = tmp_path / "sound"
    source.write_bytes(bytes(1_000) + body[body.index(b"\xff\xfb") :])
    assert fit_sound(source, FIT, target) == pytest.approx(4.0, abs=0.1)


BARE = [("mp3", "libmp3lame"), ("mp2", "mp2"), ("adts", "aac"), ("latm", "aac")]
IN_FRONT = {
    "text": b"HTTP/1.0 200 OK\r\nicy-name: a radio\r\n\r\n" * 200,
    "zeros": bytes(100_000),
    "noise": random.Random(1).randbytes(20_000),
    "texts of Monkey's Audio": b"APETAGEX\xd0\7\0\0" + struct.pack("<I", 300_000) + bytes(300_016),
}


@pytest.mark.parametrize("name", IN_FRONT)
@pytest.mark.parametrize(("container", "codec"), BARE)
def test_the_first_frame_of_a_bare_sound_stream_is_found_behind_other_bytes(
    tmp_path: Path, target: Path, container: str, codec: str, name: str
) -> None:
    whole = write_sound(tmp_path / "whole", container, codec, seconds=2).read_bytes()
    source = tmp_path / "sound"
    source.write_bytes(IN_FRONT[name] + whole)
    assert fit_sound(source, FIT, target) == pytest.approx(2.0, abs=0.15)


@pytest.mark.parametrize(("container", "codec"), BARE)
def test_a_sound_stream_that_begins_in_the_middle_of_a_frame_is_read(
    tmp_path: Path, target: Path, container: str, codec: str
) -> None:
    whole = write_sound(tmp_path / "whole", container, codec, seconds=2).read_bytes()
    source = tmp_path / "sound"
    for cut in (1, 777, 1_500):
        source.write_bytes(whole[cut:])
        assert fit_sound(source, FIT, target) == pytest.approx(2.0, abs=0.3)


@pytest.mark.parametrize("container", ["avi", "flv", "mpegts"])
def test_a_video_with_sound_frames_inside_is_not_taken_for_a_sound(
    tmp_path: Path, target: Path, container: str
) -> None:
    video = write_clip(tmp_path / "video", "mpeg4", "avi", sound="libmp3lame").read_bytes()
    head = {"avi": video[:16], "flv": b"FLV\1", "mpegts": b"G" + bytes(187) + b"G"}[container]
    bare = write_sound(tmp_path / "bare", "mp3", "libmp3lame").read_bytes()
    source = tmp_path / "sound"
    source.write_bytes(head + bare[bare.index(b"\xff\xfb") :])
    assert why(source, target) == "format"


@pytest.mark.parametrize("rates", [(48_000, 16_000), (8_000, 48_000)])
def test_a_sound_may_change_its_sample_rate(
    tmp_path: Path, target: Path, rates: tuple[int, int]
) -> None:
    """To a radio station, two recordings in a row are one stream."""
    source = tmp_path / "sound"
    for rate in rates:
        part = write_sound(tmp_path / "part", "adts", "aac", rate=rate, seconds=2)
        with source.open("ab") as file:
            file.write(part.read_bytes())
    assert fit_sound(source, FIT, target) == pytest.approx(4.0, abs=0.4)
    assert made(target)[-1] == pytest.approx(4.0, abs=0.4)


def test_a_long_sound_is_cut_to_stay_below_the_limit(tmp_path: Path, target: Path) -> None:
    source = write_sound(tmp_path / "sound", seconds=9)
    assert 3.8 < fit_sound(source, SoundFit(most_seconds=4), target) <= 3.9
    assert made(target)[-1] <= 3.9


def test_a_sound_that_is_too_short_is_refused_with_its_length(tmp_path: Path, target: Path) -> None:
    source = write_sound(tmp_path / "sound", seconds=2)
    said = "That sound is 2 s long. It has to last at least 3 s."
    assert told(source, target, SoundFit(least_seconds=3)) == said


@pytest.mark.proof
def test_a_sound_is_compressed_to_fit_and_refused_if_that_is_impossible(
    tmp_path: Path, target: Path
) -> None:
    source = write_sound(tmp_path / "sound", seconds=10)
    fit_sound(source, SoundFit(most_bytes=60_000), target)
    assert target.stat().st_size < 60_000
    said = told(source, target, SoundFit(most_bytes=30_000))
    assert said.endswith("this model takes up to 30 kB. Please send a shorter one.")


COVER = encoded(Image.new("RGB", (32, 32), "red"), "JPEG")


def covered(folder: Path) -> Path:
    """Write an MP3 with a cover picture in front of its sound."""
    body = b"\0image/jpeg\0\x03\0" + COVER
    frame = b"APIC" + struct.pack(">I", len(body)) + b"\0\0" + body
    size = bytes(len(frame) >> shift & 127 for shift in (21, 14, 7, 0))
    bare = write_sound(folder / "bare", "mp3", "libmp3lame").read_bytes()
    source = folder / "sound"
    source.write_bytes(b"ID3\x03\0\0" + size + frame + bare[bare.index(b"\xff\xfb") :])
    return source


def test_a_sound_with_a_cover_is_accepted_and_the_cover_removed(
    tmp_path: Path, target: Path
) -> None:
    assert fit_sound(covered(tmp_path), FIT, target) == pytest.approx(4.0, abs=0.1)
    assert made(target)[0] == "mp3float"
    assert COVER not in target.read_bytes()


def test_a_video_with_sound_is_refused_as_a_sound(tmp_path: Path, target: Path) -> None:
    assert why(write_video(tmp_path / "video"), target) == "format"


def test_zeros_in_the_middle_of_an_mp3_are_skipped(tmp_path: Path, target: Path) -> None:
    whole = write_sound(tmp_path / "whole", "mp3", "libmp3lame").read_bytes()
    source = tmp_path / "sound"
    source.write_bytes(whole[:20_000] + bytes(3_000) + whole[20_000:])
    assert fit_sound(source, FIT, target) > 3.5


@pytest.mark.parametrize("container", ["mp3", "adts", "ac3"])
def test_noise_in_the_middle_of_a_sound_stream_is_skipped(
    tmp_path: Path, target: Path, container: str
) -> None:
    codec = {"mp3": "libmp3lame", "adts": "aac", "ac3": "ac3"}[container]
    whole = write_sound(tmp_path / "whole", container, codec).read_bytes()
    middle = len(whole) // 2
    source = tmp_path / "sound"
    source.write_bytes(whole[:middle] + random.Random(1).randbytes(3_000) + whole[middle:])
    assert fit_sound(source, FIT, target) > 3


@pytest.mark.proof
@pytest.mark.parametrize("container", ["mp3", "adts", "ac3", "wav", "flac", "ipod"])
def test_empty_room_that_a_recorder_leaves_behind_a_sound_is_ignored(
    tmp_path: Path, target: Path, container: str
) -> None:
    codecs = {"mp3": "libmp3lame", "ac3": "ac3", "wav": "pcm_s16le", "flac": "flac"}
    whole = write_sound(tmp_path / "whole", container, codecs.get(container, "aac"), seconds=2)
    source = tmp_path / "sound"
    source.write_bytes(whole.read_bytes() + bytes(9_000_000))
    assert fit_sound(source, FIT, target) == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("size", [0, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_streamed_wave_file_with_a_wrong_size_in_its_header_is_read(
    tmp_path: Path, target: Path, size: int
) -> None:
    whole = write_sound(tmp_path / "whole", seconds=2).read_bytes()
    at, told = whole.index(b"data") + 4, struct.pack("<I", size)
    source = tmp_path / "sound"
    source.write_bytes(whole[:4] + told + whole[8:at] + told + whole[at + 4 :])
    assert fit_sound(source, FIT, target) == pytest.approx(2.0, abs=0.1)


@pytest.mark.proof
@pytest.mark.parametrize(
    ("container", "codec", "rate"),
    [("mp3", "libmp3lame", RATE), ("amr", "libopencore_amrnb", 8_000)],
)
def test_hours_of_sound_take_no_longer_to_convert_than_a_minute_of_sound(
    tmp_path: Path, target: Path, container: str, codec: str, rate: int
) -> None:
    """Half an hour of MP3 and five hours from a phone's recorder: only the beginning is read."""
    part = write_sound(tmp_path / "part", container, codec, rate=rate).read_bytes()
    start = part.index(b"\xff\xfb") if container == "mp3" else len(b"#!AMR\n")
    source = tmp_path / "sound"
    source.write_bytes(part + part[start:] * (14_500_000 // len(part)))
    begun = time.process_time()
    assert fit_sound(source, FIT, target) > 29
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("softer", [1.0, 0.97])
def test_stereo_channels_that_cancel_each_other_are_not_mixed(
    tmp_path: Path, target: Path, softer: float
) -> None:
    """The sum of the channels is silence, which would be paid for."""
    levels = [round(8_000 * math.sin(at / 20)) for at in range(RATE * 2)]
    pairs = (each for level in levels for each in (level, -round(level * softer)))
    source = tmp_path / "sound"
    source.write_bytes(wave_of(array.array("h", pairs).tobytes(), channels=2))
    assert fit_sound(source, FIT, target) == pytest.approx(2.0, abs=0.1)
    assert loudness(target) > 1_000


def test_the_two_sides_of_a_stereo_sound_are_mixed(tmp_path: Path, target: Path) -> None:
    """The left and the right side have different tones, and the mix has to hold the two."""
    sides = [[round(8_000 * math.sin(at / pace)) for at in range(RATE * 2)] for pace in (20, 5)]
    pairs = (each for pair in zip(*sides, strict=True) for each in pair)
    source = tmp_path / "sound"
    source.write_bytes(wave_of(array.array("h", pairs).tobytes(), channels=2))
    assert sounds._side(source, 29) is None


def wave_of(data: bytes, *, channels: int) -> bytes:
    """Return 16-bit samples as a WAV."""
    shape = struct.pack("<HHIIHH", 1, channels, RATE, RATE * channels * 2, channels * 2, 16)
    body = b"WAVEfmt \x10\0\0\0" + shape + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def test_a_silent_sound_is_accepted(tmp_path: Path, target: Path) -> None:
    source = tmp_path / "sound"
    source.write_bytes(wave(8_000).replace(bytes(32_000), b"\x80" * 32_000))
    assert fit_sound(source, FIT, target) == pytest.approx(4.0, abs=0.1)
    assert loudness(target) < 10


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
    "a web page": (b"<html>", "format"),
    "text in UTF-16": ("<html>".encode("utf-16"), "format"),
    "MIDI notes": (b"MThd\0\0\0\6\0\0\0\1\0\x60MTrk", "format"),
    "a picture": (COVER, "format"),
    "an AVIF picture": (encoded(Image.new("RGB", (32, 32)), "AVIF"), "format"),
    "a SILK voice message": (b"#!SILK_V3" + bytes(90), "format"),
    "an ID3 tag alone": (b"ID3\x03\0\0\0\0\0\0", "broken"),
    "a header alone": (b"RIFF\0\0\0\0WAVEfmt ", "broken"),
    "noise after a header": (b"OggS" + bytes(range(256)) * 20, "broken"),
    "one sample a second": (wave(1), "broken"),
    "64 channels": (wave(8_000, 64), "broken"),
}


@pytest.mark.parametrize(("data", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_bytes_are_refused_as_a_sound(
    tmp_path: Path, target: Path, data: bytes, reason: str
) -> None:
    source = tmp_path / "sound"
    source.write_bytes(data)
    assert why(source, target, SoundFit(least_seconds=0)) == reason


def test_a_full_disk_is_not_blamed_on_the_sound(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        fit_sound(write_sound(tmp_path / "sound"), FIT, Path("/dev/full"))


@pytest.mark.parametrize(
    ("container", "codec"),
    [
        ("ipod", "aac"),
        ("ipod", "alac"),
        ("flac", "flac"),
        ("ogg", "libopus"),
        ("webm", "libopus"),
        ("wav", "adpcm_ms"),
        ("caf", "alac"),
        ("asf", "wmav2"),
        ("wv", "wavpack"),
        ("tta", "tta"),
    ],
)
def test_a_damaged_sound_is_distinguished_from_an_unknown_format(
    tmp_path: Path, target: Path, container: str, codec: str
) -> None:
    """The file has noise behind a good beginning, or ends there."""
    how = WMA if codec == "wmav2" else {}
    whole = write_sound(tmp_path / "whole", container, codec, seconds=1, **how).read_bytes()
    source = tmp_path / "sound"
    for body in (whole[:40], whole[:40] + random.Random(1).randbytes(9_000)):
        source.write_bytes(body)
        assert why(source, target) == "broken"
    source.write_bytes(b"?" + whole)
    assert why(source, target) == "format"


def test_a_truncated_m4a_is_refused_as_broken(tmp_path: Path, target: Path) -> None:
    source = write_sound(tmp_path / "sound", "ipod", "aac")
    source.write_bytes(source.read_bytes()[:10_000])
    assert why(source, target) == "broken"


@pytest.mark.proof
def test_random_wrong_bytes_in_a_sound_give_a_sound_or_a_refusal(
    tmp_path: Path, target: Path
) -> None:
    """Sixty damaged files, each with up to 8 wrong bytes."""
    source, codes = tmp_path / "sound", set()
    for container, codec, how in KINDS[::4]:
        whole = write_sound(tmp_path / "whole", container, codec, seconds=1, **how).read_bytes()
        for seed in range(5):
            dice, body = random.Random(seed), bytearray(whole)
            for _ in range(dice.randint(1, 8)):
                reach = min(len(body), dice.choice((40, 400, 4_000)))
                body[dice.randrange(reach)] = dice.randrange(256)
            source.write_bytes(body)
            try:
                fit_sound(source, SoundFit(least_seconds=0), target)
            except Refused as refused:
                codes.add(refused.code)
    assert codes <= {"sound_broken", "sound_format"}
