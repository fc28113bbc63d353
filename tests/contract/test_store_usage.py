"""Usage: the counters equal the sums over the rows, whatever happens to the rows."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from bot.core import moves
from bot.core.acts import Act
from bot.core.errors import Unwritten
from bot.core.jobs import SOFT_DEADLINE, Job, Reason, Status
from bot.core.quotas import Limits, Purse, Usage
from bot.store import restored
from bot.store.communities import Communities
from bot.store.copying import copy_database, load_server
from bot.store.counters import counters
from bot.store.database import open_database
from bot.store.rows import job_of
from bot.store.statements import rows
from bot.store.sweeps import Sweeps
from bot.store.tables import jobs
from bot.store.times import Times
from bot.store.usage import UsageCounters, differences
from tests.conftest import NewUrl
from tests.contract.rows import FREE, NOON, VIDEO, Store, a_job

HOUR = 3600.0
PURSES = (Purse(), Purse(gateway="club"), Purse(others=frozenset({"club"})))
PEOPLE = ("ada", "bob")
PLACES = (None, "lounge", "garden")
ZONES = ("UTC", "Asia/Kathmandu", "Pacific/Auckland")

Move = Callable[[Job, float], Job]
MOVES: dict[Status, list[Move]] = {
    Status.QUEUED: [
        lambda job, now: moves.submitting(job, now=now),
        lambda job, _: moves.cancelled(job, Reason.BY_PERSON),
        lambda job, _: moves.failed(job, Reason.PICTURE_BAD, charged=False),
        lambda job, now: moves.put_off(job, due_at=now + 60),
        lambda job, _: replace(job, spend_cost=job.spend_cost // 2),
    ],
    Status.SUBMITTING: [
        lambda job, now: moves.accepted(job, f"at {job.id}", now=now, due_at=now),
        lambda job, now: moves.requeued(job, due_at=now, attempts=1),
        lambda job, _: moves.unconfirmed(job, detail=None),
        lambda job, _: moves.failed(job, Reason.REFUSED, charged=False),
    ],
    Status.UNCONFIRMED: [
        lambda job, now: moves.accepted(job, f"at {job.id}", now=now, due_at=now),
        lambda job, _: moves.failed(job, Reason.LOST, charged=True),
    ],
    Status.IN_PROGRESS: [
        lambda job, now: moves.completed(job, now=now, sources=()),
        lambda job, _: moves.failed(job, Reason.MODERATED, charged=True),
        lambda job, _: moves.failed(job, Reason.REFUSED, charged=False),
    ],
    Status.COMPLETED: [lambda job, now: moves.delivered(moves.stored(job, VIDEO), now=now)],
}

_admissions = st.tuples(
    st.just("admit"),
    st.sampled_from(PEOPLE),
    st.sampled_from(PLACES),
    st.sampled_from(("main", "club", "gone")),
)
_moves = st.tuples(st.just("move"), st.integers(0, 9), st.integers(0, 9))
_others = st.one_of(
    st.tuples(st.just("wait"), st.floats(60, 30 * HOUR)),
    st.tuples(st.just("clock"), st.floats(-30 * HOUR, 30 * HOUR)),
    st.tuples(st.just("zone"), st.sampled_from(ZONES)),
    st.tuples(st.just("community"), st.sampled_from(PLACES[1:])),
    st.tuples(st.just("park"), st.integers(0, 9)),
    st.tuples(st.just("delete"), st.integers(0, 9)),
    st.tuples(st.just("sweep")),
    st.tuples(st.just("restore")),
)
_acts = st.lists(st.one_of(_admissions, _moves, _moves, _others, _others), min_size=8, max_size=30)
_ONE_OF_EACH = [
    *[("admit", "ada", "lounge", gateway) for gateway in ("main", "club", "gone")],
    *[("admit", "bob", "garden", "main")] * 4,
    *[("move", which, 0) for which in range(4) for _ in range(which)],
    *[("move", which, 2) for which in range(7)],
    ("community", "lounge"),
    ("clock", 9 * HOUR),
    ("park", 6),
    ("delete", 5),
    ("wait", HOUR),
    ("zone", "Pacific/Auckland"),
    ("wait", 24 * HOUR),
    ("clock", -30 * HOUR),
    ("sweep",),
    ("restore",),
]
"""One of each act, as randomly drawn lists rarely contain some of them."""


class World:
    """Rows, a clock and the time zone of the day, with every act that may change them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = NOON
        self.limits = FREE

    async def empty(self) -> None:
        await self.store.database.write(sa.delete(jobs))

    async def rows(self) -> list[Job]:
        query = sa.select(jobs).order_by(jobs.c.id)
        return await self.store.database.run(lambda it: rows(it, query, job_of))

    async def do(self, what: str, *how: object) -> None:
        await getattr(self, f"_{what}")(*how)

    async def _admit(self, person: str, community: str | None, gateway: str) -> None:
        job = a_job(person=person, community=community, gateway=gateway, now=self.now)
        await self.store.admitted(job, self.limits)

    async def _move(self, which: int, move: int) -> None:
        if (job := await self._one(which)) and (known := MOVES.get(job.status)):
            await self.store.moved(job, known[move % len(known)](job, self.now), now=self.now)

    async def _one(self, which: int) -> Job | None:
        found = await self.rows()
        return found[which % len(found)] if found else None

    async def _wait(self, seconds: float) -> None:
        self.now += seconds

    async def _clock(self, seconds: float) -> None:
        self.now += seconds
        await Times(self.store.database).shift(seconds, now=self.now)

    async def _zone(self, name: str) -> None:
        self.limits = replace(self.limits, time_zone=name)

    async def _community(self, old: str) -> None:
        await Communities(self.store.database).move("discord", old, f"new {old}")

    async def _park(self, which: int) -> None:
        await self._change(which, sa.update(jobs).values(due_at=None))

    async def _delete(self, which: int) -> None:
        await self._change(which, sa.delete(jobs))

    async def _change(self, which: int, change: sa.Update | sa.Delete) -> None:
        if job := await self._one(which):
            await self.store.database.write(change.where(jobs.c.id == job.id))

    async def _sweep(self) -> None:
        await Sweeps(self.store.database).words(ended_by=self.now, now=self.now, most=9)

    async def _restore(self) -> None:
        await self.store.database.run(partial(restored.settle, deletions=(), now=self.now))

    async def check(self) -> None:
        """Check every figure and every counter against the sum over the rows."""
        found = await self.rows()
        for purse in PURSES:
            limits = replace(self.limits, purse=purse)
            for person, place in zip(PEOPLE, PLACES[1:], strict=True):
                asked = a_job(person=person, community=place)
                counted = await self.store.usage(asked, limits=limits, now=self.now)
                assert counted == summed(found, asked, limits, now=self.now)
        assert await self.store.database.run(partial(differences, most=9)) == []


def summed(found: list[Job], asked: Job, limits: Limits, *, now: float) -> Usage:
    """Return the usage as it is defined: sums over the jobs that this purse pays."""
    since, purse, call = limits.day(now)[0], limits.purse, asked.order.call
    ours = [
        job
        for job in found
        if (job.gateway == purse.gateway if purse.gateway else job.gateway not in purse.others)
    ]
    today = [job for job in ours if job.created_at >= since]
    mine = [job for job in today if job.order.call.person.id == call.person.id]
    theirs = [job for job in today if job.order.call.address.community == call.address.community]
    return Usage(
        person_videos=sum(job.quota_cost for job in mine),
        person_tries=len(mine),
        person_paid=sum(job.spend_cost > 0 for job in mine),
        person_at_once=sum(
            is_running(job, now=now) for job in ours if job.order.call.person.id == call.person.id
        ),
        community_videos=sum(job.quota_cost for job in theirs),
        purse_videos=sum(job.spend_cost > 0 for job in today),
        purse_money=sum(job.spend_cost for job in today),
    )


def is_running(job: Job, *, now: float) -> bool:
    if job.due_at is None:
        return False
    if job.status is Status.IN_PROGRESS:
        return job.submitted_at is not None and job.submitted_at > now - SOFT_DEADLINE
    return job.status in (Status.QUEUED, Status.SUBMITTING)


@settings(
    max_examples=2,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@example(acts=_ONE_OF_EACH)
@given(acts=_acts)
async def test_the_usage_counters_equal_the_sums_over_the_rows_after_random_changes(
    store: Store, acts: list[tuple[str, *tuple[object, ...]]]
) -> None:
    await _all_of(store, acts)


@pytest.mark.proof
@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(acts=_acts)
@pytest.mark.timeout(600)
async def test_the_usage_counters_equal_the_sums_over_the_rows_after_many_random_changes(
    store: Store, acts: list[tuple[str, *tuple[object, ...]]]
) -> None:
    await _all_of(store, acts)


async def _all_of(store: Store, acts: list[tuple[str, *tuple[object, ...]]]) -> None:
    """Do all acts, and check the counters after each."""
    world = World(store)
    await world.empty()
    for what, *how in acts:
        await world.do(what, *how)
        await world.check()


COUNTED = {
    "status": "failed",
    "quota_cost": 0,
    "spend_cost": 5,
    "created_at": NOON - 48 * HOUR,
    "platform": "telegram",
    "person": "bob",
    "community": None,
    "gateway": "club",
}


@pytest.mark.parametrize("column", COUNTED)
async def test_a_bare_sql_change_of_a_counted_column_changes_the_counters(
    store: Store, column: str
) -> None:
    """The statement names this column only, as an operator's SQL may do."""
    for _ in range(2):
        job = await store.admitted()
    before = await _counters(store)
    changed = sa.update(jobs).where(jobs.c.id == job.id).values({column: COUNTED[column]})
    await store.database.write(changed)
    assert await _counters(store) != before
    assert await store.database.run(partial(differences, most=9)) == []


async def _counters(store: Store) -> list[tuple[object, ...]]:
    query = sa.select(counters).order_by(*counters.primary_key)
    return await store.database.run(lambda it: rows(it, query, lambda row: tuple(row.values())))


async def test_a_comparison_names_the_counters_that_are_wrong(store: Store) -> None:
    await store.admitted()
    await store.database.write(
        sa.update(counters).where(counters.c.scope != "open").values(videos=7)
    )
    found = await store.database.run(partial(differences, most=2))
    assert found == ["community discord club main", "person discord ada main"]


async def test_negative_control_a_job_changed_without_triggers_makes_counters_wrong(
    store: Store,
) -> None:
    """Shows that the triggers are what keeps the counters right."""
    job = await store.admitted()
    await store.usage(job)
    await store.database.run(_without_triggers)
    await store.moved(job, moves.cancelled(job, Reason.BY_PERSON))
    found = await store.database.run(partial(differences, most=9))
    assert [line.split()[0] for line in found] == ["community", "open", "person", "purse"]


def _without_triggers(connection: Connection) -> None:
    is_sqlite = connection.dialect.name == "sqlite"
    table = "" if is_sqlite else " ON jobs"
    connection.exec_driver_sql(f"DROP TRIGGER jobs_changed{table}")


async def test_no_order_is_admitted_while_the_counters_are_known_to_be_wrong(store: Store) -> None:
    """The counters are in doubt from a failed comparison until an operator has them recounted."""
    job = await store.admitted()
    kept = UsageCounters(store.database)
    assert await kept.compare() == []
    await store.database.write(sa.update(counters).values(spend=7))
    await store.admitted()
    wrong = await kept.compare()
    assert len(wrong) == 4
    assert (await store.usage(job)).is_doubted
    with pytest.raises(Unwritten, match="usage_doubted"):
        await store.admitted()
    tomorrow = NOON + 24 * HOUR
    with pytest.raises(Unwritten, match="usage_doubted"):
        await store.admitted(a_job(now=tomorrow))
    assert await kept.compare() == wrong, "they are right by now, and were not compared again"
    await kept.recount(Act(at=NOON, actor="cli:ann", action="usage.recount"))
    assert (await kept.compare(), await kept.doubted()) == ([], [])
    await store.admitted()
    assert (await store.usage(job)).purse_videos == 3


async def test_a_restore_recounts_the_counters(store: Store) -> None:
    """The backup may have been made while the counters were wrong."""
    job = await store.admitted()
    await store.usage(job)
    await store.database.write(sa.update(counters).values(paid=7))
    await UsageCounters(store.database).compare()
    await store.database.run(partial(restored.settle, deletions=(), now=NOON))
    assert await UsageCounters(store.database).compare() == []
    assert (await store.usage(job)).purse_videos == 1


async def test_a_copy_of_the_database_and_one_loaded_from_it_have_the_right_counters(
    store: Store, tmp_path: Path
) -> None:
    """No job is counted both by its trigger and by a copied counter."""
    job, copy = await store.admitted(), tmp_path / "copy.db"
    used = await store.usage(job)
    engine = store.database._engine
    url = engine.url.render_as_string(hide_password=False)
    await copy_database(url, copy)
    async with open_database(f"sqlite:///{copy}") as database:
        assert await Store(database).usage(job) == used
        assert await database.run(partial(differences, most=9)) == []
    if not store.database.is_sqlite:
        async with engine.begun() as rows:
            await load_server(rows, source=copy)
        assert await store.usage(job) == used
        assert await store.database.run(partial(differences, most=9)) == []


async def test_transactions_that_count_a_new_day_at_the_same_time_count_its_jobs_once(
    store: Store,
) -> None:
    """Some move jobs meanwhile, and others ask what is left."""
    admitted = [await store.admitted(a_job(person=f"person {n}")) for n in range(10)]
    tomorrow = NOON + 24 * HOUR
    asked = (store.usage(job, now=now) for job in admitted for now in (NOON, tomorrow))
    moved = (store.moved(job, moves.cancelled(job, Reason.BY_PERSON)) for job in admitted)
    later = (store.admitted(a_job(now=tomorrow)) for _ in range(10))
    await asyncio.gather(*asked, *moved, *later)
    assert await store.database.run(partial(differences, most=9)) == []
    assert (await store.usage(a_job(), now=tomorrow)).purse_videos == 10
    assert (await store.usage(a_job(), now=NOON)).person_tries == 10


async def test_two_transactions_that_change_counters_in_opposite_order_do_not_deadlock(
    new_postgres_url: NewUrl,
) -> None:
    async with open_database(await new_postgres_url()) as database, asyncio.timeout(30):
        store = Store(database)
        ada = await store.admitted(a_job(person="ada"))
        bob, more = [await store.admitted(a_job(person="bob")) for _ in range(2)]
        await store.usage(ada)
        async with database._engine.begun() as one:
            await one.run(partial(_cheaper, ada.id))
            other = asyncio.create_task(database.run(partial(_cheaper, bob.id)))
            while not await database.value(_WAITS):
                pass
            await one.run(partial(_cheaper, more.id))
        await other
        assert await database.run(partial(differences, most=9)) == []


def _cheaper(job_id: str, connection: Connection) -> None:
    """Change the cost of a job, which changes counters."""
    connection.execute(sa.update(jobs).where(jobs.c.id == job_id).values(spend_cost=1))


_locks = sa.table("pg_locks", sa.column("granted"))
_WAITS = sa.select(sa.literal(1)).select_from(_locks).where(sa.not_(_locks.c.granted)).limit(1)
