"""Causes and their reports to owners: one report each, over restarts, until the cause is over."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core import moves
from bot.core.accounts import Accounts, Terms
from bot.core.causes import MOST_IDS, Cause, Facts, Kind, Report, ids_in
from bot.core.context import SETTLED
from bot.core.jobs import SOFT_DEADLINE, Job, Reason, Status
from bot.core.keeping import Rules
from bot.core.learned import Learned
from bot.core.notices import HUSH
from bot.core.orders import Person
from bot.core.quotas import Limits
from bot.core.schedule import LEAST_SAMPLES
from bot.core.sources import QUEUED, Sources, shown
from bot.store.causes import KEPT, Causes
from bot.store.outlook import Outlook
from bot.store.tables import owners, reports
from tests.contract.rows import FREE, NOON, PRICE, Store, a_job
from tests.contract.test_store_notices import own
from tests.fakes.clock import FakeClock
from tests.unit.core.orders import CATALOG, changed

CHATS = ["discord", "room", "telegram"]
KINDS: dict[Kind, Facts] = {
    Kind.BACKUP: {"detail": "No room."},
    Kind.MEDIA: {"gigabytes": 1.5, "most": 20.0},
    Kind.STUCK: {"count": 1, "ids": ["a"], "jobs": []},
    Kind.LIMIT: {"figure": "purse_videos", "level": 80, "limit": 50},
    Kind.DISK: {"folder": "/data", "gigabytes": 0.4},
}


class Ledger:
    """Causes on a store, with helper methods for tests."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.causes = Causes(store.database)

    async def poll(self, *found: Cause, now: float = NOON, rooms: Sequence[str] = ()) -> bool:
        """Settle one check of all the kinds of causes in these tests."""
        kinds = (Kind.UNCONFIRMED, Kind.LIMIT, *KINDS)
        present: dict[Kind, list[Cause]] = {kind: [] for kind in kinds}
        for cause in found:
            present[cause.kind].append(cause)
        return await self.causes.settle(present, rooms=rooms, now=now)

    async def sent(self, *, now: float = NOON) -> list[tuple[str, str, str, bool]]:
        """Tell every due report.

        Return platform, person, message, and whether it says that it is over.

        A message that stands keeps its number; "new" is a message that was sent just now.
        """
        due = await self.causes.claim(CHATS, now=now, until=now + 60, most=99)
        for report in due:
            assert report.message_id or await self.causes.sending(report, now=now)
            await self.causes.sent(report, report.message_id or f"m{report.round}", "dm")
        return sorted((it.platform, it.person, it.message_id or "new", it.is_over) for it in due)

    async def one(self, *, now: float = NOON) -> Report:
        (report,) = await self.causes.claim(CHATS, now=now, until=now + 60, most=9)
        return report


@pytest.fixture
async def ledger(store: Store) -> Ledger:
    """Causes on a store with one owner."""
    await own(store, ("discord", "7"))
    return Ledger(store)


def lost(*ids: str) -> Cause:
    """Return the cause of these unconfirmed orders."""
    return Cause(kind=Kind.UNCONFIRMED, facts={"count": len(ids), "ids": list(ids), "jobs": []})


@pytest.mark.parametrize("kind", KINDS)
async def test_a_cause_is_reported_once_until_it_ends_and_again_when_it_returns(
    ledger: Ledger, kind: Kind
) -> None:
    cause = Cause(kind=kind, facts=KINDS[kind])
    assert await ledger.poll(cause)
    assert await ledger.sent() == [("discord", "7", "new", False)]
    restarted = Ledger(ledger.store)
    assert not await restarted.poll(cause, now=NOON + 60)
    assert await restarted.sent(now=NOON + 60) == []
    assert await restarted.poll(now=NOON + 120)
    assert await restarted.sent(now=NOON + 120) == [("discord", "7", "m1", True)]
    assert not await restarted.poll(now=NOON + 180)
    assert await restarted.poll(cause, now=NOON + HUSH)
    assert await restarted.sent(now=NOON + HUSH) == [("discord", "7", "new", False)]


async def test_a_cause_is_reported_to_all_owners_the_room_and_later_owners(ledger: Ledger) -> None:
    await ledger.poll(lost("a"), rooms=["room"])
    assert await ledger.sent() == [("discord", "7", "new", False), ("room", "", "new", False)]
    await own(ledger.store, ("telegram", "8"))
    await ledger.poll(lost("a"), rooms=["room"], now=NOON + 30)
    assert await ledger.sent(now=NOON + 30) == [("telegram", "8", "new", False)]


async def test_a_former_owner_gets_no_further_reports(ledger: Ledger) -> None:
    await own(ledger.store, ("telegram", "8"))
    await ledger.poll(lost("a"))
    assert len(await ledger.sent()) == 2

    def leave(connection: Connection) -> None:
        connection.execute(sa.delete(owners).where(owners.c.person == "8"))

    await ledger.store.database.run(leave)
    await ledger.poll(lost("a", "b"), now=NOON + 1)
    assert await ledger.sent(now=NOON + 1) == [("discord", "7", "m1", False)]


async def test_a_thousand_unconfirmed_orders_are_one_report_that_is_edited(ledger: Ledger) -> None:
    """A member who loses answers on purpose causes at most one new message an hour."""
    said = []
    for number in range(1, 60):
        now = NOON + 10 * number
        await ledger.poll(lost(*map(str, range(number * 17))), now=now)
        said += await ledger.sent(now=now)
    assert [it[2] for it in said].count("new") == 1
    assert {it[2] for it in said} == {"new", "m1"}
    await ledger.poll(lost("last"), now=NOON + HUSH + 20)
    assert [it[2] for it in await ledger.sent(now=NOON + HUSH + 20)] == ["new"]


async def test_a_change_during_the_sending_of_a_report_is_reported_afterwards(
    ledger: Ledger,
) -> None:
    await ledger.poll(lost("a"))
    report = await ledger.one()
    assert await ledger.causes.sending(report, now=NOON)
    await ledger.poll(lost("a", "b"), now=NOON + 1)
    await ledger.causes.sent(report, "m1", "dm")
    later = await ledger.one(now=NOON + 2)
    assert (later.message_id, later.facts["count"]) == ("m1", 2)


async def test_a_report_renewed_during_its_sending_is_not_marked_as_told(
    ledger: Ledger,
) -> None:
    await ledger.poll(lost("a"))
    report = await ledger.one()
    await ledger.poll(lost("a", "b"), now=NOON + HUSH)
    assert not await ledger.causes.sending(report, now=NOON + HUSH)
    await ledger.causes.sent(report, "m1", "dm")
    assert (await ledger.one(now=NOON + HUSH)).message_id is None


async def test_a_report_whose_send_has_an_unknown_end_keeps_the_time_of_that_send(
    ledger: Ledger,
) -> None:
    await ledger.poll(lost("a"))
    report = await ledger.one()
    await ledger.causes.sending(report, now=NOON + 1)
    await ledger.causes.put_off(report, due_at=NOON + 5)
    assert (await ledger.one(now=NOON + 5)).sending_at == NOON + 1
    unsent = await ledger.one(now=NOON + 99)
    await ledger.causes.put_off(unsent, due_at=NOON + 100, unsent=True)
    assert await ledger.causes.next_due(CHATS) == NOON + 100


async def test_a_cause_that_ends_before_its_report_was_sent_is_never_reported(
    ledger: Ledger,
) -> None:
    await ledger.poll(lost("a"))
    await ledger.poll(now=NOON + 1)
    assert await ledger.sent(now=NOON + 1) == []
    assert await ledger.causes.next_due(CHATS) is None


async def test_a_cause_that_ends_while_its_report_is_sent_is_crossed_out_afterwards(
    ledger: Ledger,
) -> None:
    await ledger.poll(lost("a"))
    report = await ledger.one()
    assert await ledger.causes.sending(report, now=NOON)
    await ledger.poll(now=NOON + 1)
    await ledger.causes.sent(report, "m1", "dm")
    assert await ledger.sent(now=NOON + 2) == [("discord", "7", "m1", True)]


async def test_an_owner_who_cannot_be_messaged_is_not_told_that_the_cause_ended(
    ledger: Ledger,
) -> None:
    await ledger.poll(lost("a"))
    report = await ledger.one()
    assert await ledger.causes.sending(report, now=NOON)
    await ledger.causes.leave(report)
    await ledger.poll(now=NOON + 1)
    assert await ledger.sent(now=NOON + 2) == []


async def test_an_owner_who_could_not_be_messaged_is_told_when_the_cause_changes(
    ledger: Ledger,
) -> None:
    await ledger.poll(lost("a"))
    await ledger.causes.leave(await ledger.one())
    await ledger.poll(lost("a"), now=NOON + HUSH)
    assert await ledger.sent(now=NOON + HUSH) == []
    await ledger.poll(lost("a", "b"), now=NOON + HUSH + 1)
    assert await ledger.sent(now=NOON + HUSH + 1) == [("discord", "7", "new", False)]


async def test_a_source_that_cannot_tell_ends_no_cause(ledger: Ledger) -> None:
    await ledger.poll(lost("a"))
    await ledger.sent()
    await ledger.causes.settle({Kind.DISK: []}, rooms=(), now=NOON + 30)
    assert [cause.kind for cause in await ledger.causes.open()] == [Kind.UNCONFIRMED]


async def test_the_digest_of_a_day_is_reported_once_and_is_no_open_cause(ledger: Ledger) -> None:
    day = Cause(kind=Kind.DIGEST, about="2026-01-15", facts={"made": 3})
    assert await ledger.causes.once(day, rooms=(), now=NOON)
    assert not await ledger.causes.once(day, rooms=(), now=NOON + 1)
    assert await ledger.causes.last(Kind.DIGEST) == NOON
    assert len(await ledger.sent()) == 1
    await ledger.poll(now=NOON + 60)
    assert await ledger.causes.open() == []


async def test_reports_of_causes_that_ended_long_ago_are_deleted(ledger: Ledger) -> None:
    await ledger.poll(lost("a"))
    await ledger.poll(now=NOON + 1)
    await ledger.poll(now=NOON + KEPT + 2)

    def work(connection: Connection) -> int:
        return int(connection.scalar(sa.select(sa.func.count()).select_from(reports)) or 0)

    assert await ledger.store.database.run(work) == 0


# --- the sources of causes ------------------------------------------------------------------------


def sources(store: Store, clock: FakeClock, limits: Limits = FREE) -> Sources:
    return Sources(
        outlook=Outlook(store.database),
        jobs=store.jobs,
        learned=Learned(store.jobs),
        accounts=Accounts(Terms(catalog=CATALOG, limits=limits)),
        rules=Rules(),
        currency="USD",
        clock=clock,
    )


async def test_unconfirmed_orders_are_one_cause_until_each_order_is_decided(
    store: Store,
) -> None:
    clock = FakeClock(NOON)
    polled = sources(store, clock)
    assert await polled.unconfirmed() == []
    rows = [await store.in_state(Status.UNCONFIRMED) for _ in range(3)]
    await store.in_state(Status.IN_PROGRESS)
    (cause,) = await polled.unconfirmed()
    assert cause.facts["count"] == 3
    assert ids_in(cause.facts) == {row.id for row in rows}
    assert "a cat" not in str(cause.facts), "prompts are not reported"
    for row in rows:
        await store.moved(row, moves.failed(row, Reason.NOT_TAKEN, charged=False))
    assert await polled.unconfirmed() == []


@pytest.mark.proof
async def test_deciding_one_order_of_very_many_unconfirmed_ones_sends_no_new_message(
    ledger: Ledger,
) -> None:
    store, clock = ledger.store, FakeClock(NOON)
    polled = sources(store, clock)
    rows = []
    for number in range(MOST_IDS + 2):
        row = await store.in_state(Status.SUBMITTING, a_job(person=f"p{number}"))
        lost_ = moves.unconfirmed(row, detail=None)
        rows.append(await store.moved(row, lost_, now=NOON + number))
    await ledger.poll(*await polled.unconfirmed())
    await ledger.sent()
    closed = moves.failed(rows[-2], Reason.NOT_TAKEN, charged=False)
    await store.moved(rows[-2], closed, now=NOON + 200)
    await ledger.poll(*await polled.unconfirmed(), now=NOON + HUSH)
    assert await ledger.sent(now=NOON + HUSH) == [("discord", "7", "m1", False)]
    row = await store.in_state(Status.SUBMITTING, a_job(person="late"))
    await store.moved(row, moves.unconfirmed(row, detail=None), now=NOON + 300)
    await ledger.poll(*await polled.unconfirmed(), now=NOON + HUSH + 1)
    assert await ledger.sent(now=NOON + HUSH + 1) == [("discord", "7", "new", False)]


def test_names_with_invisible_or_direction_characters_are_cleaned_in_reports() -> None:
    """A member may choose any name, but characters that turn or hide text stay out of a notice."""
    person = Person(id="7", name="An\u202en\u200b\n")
    order = changed(a_job().order, person=person)
    assert shown(replace(a_job(), order=order))["name"] == "Ann"
    nameless = changed(order, person=Person(id="7", name="\u202e"))
    assert shown(replace(a_job(), order=nameless))["name"] == "7"


async def test_with_many_unconfirmed_orders_the_latest_are_named_and_all_are_counted(
    store: Store,
) -> None:
    for number in range(4):
        await store.in_state(Status.UNCONFIRMED, a_job(person=f"p{number}"))
    count, latest = await Outlook(store.database).unconfirmed(since=NOON, most=3)
    assert (count, len(latest)) == (4, 3)
    (cause,) = await sources(store, FakeClock(NOON)).unconfirmed()
    assert cause.facts["count"] == 4


async def test_a_job_is_stuck_when_it_takes_longer_than_any_video_of_its_model(
    store: Store,
) -> None:
    clock = FakeClock(NOON)
    polled = sources(store, clock)
    made = await store.in_state(Status.IN_PROGRESS)
    waits = await store.admitted(a_job(person="bob"))
    held = await store.admitted(a_job(person="cy"))
    await store.moved(
        held, moves.requeued(held, due_at=NOON + 60, attempts=0, reason=Reason.PAUSED)
    )
    await clock.advance(SOFT_DEADLINE)
    assert await polled.stuck() == []
    await clock.advance(1)
    assert await stuck(polled) == {made.id}
    await clock.advance(QUEUED)
    assert await stuck(polled) == {made.id, waits.id}
    for _ in range(LEAST_SAMPLES):
        slow = await taken(store, seconds=QUEUED)
        assert slow.completed_at
    assert await stuck(sources(store, clock)) == {waits.id}, (
        "others of its model took an hour as well"
    )


async def test_right_after_a_start_it_is_not_yet_known_which_jobs_are_stuck(store: Store) -> None:
    """While the service was away, all jobs stood still."""
    made = await store.in_state(Status.IN_PROGRESS)
    clock = FakeClock(NOON + 2 * SOFT_DEADLINE)
    polled = sources(store, clock)
    assert await polled.stuck() is None
    await clock.advance(SETTLED)
    assert await stuck(polled) == {made.id}


async def stuck(polled: Sources) -> set[str]:
    """Return the ids of the jobs that are reported as stuck."""
    found = await polled.stuck()
    assert found is not None
    return {id_ for cause in found for id_ in ids_in(cause.facts)}


async def taken(store: Store, *, seconds: float) -> Job:
    """Return a delivered job whose video took so many seconds."""
    row = await store.in_state(Status.IN_PROGRESS, a_job(person="dora"))
    done = moves.completed(row, now=NOON + seconds, sources=(), made_after=seconds - 9)
    return await store.moved(row, done, now=NOON + seconds)


async def test_limits_are_reported_at_50_80_and_95_percent(store: Store) -> None:
    limits = Limits(
        person_videos=None, person_at_once=None, purse_videos=20, purse_money=100 * PRICE
    )
    polled, levels = sources(store, FakeClock(NOON), limits), []
    for _ in range(20):
        await store.admitted(a_job(), limits)
        levels.append([cause.facts["level"] for cause in await polled.limits()])
    assert [levels.index([level]) + 1 for level in (50, 80, 95)] == [10, 16, 19]
    assert levels[:9] == [[]] * 9
    tomorrow = sources(store, FakeClock(NOON + 86_400), limits)
    assert await tomorrow.limits() == []
