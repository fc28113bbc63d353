"""A job that a look finds made: that is written together with its video, if the video comes soon.

Until then its row tells that it is being made: after a crash it is found made once more.
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
    """A gateway that gives content when it is let."""

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
    """A workshop with a job at its gateway, and a loop that fetches what is made."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.slow = Slow()
        super().__init__(database, folder, self.slow)
        self.states = STATES[:1]
        self.on = self.bells.jobs_on[Status.COMPLETED,]
        self.on.free = 1

    def taught(self, job: Job) -> list[float]:
        """How long videos of this kind took, as is known in memory."""
        return [took.until for took in self.learned._models[job.request.model][Key.of(job)].took]

    def wait_for_nothing(self) -> None:
        """No video comes soon."""
        self.steps._content = replace(self.steps._content, soon=0.0)

    async def ordered(self) -> Job:
        """A job that is being made, and that a look has in hand."""
        job = await self.asked("a cat")
        await self.work(0)
        now = self.clock.time = (await self.job(job.id)).due_at or 0.0
        (due,) = await self.polls.claim(now=now, until=now + CLAIM, most=9, but=())
        whole = await self.polls.whole(due)
        assert whole is not None
        assert (whole.id, whole.status) == (job.id, Status.IN_PROGRESS)
        return whole

    async def found(self, job: Job) -> Job:
        """As its step gets it, once a look has found it made."""
        await self.steps.polled(job, Done(("https://cdn.test/a.mp4",)), asked_at=self.clock.now())
        (handed,) = self.on.take()
        return handed

    async def free(self) -> list[str]:
        """The jobs that looks may take."""
        now = self.clock.time
        but = self.bells.in_hand.keys()
        return [it.id for it in await self.polls.claim(now=now, until=now, most=9, but=but)]


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with open_rows(tmp_path) as database:
        yield Shop(database, tmp_path)


async def test_one_write_tells_that_it_is_made_and_that_its_video_is_here(shop: Shop) -> None:
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


async def test_while_its_video_comes_no_other_look_takes_it(shop: Shop) -> None:
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


async def test_a_crash_while_its_video_comes_is_found_by_the_next_start(shop: Shop) -> None:
    """And it counts, for the process may have died of that video."""
    before = await shop.ordered()
    await shop.found(before)
    now = shop.clock.time
    assert await shop.polls.expire_claims(now=now) == 1
    (again,) = await shop.polls.claim_interrupted(now=now, until=now + CLAIM, most=9, but=[])
    assert (again.id, again.status, again.crashes) == (before.id, Status.IN_PROGRESS, 1)


async def test_of_a_video_that_comes_late_the_row_tells_first_that_it_is_made(shop: Shop) -> None:
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
async def test_a_stop_while_a_video_comes_gives_the_job_back(shop: Shop, late: bool) -> None:
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
async def test_any_other_end_of_fetching_it_is_a_write_of_its_own(
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


async def test_what_a_full_database_does_not_take_is_written_once_it_does(shop: Shop) -> None:
    """Neither is it looked at nor fetched again and again meanwhile."""
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


async def test_somebody_else_was_faster(shop: Shop) -> None:
    """Their change stands, no file is left over, and looks take the job once more."""
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
    assert bell.due() <= shop.clock.time, "their loop is told"
    assert await shop.free() == [before.id]


async def test_one_that_our_process_may_have_died_of_goes_on_step_by_step(shop: Shop) -> None:
    """And it stays suspected until its video is here: three deaths in a row put it aside."""
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


async def test_where_the_loop_is_full_that_it_is_made_is_written_at_once(shop: Shop) -> None:
    shop.on.free = 0
    before = await shop.ordered()
    await shop.steps.polled(before, Done(), asked_at=shop.clock.now())
    row = await shop.job(before.id)
    assert (row.status, row.claimed_until) == (Status.COMPLETED, None)
