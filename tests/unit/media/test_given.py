"""Videos of strangers, from which orders are made: only pictures and sound are passed on."""

import random
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import av
import pytest

from bot.core.clips import VideoFit
from bot.core.errors import Refused
from bot.core.ports import Media
from bot.media.given import fit_video
from bot.media.labels import SOURCE_TYPE
from bot.media.studio import Studio
from tests.unit.media.making import B_FRAMES, with_chapters_and_subtitles, with_tail
from tests.unit.media.samples import encoded, quarters, write_clip, write_sound, write_video

FIT = VideoFit(least_seconds=1, most_seconds=5)
SECRET = b"made by a model"
"""The metadata of each video that `write_video` makes."""


@pytest.mark.parametrize(
    ("codec", "container", "sound"),
    [
        ("libx264", "mp4", "aac"),
        ("libx264", "mov", "aac"),
        ("libx265", "mp4", "aac"),
        ("libvpx-vp9", "webm", "libopus"),
        ("libx264", "matroska", "ac3"),
        ("mpeg4", "avi", "mp2"),
        ("mpeg2video", "mpegts", "mp2"),
    ],
)
def test_a_video_in_any_common_format_becomes_an_mp4_of_h264_and_aac(
    tmp_path: Path, codec: str, container: str, sound: str
) -> None:
    source = write_clip(
        tmp_path / "given", codec, container, size=(128, 96), times=range(48), sound=sound
    )
    made = fit_video(source, FIT, tmp_path / "made.mp4")
    assert (made.width, made.height, made.codec, made.has_audio) == (128, 96, "h264", True)
    assert made.seconds == pytest.approx(2, abs=0.15)
    with av.open(str(tmp_path / "made.mp4")) as copy:
        assert [each.type for each in copy.streams] == ["video", "audio"]
        assert copy.streams.audio[0].codec_context.name == "aac"


def test_titles_subtitles_chapters_and_hidden_data_are_left_out(tmp_path: Path) -> None:
    plain = write_video(tmp_path / "given.mp4", width=64, height=48)
    with_tail(plain)
    assert SECRET in plain.read_bytes()
    fit_video(plain, FIT, tmp_path / "made.mp4")
    made = (tmp_path / "made.mp4").read_bytes()
    # A person's own video is not marked as a model's either.
    assert SECRET not in made
    assert SOURCE_TYPE.encode() not in made

    rich = write_clip(
        tmp_path / "rich.mkv",
        "libx264",
        "matroska",
        sound="aac",
        beside=with_chapters_and_subtitles,
    )
    with av.open(str(rich)) as given:
        assert len(given.streams) > 2
    fit_video(rich, FIT, tmp_path / "made.mp4")
    with av.open(str(tmp_path / "made.mp4")) as copy:
        assert [each.type for each in copy.streams] == ["video", "audio"]
        assert copy.chapters() == []
        assert not {"title", "comment", "location"} & {each.lower() for each in copy.metadata}


@pytest.mark.parametrize(
    ("fit", "size"),
    [
        (VideoFit(most_pixels=64 * 48), (64, 48)),
        (VideoFit(most_pixels=64 * 48 - 1), (62, 46)),
        (VideoFit(least_pixels=256 * 192), (256, 192)),
        (VideoFit(least_pixels=128 * 96, most_pixels=128 * 96), (128, 96)),
    ],
)
def test_a_frame_is_scaled_to_the_pixels_that_the_model_takes(
    tmp_path: Path, fit: VideoFit, size: tuple[int, int]
) -> None:
    source = write_clip(tmp_path / "given.mp4", "libx264", "mp4", size=(128, 96))
    made = fit_video(source, fit, tmp_path / "made.mp4")
    assert (made.width, made.height) == size


def test_a_video_lying_on_its_side_is_sent_upright(tmp_path: Path) -> None:
    turned = write_clip(tmp_path / "turned.mp4", "libx264", "mp4", matrix=(0, 1, -1, 0))
    made = fit_video(turned, FIT, tmp_path / "made.mp4")
    assert (made.width, made.height, made.orientation) == (48, 64, (1, 0, 0, 1))


def test_a_copy_has_no_more_bytes_than_the_model_takes(tmp_path: Path) -> None:
    source = write_video(tmp_path / "noise.mp4", seconds=3)
    assert source.stat().st_size > 300_000
    fit_video(source, VideoFit(most_bytes=300_000), tmp_path / "made.mp4")
    assert (tmp_path / "made.mp4").stat().st_size <= 300_000
    with pytest.raises(Refused, match="video_stays_large"):
        fit_video(source, VideoFit(most_bytes=30_000), tmp_path / "made.mp4")


@pytest.mark.parametrize(
    ("fit", "code", "values"),
    [
        (VideoFit(least_seconds=2.1), "video_short", {"seconds": 2.0, "least": 2.1}),
        (VideoFit(most_seconds=1.4), "video_long", {"seconds": 2.0, "most": 1.4}),
    ],
)
def test_a_video_of_another_length_is_refused_with_the_limit(
    tmp_path: Path, fit: VideoFit, code: str, values: dict[str, float]
) -> None:
    source = write_clip(tmp_path / "given.mp4", "libx264", "mp4", times=range(48))
    with pytest.raises(Refused) as refused:
        fit_video(source, fit, tmp_path / "made.mp4")
    assert (refused.value.code, refused.value.values) == (code, values)


def test_an_excess_of_half_a_second_is_cut_off_pictures_and_sound(tmp_path: Path) -> None:
    source = write_clip(
        tmp_path / "given.mp4", "libx264", "mp4", times=range(58), sound="aac", options=B_FRAMES
    )
    made = fit_video(source, VideoFit(most_seconds=2), tmp_path / "made.mp4")
    assert made.seconds == pytest.approx(2, abs=0.05)
    with av.open(str(tmp_path / "made.mp4")) as copy:
        shown = list(copy.decode(video=0))
        assert len(shown) == 48
        assert not any(frame.is_corrupt for frame in shown)


def test_a_length_that_the_container_conceals_is_measured(tmp_path: Path) -> None:
    """A recorder of a browser writes no duration: the copy is measured."""
    source = tmp_path / "live.webm"
    flags = {"live": "1"}
    write_clip(tmp_path / "plain.webm", "libvpx", "webm", times=range(96))
    with (
        av.open(str(tmp_path / "plain.webm")) as given,
        av.open(str(source), "w", format="webm", options=flags) as live,
    ):
        track = live.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(given.streams.video[0]):
            if packet.dts is not None:
                packet.stream = track
                live.mux(packet)
    with pytest.raises(Refused, match="video_long"):
        fit_video(source, VideoFit(most_seconds=3), tmp_path / "made.mp4")
    assert fit_video(source, FIT, tmp_path / "made.mp4").seconds == pytest.approx(4, abs=0.1)


def bad(folder: Path, what: str) -> Path:
    """Return a file that is no usable video."""
    path = folder / "bad"
    match what:
        case "text":
            path.write_text("a video, honestly")
        case "playlist":
            path.write_text("#EXTM3U\n#EXTINF:4,\nhttp://127.0.0.1:1/secret.ts\n")
        case "picture":
            path.write_bytes(encoded(quarters(64, 48)))
        case "sound":
            write_sound(path, "ipod", "aac", seconds=3)
        case "cut off":
            whole = write_video(folder / "whole.mp4", width=64, height=48)
            path.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
        case "noise":
            path.write_bytes(noisy(write_video(folder / "whole.mp4", faststart=True)))
        case "a brand alone":
            path.write_bytes(struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0))
        case _:
            path.write_bytes(b"")
    return path


def noisy(video: Path) -> bytes:
    """Return a video whose index is right and whose second half is random bytes."""
    body = bytearray(video.read_bytes())
    half = (len(body) + body.index(b"mdat")) // 2
    body[half:] = random.Random(1).randbytes(len(body) - half)
    return bytes(body)


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("text", "video_format"),
        ("playlist", "video_format"),
        ("picture", "video_format"),
        ("sound", "video_format"),
        ("nothing", "video_format"),
        ("cut off", "video_broken"),
        ("noise", "video_broken"),
        ("a brand alone", "video_broken"),
    ],
)
def test_a_file_that_is_no_usable_video_is_refused(tmp_path: Path, what: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        fit_video(bad(tmp_path, what), FIT, tmp_path / "made.mp4")
    assert refused.value.code == code


def test_a_video_of_huge_sides_is_refused_before_a_frame_is_decoded(tmp_path: Path) -> None:
    """The sides in the index decide: decoding one such frame would need gigabytes."""
    source = write_clip(
        tmp_path / "vast.avi", "mjpeg", "avi", size=(8800, 4400), times=[0, 1], pix_fmt="yuvj420p"
    )
    with pytest.raises(Refused, match="video_demanding"):
        fit_video(source, FIT, tmp_path / "made.mp4")


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    async with Studio(tmp_path / "data") as opened:
        yield opened


async def test_the_studio_stores_a_measured_copy_under_a_key_of_its_own(
    studio: Studio, tmp_path: Path
) -> None:
    media: Media = studio
    source = write_clip(tmp_path / "given.mp4", "libx264", "mp4", times=range(48), sound="aac")
    copy = await media.keep_given(source, FIT)
    async with media.file(copy.key) as file:
        assert file.suffix == ".mp4"
        assert file.stat().st_size == copy.size
        assert (copy.width, copy.height) == (64, 48)
        assert copy.seconds == pytest.approx(2, abs=0.1)


async def test_the_studio_stores_nothing_of_a_refused_video(studio: Studio, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="video_broken"):
        await studio.keep_given(bad(tmp_path, "cut off"), FIT)
    stored = [each for each in (tmp_path / "data" / "media").rglob("*") if each.is_file()]
    assert stored == []
