"""How long things are kept, on both databases and with files on a disk."""

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from bot.core import moves
from bot.core.jobs import Reason, Status
from bot.core.keeping import DAY, Rules
from bot.core.orders import Clip, Picture
from bot.core.posts import PostKind
from bot.store.database import open_database
from bot.store.handles import Handles
from bot.store.posts import owe
from bot.store.proposals import Proposals
from bot.store.writing import get
from tests.conftest import NewUrl
from tests.contract.loft import WRITTEN, Loft, capped
from tests.contract.rows import NOON, Store
from tests.databases import hold


async def test_pictures_go_after_2_days_videos_after_30_and_prompts_after_90(loft: Loft) -> None:
    picture, video = await loft.picture(), await loft.video(original=7)
    job = await loft.posted(video, picture)
    made = [*video.keys, picture.key, picture.whole]
    assert job.ended_at == NOON

    await loft.swept(0)
    assert loft.there(*made) == [True] * 5
    assert await loft.job(job) == job

    await loft.swept(3)
    assert loft.there(*made) == [True] * 3 + [False] * 2
    third = await loft.job(job)
    assert (third.inputs_gone_at, third.video) == (NOON + 3 * DAY, video)

    await loft.swept(31)
    assert loft.there(*made) == [False] * 5
    last = await loft.job(job)
    assert (last.video, last.video_gone_at) == (None, NOON + 31 * DAY)
    assert (last.request.prompt, last.order.wish.words) == ("a cat on the moon", WRITTEN)

    await loft.swept(91)
    blank = await loft.job(job)
    assert blank.words_gone_at == NOON + 91 * DAY
    assert (blank.request.prompt, blank.request.parameters, blank.detail) == ("", (), None)
    assert blank.order.wish.words == dict.fromkeys(WRITTEN, "")
    assert blank.order.pictures[0].filename == ""
    assert (blank.quota_cost, blank.spend_cost) == (job.quota_cost, job.spend_cost)


async def test_with_no_limits_of_age_a_sweep_removes_nothing(loft: Loft) -> None:
    video, picture = await loft.video(), await loft.picture()
    job = await loft.posted(video, picture)
    await loft.swept(4_000, Rules(videos=None, inputs=None, words=None))
    assert await loft.job(job) == job
    assert loft.there(*video.keys, picture.key) == [True] * 3


async def test_a_sweep_makes_no_post_due_in_the_chat(loft: Loft) -> None:
    """Messages stay as they are: no video is removed from the chat and no card is edited."""
    await loft.posted(await loft.video())
    for post in await loft.store.posts.claim(["discord"], now=NOON + 60, until=NOON + 99, most=9):
        await loft.store.posts.sent(post, "card", "lounge", now=NOON)
    await loft.swept(31)
    assert await loft.store.due_posts(now=NOON + 31 * DAY) == []


async def test_deleting_a_video_whose_file_was_swept_still_removes_it_from_the_chat(
    loft: Loft,
) -> None:
    job = await loft.posted(await loft.video())
    await loft.swept(31)
    swept = await loft.job(job)
    deleted = await loft.store.moved(swept, moves.deleted(swept), now=NOON + 31 * DAY)
    assert not deleted.has_result
    assert deleted.order.wish.words == dict.fromkeys(WRITTEN, "")
    due = await loft.store.due_posts(now=NOON + 31 * DAY)
    assert (job.id, PostKind.RESULT) in due


async def test_a_video_that_is_not_posted_yet_is_kept_by_sweeps(loft: Loft) -> None:
    video = await loft.video()
    job = await loft.stored(await loft.ordered(), video, at=NOON)
    await loft.swept(4_000)
    assert loft.there(*video.keys) == [True] * 2
    assert await loft.job(job) == job


async def test_a_video_that_is_due_to_be_posted_again_is_kept_by_sweeps(loft: Loft) -> None:
    video, picture = await loft.video(), await loft.picture()
    job = await loft.posted(video, picture)
    owed = {PostKind.RESULT: NOON}
    await loft.store.database.run(lambda connection: owe(connection, job, owed))
    await loft.swept(4_000)
    await loft.swept(4_000, capped(1))
    assert loft.there(*video.keys, picture.key) == [True] * 3
    assert await loft.job(job) == job


async def test_a_video_that_could_not_be_delivered_is_kept_as_long_as_other_videos(
    loft: Loft,
) -> None:
    video = await loft.video()
    job = await loft.stored(await loft.ordered(), video, at=NOON)
    (post,) = await loft.store.posts.claim(
        ["discord"], [PostKind.RESULT], now=NOON, until=NOON + 9, most=9
    )
    await loft.store.posts.put_off(post, due_at=None)
    kept = replace(job, reason=Reason.UNDELIVERABLE)
    await loft.store.moved(job, kept, now=NOON + DAY)
    await loft.swept(30)
    assert loft.there(*video.keys) == [True] * 2
    await loft.swept(31.5)
    assert loft.there(*video.keys) == [False] * 2


@pytest.mark.proof
async def test_a_video_whose_last_frame_a_waiting_order_needs_is_kept(loft: Loft) -> None:
    video = await loft.video()
    await loft.posted(video)
    last = Picture(source=None, filename="last.png", size=0, last_of=video.key)
    onward = await loft.ordered(last, at=NOON + 31 * DAY)
    await loft.swept(31)
    assert loft.there(video.key) == [True]
    await loft.store.moved(onward, moves.cancelled(onward, Reason.BY_PERSON), now=NOON + 31 * DAY)
    await loft.swept(34)
    await loft.swept(34)
    assert loft.there(video.key) == [False]


async def test_a_video_that_a_waiting_order_goes_on_from_is_kept(loft: Loft) -> None:
    video = await loft.video()
    await loft.posted(video)
    ours = Clip(source=None, filename="video.mp4", size=9, video_of=video.key)
    onward = await loft.ordered(video=ours, at=NOON + 31 * DAY)
    await loft.swept(31)
    assert loft.there(video.key) == [True]
    await loft.store.moved(onward, moves.cancelled(onward, Reason.BY_PERSON), now=NOON + 31 * DAY)
    await loft.swept(34)
    await loft.swept(34)
    assert loft.there(video.key) == [False]


async def test_the_video_of_an_order_is_removed_like_its_pictures_and_a_shared_one_is_kept(
    loft: Loft,
) -> None:
    given = Clip(source=None, filename="dance.mp4", size=9, key=await loft.file("given", "mp4"))
    first = await loft.ordered(video=given)
    await loft.stored(first, await loft.video(), at=NOON, silent=True)
    again = await loft.ordered(video=given, at=NOON + 2 * DAY)
    await loft.swept(3)
    assert loft.there(str(given.key)) == [True]
    await loft.store.moved(again, moves.cancelled(again, Reason.BY_PERSON), now=NOON + 3 * DAY)
    await loft.swept(6)
    assert loft.there(str(given.key)) == [False]


async def test_a_picture_that_a_later_order_shares_is_kept_until_that_order_ends(
    loft: Loft,
) -> None:
    picture = await loft.picture()
    await loft.posted(await loft.video(), picture)
    again = await loft.ordered(picture, at=NOON + 2 * DAY)
    await loft.swept(3)
    assert loft.there(picture.key, picture.whole) == [True] * 2
    end = moves.cancelled(again, Reason.BY_PERSON)
    await loft.store.moved(again, end, now=NOON + 3 * DAY)
    await loft.swept(6)
    assert loft.there(picture.key, picture.whole) == [False] * 2


async def test_a_picture_of_an_unconfirmed_proposal_is_kept(loft: Loft) -> None:
    picture = await loft.picture()
    job = await loft.posted(await loft.video(), picture)
    await Proposals(loft.store.database).put("d", job.order, now=NOON)
    await loft.swept(3)
    assert loft.there(picture.key) == [True]


async def test_pictures_of_an_unconfirmed_order_are_kept_as_long_as_videos(
    loft: Loft,
) -> None:
    picture = await loft.picture()
    job = await loft.ordered(picture)
    left = await loft.store.moved(job, moves.submitting(job, now=NOON))
    await loft.store.moved(left, moves.unconfirmed(left, detail=None))
    await loft.swept(29)
    assert loft.there(picture.key) == [True]
    await loft.swept(31)
    assert loft.there(picture.key) == [False]


async def test_an_unconfirmed_job_that_turns_up_has_no_end_time_any_more(loft: Loft) -> None:
    job = await loft.store.in_state(Status.UNCONFIRMED)
    assert job.ended_at == NOON
    found = await loft.store.jobs.accept(job.id, "found", now=NOON + 9, due_at=NOON)
    assert found.ended_at is None


async def test_a_save_of_a_job_that_was_swept_meanwhile_is_refused(loft: Loft) -> None:
    job = await loft.posted(await loft.video())
    await loft.swept(31)
    assert await loft.store.jobs.save(job, moves.deleted(job), now=NOON + 31 * DAY) is None


async def test_a_sweep_does_not_wait_for_a_row_that_another_transaction_locks(
    new_postgres_tables_url: NewUrl, tmp_path: Path
) -> None:
    async with open_database(await new_postgres_tables_url()) as database:
        loft, taken, may_end = Loft(Store(database), tmp_path), asyncio.Event(), asyncio.Event()
        held, free = [await loft.posted(await loft.video()) for _ in range(2)]
        take = partial(get, job_id=held.id, lock=True)
        holding = asyncio.create_task(hold(database, take, begun=taken, may_end=may_end))
        await taken.wait()
        try:
            async with asyncio.timeout(3):
                await loft.swept(31)
        finally:
            may_end.set()
            await holding
        assert [bool((await loft.job(each)).video) for each in (held, free)] == [True, False]


async def test_two_rows_with_the_same_video_do_not_stop_a_sweep(loft: Loft) -> None:
    video = await loft.video()
    jobs = [await loft.posted(video) for _ in range(2)]
    await loft.swept(31)
    assert [(await loft.job(each)).video for each in jobs] == [None, None]
    assert loft.there(*video.keys) == [False] * 2


async def test_a_platforms_file_ids_of_a_removed_video_are_forgotten(loft: Loft) -> None:
    video, handles = await loft.video(), Handles(loft.store.database, "telegram:7")
    await loft.posted(video)
    for name in (video.key, f"{video.key}#file", "another"):
        await handles.put(name, "AgAD")
    await loft.swept(31)
    names = (video.key, f"{video.key}#file", "another")
    assert [await handles.get(name) for name in names] == [None, None, "AgAD"]
