"""Rows: every field of a job comes back unchanged, and so do the settings beside the jobs."""

import asyncio
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from itertools import count
from types import NoneType, UnionType
from typing import get_args, get_origin, get_type_hints

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core import moves
from bot.core.jobs import Job
from bot.store.heartbeat import EVERY, NAME, Heartbeat
from tests.contract.rows import NOON, Store, a_job
from tests.fakes.clock import FakeClock
from tests.unit.core.orders import changed

_numbers = count(1)
_PLAIN: dict[object, st.SearchStrategy[object]] = {
    # No database takes half a surrogate pair, and PostgreSQL takes no NUL; neither can arrive by
    # HTTP.
    str: st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12),
    int: st.integers(0, 2**31 - 1),
    float: st.floats(0, 1e11),
    bool: st.booleans(),
    NoneType: st.none(),
}


def anything(kind: object) -> st.SearchStrategy[object]:
    """Return a strategy for any value of a type that jobs are made of. All fields are drawn."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(list(kind))
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        return st.builds(kind, **{it.name: anything(hints[it.name]) for it in fields(kind)})
    match get_origin(kind), get_args(kind):
        case origin, members if origin is UnionType:
            return st.one_of(*map(anything, members))
        case origin, (member, end) if origin is tuple and end is ...:
            return st.lists(anything(member), max_size=3).map(tuple)
        case _, members:
            return st.tuples(*map(anything, members))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=anything(Job), spend=st.integers(0, 2**55))
async def test_every_field_of_a_job_comes_back_from_the_database_unchanged(
    store: Store, drawn: object, spend: int
) -> None:
    assert isinstance(drawn, Job)
    number = next(_numbers)
    order = changed(drawn.order, event_id=f"{number} {drawn.order.call.event_id}")
    wanted = replace(drawn, id=f"{number} {drawn.id}", order=order, spend_cost=spend)
    before = await store.admitted(a_job(id_=wanted.id))
    saved = await store.jobs.save(before, wanted, now=NOON)
    # Only a move sets the time of a job's end.
    timed = moves.timed(before, wanted, now=NOON)
    assert saved == replace(timed, version=before.version + 1)
    assert await store.jobs.get(wanted.id) == saved


async def test_sql_and_odd_characters_in_a_job_are_stored_as_plain_text(store: Store) -> None:
    hostile = "'; DROP TABLE jobs; -- \\ \" %s :name {x} \u202e 🎞"
    job = a_job(id_=hostile, event=hostile, person=hostile, community=hostile)
    assert await store.admitted(job) == job
    assert await store.jobs.get(hostile) == job
    assert (await store.usage(job)).community_videos == 1


async def test_a_stored_setting_has_the_last_value_that_was_put(store: Store) -> None:
    assert await store.settings.get("links.key") is None
    await store.settings.put("links.key", "old")
    await store.settings.put("links.key", "new")
    assert await store.settings.get("links.key") == "new"


async def test_of_many_simultaneous_puts_of_a_setting_one_value_remains(store: Store) -> None:
    await asyncio.gather(*(store.settings.put("links.key", str(number)) for number in range(20)))
    assert await store.settings.get("links.key") in [str(number) for number in range(20)]


async def test_the_heartbeat_is_written_when_asked_for_but_not_more_than_once_a_period(
    store: Store,
) -> None:
    clock = FakeClock(NOON)
    heartbeat = Heartbeat(store.database, clock)
    for seconds, written in ((0, NOON), (EVERY - 1, NOON), (1, NOON + EVERY)):
        await clock.advance(seconds)
        assert await heartbeat.beats() is True
        assert await store.settings.get(NAME) == f"{written:.0f}"


async def test_the_heartbeat_reports_a_database_that_takes_no_writes(store: Store) -> None:
    """A full disk, a standby or a wrong mount behaves like this."""
    forbid = (
        "PRAGMA query_only = ON"
        if store.database.is_sqlite
        else "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"
    )
    await store.database.run(lambda connection: connection.exec_driver_sql(forbid))
    assert await Heartbeat(store.database, FakeClock()).beats() == "database: not writable"
