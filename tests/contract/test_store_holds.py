"""An operator's holds and blocks: nothing leaves and nothing is admitted once they are written."""

import asyncio

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.acts import EVERYTHING, Act, Block, Hold
from bot.core.errors import Refused
from bot.core.jobs import HELD, Job, Reason, Status
from bot.core.notices import Pause
from bot.store import turns
from bot.store.acts import Acts
from bot.store.blocks import Blocks
from bot.store.holds import Holds, is_held
from bot.store.tables import jobs
from tests.contract.rows import NOON, Store, a_job


def an_act(action: str = "stop", subject: str = EVERYTHING, *, now: float = NOON) -> Act:
    return Act(at=now, actor="cli:ann", action=action, subject=subject, why="why not")


def a_block(person: str = "ada", *, until: float | None = None) -> Block:
    return Block(platform="discord", person=person, at=NOON, until=until, actor="cli:ann", why="")


async def begun(store: Store, row: Job, *, at_once: int | None = None) -> Job | None:
    return await store.jobs.begin(row, now=NOON, at_once=at_once)


async def admission(store: Store, job: Job) -> str:
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


async def test_a_hold_of_one_gateway_holds_no_other(store: Store) -> None:
    await Holds(store.database).put("other", an_act(subject="other"))
    row = await begun(store, await store.admitted())
    assert row is not None
    assert row.status is Status.SUBMITTING


async def test_when_a_stop_is_written_the_last_post_has_left(store: Store) -> None:
    rows = [await store.admitted() for _ in range(12)]
    counted: list[int] = []

    async def stop() -> None:
        await asyncio.sleep(0)
        assert await Holds(store.database).put(EVERYTHING, an_act())
        counted.append(await _submitting(store))

    await asyncio.gather(*(begun(store, row) for row in rows[:6]), stop())
    await asyncio.gather(*(begun(store, row) for row in rows[6:]))
    assert counted == [await _submitting(store)]


async def test_a_stop_is_not_written_while_a_post_is_about_to_leave(store: Store) -> None:
    """The order's transaction has seen no hold, and is not committed yet."""
    looked, may_leave = asyncio.Event(), asyncio.Event()

    async def leave(connection: AsyncConnection) -> None:
        await turns.lock(connection)
        assert not await is_held(connection, "main")
        looked.set()
        await may_leave.wait()

    leaving = asyncio.create_task(store.database.run(leave))
    await looked.wait()
    stopping = asyncio.create_task(Holds(store.database).put(EVERYTHING, an_act()))
    done, _ = await asyncio.wait({stopping}, timeout=0.3)
    may_leave.set()
    assert not done
    await leaving
    assert await stopping


async def test_of_orders_at_the_same_time_as_a_stop_none_is_taken_after_it(store: Store) -> None:
    async def stop() -> None:
        assert await Holds(store.database).put(EVERYTHING, an_act())
        counted.append(await store.database.run(_count))

    counted: list[int] = []
    wanted = [admission(store, a_job()) for _ in range(12)]
    said = await asyncio.gather(*wanted[:6], stop(), *wanted[6:])
    assert set(said) <= {"admitted", "stopped", None}
    assert counted == [await store.database.run(_count)]
    assert await admission(store, a_job()) == "stopped"


async def test_an_order_that_was_taken_before_is_answered_with_the_same_job(store: Store) -> None:
    job = await store.admitted()
    await Holds(store.database).put(EVERYTHING, an_act())
    assert (await store.admitted(job)).id == job.id


async def test_the_same_hold_twice_is_one_act(store: Store) -> None:
    holds, acts = Holds(store.database), Acts(store.database)
    first, again = an_act(now=NOON), an_act(now=NOON + 5)
    assert [await holds.put(EVERYTHING, act) for act in (first, again)] == [True, False]
    assert await holds.all() == [Hold(name=EVERYTHING, at=NOON, actor="cli:ann", why="why not")]
    go = an_act("go", now=NOON + 9)
    assert [await holds.lift(EVERYTHING, go) for _ in range(2)] == [True, False]
    assert await holds.all() == []
    assert await acts.latest(most=9) == [go, first]


async def test_neither_a_probe_nor_a_success_ends_a_hold(store: Store) -> None:
    holds, pauses = Holds(store.database), store.pauses
    locked = Pause(Reason.BAD_KEY, NOON + 50)
    await pauses.pause("main", locked, detail="", rooms=(), now=NOON)
    await holds.put("main", an_act(subject="main"))
    assert [each.gateway for each in await holds.paused()] == ["main"]
    await pauses.let_one_try("main", now=NOON + 1)
    assert await pauses.works("main", looked=False, asked_at=NOON + 2, rooms=(), now=NOON + 3)
    held = await pauses.held("main", now=NOON + 4)
    assert held is not None
    assert held.reason is Reason.PAUSED


async def test_an_order_put_back_after_the_hold_ended_is_called_at_once(store: Store) -> None:
    holds, row = Holds(store.database), await store.admitted()
    await holds.put("main", an_act(subject="main"))
    await begun(store, row)
    assert not await store.pauses.catch_up("main", now=NOON + 1)
    await store.database.run(_lift_unnoticed)
    assert await store.pauses.catch_up("main", now=NOON + 1)
    assert await store.claimed(now=NOON + 1) == [row.id]


async def test_jobs_that_are_not_over_are_counted_by_gateway_and_state(store: Store) -> None:
    for status in (Status.QUEUED, Status.IN_PROGRESS, Status.IN_PROGRESS, Status.DELIVERED):
        await store.in_state(status)
    found = await Holds(store.database).unfinished()
    assert sorted(found) == [("main", Status.IN_PROGRESS, 2), ("main", Status.QUEUED, 1)]


# --- people --------------------------------------------------------------------------------------


async def test_a_person_who_is_blocked_orders_nothing_and_others_do(store: Store) -> None:
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


async def test_orders_that_wait_are_cancelled_and_what_is_paid_for_goes_on(store: Store) -> None:
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


@pytest.mark.parametrize("orders", [False, True])
async def test_a_press_is_refused_to_the_blocked_alone_and_an_order_to_all(
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


async def _submitting(store: Store) -> int:
    return await store.database.run(lambda it: _count(it, Status.SUBMITTING))


async def _count(connection: AsyncConnection, *statuses: Status) -> int:
    query = sa.select(sa.func.count()).select_from(jobs)
    if statuses:
        query = query.where(jobs.c.status.in_([status.value for status in statuses]))
    return await connection.scalar(query) or 0


async def _lift_unnoticed(connection: AsyncConnection) -> None:
    await connection.execute(sa.text("DELETE FROM holds"))
