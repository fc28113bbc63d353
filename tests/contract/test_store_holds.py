"""An operator's holds and blocks: once one is written, no POST leaves and no order is admitted."""

import asyncio
from functools import partial

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from bot.cli import drawing
from bot.core.acts import EVERYTHING, Act, Block, Hold
from bot.core.admin import Admin, whom
from bot.core.errors import Refused
from bot.core.jobs import HELD, Job, Reason, Status
from bot.core.notices import Pause
from bot.core.wake import Wake
from bot.store import turns
from bot.store.acts import Acts
from bot.store.blocks import Blocks
from bot.store.database import open_database
from bot.store.holds import Holds, is_held
from bot.store.tables import jobs
from bot.store.writing import get
from tests.conftest import NewUrl
from tests.contract.rows import NOON, Store, a_job, somebody_waits
from tests.databases import hold
from tests.fakes.clock import FakeClock

PLATFORMS = dict.fromkeys(("discord", "telegram"), r"\S+")


def an_act(action: str = "stop", subject: str = EVERYTHING, *, now: float = NOON) -> Act:
    return Act(at=now, actor="cli:ann", action=action, subject=subject, why="why not")


def a_block(person: str = "ada", *, until: float | None = None) -> Block:
    return Block(platform="discord", person=person, at=NOON, until=until, actor="cli:ann", why="")


async def begun(store: Store, row: Job, *, at_once: int | None = None) -> Job | None:
    """Let the job begin its POST, and return its row after that."""
    return await store.jobs.begin(row, now=NOON, at_once=at_once)


async def admission(store: Store, job: Job) -> str:
    """Admit the job; return "admitted", or the code of the refusal."""
    try:
        await store.admitted(job)
    except Refused as refused:
        return refused.code
    return "admitted"


@pytest.mark.parametrize("name", [EVERYTHING, "main"])
@pytest.mark.parametrize("at_once", [None, 1])
async def test_a_held_order_waits_and_goes_on_when_the_hold_ends(
    store: Store, name: str, at_once: int | None
) -> None:
    holds, row = Holds(store.database), await store.admitted()
    assert await holds.put(name, an_act(subject=name))
    held = await begun(store, row, at_once=at_once)
    assert held is not None
    assert (held.status, held.reason) == (Status.QUEUED, Reason.PAUSED)
    assert held.due_at == NOON + HELD
    assert await store.claimed(now=NOON + 1) == []
    assert await holds.lift(name, an_act("go", name, now=NOON + 1))
    assert await store.claimed(now=NOON + 1) == [row.id]


async def test_a_hold_of_one_gateway_does_not_hold_another_gateway(store: Store) -> None:
    await Holds(store.database).put("other", an_act(subject="other"))
    row = await begun(store, await store.admitted())
    assert row is not None
    assert row.status is Status.SUBMITTING


async def test_no_post_leaves_after_a_stop_was_written(store: Store) -> None:
    rows = [await store.admitted() for _ in range(12)]
    counted: list[int] = []

    async def stop() -> None:
        await asyncio.sleep(0)
        assert await Holds(store.database).put(EVERYTHING, an_act())
        counted.append(await _submitting(store))

    await asyncio.gather(*(begun(store, row) for row in rows[:6]), stop())
    await asyncio.gather(*(begun(store, row) for row in rows[6:]))
    assert counted == [await _submitting(store)]


async def test_a_stop_waits_for_a_post_that_is_about_to_leave(store: Store) -> None:
    """The order's transaction has found no hold and is not committed yet."""
    polled, may_leave = asyncio.Event(), asyncio.Event()

    def leave(connection: Connection) -> None:
        turns.lock(connection)
        assert not is_held(connection, "main")

    leaving = asyncio.create_task(hold(store.database, leave, begun=polled, may_end=may_leave))
    await polled.wait()
    stopping = asyncio.create_task(Holds(store.database).put(EVERYTHING, an_act()))
    done, _ = await asyncio.wait({stopping}, timeout=0.3)
    may_leave.set()
    assert not done
    await leaving
    assert await stopping


async def test_no_order_is_admitted_after_a_simultaneous_stop_was_written(store: Store) -> None:
    async def stop() -> None:
        assert await Holds(store.database).put(EVERYTHING, an_act())
        counted.append(await store.database.run(_count))

    counted: list[int] = []
    wanted = [admission(store, a_job()) for _ in range(12)]
    said = await asyncio.gather(*wanted[:6], stop(), *wanted[6:])
    assert set(said) <= {"admitted", "stopped", None}
    assert counted == [await store.database.run(_count)]
    assert await admission(store, a_job()) == "stopped"


@pytest.mark.proof
async def test_a_repeated_event_after_a_stop_returns_the_job_admitted_before(store: Store) -> None:
    job = await store.admitted()
    await Holds(store.database).put(EVERYTHING, an_act())
    assert (await store.admitted(job)).id == job.id


async def test_a_hold_put_or_lifted_twice_writes_one_act(store: Store) -> None:
    holds, acts = Holds(store.database), Acts(store.database)
    first, again = an_act(now=NOON), an_act(now=NOON + 5)
    assert [await holds.put(EVERYTHING, act) for act in (first, again)] == [True, False]
    assert await holds.all() == [Hold(name=EVERYTHING, at=NOON, actor="cli:ann", why="why not")]
    go = an_act("go", now=NOON + 9)
    assert [await holds.lift(EVERYTHING, go) for _ in range(2)] == [True, False]
    assert await holds.all() == []
    assert await acts.latest(most=9) == [go, first]


async def test_neither_a_probe_nor_an_accepted_order_ends_a_hold(store: Store) -> None:
    holds, pauses = Holds(store.database), store.pauses
    locked = Pause(Reason.BAD_KEY, NOON + 50)
    await pauses.pause("main", locked, detail="", rooms=(), now=NOON)
    await holds.put("main", an_act(subject="main"))
    assert [each.gateway for each in await holds.paused()] == ["main"]
    await pauses.let_one_try("main", now=NOON + 1)
    assert await pauses.works("main", polled=False, asked_at=NOON + 2, rooms=(), now=NOON + 3)
    held = await pauses.held("main", now=NOON + 4)
    assert held is not None
    assert held.reason is Reason.PAUSED


@pytest.mark.proof
async def test_an_order_put_back_just_after_the_hold_ended_is_due_at_once(store: Store) -> None:
    holds, row = Holds(store.database), await store.admitted()
    await holds.put("main", an_act(subject="main"))
    await begun(store, row)
    assert not await store.pauses.catch_up("main", now=NOON + 1)
    await store.database.run(_lift_unnoticed)
    assert await store.pauses.catch_up("main", now=NOON + 1)
    assert await store.claimed(now=NOON + 1) == [row.id]


async def test_unfinished_jobs_are_counted_by_gateway_and_state(store: Store) -> None:
    for status in (Status.QUEUED, Status.IN_PROGRESS, Status.IN_PROGRESS, Status.DELIVERED):
        await store.in_state(status)
    found = await Holds(store.database).unfinished()
    assert sorted(found) == [("main", Status.IN_PROGRESS, 2), ("main", Status.QUEUED, 1)]


# --- people --------------------------------------------------------------------------------------


async def test_a_blocked_person_cannot_order_and_other_people_can(store: Store) -> None:
    await Blocks(store.database).put(a_block(), an_act("user.block", "discord:ada"))
    assert await admission(store, a_job()) == "blocked"
    assert await admission(store, a_job(person="bob")) == "admitted"
    assert await admission(store, a_job(platform="telegram")) == "admitted"


async def test_a_block_ends_at_its_time_or_when_it_is_lifted(store: Store) -> None:
    blocks, act = Blocks(store.database), an_act("user.block", "discord:ada")
    await blocks.put(a_block(until=NOON + 60), act)
    assert await admission(store, a_job()) == "blocked_until"
    assert await admission(store, a_job(now=NOON + 61)) == "admitted"
    assert await blocks.all(now=NOON + 61) == []
    await blocks.put(a_block(), act)
    assert await blocks.all(now=NOON + 61) == [a_block()]
    assert await blocks.lift("discord", "ada", an_act("user.unblock", "discord:ada"))
    assert not await blocks.lift("discord", "ada", an_act("user.unblock", "discord:ada"))
    assert await admission(store, a_job()) == "admitted"
    assert len(await Acts(store.database).latest(most=9)) == 3


async def test_a_block_cancels_waiting_orders_and_leaves_paid_jobs_running(store: Store) -> None:
    waiting = await store.admitted()
    others = await store.admitted(a_job(person="bob"))
    paid = await store.in_state(Status.IN_PROGRESS)
    act = an_act("user.block", "discord:ada")
    assert await Blocks(store.database).put(a_block(), act) == 1
    found = [await store.jobs.get(each.id) for each in (waiting, others, paid)]
    assert [each and each.status for each in found] == [
        Status.CANCELLED,
        Status.QUEUED,
        Status.IN_PROGRESS,
    ]
    assert await begun(store, waiting) is None, "a worker that had it is too late"


async def test_a_block_and_a_job_that_leaves_its_slot_do_not_deadlock(
    new_postgres_tables_url: NewUrl,
) -> None:
    """A job that leaves its slot first takes the lock on all slots, and then locks rows."""
    async with open_database(await new_postgres_tables_url()) as database:
        store, locked = Store(database), asyncio.Event()
        first, second = [await store.admitted() for _ in range(2)]
        await begun(store, first, at_once=1)
        waits = await begun(store, second, at_once=1)
        assert waits is not None
        assert waits.reason is Reason.AT_ONCE

        def leave(connection: Connection) -> None:
            turns.lock(connection)
            locked.set()
            somebody_waits(connection)
            get(connection, waits.id, lock=True)

        leaving = asyncio.create_task(database.run(leave))
        await locked.wait()
        assert await Blocks(database).put(a_block(), an_act("user.block")) == 1
        await leaving


async def test_a_block_also_cancels_an_order_that_a_worker_claims_at_that_moment(
    new_postgres_tables_url: NewUrl,
) -> None:
    async with open_database(await new_postgres_tables_url()) as database:
        store, taken = Store(database), asyncio.Event()
        row = await store.admitted()

        def take(connection: Connection) -> None:
            claim = {"claimed_until": NOON + 60, "version": jobs.c.version + 1}
            connection.execute(sa.update(jobs).values(claim))
            taken.set()
            somebody_waits(connection)

        taking = asyncio.create_task(database.run(take))
        await taken.wait()
        await Blocks(database).put(a_block(), an_act("user.block"))
        await taking
        cancelled = await store.jobs.get(row.id)
        assert cancelled is not None
        assert cancelled.status is Status.CANCELLED


@pytest.mark.parametrize("orders", [False, True])
async def test_during_a_stop_orders_are_refused_to_all_and_presses_to_the_blocked_only(
    store: Store, orders: bool
) -> None:
    await Holds(store.database).put(EVERYTHING, an_act())
    await Blocks(store.database).put(a_block(), an_act("user.block"))

    async def said(person: str) -> str | None:
        try:
            await store.jobs.check_welcome("discord", person, orders=orders, now=NOON)
        except Refused as refused:
            return refused.code
        return None

    assert [await said("ada"), await said("bob")] == ["blocked", "stopped" if orders else None]


# --- the use cases of operators ------------------------------------------------------------------


def use_cases(store: Store, wake: Wake | None = None) -> Admin:
    return Admin(
        latest=Acts(store.database).latest,
        holds=Holds(store.database),
        blocks=Blocks(store.database),
        configured=["main"],
        jobs=store.jobs,
        platforms=PLATFORMS,
        clock=FakeClock(NOON),
        wake=wake or Wake(),
    )


async def test_every_change_by_an_operator_wakes_the_workers_at_once(store: Store) -> None:
    wake, ann = Wake(), "cli:ann"
    admin = use_cases(store, wake)
    for change in (
        partial(admin.stop, actor=ann),
        partial(admin.go, actor=ann),
        partial(admin.pause, actor=ann, name="main"),
        partial(admin.resume, actor=ann, name="main"),
        partial(admin.block, actor=ann, person="discord:ada"),
    ):
        await change()
        async with asyncio.timeout(1):
            await wake.heard()


async def test_an_unknown_gateway_name_cannot_be_held_or_resumed(
    store: Store,
) -> None:
    admin = use_cases(store)
    for change in (admin.pause, admin.resume):
        with pytest.raises(Refused, match="gateway_not_known"):
            await change(actor="cli:ann", name="mian")
    await Holds(store.database).put("former", an_act(subject="former"))
    assert (await admin.resume(actor="cli:ann", name="former"))["changed"], "it was known once"


async def test_a_block_whose_end_is_already_past_is_refused(store: Store) -> None:
    for until in (NOON - 1, NOON):
        with pytest.raises(Refused, match="until_past"):
            await use_cases(store).block(actor="cli:ann", person="discord:ada", until=until)
    assert await Acts(store.database).latest(most=9) == []


async def test_the_list_of_acts_shows_at_least_one_and_at_most_the_maximum(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.core.admin.MOST_ACTS", 2)
    admin = use_cases(store)
    for change in (admin.stop, admin.go, admin.stop):
        await change(actor="cli:ann")
    shown = [await admin.acts(most=most) for most in (-1, 0, 1, 99)]
    assert [len(drawing.rows(each, "acts")) for each in shown] == [1, 1, 1, 2]


@pytest.mark.parametrize("named", ["ada", "", ":ada", "discord:", "discord: ada", "matrix:ada"])
def test_an_operator_names_a_person_as_platform_and_id(named: str) -> None:
    with pytest.raises(Refused, match="whom_unreadable"):
        whom(named, PLATFORMS)
    assert whom(" discord:a:b\n", PLATFORMS) == ("discord", "a:b")


async def _submitting(store: Store) -> int:
    return await store.database.run(lambda it: _count(it, Status.SUBMITTING))


def _count(connection: Connection, *statuses: Status) -> int:
    query = sa.select(sa.func.count()).select_from(jobs)
    if statuses:
        query = query.where(jobs.c.status.in_([status.value for status in statuses]))
    return connection.scalar(query) or 0


def _lift_unnoticed(connection: Connection) -> None:
    """Delete all holds without making any order due."""
    connection.execute(sa.text("DELETE FROM holds"))
