"""Videos whose times, sizes or sounds change on the way: no picture gets lost."""

import struct
from collections.abc import Callable
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest

from bot.core.errors import Broken
from bot.media import encoding
from bot.media.checking import check
from bot.media.judging import Way
from bot.media.tracks import Pictures
from tests.unit.media.making import FAST, followed_by, standing_still, twice, x264
from tests.unit.media.samples import corners, write_clip
from tests.unit.media.test_playing import assert_plays, pictures_of, posted, times_of

FRAME = 1 / 24
CLOCK = 2**33 // 3750
"""Pictures of 24 a second until the clock of a transport stream is at its end."""


def sound_until(path: Path) -> float:
    with av.open(str(path)) as container:
        *_, last = container.decode(audio=0)
    return (last.time or 0.0) + last.samples / last.sample_rate


@pytest.mark.parametrize(
    ("codec", "container", "how"),
    [
        ("libx264", "mpegts", {"sound": "aac"}),
        ("libx264", "mpegts", {"options": {"preset": "veryfast"}}),
        ("libx265", "mpegts", {"sound": "aac"}),
        ("mpeg2video", "mpegts", {"sound": "mp2"}),
        ("mpeg1video", "mpeg", {"sound": "mp2"}),
        ("libvpx-vp9", "webm", {"sound": "libopus"}),
    ],
)
def test_a_video_behind_a_video_is_shown_after_it(
    tmp_path: Path, codec: str, container: str, how: dict[str, Any]
) -> None:
    """The times of the second start over."""
    source = write_clip(tmp_path / "source", codec, container, **how)
    twice(source)

    way, kept = posted(source)

    assert way is Way.REENCODED
    assert_plays(kept, (64, 48))
    times = times_of(kept)
    assert len(times) == len(pictures_of(source)) == 48
    assert all(one < other for one, other in pairwise(times))
    assert times[-1] == pytest.approx(47 * FRAME, abs=0.2)
    if "sound" in how:
        assert sound_until(kept) == pytest.approx(2.0, abs=0.2)


@pytest.mark.parametrize("codec", ["libx264", "mpeg2video"])
@pytest.mark.parametrize("begin", [CLOCK - 24 - 34, CLOCK - 34 - 47, CLOCK - 24 * 60])
def test_a_clock_that_runs_out_of_digits_takes_no_picture_along(
    tmp_path: Path, codec: str, begin: int
) -> None:
    source = write_clip(
        tmp_path / "source", codec, "mpegts", times=range(begin, begin + 48), heard=0
    )
    _, kept = posted(source)
    assert_plays(kept, (64, 48))
    assert times_of(kept) == pytest.approx([tick * FRAME for tick in range(48)], abs=0.002)


@pytest.mark.parametrize("sound", [None, "aac"])
def test_pictures_that_all_have_one_time_are_shown_one_after_another(
    tmp_path: Path, sound: str | None
) -> None:
    source = write_clip(
        tmp_path / "source", "libx264", "mp4", flags=FAST, times=range(48), sound=sound
    )
    standing_still(source)

    way, kept = posted(source)

    assert way is Way.REENCODED
    assert_plays(kept, (64, 48))
    assert times_of(kept) == pytest.approx([tick * FRAME for tick in range(48)], abs=0.03)


def test_pictures_at_the_time_of_another_are_shown_after_it(tmp_path: Path) -> None:
    """Some only: the others stay where they were."""
    source = write_clip(tmp_path / "source", "libx264", "mp4", flags=FAST, options=x264(bframes=0))
    body = bytearray(source.read_bytes())
    at = body.index(b"stts") + 8
    # Entries of one length become three: the tenth picture has none, the one behind it two.
    old = struct.unpack_from(">III", body, at)
    assert old == (1, 24, 512)
    rest = body[at + 12 :]
    grown = struct.pack(">I8I", 4, 9, 512, 1, 0, 1, 1024, 13, 512)
    source.write_bytes(_grown(bytes(body[:at] + grown + rest), len(grown) - 12))

    _, kept = posted(source)

    assert_plays(kept, (64, 48))
    ticks = [*range(10), 9, *range(11, 24)]
    assert times_of(kept) == pytest.approx([tick * FRAME for tick in ticks], abs=0.002)


def _grown(body: bytes, by: int) -> bytes:
    """With the sizes of the boxes around `stts`, and the places of the content, made fit."""
    changed = bytearray(body)
    for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stts"):
        at = changed.index(name) - 4
        struct.pack_into(">I", changed, at, struct.unpack_from(">I", changed, at)[0] + by)
    at = changed.index(b"stco") + 8
    (count,) = struct.unpack_from(">I", changed, at)
    for number in range(count):
        add = at + 4 + number * 4
        struct.pack_into(">I", changed, add, struct.unpack_from(">I", changed, add)[0] + by)
    return bytes(changed)


def _shrink(source: Path, target: Path) -> None:
    encoding.shrink(source, target, 100_000)


@pytest.mark.parametrize("makes", [encoding.convert, _shrink])
def test_a_video_with_fewer_pictures_than_its_source_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, makes: Callable[[Path, Path], object]
) -> None:
    """Then the file is kept as it came, for any reason."""

    class Losing(Pictures):
        def end(self) -> None:
            super().end()
            self.written += 1

    monkeypatch.setattr(encoding, "Pictures", Losing)
    source = write_clip(tmp_path / "source", "libx265", "mp4")
    with pytest.raises(Broken, match=r"cannot_(convert|shrink)"):
        makes(source, tmp_path / "target")


class Packet:
    """One that can't be decoded."""

    def __init__(self, error: av.FFmpegError) -> None:
        self.size, self.pts = 9, 0
        self._error = error

    def decode(self) -> list[object]:
        raise self._error


@pytest.mark.parametrize(
    ("error", "shown"),
    [(av.InvalidDataError(1, "damaged"), 24), (av.MemoryError(12, "too large"), None)],
)
def test_a_damaged_picture_is_left_out_and_one_without_room_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: av.FFmpegError, shown: int | None
) -> None:
    class Stumbling(Pictures):
        def end(self) -> None:
            self.take(Packet(error))  # type: ignore[arg-type]
            super().end()

    monkeypatch.setattr(encoding, "Pictures", Stumbling)
    source = write_clip(tmp_path / "source", "libx265", "mp4")
    with nullcontext() if shown else pytest.raises(Broken, match="cannot_convert"):
        encoding.convert(source, tmp_path / "target")
        assert len(pictures_of(tmp_path / "target")) == shown


# ---------------------------------------------------------------- other sizes, other sounds


def test_pictures_of_another_size_are_fitted_into_the_first(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "source", "libx264", "mpegts", still=True)
    followed_by("libx264", size=(128, 128), still=True)(source)

    way, kept = posted(source)

    assert way is Way.REENCODED
    assert_plays(kept, (64, 48))
    shown = pictures_of(kept)
    assert len(shown) == 48
    assert {corners(picture) for picture in shown[:24]} == {"RGWB"}
    assert {corners(picture.crop((8, 0, 56, 48))) for picture in shown[24:]} == {"RGWB"}
    assert shown[-1].getpixel((2, 24)) == pytest.approx((0, 0, 0), abs=4), "its shape stays"


def test_another_size_without_another_time_is_seen(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "source", "libx264", "mpegts")
    followed_by("libx264", size=(128, 128), times=range(24, 48))(source)
    told = check(source)
    assert (told.starts_over, told.has_one_size) == (False, False)
    assert posted(source)[0] is Way.REENCODED


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"sound": "aac", "layout": "mono"}, {"sound": "aac"}),
        ({"sound": "aac"}, {"sound": "aac", "sound_rate": 44100}),
        ({"sound": "mp2", "sound_rate": 44100}, {"sound": "mp2"}),
        ({"sound": "ac3", "layout": "mono"}, {"sound": "ac3", "layout": "5.1"}),
    ],
)
def test_sound_that_changes_its_shape_is_heard_to_its_end(
    tmp_path: Path, first: dict[str, Any], second: dict[str, Any]
) -> None:
    """Only the sound does: the times go on."""
    source = write_clip(tmp_path / "source", "libx264", "mpegts", **first)
    followed_by("libx264", times=range(24, 48), heard=2, quiet=(0, 1), **second)(source)

    way, kept = posted(source)

    assert way is Way.REENCODED
    assert_plays(kept, (64, 48))
    assert len(pictures_of(kept)) == 48
    assert sound_until(kept) == pytest.approx(2.0, abs=0.1)
    with av.open(str(kept)) as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))
    assert samples / 48_000 == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("rate", [100, 120, 240, 1000])
def test_of_more_pictures_than_phones_show_some_are_left_out(tmp_path: Path, rate: int) -> None:
    source = write_clip(
        tmp_path / "source", "libx264", "mp4", flags=FAST, rate=rate, times=range(rate // 2)
    )
    way, kept = posted(source)
    assert way is Way.REENCODED
    assert_plays(kept, (64, 48))
    times = times_of(kept)
    assert len(times) == pytest.approx(30, abs=1)
    assert times[-1] == pytest.approx(0.5, abs=0.02)
