"""A gateway's file before it is kept: complete, decodable, and converted to an MP4 that plays."""

from contextlib import suppress
from pathlib import Path

import av
import pytest

from bot.core.errors import Broken
from bot.media import encoding
from bot.media.checking import check
from bot.media.encoding import convert, remux, shrink
from bot.media.facts import Probe
from bot.media.judging import Verdict, Way, judge
from bot.media.reading import THREADS, opened, video_stream
from bot.media.tracks import Copied
from bot.media.videos import examine
from bot.media.workers import Workers
from tests.unit.media import tasks
from tests.unit.media.making import x264
from tests.unit.media.samples import encoded, quarters, with_noise, write_clip, write_video

OTHERS = {
    "WebM": ("libvpx-vp9", "webm", "libopus"),
    "WebM of VP8": ("libvpx", "webm", "libopus"),
    "Matroska": ("libx264", "matroska", "aac"),
    "QuickTime": ("libx264", "mov", "aac"),
    "AVI": ("mpeg4", "avi", "ac3"),
    "a transport stream": ("libx264", "mpegts", "aac"),
    "a program stream": ("mpeg2video", "mpeg", "mp2"),
    "Flash": ("flv", "flv", None),
    "ASF": ("wmv2", "asf", None),
}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("videos") / "clip.mp4", faststart=True)


def prepare(source: Path, target: Path) -> tuple[Probe, Path]:
    """Prepare a file in the same way as the studio.

    Return its properties and the file that is posted.
    """
    examined = examine(source)
    verdict = judge(examined.seen)
    if verdict.way is Way.AS_IT_IS:
        return examined.clip, source
    if not verdict.pictures:
        with suppress(Broken):
            return remux(source, target, verdict), target
    return convert(source, target)[0], target


def times_of(path: Path) -> list[float]:
    """Return the second at which each frame is shown."""
    with av.open(str(path)) as container:
        return [round(frame.time or 0.0, 3) for frame in container.decode(video=0)]


@pytest.mark.parametrize("name", OTHERS)
def test_a_video_in_any_container_becomes_an_mp4_that_plays(tmp_path: Path, name: str) -> None:
    codec, container, sound = OTHERS[name]
    source = write_clip(tmp_path / "source", codec, container, sound=sound)

    probe, kept = prepare(source, tmp_path / "video.mp4")

    assert (probe.codec, probe.has_audio) == ("h264", sound is not None)
    assert (probe.width, probe.height) == (64, 48)
    assert probe.seconds == pytest.approx(1.0, abs=0.1)
    with av.open(str(kept), format="mp4") as made:
        assert made.streams.video[0].pix_fmt == "yuv420p"
        assert [each.codec_context.name for each in made.streams.audio] == ["aac"] * bool(sound)
    body = kept.read_bytes()
    assert body.index(b"moov") < body.index(b"mdat")
    shown = times_of(kept)
    assert len(shown) == 24
    # Sound may begin a moment before the frames.
    assert 0.0 <= shown[0] < 0.03
    assert [at - shown[0] for at in shown] == pytest.approx(
        [tick / 24 for tick in range(24)], abs=0.002
    )


def test_a_remuxed_copy_that_would_not_play_is_refused(tmp_path: Path) -> None:
    """The copy itself is examined, and not only its source."""
    source = write_clip(tmp_path / "source", "libx265", "mov")
    with pytest.raises(Broken, match="cannot_copy"):
        remux(source, tmp_path / "video.mp4", Verdict(file=("container",)))


def test_a_remuxed_copy_with_a_packet_without_a_time_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The muxer would guess a time."""

    class Untimed(Copied):
        def take(self, packet: "av.Packet[av.stream.Stream]") -> None:
            packet.pts = None
            super().take(packet)

    monkeypatch.setattr(encoding, "Copied", Untimed)
    source = write_clip(tmp_path / "source", "libx264", "mov")
    with pytest.raises(Broken, match="cannot_copy"):
        remux(source, tmp_path / "video.mp4", judge(examine(source).seen))


def test_a_remuxed_copy_is_as_long_as_its_source_if_the_last_frame_is_decoded_earlier(
    tmp_path: Path,
) -> None:
    """B-frames are decoded after the frame that is shown after them."""
    options = x264(bframes=2, **{"b-adapt": 0})
    source = write_clip(
        tmp_path / "source", "libx264", "mov", times=(*range(6), 20), options=options
    )
    with av.open(str(source)) as container:
        times = [packet.pts for packet in container.demux(video=0) if packet.pts is not None]
    assert times[-1] < max(times), "or the test shows nothing"
    kept, _ = prepare(source, tmp_path / "video.mp4")
    assert kept.seconds == pytest.approx(21 / 24, abs=0.05)


def test_sound_that_cannot_be_copied_is_encoded_again(tmp_path: Path) -> None:
    """Of videos with good frames, only those whose sound could not be copied come here."""
    source = write_clip(tmp_path / "source", "libx264", "mov", sound="aac")
    convert(source, tmp_path / "video.mp4")
    assert sounds_of(tmp_path / "video.mp4") != sounds_of(source)


def sounds_of(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def test_a_shrunk_video_that_is_still_too_large_is_refused(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bit rate is normally planned with a margin; here the margin is removed."""
    monkeypatch.setattr(encoding, "_MARGIN", 6.0)
    with pytest.raises(Broken, match="cannot_shrink"):
        shrink(clip, tmp_path / "small.mp4", clip.stat().st_size // 5)


def test_a_video_of_one_pixel_becomes_two_by_two_pixels(tmp_path: Path) -> None:
    """Two is the smallest even side."""
    source = write_clip(tmp_path / "source", "ffv1", "matroska", size=(1, 1), pix_fmt="yuv444p")
    kept, _ = prepare(source, tmp_path / "video.mp4")
    assert (kept.width, kept.height) == (2, 2)


@pytest.mark.parametrize(("kind", "pix_fmt"), [("gif", "rgb8"), ("apng", "rgb24")])
def test_an_animated_gif_or_png_is_a_video_and_a_still_one_is_not(
    tmp_path: Path, kind: str, pix_fmt: str
) -> None:
    moving = write_clip(tmp_path / "moving", kind, kind, pix_fmt=pix_fmt)
    probe, kept = prepare(moving, tmp_path / "video.mp4")
    assert (probe.codec, len(times_of(kept))) == ("h264", 24)
    still = tmp_path / "still"
    still.write_bytes(encoded(quarters(64, 48), "GIF" if kind == "gif" else "PNG"))
    with pytest.raises(Broken, match="not_a_video"):
        prepare(still, tmp_path / "video.mp4")


@pytest.mark.parametrize(("codec", "container"), [("libvpx-vp9", "webm"), ("libx264", "mov")])
@pytest.mark.parametrize(
    "ticks",
    [(*range(96), *range(97, 192)), (*range(20), *range(60, 90))],
    ids=["a dropped frame", "a gap"],
)
def test_a_conversion_keeps_the_times_of_frames_around_dropped_frames_and_gaps(
    tmp_path: Path, codec: str, container: str, ticks: tuple[int, ...]
) -> None:
    """On ticks of the average frame rate, two frames would share one tick."""
    source = write_clip(tmp_path / "source", codec, container, times=ticks)

    _, kept = prepare(source, tmp_path / "video.mp4")

    assert times_of(kept) == pytest.approx([tick / 24 for tick in ticks], abs=0.002)


@pytest.mark.proof
def test_a_video_with_a_dropped_frame_shrinks_and_keeps_its_times(tmp_path: Path) -> None:
    ticks = (*range(96), *range(97, 192))
    source = write_clip(tmp_path / "source.mp4", "libx264", "mp4", times=ticks, size=(640, 360))
    shrink(source, tmp_path / "small.mp4", 120_000)
    assert times_of(tmp_path / "small.mp4") == pytest.approx([it / 24 for it in ticks], abs=0.002)


def test_an_odd_side_of_a_video_is_cut_by_one_pixel(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "source", "libvpx-vp9", "webm", size=(63, 47))
    probe, _ = prepare(source, tmp_path / "video.mp4")
    assert (probe.width, probe.height) == (62, 46)


@pytest.mark.parametrize(
    "tail",
    [b"\r\n", b"\n", b"\0", bytes(7), bytes(8), bytes(4096), b"-->", b"<html>" * 99, b"\xff" * 99],
    ids=lambda tail: repr(tail[:8]),
)
@pytest.mark.parametrize("faststart", [False, True])
def test_bytes_behind_the_last_box_are_not_posted_and_stay_in_the_original(
    tmp_path: Path, tail: bytes, faststart: bool
) -> None:
    """Content credentials in a file may be signed for all of its bytes."""
    path = write_video(tmp_path / "clip.mp4", seconds=1, still=quarters(32, 18), width=32,
                       height=18, faststart=faststart)  # fmt: skip
    whole = path.read_bytes()
    path.write_bytes(whole + tail)

    assert judge(examine(path).seen).file[-1] == "tail"
    _, kept = prepare(path, tmp_path / "video.mp4")

    assert path.read_bytes() == whole + tail
    assert judge(examine(kept).seen).reasons == ()
    assert len(times_of(kept)) == 12


def test_a_truncated_box_behind_the_index_makes_the_video_truncated(
    clip: Path, tmp_path: Path
) -> None:
    """In a fragmented video, a later fragment may be as important as the first."""
    path = tmp_path / "cut.mp4"
    for kind in (b"moof", b"mdat", b"free"):
        path.write_bytes(clip.read_bytes() + b"\0\0\1\0" + kind + bytes(9))
        with pytest.raises(Broken, match="video_truncated"):
            prepare(path, tmp_path / "video.mp4")


def test_a_good_video_is_not_changed(clip: Path, tmp_path: Path) -> None:
    before = clip.read_bytes()
    _, kept = prepare(clip, tmp_path / "video.mp4")
    assert (kept, clip.read_bytes()) == (clip, before)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_video_that_turns_into_noise_is_damaged(clip: Path, tmp_path: Path, share: float) -> None:
    path = tmp_path / "noise.mp4"
    path.write_bytes(with_noise(clip.read_bytes(), of=share))
    with pytest.raises(Broken, match="video_damaged") as broken:
        prepare(path, tmp_path / "video.mp4")
    assert broken.value.values["pictures"] == pytest.approx(24, abs=1)


@pytest.mark.parametrize("codec", ["libx265", "mpeg4", "libvpx-vp9"])
def test_noise_is_detected_in_other_codecs_too(tmp_path: Path, codec: str) -> None:
    path = write_clip(tmp_path / "clip.mp4", codec, "mp4", times=range(72))
    check(path)
    path.write_bytes(with_noise(path.read_bytes()))
    with pytest.raises(Broken, match="video_damaged"):
        check(path)


@pytest.mark.parametrize("container", ["webm", "matroska", "avi", "flv"])
def test_half_a_file_in_a_container_without_an_index_is_damaged(
    tmp_path: Path, container: str
) -> None:
    """Where frames are found by reading on, noise hides frames without an error."""
    codec = {"webm": "libvpx-vp9", "avi": "mpeg4", "flv": "flv"}.get(container, "libx264")
    path = write_clip(tmp_path / "clip", codec, container, times=range(72))
    check(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(Broken, match=r"video_damaged|not_a_video"):
        prepare(path, tmp_path / "video.mp4")


async def test_a_video_that_needs_too_much_memory_is_not_called_damaged(tmp_path: Path) -> None:
    """The limit begins below the least memory in which the video can be opened, which differs by
    machine.
    """
    path = write_clip(tmp_path / "clip.mp4", "libx265", "mp4", size=(1920, 1080), still=True)
    room, told, called = 34_000_000, None, set[str]()
    while told is None:
        workers, room = Workers(1), room + 2_000_000
        try:
            told = await workers.run(tasks.look_in, room, path, timeout=60)
        except Broken as error:
            called.add(error.code)
        finally:
            await workers.close()
    assert (told.shown, "video_damaged" in called) == (24, False)


def test_a_single_damaged_frame_among_many_is_accepted(tmp_path: Path) -> None:
    """The video is paid for, and a flicker is better than no video."""
    path = write_clip(tmp_path / "clip.mp4", "libx264", "mp4", times=range(72))
    body = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        places = [(it.pos, it.size) for it in container.demux(video=0) if it.pos and it.size]
    at, size = places[-1]
    body[at + 8 : at + size] = bytes(size - 8)
    path.write_bytes(body)
    check(path)


@pytest.mark.parametrize(
    ("size", "usual", "sparing"),
    [
        ((64, 48), (64, 48), (64, 48)),
        ((1920, 1080), (1920, 1080), (1920, 1080)),
        ((3840, 2160), (3840, 2160), (2048, 1152)),
        ((7680, 4320), (4096, 2304), (2048, 1152)),
        ((4096, 4096), (3072, 3072), (1536, 1536)),
    ],
)
def test_a_second_try_of_a_conversion_uses_one_thread_and_a_quarter_of_the_pixels(
    size: tuple[int, int], usual: tuple[int, int], sparing: tuple[int, int]
) -> None:
    clip = Probe(
        width=size[0], height=size[1], seconds=5, codec="av1", has_audio=False, frames_per_second=24
    )
    for plan, wanted, threads in (
        (encoding._same(clip), usual, THREADS),
        (encoding._sparing(clip), sparing, 1),
    ):
        assert ((plan.width, plan.height), plan.threads) == (wanted, threads)


@pytest.mark.parametrize("threads", [1, THREADS])
def test_a_video_is_decoded_with_the_given_number_of_threads(clip: Path, threads: int) -> None:
    with opened(clip, threads=threads) as container:
        assert video_stream(container).codec_context.thread_count == threads
