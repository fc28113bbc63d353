import random
from pathlib import Path

import av
import pytest
from PIL import Image

from bot.core.errors import Broken
from bot.core.jobs import thumbnail_size
from bot.media.encoding import shrink
from bot.media.facts import UPRIGHT, Probe
from bot.media.videos import probe, take_last_frame, take_thumbnail
from bot.media.workers import Workers
from tests.unit.media.samples import corners, quarters, tone, turned, write_video


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("videos") / "clip.mp4")


@pytest.fixture(scope="module")
def fast(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a video with the index in front of the content, as most gateways send it."""
    return write_video(tmp_path_factory.mktemp("videos") / "fast.mp4", faststart=True)


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("videos") / "still.mp4"
    return write_video(path, sound=False, still=quarters(320, 180))


def played(path: Path) -> tuple[int, int]:
    """Return the numbers of frames and of sound packets that decode."""
    with av.open(str(path)) as container:
        pictures = sum(1 for _ in container.decode(video=0))
    with av.open(str(path)) as container:
        sounds = sum(1 for _ in container.decode(audio=0)) if container.streams.audio else 0
    return pictures, sounds


def top_boxes(path: Path) -> list[bytes]:
    body, kinds, at = path.read_bytes(), [], 0
    while at < len(body):
        kinds.append(body[at + 4 : at + 8])
        at += int.from_bytes(body[at : at + 4])
    return kinds


def test_probe_returns_size_length_codec_and_sound_of_a_video(clip: Path) -> None:
    seen = probe(clip)
    assert seen.seconds == pytest.approx(2.0, abs=0.05)
    assert seen == Probe(
        width=320,
        height=180,
        seconds=seen.seconds,
        codec="h264",
        has_audio=True,
        frames_per_second=12.0,
    )


def test_a_rotated_video_is_measured_and_its_thumbnail_drawn_upright(
    still: Path, tmp_path: Path
) -> None:
    path, thumbnail = tmp_path / "turned.mp4", tmp_path / "still.jpg"
    path.write_bytes(turned(still.read_bytes()))
    seen = probe(path)
    assert (seen.width, seen.height, seen.has_audio) == (180, 320, False)
    take_thumbnail(path, thumbnail)
    with Image.open(thumbnail) as picture:
        assert picture.size == (180, 320)
        assert corners(picture) == "BRGW"  # a quarter clockwise from RGWB


@pytest.mark.parametrize("which", ["clip", "fast"])
def test_a_truncated_video_is_refused_wherever_it_was_cut(
    request: pytest.FixtureRequest, tmp_path: Path, which: str
) -> None:
    body = request.getfixturevalue(which).read_bytes()
    path = tmp_path / "cut.mp4"
    for end in [*range(64), *range(64, len(body), len(body) // 400), len(body) - 1]:
        path.write_bytes(body[:end])
        with pytest.raises(Broken) as broken:
            probe(path)
        assert broken.value.code in {"not_a_video", "video_truncated"}


def test_a_video_without_its_index_is_truncated(clip: Path, tmp_path: Path) -> None:
    body = clip.read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(body[: body.index(b"moov") - 4])
    with pytest.raises(Broken, match="video_truncated"):
        probe(path)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<!doctype html><title>502 Bad Gateway</title>",
        b'{"error": {"message": "not ready"}}',
        b"\x89PNG\r\n\x1a\n" + bytes(64),
        b"#EXTM3U\n#EXT-X-TARGETDURATION:1\nfile:///etc/passwd\n",
    ],
)
def test_bytes_that_are_no_mp4_are_refused_as_no_video(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "body"
    path.write_bytes(body)
    with pytest.raises(Broken, match="not_a_video"):
        probe(path)


def test_empty_mp4_boxes_are_refused_as_no_video(tmp_path: Path) -> None:
    path = tmp_path / "hollow.mp4"
    path.write_bytes(b"".join(b"\0\0\0\x08" + kind for kind in (b"ftyp", b"moov", b"mdat")))
    with pytest.raises(Broken, match="not_a_video"):
        probe(path)


def test_a_file_with_sound_alone_is_refused_as_no_video(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w", format="mp4") as output:
        audio = output.add_stream("aac", rate=48_000, layout="mono")
        output.mux(audio.encode(tone(0)))
        output.mux(audio.encode(None))
    with pytest.raises(Broken, match="not_a_video"):
        probe(path)


def test_the_thumbnail_shows_the_frame_at_a_third_of_the_video(still: Path, tmp_path: Path) -> None:
    target = tmp_path / "still.jpg"
    take_thumbnail(still, target)
    with Image.open(target) as picture:
        assert (picture.format, picture.size, corners(picture)) == ("JPEG", (320, 180), "RGWB")


@pytest.mark.parametrize(
    ("of_video", "of_still"),
    [
        ((1920, 1080), (1280, 720)),
        ((1080, 1920), (720, 1280)),
        ((832, 480), (832, 480)),
        ((4000, 2), (1280, 1)),
    ],
)
def test_a_thumbnail_has_the_aspect_ratio_of_its_video_and_a_limited_size(
    of_video: tuple[int, int], of_still: tuple[int, int]
) -> None:
    assert thumbnail_size(*of_video) == of_still


def test_thumbnail_size_predicts_the_size_of_the_thumbnail(tmp_path: Path) -> None:
    """Link previews state the size without opening the picture."""
    path, target = tmp_path / "large.mp4", tmp_path / "still.jpg"
    write_video(path, width=1442, height=810, still=quarters(1442, 810))
    take_thumbnail(path, target)
    with Image.open(target) as picture:
        assert picture.size == thumbnail_size(1442, 810) == (1280, 719)


@pytest.mark.parametrize("share", [0.9, 0.5, 0.2])
def test_a_shrunk_video_fits_plays_and_has_its_index_in_front(
    clip: Path, tmp_path: Path, share: float
) -> None:
    target = tmp_path / "small.mp4"
    most = int(clip.stat().st_size * share)
    shrink(clip, target, most)
    assert target.stat().st_size <= most
    small = probe(target)
    assert (small.codec, small.has_audio) == ("h264", True)
    assert small.seconds == pytest.approx(2.0, abs=0.1)
    pictures, sounds = played(target)
    assert pictures == 24
    assert sounds > 80
    boxes = top_boxes(target)
    assert boxes.index(b"moov") < boxes.index(b"mdat")


def test_a_tight_limit_makes_the_frames_smaller_and_keeps_them_upright(tmp_path: Path) -> None:
    wide = write_video(tmp_path / "wide.mp4", width=960, height=540, still=quarters(960, 540))
    path, target, thumbnail = tmp_path / "turned.mp4", tmp_path / "small.mp4", tmp_path / "s.jpg"
    path.write_bytes(turned(wide.read_bytes()))
    shrink(path, target, 90_000)
    small = probe(target)
    assert (small.width % 2, small.height % 2, small.orientation) == (0, 0, UPRIGHT)
    assert small.width < 540
    assert small.width / small.height == pytest.approx(9 / 16, rel=0.02)
    take_thumbnail(target, thumbnail)
    with Image.open(thumbnail) as picture:
        assert corners(picture) == "BRGW"


def test_the_metadata_about_a_videos_origin_survives_shrinking(clip: Path, tmp_path: Path) -> None:
    target = tmp_path / "small.mp4"
    shrink(clip, target, 200_000)
    with av.open(str(target)) as container:
        assert container.metadata["provenance"] == "made by a model"


def test_a_video_that_would_shrink_to_poor_quality_is_refused(clip: Path, tmp_path: Path) -> None:
    with pytest.raises(Broken, match="cannot_shrink"):
        shrink(clip, tmp_path / "small.mp4", 20_000)
    assert not (tmp_path / "small.mp4").exists()


@pytest.mark.proof
async def test_random_wrong_bytes_in_a_video_give_a_video_or_an_error_of_ours(
    fast: Path, tmp_path: Path
) -> None:
    """100 damaged files, mostly in the index. They run in a worker because libav may crash."""
    whole = fast.read_bytes()
    index = whole.index(b"moov")
    path, target = tmp_path / "damaged.mp4", tmp_path / "still.jpg"
    workers, codes = Workers(1), set()
    for seed in range(100):
        dice = random.Random(seed)
        body = bytearray(whole)
        for _ in range(dice.randint(1, 8)):
            body[index + dice.randrange(dice.choice((800, 3000)))] = dice.randrange(256)
        path.write_bytes(body)
        try:
            await workers.run(probe, path, timeout=10)
            await workers.run(take_thumbnail, path, target, timeout=10)
        except Broken as broken:
            codes.add(broken.code)
    await workers.close()
    assert codes <= {"not_a_video", "video_truncated"}


@pytest.mark.parametrize(
    ("start", "options"), [(0, {}), (24, {}), (0, {"movflags": "frag_keyframe+empty_moov"})]
)
def test_the_last_frame_is_found_although_times_do_not_start_at_zero(
    tmp_path: Path, start: int, options: dict[str, str]
) -> None:
    video, still = tmp_path / "video.mp4", tmp_path / "still.png"
    with av.open(str(video), "w", format="mp4", options=options) as output:
        stream = output.add_stream("libx264", rate=24, options={"g": "12"})
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for number in range(48):
            frame = av.VideoFrame.from_image(Image.new("L", (64, 64), number * 5))  # type: ignore[no-untyped-call]
            frame.pts = number + start
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    take_last_frame(video, still)
    with Image.open(still) as picture:
        level = picture.convert("L").getpixel((9, 9))
    assert level == pytest.approx(47 * 5, abs=2)
