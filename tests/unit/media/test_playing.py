"""Film in, film posted: whatever a gateway made, what comes out plays everywhere."""

import array
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from PIL import Image

from bot.core.errors import Broken
from bot.media import encoding
from bot.media.judging import Way, judge
from bot.media.labels import SOURCE_TYPE
from bot.media.videos import look_through, see, take_thumbnail
from tests.unit.media.samples import corners, noise, write_clip

FAST = "+faststart"
LATE = range(34, 58)
"""As transport streams begin: their first time is not zero."""
HOLE = (*range(20), *range(90, 110))
PACED = (0, 1, 2, 5, 6, 12, 13, 14, 30, 31, 47)


@dataclass(frozen=True)
class Film:
    """How to make one."""

    codec: str
    container: str
    more: dict[str, Any] = field(default_factory=dict)
    size: tuple[int, int] = (64, 48)
    """Of what is posted."""


REENCODED = {
    "HEVC": Film("libx265", "mp4", {"sound": "aac"}),
    "HEVC of 10 bits": Film("libx265", "mp4", {"pix_fmt": "yuv420p10le"}),
    "HEVC in Matroska": Film("libx265", "matroska", {"sound": "aac"}),
    "HEVC in a transport stream": Film("libx265", "mpegts", {"sound": "aac"}),
    "HEVC in a transport stream that begins late": Film("libx265", "mpegts", {"times": LATE}),
    "MPEG-4 Visual": Film("mpeg4", "mp4", {"sound": "aac", "flags": FAST}),
    "MPEG-4 Visual in AVI": Film("mpeg4", "avi", {"sound": "libmp3lame"}),
    "MPEG-2": Film("mpeg2video", "mpegts", {"sound": "mp2"}),
    "VP9 with Opus in WebM": Film("libvpx-vp9", "webm", {"sound": "libopus"}),
    "VP9 in MP4": Film("libvpx-vp9", "mp4", {"sound": "libopus"}),
    "VP9 with alpha": Film("libvpx-vp9", "webm", {"pix_fmt": "yuva420p"}),
    "VP8 with Vorbis": Film("libvpx", "webm", {"sound": "vorbis"}),
    "AV1": Film("libsvtav1", "mp4", {"sound": "aac"}),
    "ProRes with PCM": Film("prores_ks", "mov", {"pix_fmt": "yuv422p10le", "sound": "pcm_s16le"}),
    "ProRes with alpha": Film("prores_ks", "mov", {"pix_fmt": "yuva444p10le"}),
    "Motion JPEG": Film("mjpeg", "avi", {"pix_fmt": "yuvj420p"}),
    "Motion JPEG in QuickTime": Film("mjpeg", "mov", {"pix_fmt": "yuvj444p"}),
    "PNG in QuickTime": Film("png", "mov", {"pix_fmt": "rgb24"}),
    "FFV1 with FLAC": Film("ffv1", "matroska", {"sound": "flac"}),
    "Flash": Film("flv", "flv", {}),
    "a moving GIF": Film("gif", "gif", {"pix_fmt": "rgb8"}),
    "H.264 of 10 bits": Film("libx264", "mp4", {"pix_fmt": "yuv420p10le", "flags": FAST}),
    "H.264 of 4:2:2": Film("libx264", "mp4", {"pix_fmt": "yuv422p", "flags": FAST}),
    "H.264 of 4:4:4": Film("libx264", "mp4", {"pix_fmt": "yuv444p", "flags": FAST}),
    "H.264 of RGB": Film("libx264rgb", "mp4", {"pix_fmt": "rgb24", "flags": FAST}),
    "H.264 of full range": Film("libx264", "mp4", {"pix_fmt": "yuvj420p", "flags": FAST}),
    "lossless H.264": Film("libx264", "mp4", {"options": {"qp": "0"}, "flags": FAST}),
    "odd sides": Film("libvpx-vp9", "webm", {"size": (63, 47)}, (62, 46)),
    "odd sides of 4:4:4": Film(
        "libx264", "mp4", {"size": (65, 49), "pix_fmt": "yuv444p", "flags": FAST}, (64, 48)
    ),
    "wide pixels": Film("libx264", "mp4", {"pixel": Fraction(4, 3), "flags": FAST}, (84, 48)),
    "narrow pixels": Film("libx264", "mp4", {"pixel": Fraction(3, 4), "flags": FAST}, (48, 48)),
    "HEVC with a hole": Film("libx265", "mp4", {"times": HOLE, "sound": "aac"}),
    "VP9 of variable rate": Film("libvpx-vp9", "webm", {"times": PACED}),
    "PCM sound": Film("libx264", "mp4", {"sound": "pcm_s16le", "flags": FAST}),
    "Opus sound": Film("libx264", "mp4", {"sound": "libopus", "flags": FAST}),
    "MP3 sound": Film("libx264", "mp4", {"sound": "libmp3lame", "flags": FAST}),
    "AC-3 sound": Film("libx264", "mp4", {"sound": "ac3", "flags": FAST}),
}
_B_FRAMES = {"preset": "veryfast"}
REMUXED = {
    "a late index": Film("libx264", "mp4", {"sound": "aac"}),
    "a late index and no sound": Film("libx264", "mp4", {"options": _B_FRAMES}),
    "a file in parts": Film(
        "libx264", "mp4", {"sound": "aac", "flags": "+frag_keyframe+empty_moov"}
    ),
    "two sounds": Film("libx264", "mp4", {"sound": "aac", "second_sound": "aac", "flags": FAST}),
    "QuickTime": Film("libx264", "mov", {"sound": "aac"}),
    "Matroska": Film("libx264", "matroska", {"sound": "aac"}),
    "Matroska with B-frames": Film("libx264", "matroska", {"options": _B_FRAMES}),
    "a transport stream": Film("libx264", "mpegts", {"sound": "aac", "options": _B_FRAMES}),
    "a transport stream that begins late": Film(
        "libx264", "mpegts", {"times": LATE, "options": _B_FRAMES}
    ),
    "Flash of H.264": Film("libx264", "flv", {"sound": "aac"}),
    "AVI of H.264": Film("libx264", "avi", {}),
    "Matroska with a hole": Film("libx264", "matroska", {"times": HOLE, "options": _B_FRAMES}),
}
AS_IT_IS = {
    "good": Film("libx264", "mp4", {"sound": "aac", "flags": FAST}),
    "without sound": Film("libx264", "mp4", {"flags": FAST, "options": _B_FRAMES}),
    "with a hole": Film("libx264", "mp4", {"flags": FAST, "times": HOLE}),
}


def posted(source: Path) -> tuple[Way, Path]:
    """As the studio does it."""
    verdict = judge(look_through(source).seen)
    if verdict.way is Way.AS_IT_IS:
        return verdict.way, source
    target = source.with_name("posted.mp4")
    if not verdict.pictures:
        with suppress(Broken):
            encoding.remux(source, target, verdict)
            return verdict.way, target
    encoding.convert(source, target)
    return Way.REENCODED, target


def made(tmp_path: Path, film: Film, **more: Any) -> Path:
    return write_clip(tmp_path / "source", film.codec, film.container, **film.more, **more)


def times_of(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [frame.time or 0.0 for frame in container.decode(video=0)]


def pictures_of(path: Path) -> list[Image.Image]:
    with av.open(str(path)) as container:
        return [it.to_image() for it in container.decode(video=0)]  # type: ignore[no-untyped-call]


def assert_plays(path: Path, size: tuple[int, int]) -> None:
    """Probed, and decoded to the end."""
    assert judge(look_through(path).seen).reasons == ()
    with av.open(str(path)) as container:
        film, *sounds = container.streams
        assert isinstance(film, av.VideoStream)
        assert (film.codec_context.name, film.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (film.width, film.height, film.sample_aspect_ratio or 1) == (*size, 1)
        assert [each.codec_context.name for each in sounds] in ([], ["aac"])
        assert sum(1 for _ in container.decode(film)) == film.frames > 0
    body = path.read_bytes()
    assert body.index(b"moov") < body.index(b"mdat")


@pytest.mark.parametrize("name", REENCODED)
def test_a_film_that_plays_nowhere_or_here_and_there_is_made_anew(
    tmp_path: Path, name: str
) -> None:
    film = REENCODED[name]
    source = made(tmp_path, film)

    way, kept = posted(source)

    assert way is Way.REENCODED
    assert_plays(kept, film.size)
    assert_times_are_kept(source, kept)
    assert_is_heard_as_long(source, kept)


@pytest.mark.parametrize("name", REMUXED)
def test_good_tracks_are_put_into_a_file_that_plays(tmp_path: Path, name: str) -> None:
    film = REMUXED[name]
    source = made(tmp_path, film)

    way, kept = posted(source)

    assert way is Way.REMUXED
    assert_plays(kept, film.size)
    assert_times_are_kept(source, kept)
    assert [it.tobytes() for it in pictures_of(kept)] == [
        it.tobytes() for it in pictures_of(source)
    ], "the very same pictures"


@pytest.mark.parametrize("name", AS_IT_IS)
def test_a_film_that_plays_everywhere_is_left_alone(tmp_path: Path, name: str) -> None:
    source = made(tmp_path, AS_IT_IS[name])
    before = source.read_bytes()
    way, kept = posted(source)
    assert (way, kept.read_bytes()) == (Way.AS_IT_IS, before)
    assert_plays(kept, (64, 48))


@pytest.mark.parametrize("name", ["H.264 of full range", "Motion JPEG", "H.264 of RGB"])
def test_black_and_white_stay_within_the_range_that_players_expect(
    tmp_path: Path, name: str
) -> None:
    """Of 16 to 235: players take what lies beyond for it, and dark and bright places look flat."""
    film = REENCODED[name]
    source = tmp_path / "source"
    with av.open(str(source), "w", format=film.container) as output:
        video = output.add_stream(film.codec, rate=24)
        assert isinstance(video, av.VideoStream)
        video.width, video.height, video.pix_fmt = 64, 48, film.more["pix_fmt"]
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


def test_the_last_picture_is_shown_as_long_as_before(tmp_path: Path) -> None:
    """Animations rest on it."""
    source = tmp_path / "source"
    first, *others = (noise(64, 48, seed) for seed in range(3))
    first.save(source, "GIF", save_all=True, append_images=others, duration=[100, 100, 3000])
    _, kept = posted(source)
    assert look_through(kept).clip.seconds == pytest.approx(3.2, abs=0.05)
    assert times_of(kept) == pytest.approx([0.0, 0.1, 0.2], abs=0.002)


def assert_times_are_kept(source: Path, kept: Path) -> None:
    """Each picture as long after the first as before, in a file that starts at once."""
    before, after = times_of(source), times_of(kept)
    assert len(after) == len(before)
    assert 0 <= after[0] < 0.09
    assert [at - after[0] for at in after] == pytest.approx(
        [at - before[0] for at in before], abs=0.002
    )


def assert_is_heard_as_long(source: Path, kept: Path) -> None:
    with av.open(str(source)) as before, av.open(str(kept)) as after:
        assert len(after.streams.audio) == min(1, len(before.streams.audio))
        if after.streams.audio:
            assert lasting(after.streams.audio[0]) == pytest.approx(
                lasting(after.streams.video[0]), abs=0.1
            )


def lasting(stream: av.stream.Stream) -> float:
    assert stream.duration
    assert stream.time_base
    return float(stream.duration * stream.time_base)


# ---------------------------------------------------------------- which way up

ORIENTATIONS = {
    (1, 0, 0, 1): "RGWB",
    (-1, 0, 0, -1): "WBRG",
    (-1, 0, 0, 1): "GRBW",
    (1, 0, 0, -1): "BWGR",
    (0, -1, 1, 0): "GWBR",
    (0, 1, -1, 0): "BRGW",
    (0, 1, 1, 0): "RBWG",
    (0, -1, -1, 0): "WGRB",
}
"""By the matrix: the corners of what is to be shown, clockwise from the upper left."""


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
@pytest.mark.parametrize("matrix", ORIENTATIONS)
def test_all_eight_orientations_are_shown_upright(
    tmp_path: Path, matrix: tuple[int, int, int, int], codec: str
) -> None:
    source = write_clip(
        tmp_path / "source", codec, "mp4", matrix=matrix, still=True, times=range(4), flags=FAST
    )

    _, kept = posted(source)

    assert_plays(kept, (64, 48) if matrix[0] else (48, 64))
    assert {corners(picture) for picture in pictures_of(kept)} == {ORIENTATIONS[matrix]}
    for path in (source, kept):
        take_thumbnail(path, tmp_path / "still.jpg")
        with Image.open(tmp_path / "still.jpg") as still:
            assert corners(still) == ORIENTATIONS[matrix]


# ---------------------------------------------------------------- what an edit list leaves


def with_edit(source: Path, *, first: int, seconds: float) -> None:
    """Let the film begin with that picture, and last that long."""
    body = bytearray(source.read_bytes())
    at = body.index(b"elst") + 12
    (begin,) = struct.unpack_from(">i", body, at + 4)
    struct.pack_into(">Ii", body, at, round(seconds * 1000), begin + first * 512)
    source.write_bytes(body)


@pytest.mark.parametrize(("first", "seconds"), [(10, 1.0), (0, 1.0), (24, 1.0)])
@pytest.mark.parametrize("sound", [None, "aac"])
@pytest.mark.parametrize("container", ["mp4", "mov"])
def test_what_an_edit_list_cuts_is_not_posted(
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
    """The one that looks most like it."""

    def distance(number: int) -> int:
        pairs = zip(picture.tobytes(), pictures[number].tobytes(), strict=True)
        return sum((one - other) ** 2 for one, other in pairs)

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
def test_colours_stay(tmp_path: Path, codec: str, container: str, pix_fmt: str) -> None:
    source = write_clip(
        tmp_path / "source", codec, container, pix_fmt=pix_fmt, still=True, times=range(4)
    )
    _, kept = posted(source)
    before, after = pictures_of(source)[0], pictures_of(kept)[-1]
    for place in ((16, 12), (48, 12), (16, 36), (48, 36)):
        one, other = before.getpixel(place), after.getpixel(place)
        assert isinstance(one, tuple)
        assert one == pytest.approx(other, abs=8)


@pytest.mark.proof
@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
def test_hdr_becomes_what_every_screen_shows(tmp_path: Path, transfer: str) -> None:
    params = f"log-level=none:colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc"
    source = write_clip(
        tmp_path / "source",
        "libx265",
        "mp4",
        pix_fmt="yuv420p10le",
        options={"x265-params": params},
        still=True,
        times=range(4),
    )
    _, kept = posted(source)
    assert_plays(kept, (64, 48))
    assert corners(pictures_of(kept)[0])[:3] == "RGW"
    with av.open(str(kept)) as container:
        context = container.streams.video[0].codec_context
        assert isinstance(context, av.VideoCodecContext)
        told = (context.color_trc, context.color_primaries, context.colorspace)
    assert told == (ColorTrc.BT709, ColorPrimaries.BT709, Colorspace.ITU709)


@pytest.mark.parametrize("quiet", [(0.0, 1.0), (0.5, 1.5)])
def test_silence_takes_the_place_of_sound_that_is_not_there(
    tmp_path: Path, quiet: tuple[float, float]
) -> None:
    """Else what follows would run ahead of the pictures."""
    source = write_clip(
        tmp_path / "source", "libx264", "matroska", sound="flac", times=range(48), quiet=quiet
    )
    _, kept = posted(source)
    with av.open(str(kept)) as container:
        heard = list(container.decode(audio=0))
    # Players play samples one after another, whatever times stand beside them.
    assert sum(it.samples for it in heard) / 48_000 == pytest.approx(2.0, abs=0.1)
    loud = [it.time or 0.0 for it in heard if loudest(it) > 0.1]
    assert next(at for at in loud if at > quiet[0] + 0.1) == pytest.approx(quiet[1], abs=0.1)


def loudest(frame: av.AudioFrame) -> float:
    return max(abs(each) for each in array.array("f", bytes(frame.planes[0])))


@pytest.mark.parametrize("name", ["QuickTime", "a late index", "Flash of H.264"])
def test_a_copy_says_that_a_model_made_it(tmp_path: Path, name: str) -> None:
    _, kept = posted(made(tmp_path, REMUXED[name]))
    assert xmp_of(kept).count(SOURCE_TYPE) == 1


def test_a_film_that_is_made_anew_or_smaller_says_so_too(tmp_path: Path) -> None:
    source = made(tmp_path, REENCODED["HEVC"])
    _, kept = posted(source)
    assert xmp_of(kept).count(SOURCE_TYPE) == 1
    encoding.shrink(source, tmp_path / "small.mp4", 100_000)
    assert xmp_of(tmp_path / "small.mp4").count(SOURCE_TYPE) == 1


def xmp_of(path: Path) -> str:
    with av.open(str(path), options={"export_xmp": "1"}) as container:
        return container.metadata.get("xmp", "")
