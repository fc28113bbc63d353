"""Sweeps that make room below a cap, and dry runs of sweeps."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.core import moves
from bot.core.context import SETTLED
from bot.core.errors import Refused
from bot.core.jobs import Reason, Status, Video
from bot.core.keeping import DAY
from bot.core.orders import Picture
from bot.core.posts import Form, PostKind
from bot.core.retention import STEP
from bot.store.proposals import Proposals
from tests.contract.loft import Loft, capped
from tests.contract.rows import NOON

# --- making room ---------------------------------------------------------------------------------


@pytest.mark.proof
async def test_to_make_room_originals_go_first_then_posted_videos_oldest_first(
    loft: Loft,
) -> None:
    linked = await loft.posted(await loft.video(size=100), form=Form.LINK)
    jobs = [
        await loft.posted(await loft.video(size=100, original=50), at=NOON + number)
        for number in range(3)
    ]
    order = [linked, *jobs]

    async def left() -> list[tuple[bool, bool]]:
        rows = [await loft.job(each) for each in order]
        return [(bool(row.video), bool(row.video and row.video.converted)) for row in rows]

    await loft.swept(0.1, capped(520))
    assert await left() == [(True, False), (True, False), (True, True), (True, True)]
    first = (await loft.job(jobs[0])).video
    assert first is not None
    assert first.original_gone
    await loft.swept(0.1, capped(320))
    assert await left() == [(True, False), (False, False), (True, False), (True, False)]
    await loft.swept(0.1, capped(110))
    assert await left() == [(True, False), (False, False), (False, False), (False, False)]
    await loft.swept(0.1, capped(1))
    assert await left() == [(False, False)] * 4


def _last_of(video: Video) -> Picture:
    """Return the last frame of a video, as an order continues it."""
    return Picture(source=None, filename="last.png", size=0, last_of=video.key)


@pytest.mark.parametrize("inputs", [None, 2 * DAY])
async def test_a_video_that_an_order_continues_is_kept_and_other_videos_go_to_make_room(
    loft: Loft, inputs: float | None
) -> None:
    one, two = await loft.video(size=50), await loft.video(size=50)
    await loft.posted(one)
    await loft.posted(two, at=NOON + 9)
    onward = await loft.ordered(_last_of(one), at=NOON + DAY)
    await loft.store.moved(onward, moves.cancelled(onward, Reason.BY_PERSON), now=NOON + DAY)
    await loft.swept(1.5, replace(capped(60), inputs=inputs))
    assert loft.there(one.key, two.key) == [True, False]


async def test_many_videos_that_orders_continue_do_not_keep_older_videos_from_being_swept(
    loft: Loft,
) -> None:
    needed = [await loft.video() for _ in range(STEP + 1)]
    for number, each in enumerate(needed):
        await loft.posted(each, at=NOON + number)
    await loft.ordered(*map(_last_of, needed), at=NOON + 30 * DAY)
    last = await loft.video()
    await loft.posted(last, at=NOON + 99)
    await loft.swept(31)
    assert loft.there(*(each.key for each in needed), last.key) == [True] * (STEP + 1) + [False]


async def test_an_expired_proposal_no_longer_keeps_the_video_it_continues(loft: Loft) -> None:
    video = await loft.video()
    job = await loft.posted(video)
    proposals = Proposals(loft.store.database)
    await proposals.put("d", replace(job.order, pictures=(_last_of(video),)), now=NOON)
    await loft.swept(6, capped(1))
    assert (loft.there(video.key), await proposals.get("d") is None) == ([True], False)
    await loft.swept(7.1, capped(1))
    assert (loft.there(video.key), await proposals.get("d")) == ([False], None)


async def test_removed_still_frames_count_as_room_that_was_made(loft: Loft) -> None:
    """With nothing left to remove, nothing is above the cap either."""
    video = await loft.video(size=5)
    await loft.posted(video)
    retention = loft.retention(capped(0))
    await loft.clock.advance(DAY)
    await retention.sweep()
    assert (loft.files(), retention.bytes_over) == (0, 0)


@pytest.mark.proof
async def test_a_video_that_nobody_has_seen_yet_is_never_removed_to_make_room(loft: Loft) -> None:
    """A paid video that is not posted yet, kept for its person alone, or not deliverable."""
    at_work = await loft.stored(await loft.ordered(), await loft.video(size=100), at=NOON)
    silent = await loft.stored(
        await loft.ordered(), await loft.video(size=100), at=NOON, silent=True
    )
    undelivered = await loft.stored(await loft.ordered(), await loft.video(size=100), at=NOON)
    parked = await loft.store.post(undelivered, PostKind.RESULT)
    assert parked is not None
    for post in await loft.store.posts.claim(["discord"], now=NOON, until=NOON + 9, most=9):
        if post.id == parked.id:
            await loft.store.posts.put_off(post, due_at=None)
    kept = replace(undelivered, reason=Reason.UNDELIVERABLE)
    await loft.store.moved(undelivered, kept)
    await loft.swept(0.1, capped(1))
    rows = [await loft.job(each) for each in (at_work, silent, undelivered)]
    assert [bool(row.video) for row in rows] == [True] * 3


async def test_media_that_stay_above_the_cap_are_logged_once(loft: Loft) -> None:
    await loft.stored(await loft.ordered(), await loft.video(size=100), at=NOON)
    retention = loft.retention(capped(1))
    with capture_logs() as written:
        for _ in range(2):
            await retention.sweep()
    assert [each["event"] for each in written].count("media.over_most") == 1


@pytest.mark.proof
async def test_while_many_videos_arrive_media_stay_below_the_cap_after_each_sweep(
    loft: Loft,
) -> None:
    """Two hundred videos arrive, twenty between two sweeps: ten times the room."""
    room, bounds = 20_000, []
    for burst in range(10):
        for number in range(20):
            await loft.posted(await loft.video(size=1_000), at=NOON + 20 * burst + number)
        await loft.swept(0.01 * burst + 0.01, capped(room))
        bounds.append(_size(loft.folder / "media"))
    assert max(bounds) <= room
    assert min(bounds) > room - 2_000


# --- comparisons and dry runs --------------------------------------------------------------------


async def test_verify_compares_rows_with_files_and_names_what_is_missing_or_cut(loft: Loft) -> None:
    whole, lost, cut = [await loft.video() for _ in range(3)]
    jobs = [await loft.posted(each, at=NOON + n) for n, each in enumerate((whole, lost, cut))]
    await loft.storage.delete(lost.key)
    (loft.folder / "media" / cut.key).write_bytes(b"half")
    stray = await loft.file("pictures", "jpg", size=3)
    found = await loft.inspection().verify()
    assert found["missing"] == {"count": 1, "named": [{"job": jobs[1].id, "key": lost.key}]}
    assert found["other_size"] == {
        "count": 1,
        "named": [{"job": jobs[2].id, "key": cut.key, "bytes": 4, "expected": 9}],
    }
    assert found["without_row"] == {
        "count": 1,
        "named": [{"key": stray, "bytes": 3}],
        "files": 1,
        "bytes": 3,
    }
    assert found["files"] == {"files": 6, "bytes": 9 + 4 + 3 * 1 + 3}


async def test_a_dry_run_counts_exactly_what_a_sweep_then_removes(loft: Loft) -> None:
    await loft.posted(await loft.video(size=100), await loft.picture())
    await loft.clock.advance(91 * DAY)
    await loft.store.in_state(Status.FAILED)  # an order with a prompt and no picture
    retention, before = loft.retention(), loft.files()
    counted = await loft.inspection().due()
    assert loft.files() == before
    taken = await retention.asked(sure=True)
    kinds: Sequence[str] = ("videos", "inputs", "words")
    assert [counted[kind] for kind in kinds] == [taken[kind] for kind in kinds]
    assert counted["videos"] == {"rows": 1, "files": 2, "bytes": 100}
    assert counted["inputs"] == {"rows": 1, "files": 2, "bytes": 0}
    assert counted["words"] == {"rows": 2, "files": 0, "bytes": 0}


async def test_an_operators_sweep_is_refused_on_an_unsettled_clock_unless_confirmed(
    loft: Loft,
) -> None:
    """A clock that is ahead would remove everything, and removed files do not come back."""
    job = await loft.posted(await loft.video())
    await loft.clock.advance(31 * DAY)
    loft.clock.adopt(0)
    retention = loft.retention()
    with pytest.raises(Refused) as refused:
        await retention.asked()
    assert (refused.value.code, refused.value.values) == (
        "sweep_unsettled",
        {"time": "2026-02-15 12:00 UTC"},
    )
    assert (await loft.job(job)).video is not None
    await loft.clock.advance(SETTLED)
    await retention.asked()
    assert (await loft.job(job)).video is None


def _size(folder: Path) -> int:
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())
