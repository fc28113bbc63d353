import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import pytest
from PIL import Image, ImageChops

from bot.core.errors import Broken, Refused, Temporary
from bot.core.jobs import Original, Video
from bot.core.orders import Fit, SoundFit, Still
from bot.core.ports import Media
from bot.media import tasks as asked
from bot.media.storage import new_key
from bot.media.studio import FORGOTTEN_AFTER, Studio
from bot.media.videos import examine
from tests.fakes.disk import no_file_larger_than
from tests.unit.media import tasks
from tests.unit.media.making import CREDENTIALS, with_credentials, with_tail
from tests.unit.media.samples import (
    encoded,
    noise,
    quarters,
    write_clip,
    write_sound,
    write_video,
)


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    async with Studio(tmp_path / "data") as opened:
        yield opened


@pytest.fixture
def second_disk() -> Iterator[Path]:
    """Yield a folder on another disk, to which no file of `tmp_path` can be linked."""
    if not Path("/dev/shm").is_dir():
        pytest.skip("no second disk")
    with TemporaryDirectory(dir="/dev/shm") as place:
        yield Path(place)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("videos") / "clip.mp4", faststart=True)


async def test_a_picture_is_kept_fitted_and_can_be_deleted_twice(
    studio: Studio, tmp_path: Path
) -> None:
    media: Media = studio
    source = tmp_path / "photo.png"
    source.write_bytes(encoded(quarters(100, 80)))
    [still] = await media.keep_pictures([source], Fit(width=64, height=36))
    assert still == Still(key=still.key, whole=still.whole, width=100, height=80)
    for key, size in ((still.key, (64, 36)), (still.whole, (100, 80))):
        async with media.file(key) as path:
            with Image.open(path) as picture:
                assert (picture.format, picture.size) == ("JPEG", size)
    await media.delete(still.key)
    await media.delete(still.key)
    with pytest.raises(Broken, match="file_missing"):
        async with media.file(still.key):
            pass


async def test_the_reason_why_a_picture_is_refused_arrives_from_the_worker_process(
    studio: Studio, tmp_path: Path
) -> None:
    source = tmp_path / "photo.png"
    source.write_bytes(b"<html>")
    with pytest.raises(Refused) as refused:
        await studio.keep_pictures([source], Fit())
    assert refused.value.code == "picture_format"


async def test_the_last_picture_gets_the_size_of_the_first(studio: Studio, tmp_path: Path) -> None:
    lying, standing = tmp_path / "lying.png", tmp_path / "standing.png"
    lying.write_bytes(encoded(quarters(120, 80)))
    standing.write_bytes(encoded(quarters(80, 120)))
    first, last = await studio.keep_pictures([lying, standing], Fit())
    assert (first.width, first.height, last.width, last.height) == (120, 80, 80, 120)
    async with studio.file(last.key) as path:
        with Image.open(path) as picture:
            assert picture.size == (120, 80)


async def test_if_one_of_two_pictures_is_bad_neither_is_kept(
    studio: Studio, tmp_path: Path
) -> None:
    good, bad = tmp_path / "good.png", tmp_path / "bad.png"
    good.write_bytes(encoded(quarters(100, 80)))
    bad.write_bytes(b"<html>")
    with pytest.raises(Refused) as refused:
        await studio.keep_pictures([good, bad], Fit())
    assert refused.value.which == (2, 2)
    assert list((tmp_path / "data").rglob("*.jpg")) == []


async def test_two_pictures_shrink_together_until_each_has_few_enough_bytes(
    studio: Studio, tmp_path: Path
) -> None:
    """The second picture has more detail, so at the first picture's size it would have too many
    bytes.
    """
    plain, grainy = tmp_path / "plain.png", tmp_path / "grainy.png"
    plain.write_bytes(encoded(quarters(400, 300)))
    grainy.write_bytes(encoded(noise(400, 300)))
    kept = await studio.keep_pictures([plain, grainy], Fit(most_bytes=20_000))
    sizes = set()
    for still in kept:
        async with studio.file(still.key) as path:
            assert path.stat().st_size <= 20_000
            with Image.open(path) as picture:
                sizes.add(picture.size)
    assert len(sizes) == 1
    assert len(list((tmp_path / "data").rglob("pictures/**/*.jpg"))) == 2, "no try is left behind"


async def test_each_reference_keeps_its_own_shape_and_shrinks_alone(
    studio: Studio, tmp_path: Path
) -> None:
    plain, grainy = tmp_path / "plain.png", tmp_path / "grainy.png"
    plain.write_bytes(encoded(quarters(80, 120)))
    grainy.write_bytes(encoded(noise(400, 300)))
    kept = await studio.keep_pictures([plain, grainy], Fit(is_own=True, most_bytes=20_000))
    sizes = []
    for still in kept:
        async with studio.file(still.key) as path:
            assert path.stat().st_size <= 20_000
            with Image.open(path) as picture:
                sizes.append(picture.size)
    assert sizes[0] == (80, 120)
    assert sizes[1][0] > sizes[1][1] > 120, "not made as small as the other"


async def test_two_pictures_of_a_fixed_size_are_refused_if_one_has_too_many_bytes(
    studio: Studio, tmp_path: Path
) -> None:
    source = tmp_path / "grainy.png"
    source.write_bytes(encoded(noise(400, 300)))
    with pytest.raises(Refused, match="picture_stays_large"):
        await studio.keep_pictures([source] * 2, Fit(width=400, height=300, most_bytes=9_000))


@pytest.mark.proof
async def test_last_frame_gives_the_very_last_frame_of_a_video(studio: Studio, clip: Path) -> None:
    video = await studio.keep_video(clip)
    async with studio.last_frame(video.key) as still:
        with Image.open(still) as picture:
            seen = picture.convert("RGB")
    first, *_, last = _frames(clip)
    assert ImageChops.difference(seen, last).getbbox() is None
    assert ImageChops.difference(seen, first).getbbox() is not None, "or the test shows nothing"


async def test_a_sound_is_kept_as_mp3_with_its_length(studio: Studio, tmp_path: Path) -> None:
    media: Media = studio
    kept = await media.keep_sound(write_sound(tmp_path / "a.wav"), SoundFit())
    assert kept.seconds == pytest.approx(4.0, abs=0.05)
    async with media.file(kept.key) as path:
        assert (path.suffix, path.stat().st_size) == (".mp3", kept.size)


async def test_a_video_that_plays_is_kept_unchanged_with_a_thumbnail(
    studio: Studio, clip: Path
) -> None:
    video = await studio.keep_video(clip)
    assert video.seconds == pytest.approx(2.0, abs=0.05)
    assert video == Video(
        key=video.key,
        size=clip.stat().st_size,
        width=320,
        height=180,
        seconds=video.seconds,
        thumbnail=video.thumbnail,
    )
    async with studio.file(video.key) as path:
        assert path.read_bytes() == clip.read_bytes()
    assert video.thumbnail is not None
    async with studio.file(video.thumbnail) as path:
        with Image.open(path) as still:
            assert still.size == (320, 180)


async def test_a_video_that_does_not_play_is_converted_and_its_original_kept(
    studio: Studio, tmp_path: Path
) -> None:
    source = write_clip(tmp_path / "video", "libvpx-vp9", "webm", sound="libopus")
    before = source.read_bytes()

    raw = await studio.keep_video(source)
    assert (raw.plays, raw.width, raw.height) == (False, 64, 48)
    video = await studio.convert(raw)

    assert (video.width, video.height, video.plays) == (64, 48, True)
    async with studio.file(video.key) as kept:
        assert examine(kept).seen.codec == "h264"
        assert kept.stat().st_size == video.size
    assert video.converted == video.original == Original(key=video.original.key, size=len(before))
    async with studio.file(video.original.key) as kept:
        assert (kept.suffix, kept.read_bytes()) == (".webm", before)
    for key in video.keys:
        await studio.delete(key)
    assert not list((tmp_path / "data" / "media").rglob("*.*"))


@pytest.mark.parametrize("is_followed", [False, True])
async def test_content_credentials_stay_in_the_original_with_all_its_bytes(
    studio: Studio, tmp_path: Path, is_followed: bool
) -> None:
    source = write_clip(tmp_path / "video", "libx264", "mp4", flags="+faststart", times=range(4))
    (with_tail if is_followed else with_credentials)(source)
    before = source.read_bytes()

    video = await studio.keep_video(source)

    assert (video.converted is not None) == is_followed
    async with studio.file(video.original.key) as original, studio.file(video.key) as posted:
        assert original.read_bytes() == before
        assert CREDENTIALS in original.read_bytes()
        assert b"<html>" not in posted.read_bytes()


@pytest.mark.proof
async def test_a_video_that_cannot_be_converted_is_kept_as_it_came(
    clip: Path, tmp_path: Path
) -> None:
    """A paid video as a file is better than none."""
    source = write_clip(tmp_path / "video", "libx265", "mov")
    before = source.read_bytes()
    async with Studio(tmp_path / "data", patience=0.0) as studio:
        video = await studio.convert(await studio.keep_video(source))
        assert (video.plays, video.converted, video.width, video.seconds) == (False, None, 64, 1.0)
        assert video.original == Original(key=video.key, size=len(before))
        async with studio.file(video.key) as kept:
            assert (kept.suffix, kept.read_bytes()) == (".mov", before)
        assert (await studio.keep_video(clip)).plays


@pytest.mark.parametrize("end", [tasks.begin_and_die, tasks.begin_and_stumble])
async def test_a_conversion_that_fails_is_retried_once(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: Callable[..., None]
) -> None:
    """The worker may have been killed by a machine that was briefly short of memory."""
    monkeypatch.setattr(asked, "convert", end)
    raw = await studio.keep_video(write_clip(tmp_path / "video", "mpeg4", "avi"))
    video = await studio.convert(raw)
    assert (video.plays, video.reencoded, video.converted) == (True, True, raw.original)
    assert (video.width, video.height) == (64, 48)


@pytest.mark.proof
@pytest.mark.parametrize("end", [tasks.begin_and_die, tasks.begin_and_hang])
async def test_a_conversion_that_no_worker_survives_leaves_no_process_and_no_file(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: Callable[..., None]
) -> None:
    """On a machine of any speed, this conversion never ends once it has begun to write."""
    for name in ("convert", "convert_sparingly"):
        monkeypatch.setattr(asked, name, end)
    unplayable = write_clip(tmp_path / "video", "mpeg4", "avi")
    data, others = tmp_path / "data", _workers()
    patience = 0.5 if end is tasks.begin_and_hang else 60.0
    async with Studio(data, workers=1, patience=patience) as studio:
        raw = await studio.keep_video(unplayable)
        (worker,) = _workers() - others
        video = await studio.convert(raw)
        assert (video.key, video.plays, video.thumbnail is not None) == (raw.key, False, True)
        assert worker not in _workers()
        assert list((data / "scratch").iterdir()) == []
        assert (await studio.keep_video(clip)).plays, "the next worker is a new one"
    assert _workers() <= others


@pytest.mark.proof
async def test_a_video_too_large_for_a_workers_memory_is_converted_to_a_smaller_size(
    tmp_path: Path,
) -> None:
    """An AV1 decoder with two threads takes nearly all the memory, and x264 needs some too."""
    clip = write_clip(
        tmp_path / "video", "libsvtav1", "mp4", pix_fmt="yuv420p10le", size=(7680, 4320),
        times=range(16),
    )  # fmt: skip
    async with Studio(tmp_path / "data") as studio:
        video = await studio.convert(await studio.keep_video(clip))
        assert (video.plays, video.width, video.height) == (True, 2048, 1152)
        async with studio.file(video.key) as kept:
            pictures = _frames(kept)
    assert len(pictures) == 16


def _workers() -> set[int]:
    """Return the process ids of our workers."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            facts = (process / "stat").read_text().rpartition(") ")[2]
            parent = int(facts.split()[1])
            if parent == os.getpid() and b"bot.media.workers" in (process / "cmdline").read_bytes():
                found.add(int(process.name))
    return found


@pytest.mark.proof
async def test_pictures_and_videos_that_play_do_not_wait_for_a_conversion(
    studio: Studio, clip: Path, tmp_path: Path
) -> None:
    clip = write_clip(tmp_path / "video", "mpeg4", "avi", times=range(96), size=(1920, 1080))
    picture = tmp_path / "photo.png"
    picture.write_bytes(encoded(quarters(100, 80)))
    raw = await studio.keep_video(clip)
    async with asyncio.TaskGroup() as group:
        conversion = group.create_task(studio.convert(raw))
        await studio.keep_pictures([picture], Fit())
        await studio.keep_video(clip)
        assert not conversion.done()


@pytest.mark.parametrize("share", [1.0, 0.5])
async def test_a_remuxed_video_is_kept_with_its_original_or_not_at_all(
    clip: Path, tmp_path: Path, second_disk: Path, share: float
) -> None:
    """The disk has room for the original or for half of it, but not for the copy."""
    clip = write_clip(tmp_path / "video", "libx264", "mp4", sound="aac")
    async with Studio(tmp_path / "data", storage_url=str(second_disk)) as studio:
        first = await studio.keep_video(clip)  # starts the worker before the limit holds
        room = int(clip.stat().st_size * share)
        with no_file_larger_than(room), pytest.raises(Temporary, match="storage_unavailable"):
            await studio.keep_video(clip)
        kept = {path.name for path in second_disk.rglob("*") if path.is_file()}
        assert kept == {Path(key).name for key in first.keys}
        assert (await studio.keep_video(clip)).converted, "or the test shows nothing"


async def test_keeping_a_video_on_the_same_disk_needs_no_second_room(
    studio: Studio, clip: Path, tmp_path: Path
) -> None:
    await studio.keep_video(clip)  # starts the worker before the limit holds
    source = Path(shutil.copy(clip, tmp_path / "download"))
    with no_file_larger_than(0):
        video = await studio.keep_video(source)
    source.unlink()
    async with studio.file(video.key) as kept:
        assert kept.read_bytes() == clip.read_bytes()


async def test_half_a_video_is_refused_and_not_kept(
    studio: Studio, clip: Path, tmp_path: Path
) -> None:
    source = tmp_path / "half.mp4"
    source.write_bytes(clip.read_bytes()[:-1000])
    with pytest.raises(Broken, match="video_truncated"):
        await studio.keep_video(source)
    assert not list((tmp_path / "data").rglob("*.mp4"))


@pytest.mark.proof
async def test_a_shrunk_video_exists_only_while_it_is_used(
    studio: Studio, clip: Path, tmp_path: Path
) -> None:
    video = await studio.keep_video(clip)
    async with studio.shrink(video.key, most_bytes=video.size // 2) as path:
        assert path.stat().st_size <= video.size // 2
    assert not path.exists()
    async with studio.file(video.key) as kept:
        assert kept.stat().st_size == video.size


@pytest.mark.proof
async def test_a_second_shrink_at_the_same_time_is_put_off(studio: Studio, clip: Path) -> None:
    video = await studio.keep_video(clip)

    async def shrink() -> None:
        async with studio.shrink(video.key, most_bytes=video.size // 2):
            pass

    ends = await asyncio.gather(*(shrink() for _ in range(3)), return_exceptions=True)
    assert [str(end) for end in ends].count("None") == 1
    others = [end for end in ends if isinstance(end, Temporary)]
    assert [(each.code, each.unsent) for each in others] == [("shrinking", True)] * 2
    await shrink()


async def test_the_scratch_folder_is_private_and_removed_afterwards(studio: Studio) -> None:
    async with studio.scratch() as folder:
        (folder / "download.part").write_bytes(b"half")
        assert oct(folder.stat().st_mode & 0o777) == "0o700"
    assert not folder.exists()


async def test_old_scratch_folders_of_a_killed_process_are_removed_at_the_start(
    tmp_path: Path,
) -> None:
    old, new = tmp_path / "scratch" / "old", tmp_path / "scratch" / "new"
    for folder in (old, new):
        folder.mkdir(parents=True)
        (folder / "download.part").write_bytes(b"half")
    long_ago = new.stat().st_mtime - FORGOTTEN_AFTER - 60
    os.utime(old, (long_ago, long_ago))
    async with Studio(tmp_path):
        assert not old.exists()
        assert new.exists()


def _frames(video: Path) -> list[Image.Image]:
    with av.open(str(video)) as container:
        return [frame.to_image() for frame in container.decode(video=0)]  # type: ignore[no-untyped-call]


async def test_a_received_video_is_kept_while_the_storage_fails_and_stored_later(
    clip: Path, tmp_path: Path, second_disk: Path
) -> None:
    """The video outlives the process too: the next process finds it by its name and stores it under
    the same key.
    """
    source, url = Path(shutil.copy(clip, tmp_path / "answer")), str(second_disk)
    async with Studio(tmp_path / "data", storage_url=url) as studio:
        with no_file_larger_than(0), pytest.raises(Temporary, match="storage_unavailable"):
            await studio.receive(source, "job1")
        assert not source.exists()
    async with Studio(tmp_path / "data", storage_url=url) as studio:
        key = await studio.received("job1")
        assert key is not None
        assert (await studio.received("job1"), await studio.receive(source, "job1")) == (key, key)
        assert await studio.received("job2") is None
        async with studio.file(key) as kept:
            assert kept.read_bytes() == clip.read_bytes()
    assert list((tmp_path / "data" / "received").iterdir()) == []


async def test_a_stored_thumbnail_is_shrunk_in_a_worker(tmp_path: Path) -> None:
    key, source = new_key("thumbnails", "jpg"), tmp_path / "still.jpg"
    Image.new("RGB", (1280, 720), "orange").save(source)
    async with Studio(tmp_path / "data", workers=1) as studio:
        await studio.storage.put(key, source)
        async with studio.small_still(key, 320) as small:
            with Image.open(small) as shown:
                assert (shown.format, shown.size) == ("JPEG", (320, 180))
        assert not small.exists()
