"""Saving the outcome of a POST when the row is gone or the database is full."""

import asyncio

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection
from structlog.testing import capture_logs

from bot.core.context import PAUSE, UNCALLED
from bot.core.jobs import CLAIM, Job, Reason, Status
from bot.core.notices import Pause
from bot.core.outcomes import Accepted, Creation, Locked, Made, Rejected
from bot.store.tables import jobs
from tests.unit.core.orders import order
from tests.unit.core.workshop import Workshop

LOCKED = Locked(Reason.BAD_KEY, "HTTP 401: no")


async def test_a_job_deleted_during_its_post_ends_its_step_when_the_post_meets_a_lock(
    workshop: Workshop,
) -> None:
    job = await workshop.submit(order())
    workshop.gateway.creations = [LOCKED]
    workshop.gateway.meanwhile = lambda: _delete(workshop, job)
    workshop.clock.on_nap = _never
    await workshop.work(1)
    assert workshop.clock.naps == 0
    assert await workshop.jobs.get(job.id) is None
    assert await workshop.pauses.next_due() is not None, "the lock may be everybody's"


async def test_a_missing_table_is_logged_at_once_and_the_gateway_id_is_kept(
    workshop: Workshop,
) -> None:
    """A missing table is a fault of ours: it is logged, and the video is not lost."""
    job = await workshop.submit(order())
    workshop.gateway.meanwhile = lambda: _run(workshop, "DROP TABLE refusals")
    workshop.clock.on_nap = _never
    with capture_logs() as told:
        await workshop.work(1)
    assert workshop.clock.naps == 0
    assert [it["event"] for it in told if it["log_level"] == "error"] == ["step.failed"]
    assert (await workshop.job(job.id)).gateway_id == "v1"


@pytest.mark.proof
async def test_an_id_that_its_row_refuses_for_good_is_spooled(workshop: Workshop) -> None:
    """A trigger refuses the id. Who mends the row finds the id in the spool."""
    job = await workshop.submit(order())
    no = "WHEN NEW.gateway_id IS NOT NULL BEGIN SELECT RAISE(ABORT, 'no'); END"
    trigger = f"CREATE TRIGGER no BEFORE UPDATE ON jobs {no}"
    workshop.gateway.meanwhile = lambda: _run(workshop, trigger)
    workshop.clock.on_nap = _never
    await _one_step(workshop)
    assert workshop.clock.naps == 0
    assert list(workshop.spool.read()) == [(job.id, "v1", ())]


async def test_a_video_answer_whose_storage_raises_leaves_the_job_unconfirmed(
    workshop: Workshop,
) -> None:
    """The POST has left, so an unexpected error must not leave the row in the state submitting."""
    job = await workshop.submit(order())
    workshop.gateway.creations = [Made(9)]
    workshop.studio.storage_trouble = [KeyError("no such bucket")]
    with capture_logs() as told:
        await _one_step(workshop)
    row = await workshop.job(job.id)
    assert (row.status, row.reason) == (Status.UNCONFIRMED, Reason.GATEWAY_ERROR)
    assert ("job.answer_unheeded", "KeyError") in [(it["event"], it.get("code")) for it in told]


async def _never() -> None:
    raise AssertionError("nothing is waited for")


@pytest.mark.parametrize("table", ["gateways", "refusals"])
async def test_a_disk_that_fills_up_after_an_accepted_order_leaves_no_pause(
    workshop: Workshop, table: str
) -> None:
    """The disk fills up just as the end of the pause, or the acceptance, is written."""
    job = await workshop.submit(order())

    async def pause() -> None:
        pause = Pause(Reason.BAD_KEY, until=workshop.clock.time + PAUSE)
        account, now = workshop.gateway.account, workshop.clock.time
        await workshop.pauses.lock(job, account, pause, detail="", rooms=(), now=now)
        workshop.clock.time += 1

    async def fill() -> None:
        much = "INSERT INTO last_notices VALUES ('main', hex(zeroblob(1000000)), 0)"
        await _run(workshop, f"CREATE TRIGGER full BEFORE DELETE ON {table} BEGIN {much}; END")
        await _run(workshop, "PRAGMA max_page_count=1")

    async def mend() -> None:
        await _run(workshop, "PRAGMA max_page_count=1000000")
        await _run(workshop, "DROP TRIGGER full")

    workshop.gateway.before, workshop.gateway.meanwhile = pause, fill
    workshop.clock.on_nap = mend
    with capture_logs() as told:
        await workshop.work(1)
    assert workshop.clock.naps == 1
    assert (await workshop.job(job.id)).gateway_id == "v1"
    assert await workshop.pauses.next_due() is None, "the pause is over"
    (line,) = [it for it in told if it["event"] == "job.unwritten"]
    assert (line["job"], line["code"]) == (job.id, "database_full")


async def test_an_accepted_order_wakes_the_worker_of_posts(workshop: Workshop) -> None:
    workshop.gateway.meanwhile = workshop.wake_posts.heard
    await workshop.submit(order())
    await _one_step(workshop)
    async with asyncio.timeout(0.1):
        await workshop.wake_posts.heard()


async def test_an_order_put_back_after_another_order_was_let_through_is_due_at_once(
    workshop: Workshop,
) -> None:
    """The gateway was paused and one order let through while this order's POST was in flight."""
    now = workshop.clock.time

    async def pause_and_open() -> None:
        pause = Pause(Reason.BAD_KEY, until=now + PAUSE)
        await workshop.pauses.pause("main", pause, detail="", rooms=(), now=now)
        await workshop.pauses.let_one_try("main", now=now)

    workshop.gateway.creations = [LOCKED]
    workshop.gateway.meanwhile = pause_and_open
    job = await workshop.submit(order())
    await _one_step(workshop)
    assert (await workshop.job(job.id)).due_at == now


async def test_an_order_that_met_a_lock_is_due_after_the_next_probe(
    workshop: Workshop,
) -> None:
    workshop.gateway.creations = [LOCKED]
    job = await workshop.submit(order())
    await _one_step(workshop)
    assert (await workshop.job(job.id)).due_at == workshop.clock.time + UNCALLED


@pytest.mark.parametrize(
    ("reason", "status"), [(Reason.BAD_KEY, Status.FAILED), (Reason.NO_BALANCE, Status.QUEUED)]
)
async def test_a_moderated_order_proves_the_key_but_not_the_balance(
    workshop: Workshop, reason: Reason, status: Status
) -> None:
    locked = Locked(reason, "HTTP 401: no")
    moderated = Rejected(Reason.MODERATED, "HTTP 400: no")
    outcomes: list[Creation] = [locked, moderated, locked]
    workshop.gateway.creations = outcomes
    odd = await workshop.submit(order())
    await workshop.work(1)
    await workshop.submit(order())
    await workshop.work(2.5 * PAUSE)
    assert (await workshop.job(odd.id)).status is status
    assert workshop.gateway.posts >= 3


@pytest.mark.parametrize("outcome", [LOCKED, Rejected(Reason.REFUSED, "HTTP 400: no")])
async def test_no_text_that_a_person_wrote_is_in_the_log(
    workshop: Workshop, outcome: Locked | Rejected
) -> None:
    """A gateway may quote the prompt and the negative prompt, long or short."""
    for avoided in ("my neighbour Zed", "Zed"):
        said = f'{outcome.detail} to "dancing in the rain" without "{avoided}"'
        answer: Creation = (
            Locked(outcome.reason, said)
            if isinstance(outcome, Locked)
            else Rejected(outcome.reason, said)
        )
        workshop.gateway.creations = [answer, Accepted("v1"), answer]
        with capture_logs() as told:
            wish = order(prompt="dancing in the rain", negative_prompt=avoided)
            job = await workshop.submit(wish)
            await workshop.work(1)
            await workshop.submit(order())
            await workshop.work(3 * PAUSE)
        assert (await workshop.job(job.id)).status is Status.FAILED
        lines = [it["words"] for it in told if "words" in it]
        assert lines
        assert all("HTTP 40" in words for words in lines)
        assert not any(each in f"{told}" for each in ("neighbour", "Zed", "dancing", "rain"))


async def _one_step(workshop: Workshop) -> None:
    """Take one step of the queued job."""
    now = workshop.clock.time
    (job,) = await workshop.jobs.claim([Status.QUEUED], now=now, until=now + CLAIM, most=9)
    await workshop.steps.take(job)


async def _delete(workshop: Workshop, job: Job) -> None:
    row = sa.delete(jobs).where(jobs.c.id == job.id)
    await workshop.database.run(lambda it: it.execute(row))


async def _run(workshop: Workshop, statement: str) -> None:
    def work(connection: Connection) -> None:
        connection.exec_driver_sql(statement)

    await workshop.database.run(work)
