"""A job that a poll finds made is saved together with its video, if the video comes soon.

Until then its row says that it is in progress; after a crash a poll finds it made once more.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.core import moves
from bot.core.jobs import CLAIM, MOST_CRASHES, Job, Status
from bot.core.learned import Key
from bot.core.outcomes import Done, Fetch, Trouble
from bot.core.posts import PostKind
from bot.core.wake import UNKNOWN
from bot.store.database import Database
from tests.databases import open_rows
from tests.unit.core.scripted import PLAYS, STATES, ScriptedGateway
from tests.unit.core.workshop import Workshop

WAIT = 20.0


class Slow(ScriptedGateway):
    """A gateway that gives content only when the test lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.open, self.asked_for = asyncio.Event(), asyncio.Event()
        self.open.set()

    async def content(
        self, gateway_id: str, source: str | None, into: Path, *, prompt: str = ""
    ) -> Fetch:
        self.asked_for.set()
        await self.open.wait()
        return await super().content(gateway_id, source, into, prompt=prompt)


class Shop(Workshop):
    """A workshop with a job at its gateway, and a loop that downloads finished videos."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.slow = Slow()
        super().__init__(database, folder, self.slow)
        self.states = STATES[:1]
        self.on = self.bells.jobs_on[Status.COMPLETED,]
        self.on.free = 1

    def taught(self, job: Job) -> list[float]:
        """Return how long videos of this job's kind took, as memory knows it."""
        return [took.until for took in self.learned._models[job.request.model][Key.of(job)].took]

    def wait_for_nothing(self) -> None:
        """Make the download too slow to wait for."""
        self.steps._content = replace(self.steps._content, soon=0.0)

    async def ordered(self) -> Job:
        """Return a job in progress that is claimed for a poll."""
        job = await self.asked("a cat")
        await self.work(0)
        now = self.clock.time = (await self.job(job.id)).due_at or 0.0
        (due,) = await self.polls.claim(now=now, until=now + CLAIM, most=9, but=())
        whole = await self.polls.whole(due)
        assert whole is not None
        assert (whole.id, whole.status) == (job.id, Status.IN_PROGRESS)
        return whole

    async def found(self, job: Job) -> Job:
        """Return the job as its next step gets it, once a poll has found it made."""
        await self.steps.polled(job, Done(("https://cdn.test/a.mp4",)), asked_at=self.clock.now())
        (handed,) = self.on.take()
        return handed

    async def free(self) -> list[str]:
        """Return the ids of the jobs that polls may claim."""
        now = self.clock.time
        but = self.bells.in_hand.keys()
        return [it.id for it in await self.polls.claim(now=now, until=now, most=9, but=but)]


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with open_rows(tmp_path) as database:
        yield Shop(database, tmp_path)


async def test_a_job_found_made_and_its_video_are_saved_in_one_write(shop: Shop) -> None:
    before = await shop.ordered()
    with capture_logs() as logs:
        found = await shop.found(before)
        assert found == before == await shop.job(before.id), "nothing is written yet"
        shop.clock.time += 1
        await shop.steps.take(found)
    after = await shop.job(before.id)
    made = moves.completed(before, now=shop.clock.time - 1, sources=(), made_after=after.made_after)
    assert after == replace(moves.stored(made, PLAYS), version=before.version + 1)
    assert after.made_after is not None
    assert [each["event"] for each in logs] == ["job.completed"]
    assert shop.taught(after) == [shop.clock.time - 1 - (before.submitted_at or 0.0)]
    due = await shop.posts.get(before.id, PostKind.RESULT)
    assert due is not None
    assert due.due_at == shop.clock.time


async def test_a_job_whose_video_is_being_downloaded_is_not_polled_by_another_worker(
    shop: Shop,
) -> None:
    before = await shop.ordered()
    found = await shop.found(before)
    assert await shop.free() == [], "on its way"
    shop.slow.open.clear()
    async with asyncio.timeout(WAIT):
        step = asyncio.create_task(shop.steps.take(found))
        await shop.slow.asked_for.wait()
        assert await shop.job(before.id) == before
        assert await shop.free() == [], "in the step"
        shop.slow.open.set()
        await step
    assert (await shop.job(before.id)).video == PLAYS


async def test_a_crash_during_the_download_of_a_video_is_found_by_the_next_start(
    shop: Shop,
) -> None:
    """The crash counts, because the process may have died of that video."""
    before = await shop.ordered()
    await shop.found(before)
    now = shop.clock.time
    assert await shop.polls.expire_claims(now=now) == 1
    (again,) = await shop.polls.claim_interrupted(now=now, until=now + CLAIM, most=9, but=[])
    assert (again.id, again.status, again.crashes) == (before.id, Status.IN_PROGRESS, 1)


async def test_a_job_whose_video_comes_late_is_first_saved_as_completed(shop: Shop) -> None:
    before = await shop.ordered()
    shop.wait_for_nothing()
    shop.slow.open.clear()
    async with asyncio.timeout(WAIT):
        step = asyncio.create_task(shop.steps.take(await shop.found(before)))
        while (row := await shop.job(before.id)).status is Status.IN_PROGRESS:
            await asyncio.sleep(0)
        assert (row.status, row.video, row.version) == (Status.COMPLETED, None, before.version + 1)
        assert row.sources == ("https://cdn.test/a.mp4",)
        assert row.claimed_until == shop.clock.time + CLAIM, "it is the same step that goes on"
        shop.slow.open.set()
        await step
    after = await shop.job(before.id)
    assert (after.video, after.claimed_until) == (PLAYS, None)
    assert shop.slow.asked == [None], "fetched once"


@pytest.mark.parametrize("late", [False, True])
async def test_a_stop_during_the_download_of_a_video_releases_the_job(
    shop: Shop, late: bool
) -> None:
    before = await shop.ordered()
    if late:
        shop.wait_for_nothing()
    shop.slow.open.clear()
    async with asyncio.timeout(WAIT) as limit:
        step = asyncio.create_task(shop.steps.take(await shop.found(before)))
        await shop.slow.asked_for.wait()
        while late and (await shop.job(before.id)).status is Status.IN_PROGRESS:
            await asyncio.sleep(0)
        step.cancel()
        with suppress(asyncio.CancelledError):
            await step
    assert not limit.expired(), "the download is broken off"
    row = await shop.job(before.id)
    assert row.status is (Status.COMPLETED if late else Status.IN_PROGRESS)
    assert (row.claimed_until, row.crashes) == (None, 0)


def _is_silent(shop: Shop, job: Job) -> Job:
    return replace(job, silent=True)


def _converts(shop: Shop, job: Job) -> Job:
    shop.studio.unplayable = True
    return job


def _fails(shop: Shop, job: Job) -> Job:
    shop.slow.fetches = [Trouble("HTTP 502")]
    return job


def _errs(shop: Shop, job: Job) -> Job:
    shop.studio.storage_trouble = []
    shop.studio.bad_videos = [ZeroDivisionError()]  # type: ignore[list-item]  # a fault of ours
    return job


@pytest.mark.parametrize(
    ("change", "status", "attempts"),
    [
        (_is_silent, Status.DELIVERED, 0),
        (_converts, Status.CONVERTING, 0),
        (_fails, Status.COMPLETED, 1),
        (_errs, Status.COMPLETED, 1),
    ],
)
async def test_a_download_that_ends_otherwise_saves_the_completed_state_separately(
    shop: Shop, change: Callable[[Shop, Job], Job], status: Status, attempts: int
) -> None:
    before = await shop.ordered()
    changed = change(shop, before)
    if changed != before:
        saved = await shop.jobs.save(before, changed, now=shop.clock.time)
        assert saved is not None
        before = saved
    with capture_logs() as logs:
        await shop.steps.take(await shop.found(before))
    after = await shop.job(before.id)
    assert (after.status, after.attempts) == (status, attempts)
    assert after.version == before.version + 2
    assert after.completed_at == shop.clock.time
    assert "job.completed" in [each["event"] for each in logs]
    assert len(shop.taught(after)) == 1


async def test_a_made_job_is_saved_as_completed_once_the_full_database_takes_writes_again(
    shop: Shop,
) -> None:
    """Meanwhile the job is neither polled nor downloaded again and again."""
    before = await shop.ordered()
    much = "INSERT INTO last_notices VALUES ('main', hex(zeroblob(1000000)), 0)"
    await _run(shop, f"CREATE TRIGGER full BEFORE UPDATE ON jobs BEGIN {much}; END")
    await _run(shop, "PRAGMA max_page_count=1")

    async def mend() -> None:
        if shop.clock.naps == 3:
            await _run(shop, "PRAGMA max_page_count=1000000")
            await _run(shop, "DROP TRIGGER full")

    shop.clock.on_nap = mend
    await shop.steps.take(await shop.found(before))
    assert shop.clock.naps == 3
    assert shop.slow.asked == [None]
    row = await shop.job(before.id)
    assert (row.status, row.video, row.claimed_until) == (Status.COMPLETED, None, None)
    assert row.due_at == row.completed_at, "its next step fetches it at once"


async def _run(shop: Shop, statement: str) -> None:
    await shop.database.run(lambda connection: connection.exec_driver_sql(statement))


async def test_a_job_changed_by_another_transaction_during_its_download_keeps_that_change(
    shop: Shop,
) -> None:
    """The other's change stands, no file is left over, and polls claim the job once more."""
    before = await shop.ordered()
    found = await shop.found(before)
    shop.bells.take(found)
    pressed = await shop.jobs.save(before, replace(before, silent=True), now=shop.clock.time)
    await shop.steps.take(found)
    assert await shop.job(before.id) == pressed
    assert shop.studio.kept == set()
    bell = shop.bells.each_job[Status.IN_PROGRESS,]
    bell.due()
    assert shop.bells.let_go(found) == UNKNOWN
    assert bell.due() <= shop.clock.time, "the bell of that loop rings"
    assert await shop.free() == [before.id]


async def test_a_job_suspected_of_killing_the_process_is_saved_as_completed_first(
    shop: Shop,
) -> None:
    """The job stays suspected until its video is here: three crashes in a row put it aside."""
    before = await shop.ordered()
    suspect = await shop.jobs.save(
        before, replace(before, crashes=MOST_CRASHES - 1), now=shop.clock.time
    )
    assert suspect is not None
    await shop.steps.polled(suspect, Done(), asked_at=shop.clock.now())
    row = await shop.job(before.id)
    assert (row.status, row.crashes) == (Status.COMPLETED, MOST_CRASHES - 1)
    (handed,) = shop.on.take()
    assert handed == row


async def test_if_the_download_loop_is_full_a_made_job_is_saved_as_completed_at_once(
    shop: Shop,
) -> None:
    shop.on.free = 0
    before = await shop.ordered()
    await shop.steps.polled(before, Done(), asked_at=shop.clock.now())
    row = await shop.job(before.id)
    assert (row.status, row.claimed_until) == (Status.COMPLETED, None)
