"""Every sample video is posted, probed, decoded to the end and played in a browser."""

import base64
import io
import struct
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import av
import pytest
import pytest_asyncio
from aiohttp import web
from av.video.reformatter import Colorspace
from PIL import Image, ImageChops, ImageStat
from PIL.Image import Transpose
from playwright.async_api import Browser, Page

from bot.core.jobs import Video
from bot.media.judging import Way
from bot.media.labels import SOURCE_TYPE
from bot.media.studio import Studio
from tests.unit.media.making import Sample
from tests.unit.media.samples import corners
from tests.unit.media.videos import HEARD_ANEW, REMUXED, SAMPLES, TURNS, way_of

pytestmark = pytest.mark.browser

PROFILES = {66: "Baseline", 77: "Main", 100: "High"}
UNTIMED = frozenset({"H.264 with B-frames in AVI", "H.264 in a program stream"})
"""Samples whose frame times libav does not report, so that no times are compared."""
JUMBLED = frozenset({"a video behind a video", "pictures that all have one time"})
"""Samples with impossible frame times: `test_times` says how they are converted."""
MOST_DIFFERENCE = 10
"""The largest average difference between two frames, in levels of 256."""
_UNTOLD = 2
"""The value "unspecified" for colours (ITU-T H.273)."""
SIDE = 80
"""The longest side of the frames that are compared, in pixels."""
UPRIGHT = (1, 0, 0, 1)
UPRIGHTED = {
    (-1, 0, 0, -1): Transpose.ROTATE_180,
    (-1, 0, 0, 1): Transpose.FLIP_LEFT_RIGHT,
    (1, 0, 0, -1): Transpose.FLIP_TOP_BOTTOM,
    (0, -1, 1, 0): Transpose.ROTATE_90,
    (0, 1, -1, 0): Transpose.ROTATE_270,
    (0, 1, 1, 0): Transpose.TRANSPOSE,
    (0, -1, -1, 0): Transpose.TRANSVERSE,
}
PLAY = """async (address) => {
  const video = document.createElement('video');
  video.muted = true;
  video.defaultPlaybackRate = 16;
  document.body.replaceChildren(video);
  const word = await new Promise((done) => {
    video.onended = () => done('ended');
    video.onerror = () => done(`error ${video.error.code}: ${video.error.message}`);
    video.src = address;
    video.play().catch((error) => done(`refused: ${error}`));
  });
  if (word === 'ended') {
    // At this speed some pictures are never drawn, maybe the last.
    const there = new Promise((done) => { video.onseeked = done; });
    const drawn = new Promise((done) => { video.requestVideoFrameCallback(done); });
    video.currentTime = video.duration;
    await there;
    await Promise.race([drawn, new Promise((done) => { setTimeout(done, 300); })]);
  }
  const canvas = document.createElement('canvas');
  const scale = Math.min(1, SIDE / Math.max(video.videoWidth, video.videoHeight));
  canvas.width = Math.max(1, Math.round(video.videoWidth * scale));
  canvas.height = Math.max(1, Math.round(video.videoHeight * scale));
  canvas.getContext('2d').drawImage(video, 0, 0, canvas.width, canvas.height);
  return [word, video.videoWidth, video.videoHeight, video.duration, canvas.toDataURL()];
}""".replace("SIDE", str(SIDE))


@dataclass
class Stage:
    """The app's media studio, and a browser page that plays videos."""

    studio: Studio
    page: Page
    shown: dict[str, Path]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stage(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """Yield one studio and one page for all samples."""
    shown: dict[str, Path] = {}

    async def clip(request: web.Request) -> web.StreamResponse:
        headers = {"Content-Type": "video/mp4"}
        return web.FileResponse(shown[request.match_info["name"]], headers=headers)

    async def blank(_: web.Request) -> web.Response:
        return web.Response(text="<!doctype html>", content_type="text/html")

    app = web.Application()
    app.add_routes([web.get("/", blank), web.get("/{name}.mp4", clip)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    page = await browser.new_page()
    await page.goto(f"http://127.0.0.1:{runner.addresses[0][1]}/")
    async with Studio(tmp_path_factory.mktemp("stage")) as studio:
        yield Stage(studio, page, shown)
    await page.close()
    await runner.cleanup()


@pytest.mark.parametrize(
    "name",
    [
        # Every third of each kind per push.
        pytest.param(name, marks=pytest.mark.long if number % 3 else pytest.mark.proof)
        for number, name in enumerate(SAMPLES)
    ],
)
async def test_every_sample_video_is_posted_in_a_form_that_plays_on_phones_and_in_chromium(
    stage: Stage, tmp_path: Path, name: str
) -> None:
    clip = SAMPLES[name]
    source = clip.write(tmp_path / "source")
    before = source.read_bytes()

    video = await stage.studio.keep_video(source)
    if not video.plays:
        video = await stage.studio.convert(video)

    assert_went_its_way(name, video)
    async with (
        stage.studio.file(video.key) as posted,
        stage.studio.file(video.original.key) as original,
    ):
        assert original.read_bytes() == before, "as the gateway made it"
        assert xmp_of(posted).count(SOURCE_TYPE) == bool(video.converted)
        assert (video.width, video.height) == clip.posted
        assert_phones_play(posted, clip)
        assert_looks_and_lasts_as_before(name, source, posted)
        if name not in JUMBLED:
            assert_sounds_as_long(source, posted)
        await assert_chromium_plays(stage, name, posted, clip)
    for key in video.keys:
        await stage.studio.delete(key)


def assert_went_its_way(name: str, video: Video) -> None:
    """Check that the video was kept, remuxed or encoded again as its sample says."""
    assert video.plays
    went = {
        (True, False): Way.AS_IT_IS,
        (False, False): Way.REMUXED,
        (False, True): Way.REENCODED,
    }
    assert went[video.converted is None, video.reencoded] == way_of(name)


# ---------------------------------------------------------------- probed


def assert_phones_play(path: Path, clip: Sample) -> None:
    """Check boxes and codecs of a file for what phones require."""
    body = path.read_bytes()
    kinds = [kind for kind, _, _ in boxes(body)]
    assert kinds[0] == b"ftyp"
    assert set(kinds) <= {b"ftyp", b"moov", b"mdat", b"free", b"uuid"}
    assert kinds.index(b"moov") < kinds.index(b"mdat")
    for start in inside(body, b"moov", b"trak", b"tkhd"):
        at = start + (52 if body[start] else 40)
        matrix = struct.unpack_from(">9i", body, at)
        assert matrix[:2] + matrix[3:5] == (1 << 16, 0, 0, 1 << 16), "turned by its pixels alone"
    at = body.index(b"avcC") + 5
    profile, level = body[at], body[at + 2]
    assert profile in PROFILES
    assert level <= 52
    with av.open(str(path)) as container:
        (picture,) = (it for it in container.streams.video if not is_cover(it))
        sounds = container.streams.audio
        others = {it.type for it in container.streams} - {"video", "audio"}
        assert len(sounds) <= 1
        assert others <= {"data"}, "chapters and time codes, which no player minds"
        context = picture.codec_context
        told = (context.name, context.pix_fmt, picture.width, picture.height)
        assert told == ("h264", "yuv420p", *clip.posted)
        assert (picture.sample_aspect_ratio or 1) == 1
        for sound in sounds:
            assert (sound.codec_context.name, sound.profile) == ("aac", "LC")
            assert sound.codec_context.sample_rate <= 48_000
            assert sound.codec_context.channels <= 6
        assert abs(container.start_time or 0) <= 100_000
    assert_steps_forward(path)


def assert_steps_forward(path: Path) -> None:
    """Check that the times of decoding rise in each track."""
    with av.open(str(path)) as container:
        steps: dict[int, list[int]] = {}
        for packet in container.demux():
            if packet.dts is not None and not is_cover(packet.stream):
                steps.setdefault(packet.stream.index, []).append(packet.dts)
        assert all(one < other for each in steps.values() for one, other in pairwise(each))
    with av.open(str(path)) as container:
        picture = next(it for it in container.streams.video if not is_cover(it))
        frames = list(container.decode(picture))
        assert len(frames) == picture.frames, "each is decoded"
    assert all((one.time or 0) < (other.time or 0) for one, other in pairwise(frames))
    assert not any(frame.interlaced_frame or frame.is_corrupt for frame in frames)
    assert {int(frame.color_range) for frame in frames} <= {0, 1}, "of limited range"
    assert not {int(frame.color_trc) for frame in frames} & {16, 18}, "for every screen"


def boxes(body: bytes, at: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, first byte and end of each box. The boxes must reach exactly to `end`."""
    end = len(body) if end is None else end
    while at < end:
        size, kind = struct.unpack_from(">I4s", body, at)
        head = 16 if size == 1 else 8
        size = int.from_bytes(body[at + 8 : at + 16]) if size == 1 else size
        assert size >= head
        assert at + size <= end
        yield kind, at + head, at + size
        at += size


def inside(body: bytes, *path: bytes) -> list[int]:
    """Return the first byte of each box at that path."""
    spans = [(0, len(body))]
    for step in path:
        spans = [
            (begin, end)
            for outer in spans
            for kind, begin, end in boxes(body, *outer)
            if kind == step
        ]
    return [begin for begin, _ in spans]


def is_cover(stream: av.stream.Stream) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def xmp_of(path: Path) -> str:
    with av.open(str(path), options={"export_xmp": "1"}) as container:
        return container.metadata.get("xmp", "")


# ---------------------------------------------------------------- decoded to the end


def assert_looks_and_lasts_as_before(name: str, source: Path, posted: Path) -> None:
    # Players disagree about such edit lists, so the whole video is shown.
    options = {"ignore_editlist": "1"} if "edits" in SAMPLES[name].why else {}
    before, after = pictures_of(source, options), pictures_of(posted)
    if "rate" in SAMPLES[name].why:
        before = before[::2]
    assert len(after) == len(before)
    if name not in UNTIMED | JUMBLED:
        assert [at - after[0][0] for at, _ in after] == pytest.approx(
            [at - before[0][0] for at, _ in before], abs=0.002
        )
    if name not in JUMBLED:
        assert_lasts_as_long(source, posted)
    if "hdr" in SAMPLES[name].why:  # HDR becomes SDR, so the colours change
        assert corners(after[-1][1])[:3] == "RGW"
        return
    for (_, one), (_, other) in zip(before, after, strict=True):
        unlike = difference(uprighted(one, SAMPLES[name]), other)
        # A remuxed copy has exactly the same frames.
        assert unlike == 0 if name in (*REMUXED, *HEARD_ANEW) else unlike < MOST_DIFFERENCE
    if name in TURNS:
        assert corners(after[-1][1]) == TURNS[name][1]


def pictures_of(
    path: Path, options: dict[str, str] | None = None
) -> list[tuple[float, Image.Image]]:
    """Return time and picture, made small, of each frame in the file."""
    with av.open(str(path), options=options) as container:
        picture = next(it for it in container.streams.video if not is_cover(it))
        return [(frame.time or 0.0, small(frame)) for frame in container.decode(picture)]


def small(frame: av.VideoFrame) -> Image.Image:
    # Browsers assume HDTV colours for large videos that declare none.
    is_untold = frame.colorspace == _UNTOLD and frame.height >= 720
    colours = {"src_colorspace": Colorspace.ITU709} if is_untold else {}
    still: Image.Image = frame.to_image(**colours)  # type: ignore[no-untyped-call]
    still.thumbnail((SIDE, SIDE))
    return still


def uprighted(stored: Image.Image, clip: Sample) -> Image.Image:
    """Return the stored frame turned as the sample's rotation says."""
    way = UPRIGHTED.get(clip.how.get("matrix", UPRIGHT))
    return stored if way is None else stored.transpose(way)


def difference(one: Image.Image, other: Image.Image) -> float:
    """Return the average difference of two pictures in levels.

    The first is cropped or scaled to the second.
    """
    is_cut = 0 < one.width - other.width < 2 or 0 < one.height - other.height < 2
    alike = one.crop((0, 0, *other.size)) if is_cut else one.resize(other.size)
    alike = ImageChops.difference(alike, other)
    return max(ImageStat.Stat(alike).mean)


def assert_lasts_as_long(source: Path, posted: Path) -> None:
    with av.open(str(source)) as one, av.open(str(posted)) as other:
        if one.duration:  # not every container states a duration
            step = 1 / float(one.streams.video[0].average_rate or 24)
            lasting = [(it.duration or 0) / av.time_base for it in (one, other)]
            assert lasting[1] == pytest.approx(lasting[0], abs=max(0.1, 2 * step))


def assert_sounds_as_long(source: Path, posted: Path) -> None:
    """Check that the time from the first frame to the last sound is the same in the two files."""
    before, after = heard_until(source), heard_until(posted)
    if before is None or after is None:
        assert (before, after) == (None, None)
    else:
        assert after == pytest.approx(before, abs=0.1)


def heard_until(path: Path) -> float | None:
    """Return the seconds from the first frame to the last sound, None without sound."""
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return None
        sounds = list(container.decode(container.streams.audio[0]))
    if not sounds:
        return None
    last = sounds[-1]
    return (last.time or 0.0) + last.samples / last.sample_rate - pictures_of(path)[0][0]


# ---------------------------------------------------------------- played


async def assert_chromium_plays(stage: Stage, name: str, posted: Path, clip: Sample) -> None:
    """Check that Chromium plays the video to its end, up to the file's last frame.

    Chromium plays more formats than phones.
    """
    number = str(len(stage.shown))
    stage.shown[number] = posted
    word, width, height, seconds, drawn = await stage.page.evaluate(PLAY, f"{number}.mp4")
    assert (word, width, height) == ("ended", *clip.posted)
    with av.open(str(posted)) as container:
        assert seconds == pytest.approx((container.duration or 0) / av.time_base, abs=0.1)
    with Image.open(io.BytesIO(base64.b64decode(drawn.partition(",")[2]))) as picture:
        shown = picture.convert("RGB")
    assert difference(pictures_of(posted)[-1][1], shown) < MOST_DIFFERENCE
    if name in TURNS:
        assert corners(shown) == TURNS[name][1]
