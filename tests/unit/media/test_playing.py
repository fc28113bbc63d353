"""From a gateway's video to the posted one: every sample becomes a video that plays everywhere."""

import array
import struct
from contextlib import suppress
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from PIL import Image, ImageChops, ImageStat

from bot.core.containers import HEAD, container_of
from bot.core.errors import Broken
from bot.media import encoding
from bot.media.judging import Way, judge
from bot.media.labels import SOURCE_TYPE
from bot.media.videos import examine, see, take_thumbnail
from docs.videos_page import PAGE, REASONS, page
from tests.unit.media.making import FAST, with_edit, x264, x265
from tests.unit.media.samples import corners, noise, write_clip
from tests.unit.media.videos import SAMPLES, TURNS, UNREAD, way_of


def posted(source: Path) -> tuple[Way, Path]:
    """Prepare a video in the same way as the studio; return the way and the posted file."""
    verdict = judge(examine(source).seen)
    if verdict.way is Way.AS_IT_IS:
        return verdict.way, source
    target = source.with_name("posted.mp4")
    if not verdict.pictures:
        with suppress(Broken):
            encoding.remux(source, target, verdict)
            return verdict.way, target
    encoding.convert(source, target)
    return Way.REENCODED, target


def times_of(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [frame.time or 0.0 for frame in container.decode(video=0)]


def pictures_of(path: Path) -> list[Image.Image]:
    with av.open(str(path)) as container:
        return [it.to_image() for it in container.decode(video=0)]  # type: ignore[no-untyped-call]


def assert_plays(path: Path, size: tuple[int, int]) -> None:
    """Check that a video plays everywhere, and decode it to the end."""
    assert judge(examine(path).seen).reasons == ()
    with av.open(str(path)) as container:
        clip, *sounds = container.streams
        assert isinstance(clip, av.VideoStream)
        assert (clip.codec_context.name, clip.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (clip.width, clip.height, clip.sample_aspect_ratio or 1) == (*size, 1)
        assert [each.codec_context.name for each in sounds] in ([], ["aac"])
        assert sum(1 for _ in container.decode(clip)) == clip.frames > 0
    body = path.read_bytes()
    assert body.index(b"moov") < body.index(b"mdat")


@pytest.mark.parametrize("name", [name for name, clip in SAMPLES.items() if not clip.is_large])
def test_the_reasons_why_a_sample_video_would_not_play_are_recognized(
    tmp_path: Path, name: str
) -> None:
    """How the posted videos play is tested in a browser: `tests/browser/test_videos.py`."""
    source = SAMPLES[name].write(tmp_path / "source")
    verdict = judge(examine(source).seen)
    assert (" ".join(verdict.reasons), verdict.way) == (SAMPLES[name].why, way_of(name))


@pytest.mark.parametrize("name", UNREAD)
def test_a_file_in_an_unsupported_video_format_is_refused(tmp_path: Path, name: str) -> None:
    """The first bytes show the format, before the rest is downloaded."""
    source = UNREAD[name].write(tmp_path / "source")
    assert container_of(source.read_bytes()[:HEAD]) is None
    with pytest.raises(Broken, match="not_a_video"):
        examine(source)


def test_the_videos_page_shows_the_present_table() -> None:
    """If this fails, `python -m docs.videos_page` writes the page anew."""
    assert PAGE.read_text("utf-8") == page()
    assert set(REASONS) == {reason for clip in SAMPLES.values() for reason in clip.why.split()}


@pytest.mark.parametrize("name", ["H.264 of full range", "Motion JPEG", "H.264 of RGB"])
def test_black_and_white_are_converted_to_limited_range(tmp_path: Path, name: str) -> None:
    """Limited range is 16 to 235.

    Players clip values outside, so dark and bright areas would look flat.
    """
    clip = SAMPLES[name]
    source = tmp_path / "source"
    with av.open(str(source), "w", format=clip.container) as output:
        video = output.add_stream(clip.codec, rate=24)
        assert isinstance(video, av.VideoStream)
        video.width, video.height, video.pix_fmt = 64, 48, clip.how["pix_fmt"]
        for tick, shade in enumerate(["black"] * 12 + ["white"] * 12):
            still = Image.new("RGB", (64, 48), shade)
            frame = av.VideoFrame.from_image(still)  # type: ignore[no-untyped-call]
            frame.pts, frame.time_base = tick, Fraction(1, 24)
            output.mux(video.encode(frame))
        output.mux(video.encode(None))

    _, kept = posted(source)

    with av.open(str(kept)) as container:
        assert container.streams.video[0].codec_context.color_range != ColorRange.JPEG
        lumas = [bytes(frame.planes[0])[0] for frame in container.decode(video=0)]
    assert (lumas[2], lumas[-3]) == pytest.approx((16, 235), abs=2)


def test_the_last_frame_of_a_conversion_is_shown_as_long_as_in_the_source(tmp_path: Path) -> None:
    """Animations often rest on their last frame."""
    source = tmp_path / "source"
    first, *others = (noise(64, 48, seed) for seed in range(3))
    first.save(source, "GIF", save_all=True, append_images=others, duration=[100, 100, 3000])
    _, kept = posted(source)
    assert examine(kept).clip.seconds == pytest.approx(3.2, abs=0.05)
    assert times_of(kept) == pytest.approx([0.0, 0.1, 0.2], abs=0.002)


# ---------------------------------------------------------------- orientation


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
@pytest.mark.parametrize("turn", TURNS)
def test_a_video_with_any_of_eight_orientations_is_shown_upright(
    tmp_path: Path, turn: str, codec: str
) -> None:
    matrix, shown = TURNS[turn]
    source = write_clip(
        tmp_path / "source", codec, "mp4", matrix=matrix, still=True, times=range(4), flags=FAST
    )

    _, kept = posted(source)

    assert_plays(kept, (64, 48) if matrix[0] else (48, 64))
    assert {corners(picture) for picture in pictures_of(kept)} == {shown}
    for path in (source, kept):
        take_thumbnail(path, tmp_path / "still.jpg")
        with Image.open(tmp_path / "still.jpg") as still:
            assert corners(still) == shown


@pytest.mark.parametrize(("turn", "error"), [("turned right", 3), ("upright", -3)])
@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_an_inexact_matrix_of_a_quarter_turn_is_recognized(
    tmp_path: Path, codec: str, turn: str, error: int
) -> None:
    matrix, shown = TURNS[turn]
    source = write_clip(tmp_path / "source", codec, "mp4", still=True, times=range(12), flags=FAST)
    body = bytearray(source.read_bytes())
    a, b, c, d = ((each << 16) + error for each in matrix)
    struct.pack_into(">9i", body, body.index(b"tkhd") + 44, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    source.write_bytes(body)

    _, kept = posted(source)

    assert {corners(picture) for picture in pictures_of(kept)} == {shown}


def test_a_video_without_a_length_gets_one(tmp_path: Path) -> None:
    source = SAMPLES["an index without a length"].write(tmp_path / "source")
    with av.open(str(source)) as container:
        assert not container.duration
    _, kept = posted(source)
    assert examine(kept).clip.seconds == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_a_fragmented_video_with_a_fragment_for_each_packet_plays(
    tmp_path: Path, codec: str
) -> None:
    """libav gives two sound packets the same time, and takes the frame rate of the first fragment
    for that of the video.
    """
    source = write_clip(
        tmp_path / "source", codec, "mp4", sound="aac", flags="+frag_every_frame+empty_moov"
    )
    seen = examine(source).seen
    assert seen.sound is not None
    assert seen.sound.has_overlaps
    assert "rate" not in judge(seen).reasons

    _, kept = posted(source)

    assert_plays(kept, (64, 48))
    assert len(times_of(kept)) == len(times_of(source))


# ---------------------------------------------------------------- edit lists


@pytest.mark.parametrize(("first", "seconds"), [(10, 1.0), (0, 1.0), (24, 1.0)])
@pytest.mark.parametrize("sound", [None, "aac"])
@pytest.mark.parametrize("container", ["mp4", "mov"])
def test_frames_that_an_edit_list_cuts_are_not_posted(
    tmp_path: Path, first: int, seconds: float, sound: str | None, container: str
) -> None:
    source = write_clip(
        tmp_path / "source", "libx264", container, times=range(48), sound=sound, flags=FAST
    )
    whole = pictures_of(source)
    with_edit(source, first=first, seconds=seconds)

    way, kept = posted(source)

    shown = pictures_of(kept)
    assert (way, len(shown)) == (Way.REENCODED, 24)
    assert nearest(shown[0], whole) == first
    assert nearest(shown[-1], whole) == first + 23
    assert_plays(kept, (64, 48))
    assert b"elst" not in kept.read_bytes() or not see(kept).is_cut


def nearest(picture: Image.Image, pictures: list[Image.Image]) -> int:
    """Return the number of the picture that is most similar."""

    def distance(number: int) -> float:
        return sum(ImageStat.Stat(ImageChops.difference(picture, pictures[number])).sum2)

    return min(range(len(pictures)), key=distance)


# ---------------------------------------------------------------- colours, sound, label


@pytest.mark.parametrize(
    ("codec", "container", "pix_fmt"),
    [
        ("libx264rgb", "mp4", "rgb24"),
        ("libx264", "mp4", "yuvj420p"),
        ("libx264", "mp4", "yuv444p10le"),
        ("mjpeg", "avi", "yuvj444p"),
        ("libx265", "mp4", "yuvj420p"),
        ("png", "mov", "rgb24"),
        ("gif", "gif", "rgb8"),
    ],
)
def test_a_conversion_keeps_the_colours(
    tmp_path: Path, codec: str, container: str, pix_fmt: str
) -> None:
    source = write_clip(
        tmp_path / "source", codec, container, pix_fmt=pix_fmt, still=True, times=range(4)
    )
    _, kept = posted(source)
    assert_colours_are_alike(source, kept)


@pytest.mark.parametrize("matrix", ["bt709", "smpte170m", "bt2020nc"])
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p10le", "yuvj420p"])
def test_a_conversion_keeps_colours_under_the_declared_matrix(
    tmp_path: Path, matrix: str, pix_fmt: str
) -> None:
    """Most videos declare BT.709."""
    options = x265(colormatrix=matrix)
    source = write_clip(
        tmp_path / "source", "libx265", "mp4", pix_fmt=pix_fmt, options=options, still=True
    )
    _, kept = posted(source)
    assert_colours_are_alike(source, kept)
    encoding.shrink(source, tmp_path / "small.mp4", 100_000)
    assert_colours_are_alike(source, tmp_path / "small.mp4")


def assert_colours_are_alike(source: Path, kept: Path) -> None:
    before, after = pictures_of(source)[0], pictures_of(kept)[-1]
    for place in ((16, 12), (48, 12), (16, 36), (48, 36)):
        one, other = before.getpixel(place), after.getpixel(place)
        assert isinstance(one, tuple)
        assert one == pytest.approx(other, abs=8)


def test_good_sound_is_copied_beside_frames_that_are_encoded_again(tmp_path: Path) -> None:
    source = SAMPLES["HEVC"].write(tmp_path / "source")
    _, kept = posted(source)
    assert sounds_of(kept) == sounds_of(source), "byte for byte"


def sounds_of(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def test_a_conversion_does_not_repeat_the_key_frames_of_its_source(tmp_path: Path) -> None:
    """Every frame of Motion JPEG is a key frame; a video of key frames alone is many times as
    large.
    """
    source = write_clip(tmp_path / "source", "mjpeg", "avi", pix_fmt="yuvj420p", still=True)
    _, kept = posted(source)
    with av.open(str(kept)) as container:
        assert sum(packet.is_keyframe for packet in container.demux(video=0) if packet.size) == 1


def test_interlaced_frames_are_deinterlaced(tmp_path: Path) -> None:
    """Each interlaced frame has the rows of two moments, which a screen would show as a comb."""
    source = tmp_path / "source"
    with av.open(str(source), "w", format="mp4") as output:
        clip = output.add_stream("libx264", rate=25, options={**x264(tff=1), "qp": "10"})
        clip.width, clip.height, clip.pix_fmt = 64, 48, "yuv420p"
        for tick in range(8):
            frame = av.VideoFrame.from_image(woven(tick))  # type: ignore[no-untyped-call]
            output.mux(clip.encode(frame))
        output.mux(clip.encode(None))

    _, kept = posted(source)

    assert combed(pictures_of(source)[4]) > 100
    assert combed(pictures_of(kept)[4]) < 30


def woven(tick: int) -> Image.Image:
    """Return an interlaced picture of a bar that moves to the right: every other row is half a step
    ahead.
    """
    picture = Image.new("L", (64, 48))
    for row in range(48):
        begin = 12 * tick // 2 + (6 if row % 2 else 0)
        picture.paste(255, (begin, row, begin + 6, row + 1))
    return picture.convert("RGB")


def combed(picture: Image.Image) -> float:
    """Return the largest mean difference between neighbouring rows over all columns, in levels."""
    grey = picture.convert("L")
    rows = [grey.crop((0, row, 64, row + 1)).tobytes() for row in range(12, 36)]
    return max(
        sum(abs(one[at] - other[at]) for one, other in pairwise(rows)) / 23 for at in range(64)
    )


@pytest.mark.proof
@pytest.mark.parametrize(
    ("transfer", "signals", "shown"),
    [
        # By BT.2100, the signals for 0, 10, 100, 203, 400 and 1000 nits; the white of paper is 203.
        ("smpte2084", (0, 0.3023, 0.5081, 0.5807, 0.6526, 0.7518), (16, 79, 178, 213, 230, 234)),
        # The signals for 0, 5, 10, 26.5, 40 and 100 percent of the screen's brightest light.
        ("arib-std-b67", (0, 0.387, 0.544, 0.75, 0.829, 1), (16, 111, 151, 215, 228, 234)),
    ],
)
def test_an_hdr_video_becomes_sdr_with_the_intended_brightness(
    tmp_path: Path, transfer: str, signals: tuple[float, ...], shown: tuple[int, ...]
) -> None:
    """Dark and middle tones are as bright as intended, and highlights keep their shades."""
    source = bright_bars(tmp_path / "source", transfer, signals)

    _, kept = posted(source)

    with av.open(str(kept)) as container:
        context = container.streams.video[0].codec_context
        assert isinstance(context, av.VideoCodecContext)
        told = (context.color_trc, context.color_primaries, context.colorspace)
        plane = next(container.decode(video=0)).planes[0]
        middle = 24 * plane.line_size
        lumas = [bytes(plane)[middle + 32 + 64 * bar] for bar in range(len(signals))]
    assert told == (ColorTrc.BT709, ColorPrimaries.BT709, Colorspace.ITU709)
    assert lumas == pytest.approx(shown, abs=2)
    assert lumas[3] < lumas[4] < lumas[5]


def bright_bars(path: Path, transfer: str, signals: tuple[float, ...]) -> Path:
    """Write a 10-bit video of grey bars beside each other."""
    params = {"colorprim": "bt2020", "colormatrix": "bt2020nc", "transfer": transfer}
    with av.open(str(path), "w", format="mp4") as output:
        clip = output.add_stream("libx265", rate=24, options=x265(**params, qp=4, bframes=0))
        clip.width, clip.height, clip.pix_fmt = 64 * len(signals), 48, "yuv420p10le"
        frame = av.VideoFrame(clip.width, clip.height, clip.pix_fmt)
        frame.pts, frame.time_base = 0, Fraction(1, 24)
        row = [round(64 + 876 * signal) for signal in signals for _ in range(64)]
        frame.planes[0].update(array.array("H", row * 48).tobytes())
        for plane in frame.planes[1:]:
            plane.update(array.array("H", [512] * (plane.buffer_size // 2)).tobytes())
        output.mux([*clip.encode(frame), *clip.encode(None)])
    return path


@pytest.mark.parametrize("quiet", [(0.0, 1.0), (0.5, 1.5)])
def test_a_gap_in_the_sound_is_filled_with_silence(
    tmp_path: Path, quiet: tuple[float, float]
) -> None:
    """Without the silence, the sound after the gap would run ahead of the frames."""
    source = write_clip(
        tmp_path / "source", "libx264", "matroska", sound="flac", times=range(48), quiet=quiet
    )
    _, kept = posted(source)
    with av.open(str(kept)) as container:
        heard = list(container.decode(audio=0))
    # Players play samples one after another and ignore their times.
    assert sum(it.samples for it in heard) / 48_000 == pytest.approx(2.0, abs=0.1)
    loud = [it.time or 0.0 for it in heard if loudest(it) > 0.1]
    assert next(at for at in loud if at > quiet[0] + 0.1) == pytest.approx(quiet[1], abs=0.1)


def loudest(frame: av.AudioFrame) -> float:
    return max(abs(each) for each in array.array("f", bytes(frame.planes[0])))


@pytest.mark.parametrize("name", ["QuickTime", "a late index", "Flash of H.264"])
def test_a_remuxed_copy_is_marked_as_made_by_a_model(tmp_path: Path, name: str) -> None:
    _, kept = posted(SAMPLES[name].write(tmp_path / "source"))
    assert xmp_of(kept).count(SOURCE_TYPE) == 1


def test_a_converted_or_shrunk_video_is_marked_as_made_by_a_model(tmp_path: Path) -> None:
    source = SAMPLES["HEVC"].write(tmp_path / "source")
    _, kept = posted(source)
    assert xmp_of(kept).count(SOURCE_TYPE) == 1
    encoding.shrink(source, tmp_path / "small.mp4", 100_000)
    assert xmp_of(tmp_path / "small.mp4").count(SOURCE_TYPE) == 1


def xmp_of(path: Path) -> str:
    with av.open(str(path), options={"export_xmp": "1"}) as container:
        return container.metadata.get("xmp", "")
