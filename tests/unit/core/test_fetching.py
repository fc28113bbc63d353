"""Downloading a made video: what is retried, how soon, how often, and what people see."""

import asyncio

import pytest
from sqlalchemy import Connection

from bot.core.errors import Broken, FileMissing, NotAVideo, StorageAway, VideoDamaged
from bot.core.fetching import MOST_SOURCES
from bot.core.jobs import CLAIM, HARD_DEADLINE, UNNAMED, Reason, Status
from bot.core.notices import Pause
from bot.core.outcomes import (
    Accepted,
    Done,
    Fetched,
    Locked,
    Made,
    Missing,
    Open,
    Polled,
    Trouble,
    Unusable,
)
from bot.core.steps.content import CONTENT_PACE, CONTENT_TRIES
from tests.unit.core.orders import order
from tests.unit.core.workshop import Workshop

HOUR = 3600.0


@pytest.mark.proof
async def test_a_download_that_fails_for_now_is_tried_again_within_a_minute(
    workshop: Workshop,
) -> None:
    """While no answer is definite, even at a gateway that is polled only four times an hour."""
    workshop.gateway.poll_step = 900.0
    workshop.gateway.fetches = [Trouble("502")]
    job = await workshop.submit(order())
    await workshop.work(HOUR)
    waits = []
    for _ in range(12):
        await workshop.work(61)
        after = await workshop.job(job.id)
        assert after.due_at is not None
        waits.append(after.due_at - workshop.clock.time)
    assert (await workshop.job(job.id)).status is Status.COMPLETED
    assert max(waits) <= CONTENT_PACE
    workshop.gateway.fetches = [Fetched(9)]
    await workshop.work(61)
    assert (await workshop.job(job.id)).video is not None


@pytest.mark.parametrize("reason", [Reason.CONTENT_TOO_LARGE, Reason.CONTENT_BAD, Reason.WITHHELD])
async def test_an_unusable_video_is_downloaded_three_times_and_ends_within_minutes(
    workshop: Workshop, reason: Reason
) -> None:
    workshop.gateway.fetches = [Unusable(reason, "just so")]
    job = await workshop.submit(order())
    await workshop.work(CONTENT_TRIES * CONTENT_PACE)
    end = await workshop.job(job.id)
    assert (end.status, end.reason, end.detail) == (Status.FAILED, reason, "just so")
    assert (end.quota_cost, end.spend_cost) == (0, 1)
    assert len(workshop.gateway.asked) == CONTENT_TRIES


async def test_a_video_that_is_too_large_is_not_downloaded_from_its_links(
    workshop: Workshop,
) -> None:
    workshop.gateway.polls = [Done((MP4,))]
    workshop.gateway.fetches = [Unusable(Reason.CONTENT_TOO_LARGE, "just so")]
    await workshop.submit(order())
    await workshop.work(CONTENT_TRIES * CONTENT_PACE)
    assert workshop.gateway.asked == [None] * CONTENT_TRIES


async def test_only_the_first_few_links_are_tried_besides_our_own_address(
    workshop: Workshop,
) -> None:
    """Each link may take a quarter of an hour, and a gateway may name any number of links."""
    links = tuple(f"{MP4}?{number}" for number in range(MOST_SOURCES + 2))
    workshop.gateway.polls = [Done(links)]
    workshop.gateway.fetches = [Unusable(Reason.CONTENT_BAD, "just so")]
    await workshop.submit(order())
    await workshop.work(CONTENT_TRIES * CONTENT_PACE)
    assert workshop.gateway.asked[: MOST_SOURCES + 2] == [None, *links[:MOST_SOURCES], None]


async def test_a_video_done_with_an_error_and_missing_is_withheld_and_paid(
    workshop: Workshop,
) -> None:
    """The job ends within three minutes, and the person's day has room for another video."""
    workshop.gateway.polls = [Done(withheld=True)]
    workshop.gateway.fetches = [Trouble("HTTP 404", definite=True)]
    job = await workshop.submit(order())
    await workshop.work(CONTENT_TRIES * CONTENT_PACE)
    end = await workshop.job(job.id)
    assert (end.status, end.reason) == (Status.FAILED, Reason.WITHHELD)
    assert (end.quota_cost, end.spend_cost) == (0, 1)
    assert len(workshop.gateway.asked) == CONTENT_TRIES


async def test_a_video_done_with_an_error_that_can_be_downloaded_is_posted(
    workshop: Workshop,
) -> None:
    """An outage meanwhile is waited out and does not count as a try."""
    workshop.gateway.polls = [Done(withheld=True)]
    workshop.gateway.fetches = [*[Trouble("502")] * 5, Fetched(9)]
    job = await workshop.submit(order())
    await workshop.work(7 * CONTENT_PACE)
    done = await workshop.job(job.id)
    assert (done.video is not None, done.reason) == (True, None)


async def test_bad_downloads_are_counted_in_the_row_and_outages_do_not_reset_the_count(
    workshop: Workshop,
) -> None:
    """So a restart does not make us download an endless body nine times."""
    bad = Unusable(Reason.CONTENT_TOO_LARGE, "")
    workshop.gateway.fetches = [Trouble("502"), bad, Trouble("502"), bad, Trouble("502"), bad]
    job = await workshop.submit(order())
    counted = []
    for _ in range(9):
        await workshop.work(61)
        row = await workshop.job(job.id)
        if row.reason and row.status is Status.COMPLETED:
            counted.append(row.attempts)
    end = await workshop.job(job.id)
    assert (end.status, end.reason) == (Status.FAILED, Reason.CONTENT_TOO_LARGE)
    assert counted == [1, 1, 2, 2]
    assert len(workshop.gateway.asked) == 6


async def test_a_video_that_is_good_at_the_second_download_shows_no_error(
    workshop: Workshop,
) -> None:
    workshop.gateway.fetches = [Unusable(Reason.CONTENT_BAD, "noise"), Fetched(9)]
    job = await workshop.submit(order())
    await workshop.work(CONTENT_PACE + 30)
    done = await workshop.job(job.id)
    assert (done.status, done.reason, done.detail, done.attempts) == (
        Status.COMPLETED,
        None,
        None,
        0,
    )
    assert done.video is not None


@pytest.mark.parametrize("code", ["not_a_video", "video_damaged"])
async def test_a_downloaded_file_that_does_not_play_is_fetched_again_and_then_given_up(
    workshop: Workshop, code: str
) -> None:
    workshop.studio.bad_video = Broken.of(code, damaged=60, pictures=120)
    job = await workshop.submit(order())
    await workshop.work(HOUR)
    end = await workshop.job(job.id)
    assert (end.reason, end.detail) == (
        Reason.CONTENT_BAD,
        f"{code}: damaged 60, pictures 120",
    )
    assert len(workshop.gateway.asked) == CONTENT_TRIES


@pytest.mark.proof
async def test_a_web_page_instead_of_the_video_is_waited_out_for_two_hours(
    workshop: Workshop,
) -> None:
    workshop.gateway.fetches = [Trouble("not a video: text/html", definite=True)]
    job = await workshop.submit(order())
    await workshop.work(1.9 * HOUR)
    assert (await workshop.job(job.id)).status is Status.COMPLETED
    workshop.gateway.fetches = [Fetched(9)]
    await workshop.work(CONTENT_PACE + 1)
    assert (await workshop.job(job.id)).video is not None


async def test_a_damaged_download_from_our_own_address_is_replaced_by_one_from_a_link(
    workshop: Workshop,
) -> None:
    workshop.gateway.polls = [Done((MP4,))]
    workshop.studio.bad_videos = [VideoDamaged()]
    job = await workshop.submit(order())
    await workshop.work(15)
    assert (await workshop.job(job.id)).video is not None
    assert workshop.gateway.asked == [None, MP4]


# --- a refused download --------------------------------------------------------------------------

NO = Locked(Reason.BAD_KEY, "HTTP 401")


@pytest.mark.proof
async def test_a_refused_download_alone_pauses_no_gateway_and_ends_after_two_hours(
    workshop: Workshop,
) -> None:
    workshop.gateway.fetches, workshop.gateway.probes = [NO], [Open()]
    job = await workshop.submit(order())
    await workshop.work(HOUR)
    assert await workshop.pauses.held("main", now=workshop.clock.time) is None
    assert await workshop.pauses.next_due() is None
    await workshop.work(2 * HOUR)
    end = await workshop.job(job.id)
    assert (end.status, end.reason) == (Status.FAILED, Reason.CONTENT_GONE)


@pytest.mark.proof
async def test_a_refused_key_at_the_download_pauses_the_gateway_and_keeps_the_job_for_two_days(
    workshop: Workshop,
) -> None:
    workshop.gateway.fetches, workshop.gateway.probes = [NO], [NO]
    job = await workshop.submit(order())
    await workshop.work(3 * HOUR)
    assert await workshop.pauses.next_due() is not None
    assert (await workshop.job(job.id)).status is Status.COMPLETED
    workshop.clock.time += 45 * HOUR
    await workshop.work(120)
    assert (await workshop.job(job.id)).reason is Reason.CONTENT_GONE


@pytest.mark.proof
async def test_refused_downloads_of_one_job_cause_one_pause_at_most(workshop: Workshop) -> None:
    """This also holds if the gateway refuses probes to a key that can make videos."""
    workshop.gateway.fetches, workshop.gateway.probes = [NO], [NO]
    await workshop.submit(order())
    await workshop.work(HOUR)
    now = workshop.clock.time
    assert await workshop.pauses.works("main", polled=False, asked_at=now, rooms=(), now=now)
    await workshop.work(HOUR)
    assert await workshop.pauses.next_due() is None


# --- videos made at once -------------------------------------------------------------------------

MP4 = "https://media.test/v.mp4"


async def test_a_video_made_at_once_without_an_id_is_downloaded_without_a_poll(
    workshop: Workshop,
) -> None:
    workshop.gateway.creations = [Accepted(UNNAMED, (MP4,))]
    workshop.gateway.polls = [Missing()]
    job = await workshop.submit(order())
    await workshop.work(5)
    done = await workshop.job(job.id)
    assert (done.status, done.video is not None) == (Status.COMPLETED, True)
    assert workshop.gateway.asked == [MP4]
    assert workshop.gateway.polled == 0


@pytest.mark.parametrize(
    ("poll", "sources"),
    [(Missing(), (MP4,)), (Done(("https://media.test/2",)), ("https://media.test/2", MP4))],
)
async def test_a_video_made_at_once_is_downloaded_whether_its_id_is_known_or_not(
    workshop: Workshop, poll: Polled, sources: tuple[str, ...]
) -> None:
    workshop.gateway.creations = [Accepted("v1", (MP4,))]
    workshop.gateway.polls = [poll]
    workshop.gateway.fetches = [*[Trouble("404")] * len(sources), Fetched(9)]
    job = await workshop.submit(order())
    await workshop.work(5)
    assert (await workshop.job(job.id)).video is not None
    assert workshop.gateway.asked == [None, *sources]


async def test_a_video_that_comes_as_the_answer_is_stored_before_the_job_goes_on(
    workshop: Workshop,
) -> None:
    """This holds however long the storage is away.

    The received file is removed once the job has its copy.
    """
    workshop.gateway.creations = [Made(9)]
    workshop.gateway.polls = [Missing()]
    workshop.studio.storage_trouble = [StorageAway()] * 3
    kept: list[set[str]] = []

    async def note() -> None:
        kept.append(set(workshop.studio.kept))

    workshop.clock.on_nap = note
    job = await workshop.submit(order())
    await workshop.work(60)
    done = await workshop.job(job.id)
    assert (done.status, done.video is not None) == (Status.COMPLETED, True)
    assert (workshop.gateway.posts, workshop.gateway.asked, workshop.gateway.polled) == (1, [], 0)
    assert kept == [set(), set(), set()]
    assert workshop.studio.kept == {"videos/a.mp4"}


@pytest.mark.parametrize("away", [0, 3], ids=["storage is back", "storage is still away"])
async def test_a_video_received_just_before_the_process_ended_is_found_by_the_next_process(
    workshop: Workshop, away: int
) -> None:
    """The storage was away. The order is neither sent again nor called unconfirmed."""

    async def stop() -> None:
        raise asyncio.CancelledError

    workshop.gateway.creations = [Made(9)]
    workshop.studio.storage_trouble = [StorageAway()]
    workshop.clock.on_nap = stop
    job = await workshop.submit(order())
    with pytest.raises(asyncio.CancelledError):
        await workshop.work(1)
    assert (await workshop.job(job.id)).status is Status.SUBMITTING
    workshop.studio.storage_trouble = [StorageAway()] * away
    await workshop.work(2 * CLAIM)
    done = await workshop.job(job.id)
    assert (done.status, done.video is not None) == (Status.COMPLETED, True)
    assert (workshop.gateway.posts, workshop.gateway.asked, done.spend_cost) == (1, [], 1)
    assert (workshop.studio.kept, workshop.studio.receiving) == ({"videos/a.mp4"}, set())


@pytest.mark.proof
async def test_a_post_whose_process_ended_without_a_video_stays_unconfirmed(
    workshop: Workshop,
) -> None:
    """This also holds if the storage can't be asked for the video for a day."""

    async def stop() -> None:
        raise asyncio.CancelledError

    workshop.gateway.meanwhile = stop
    job = await workshop.submit(order())
    with pytest.raises(asyncio.CancelledError):
        await workshop.work(1)
    workshop.studio.storage_trouble = [StorageAway()] * 9999
    await workshop.work(HARD_DEADLINE / 2)
    assert (await workshop.job(job.id)).status is Status.SUBMITTING
    await workshop.work(HARD_DEADLINE)
    end = await workshop.job(job.id)
    assert (end.status, end.spend_cost, workshop.gateway.posts) == (Status.UNCONFIRMED, 1, 1)


async def test_a_video_received_as_the_answer_is_removed_when_its_job_fails(
    workshop: Workshop,
) -> None:
    workshop.gateway.creations = [Made(9)]
    workshop.studio.bad_video = NotAVideo()
    job = await workshop.submit(order())
    await workshop.work(CONTENT_PACE)
    assert workshop.studio.kept
    await workshop.work(CONTENT_TRIES * CONTENT_PACE)
    assert (await workshop.job(job.id)).reason is Reason.CONTENT_BAD
    assert workshop.studio.kept == set()


async def test_using_a_video_received_as_the_answer_does_not_end_a_pause(
    workshop: Workshop,
) -> None:
    async def locked() -> None:
        now = workshop.clock.time + 1
        pause = Pause(Reason.BAD_KEY, until=now + HOUR, polls_only=True)
        await workshop.pauses.pause("main", pause, detail="401", rooms=(), now=now)
        workshop.clock.time += 2

    workshop.gateway.creations, workshop.gateway.meanwhile = [Made(9)], locked
    job = await workshop.submit(order())
    await workshop.work(5)
    assert (await workshop.job(job.id)).video is not None
    assert await workshop.pauses.next_due() is not None


async def test_an_error_of_ours_after_the_post_leaves_the_job_unconfirmed(
    workshop: Workshop,
) -> None:
    """The order may have been paid: it is neither sent again nor said to be free."""
    workshop.gateway.creations = [Made(9)]
    workshop.studio.storage_trouble = [FileMissing()]
    job = await workshop.submit(order())
    await workshop.work(1)
    end = await workshop.job(job.id)
    assert (end.status, end.reason) == (Status.UNCONFIRMED, Reason.GATEWAY_ERROR)
    assert (workshop.gateway.posts, end.spend_cost) == (1, 1)


async def test_a_video_received_as_the_answer_is_read_again_after_our_worker_failed(
    workshop: Workshop,
) -> None:
    workshop.gateway.creations = [Made(9)]
    workshop.studio.bad_videos = [Broken("worker_died")]
    job = await workshop.submit(order())
    await workshop.work(HOUR)
    assert (await workshop.job(job.id)).video is not None
    assert workshop.gateway.asked == []


async def test_a_job_whose_received_video_is_gone_from_our_storage_ends_within_minutes(
    workshop: Workshop,
) -> None:
    workshop.gateway.creations = [Made(9)]
    workshop.studio.bad_videos = [Broken("worker_died")]
    job = await workshop.submit(order())
    await workshop.work(1)
    workshop.studio.kept.clear()
    await workshop.work(HOUR / 4)
    assert (await workshop.job(job.id)).reason is Reason.CONTENT_GONE


async def test_the_link_to_a_video_made_at_once_survives_a_full_database(
    workshop: Workshop,
) -> None:
    """The disk is full between the POST and its answer: SQLite itself raises."""

    async def pages(most: int) -> None:
        def limit(connection: Connection) -> None:
            connection.exec_driver_sql(f"PRAGMA max_page_count={most}")

        await workshop.database.run(limit)

    async def mend() -> None:
        assert list(workshop.spool.read()) == [(job.id, UNNAMED, (video,))]
        await pages(1_000_000)

    video = MP4 + "?" + "v" * 9_000
    workshop.gateway.creations = [Accepted(UNNAMED, (video,))]
    job = await workshop.submit(order())
    workshop.gateway.meanwhile = lambda: pages(1)
    workshop.clock.on_nap = mend
    await workshop.work(5)
    assert workshop.clock.naps == 1
    assert workshop.gateway.asked == [video]
    assert (await workshop.job(job.id)).video is not None
