"""Edit lists: a posted video shows what a player that obeys the list shows, or the whole video."""

from pathlib import Path

import av
import pytest

from bot.media.judging import Way
from bot.media.videos import examine, see
from tests.unit.media.making import FAST, HALF, NORMAL, STILL, Edit, with_edits, x264
from tests.unit.media.samples import write_clip
from tests.unit.media.test_playing import assert_plays, nearest, pictures_of, posted, times_of
from tests.unit.media.test_times import sound_until

FRAME = 1 / 24
ALL = tuple(range(48))


@pytest.mark.parametrize("sound", [None, "aac"])
@pytest.mark.parametrize(
    ("edits", "shown"),
    [
        ([(1, 0, NORMAL), (1, 0, NORMAL)], (*range(24), *range(24))),
        ([(2, 0, NORMAL), (2, 0, NORMAL)], (*ALL, *ALL)),
        ([(1, 1, NORMAL), (1, 0, NORMAL)], (*range(24, 48), *range(24))),
        ([(0.5, 0, NORMAL), (0.5, 1.5, NORMAL)], (*range(12), *range(36, 48))),
        ([(0.5, 1.25, NORMAL), (0.5, 0.25, NORMAL)], (*range(30, 42), *range(6, 18))),
        ([(1, 10 * FRAME, NORMAL)], tuple(range(10, 34))),
        ([(9, 0, NORMAL)], ALL),
        ([(2, 1, NORMAL)], tuple(range(24, 48))),
        ([(1, 0, NORMAL), (9, 1, NORMAL)], ALL),
        ([(1, 0, NORMAL), (1, 9, NORMAL)], tuple(range(24))),
    ],
)
def test_a_posted_video_shows_parts_as_often_and_in_the_order_of_the_edit_list(
    tmp_path: Path, edits: list[Edit], shown: tuple[int, ...], sound: str | None
) -> None:
    source = video(tmp_path, sound)
    whole = pictures_of(source)
    for track in range(2 if sound else 1):
        with_edits(source, edits, track=track)

    way, kept = posted(source)

    assert way is Way.REENCODED
    assert_plays(kept, (64, 48))
    assert tuple(nearest(picture, whole) for picture in pictures_of(kept)) == shown
    steps = [number * FRAME for number in range(len(shown))]
    assert times_of(kept) == pytest.approx(steps, abs=0.002)
    assert examine(kept).clip.seconds == pytest.approx(len(shown) * FRAME, abs=0.05)
    if sound:
        assert sound_until(kept) == pytest.approx(len(shown) * FRAME, abs=0.1)


@pytest.mark.parametrize(
    "edits",
    [
        [(1, 0, NORMAL), (1, 1, STILL), (1, 1, NORMAL)],
        [(2, 0, STILL)],
        [(4, 0, HALF)],
        [(1, 0, 2 * NORMAL)],
        [(1, 0, NORMAL), (1, None, NORMAL), (1, 1, NORMAL)],
        [(2, 0, NORMAL), (1, None, NORMAL)],
        [(1, 9, NORMAL)],
        [(0, 0, NORMAL)],
        [(2, None, NORMAL)],
    ],
)
def test_a_video_whose_edit_list_no_player_follows_is_shown_whole(
    tmp_path: Path, edits: list[Edit]
) -> None:
    """The log gives the reason `edits`."""
    source = video(tmp_path, "aac")
    whole = pictures_of(source)
    with_edits(source, edits)

    way, kept = posted(source)

    assert (way, see(source).has_odd_edits) == (Way.REMUXED, True)
    assert_plays(kept, (64, 48))
    assert tuple(nearest(picture, whole) for picture in pictures_of(kept)) == ALL
    assert times_of(kept) == pytest.approx([tick * FRAME for tick in ALL], abs=0.002)
    assert sound_until(kept) == pytest.approx(2.0, abs=0.1)


def test_an_edit_list_of_the_sound_track_counts_too(tmp_path: Path) -> None:
    source = video(tmp_path, "aac")
    with_edits(source, [(1, 1, NORMAL), (1, 0, NORMAL)], track=1)
    assert see(source).is_cut
    assert posted(source)[0] is Way.REENCODED


def test_an_edit_list_that_only_delays_the_start_cuts_nothing(tmp_path: Path) -> None:
    source = video(tmp_path, None)
    with_edits(source, [(1, None, NORMAL), (2, 0, NORMAL)])
    assert (see(source).is_cut, see(source).has_odd_edits) == (False, False)
    _, kept = posted(source)
    assert len(pictures_of(kept)) == 48


@pytest.mark.parametrize(("codec", "container"), [("libx264", "mov"), ("libx265", "mp4")])
def test_an_edit_list_that_ends_during_the_last_frame_keeps_that_frame(
    tmp_path: Path, codec: str, container: str
) -> None:
    source = write_clip(tmp_path / "source", codec, container, rate=1, times=range(3))
    with_edits(source, [(2.2, 0, NORMAL)])
    _, kept = posted(source)
    assert times_of(kept) == pytest.approx([0, 1, 2], abs=0.002)
    with av.open(str(kept)) as made:
        assert (made.duration or 0) / av.time_base == pytest.approx(2.2, abs=0.01)


def video(folder: Path, sound: str | None) -> Path:
    options = {**x264(bframes=0, keyint=12), "qp": "5"}
    return write_clip(
        folder / "source", "libx264", "mp4", times=ALL, sound=sound, flags=FAST, options=options
    )
