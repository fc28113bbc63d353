"""The rendered files: real H.264 and AAC, of the asked size and length, with the right pictures."""

import asyncio
import math
import multiprocessing
from array import array
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import av
import pytest
from PIL import Image, ImageStat

from bot.simulator import lettering
from bot.simulator.render import Renderer, encode
from bot.simulator.scenes import Scene
from tests.unit.media.samples import write_sound

from .pictures import BLUE, RED, png

PLAIN = Scene(model="sora-2", prompt="a cat", width=96, height=160, seconds=1)


@dataclass
class Probe:
    """The facts that a test reads from a video file."""

    codecs: list[str]
    size: tuple[int, int]
    seconds: float
    frames: list[Image.Image]


def probe(path: Path) -> Probe:
    with av.open(path) as container:
        video = container.streams.video[0]
        assert container.duration is not None
        return Probe(
            [stream.codec_context.name for stream in container.streams],
            (video.width, video.height),
            container.duration / 1_000_000,
            [frame.to_image() for frame in container.decode(video)],  # type: ignore[no-untyped-call]
        )


def rendered(scene: Scene, folder: Path) -> Probe:
    path = folder / "video.mp4"
    encode(scene, path)
    return probe(path)


def near(frame: Image.Image, colour: tuple[int, int, int]) -> bool:
    """Whether the upper half of a frame has this colour; the badge is at the bottom."""
    upper = frame.crop((0, 0, frame.width, frame.height // 2))
    return math.dist(ImageStat.Stat(upper).mean, colour) < 12


@pytest.mark.proof
def test_a_rendered_video_is_a_real_mp4_of_the_asked_size_and_length(tmp_path: Path) -> None:
    scene = replace(PLAIN, width=1280, height=720, seconds=2)

    found = rendered(scene, tmp_path)

    assert (found.codecs, found.size, len(found.frames)) == (["h264", "aac"], (1280, 720), 48)
    assert found.seconds == pytest.approx(2, abs=0.1)


def test_the_index_of_a_rendered_mp4_comes_before_its_data(tmp_path: Path) -> None:
    encode(PLAIN, tmp_path / "video.mp4")
    data = (tmp_path / "video.mp4").read_bytes()
    assert data[4:8] == b"ftyp"
    assert 0 < data.index(b"moov") < data.index(b"mdat")
    assert [path.name for path in tmp_path.iterdir()] == ["video.mp4"]


@pytest.mark.proof
def test_the_prompt_is_drawn_over_a_moving_background(tmp_path: Path) -> None:
    spoken = replace(PLAIN, width=320, height=320, prompt="two cats waltz across the moon")
    mute = replace(spoken, prompt=" ")
    mute = replace(mute, seed=spoken.mood - mute.mood)  # in the same colours
    words = rendered(spoken, tmp_path).frames
    no_words = rendered(mute, tmp_path).frames
    caption, above = (40, 245, 280, 290), (0, 0, 320, 200)
    assert difference(words[0].crop(caption), no_words[0].crop(caption)) > 5
    assert difference(words[0].crop(above), no_words[0].crop(above)) < 1
    assert difference(words[0], words[-1]) > 1


def difference(one: Image.Image, other: Image.Image) -> float:
    """Return the mean distance of the pixels of two pictures, 0..255."""
    pairs = zip(one.tobytes(), other.tobytes(), strict=True)
    return sum(abs(a - b) for a, b in pairs) / len(one.tobytes())


@pytest.mark.parametrize(
    "prompt", ["一个穿着宇航服的宇航员", "🎈🎈", "\ud800", "מזל", "x" * 5000, "a\tb\n\nc"]
)
def test_prompts_in_any_script_or_length_can_be_drawn(tmp_path: Path, prompt: str) -> None:
    assert len(rendered(replace(PLAIN, prompt=prompt), tmp_path).frames) == 24


def test_a_video_from_a_picture_shows_the_picture(tmp_path: Path) -> None:
    scene = replace(PLAIN, pictures=(png(RED),))
    found = rendered(scene, tmp_path)
    assert all(near(frame, RED) for frame in found.frames)


def test_a_video_from_a_picture_moves(tmp_path: Path) -> None:
    buffer = BytesIO()
    Image.linear_gradient("L").convert("RGB").save(buffer, "JPEG")
    frames = rendered(replace(PLAIN, pictures=(buffer.getvalue(),)), tmp_path).frames
    assert difference(frames[0], frames[-1]) > 2


def test_a_picture_with_rotation_and_transparency_is_shown_upright_on_white(tmp_path: Path) -> None:
    """The left half is transparent, the right half blue, and EXIF says: rotate by a quarter."""
    picture = Image.new("RGBA", (320, 192), (0, 0, 0, 0))
    picture.paste((*BLUE, 255), (160, 0, 320, 192))
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = BytesIO()
    picture.save(buffer, "PNG", exif=exif)
    frame = rendered(replace(PLAIN, pictures=(buffer.getvalue(),)), tmp_path).frames[0]
    assert near(frame, (255, 255, 255))
    assert math.dist(frame.getpixel((48, 130)), BLUE) < 20  # type: ignore[arg-type]


def test_a_video_from_two_pictures_fades_from_one_to_the_other(tmp_path: Path) -> None:
    frames = rendered(replace(PLAIN, pictures=(png(RED), png(BLUE))), tmp_path).frames
    assert near(frames[0], RED)
    assert near(frames[-1], BLUE)
    assert not near(frames[12], RED)
    assert not near(frames[12], BLUE)


@pytest.mark.proof
def test_a_picture_given_by_address_is_drawn_as_a_placeholder(tmp_path: Path) -> None:
    """Nothing is downloaded; the address does not even exist."""
    scene = replace(PLAIN, width=320, height=320)
    one = rendered(replace(scene, pictures=("https://a.invalid/1.jpg",)), tmp_path).frames[0]
    other = rendered(
        replace(scene, pictures=("https://b.invalid/a/much/longer/way/2.jpg",)), tmp_path
    ).frames[0]
    words = (0, 200, 320, 300)
    assert difference(one.crop(words), other.crop(words)) > 1


def test_a_video_with_a_sound_plays_the_sound_that_was_sent(tmp_path: Path) -> None:
    voice = write_sound(tmp_path / "voice.mp3", "mp3", "libmp3lame", seconds=0.9).read_bytes()
    found = rendered(replace(PLAIN, pictures=(png(RED),), voice=voice), tmp_path)
    assert found.codecs == ["h264", "aac"]
    assert pitch(tmp_path / "video.mp4") == pytest.approx(pitch(tmp_path / "voice.mp3"), rel=0.05)


def pitch(path: Path) -> float:
    """Return how often the sound crosses zero, per sample."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=8_000)
    with av.open(path) as container:
        heard = [each for frame in container.decode(audio=0) for each in resampler.resample(frame)]
    samples = array("h", b"".join(bytes(each.planes[0])[: 2 * each.samples] for each in heard))
    return sum((one < 0) != (two < 0) for one, two in pairwise(samples)) / len(samples)


def test_a_silent_video_has_no_audio_track(tmp_path: Path) -> None:
    assert rendered(replace(PLAIN, sound=False), tmp_path).codecs == ["h264"]


async def test_a_render_process_renders_and_reports_an_unreadable_picture(tmp_path: Path) -> None:
    renderer = Renderer()
    broken = replace(PLAIN, pictures=(png(size=(400, 400))[:60],))
    try:
        async with asyncio.timeout(20):
            await renderer.render(PLAIN, tmp_path / "video.mp4")
            with pytest.raises(ValueError, match="cannot be read"):
                await renderer.render(broken, tmp_path / "broken.mp4")
    finally:
        await renderer.close()
    assert probe(tmp_path / "video.mp4").size == (96, 160)


@pytest.mark.proof
async def test_a_render_process_that_dies_costs_only_its_own_video(tmp_path: Path) -> None:
    others = set(multiprocessing.active_children())
    renderer = Renderer()
    try:
        async with asyncio.timeout(20):
            await renderer.render(PLAIN, tmp_path / "first.mp4")
            for worker in set(multiprocessing.active_children()) - others:
                worker.kill()
            with pytest.raises(OSError, match="died"):
                await renderer.render(PLAIN, tmp_path / "lost.mp4")
            await renderer.render(PLAIN, tmp_path / "next.mp4")
    finally:
        await renderer.close()
    assert probe(tmp_path / "next.mp4") == probe(tmp_path / "first.mp4")
    left = set(multiprocessing.active_children()) - others
    for worker in left:  # it was started just when the others were ended, and ends by itself
        worker.join(10)
    assert {worker.exitcode for worker in left} <= {1}


def test_long_texts_are_drawn_smaller_wrapped_and_cut_with_an_ellipsis() -> None:
    few = lettering.block("a cat", width=400, height=100, largest=40)
    many = lettering.block("a very long story " * 40, width=400, height=100, largest=40)
    assert few is not None
    assert many is not None
    assert few.width == 400 + 40
    assert many.height <= 100 + 40


def test_characters_that_no_font_has_are_left_out() -> None:
    assert lettering.shown("a\u200d \ufffe cat") == "a cat"
    assert lettering.block("\ue000", width=100, height=50, largest=20) is None
