"""The machine's clock is set: jobs in progress are neither given up nor frozen."""

from dataclasses import replace

import pytest

from bot.core import moves
from bot.core.jobs import LAST_DEADLINE, Job, Status
from bot.core.posts import PostKind
from bot.core.timekeeping import AFTERWARDS, CHECK_EVERY, Timekeeper
from bot.store.times import DAYS, FURTHEST, Times
from tests.contract.rows import NOON, Store, a_job
from tests.fakes.clock import FakeClock

DAY = 86_400.0
STEPS = [DAY, 3 * DAY, -DAY, -3 * DAY, 3600.0, -90.0]


class Kept:
    """A store with a clock that a timekeeper watches."""

    def __init__(self, store: Store, *, at: float = NOON) -> None:
        self.clock = FakeClock(at)
        self.times = Times(store.database)
        self.keeper = Timekeeper(self.clock, self.times)

    async def set(self, seconds: float) -> None:
        """Set the clock, and let the timekeeper notice it."""
        self.clock.set(seconds)
        await self.keeper._check()


async def running(store: Store, *, due_in: float = 10.0) -> Job:
    """Return a job in progress whose poll is due in so many seconds."""
    job = await store.in_state(Status.IN_PROGRESS)
    return await store.moved(job, replace(job, due_at=NOON + due_in))


@pytest.mark.parametrize("step", STEPS)
async def test_after_the_clock_is_set_a_job_due_in_ten_seconds_is_still_due_in_ten_seconds(
    store: Store, step: float
) -> None:
    kept, job = Kept(store), await running(store)
    await kept.set(step)
    now = kept.clock.now()
    assert now == NOON + step
    assert await store.claimed(Status.IN_PROGRESS, now=now + 9.9) == []
    assert await store.claimed(Status.IN_PROGRESS, now=now + 10) == [job.id]
    row = await store.jobs.get(job.id)
    assert row is not None
    assert row.submitted_at is not None
    assert 0 <= now - row.submitted_at < 60, "it is as old as it was"


@pytest.mark.parametrize("step", STEPS)
async def test_negative_control_without_shifted_times_a_set_clock_freezes_or_ends_jobs(
    store: Store, step: float
) -> None:
    """Shows what happens to a job if its times are not shifted with the clock."""
    job = await running(store)
    now = NOON + step
    claimed = await store.claimed(Status.IN_PROGRESS, now=now + 10)
    assert job.submitted_at is not None
    assert claimed == [] or now - job.submitted_at > min(LAST_DEADLINE, step) - 1


@pytest.mark.parametrize("step", [3 * DAY, -DAY])
async def test_due_times_of_posts_and_claims_move_with_a_clock_that_is_set(
    store: Store, step: float
) -> None:
    kept = Kept(store)
    job = await store.admitted()
    await store.claimed(now=NOON)
    await kept.set(step)
    now = kept.clock.now()
    card = await store.post(job, PostKind.CARD)
    assert card is not None
    assert card.due_at == pytest.approx(now + 8)
    assert await store.claimed(now=now + 59) == [], "the claim holds"
    assert await store.claimed(now=now + 61) == [job.id]


@pytest.mark.parametrize("step", [DAY, -DAY])
async def test_setting_the_clock_does_not_give_a_person_a_new_day_of_videos(
    store: Store, step: float
) -> None:
    kept = Kept(store)
    job = await store.in_state(Status.DELIVERED)
    await kept.set(step)
    assert (await store.usage(job, now=kept.clock.now())).person_videos == 1


async def test_setting_the_clock_does_not_change_jobs_that_ended_long_ago(store: Store) -> None:
    kept = Kept(store)
    old = await store.in_state(Status.DELIVERED)
    await store.moved(old, replace(old, created_at=NOON - DAYS - 1))
    await kept.set(3600.0)
    row = await store.jobs.get(old.id)
    assert row is not None
    assert row.created_at == NOON - DAYS - 1


@pytest.mark.parametrize("step", [3 * DAY, -3 * DAY])
async def test_a_step_that_read_its_job_before_the_clock_was_set_saves_corrected_times(
    store: Store, step: float
) -> None:
    """The job was read before the clock was set and is saved afterwards."""
    kept, job = Kept(store), await running(store)
    await kept.set(step)
    later = moves.put_off(job, due_at=kept.clock.now() + 10)
    saved = await store.jobs.save(job, replace(later, progress=40), now=kept.clock.now())
    assert saved is not None
    row = await store.jobs.get(job.id)
    assert row is not None
    assert row.submitted_at == pytest.approx(NOON + step)
    assert (row.progress, row.due_at) == (40, kept.clock.now() + 10)


@pytest.mark.parametrize("step", [3 * DAY, -3 * DAY])
async def test_old_times_saved_just_after_the_clock_was_set_are_corrected_seconds_later(
    store: Store, step: float
) -> None:
    kept, job = Kept(store), await running(store)
    waiting = await store.admitted()
    await kept.set(step)
    await store.moved(job, replace(job, due_at=NOON + 60))
    await store.moved(waiting, moves.submitting(waiting, now=NOON + 1))
    await kept.clock.advance(AFTERWARDS)
    await kept.keeper._check()
    now = kept.clock.now()
    for each in (job, waiting):
        row = await store.jobs.get(each.id)
        assert row is not None
        assert row.due_at is not None
        assert row.due_at <= now + FURTHEST
        assert row.submitted_at is not None
        assert -60 <= now - row.submitted_at <= 120


async def test_a_shift_of_times_that_the_database_refused_is_tried_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, job = Kept(store), await running(store)
    shift = kept.times.shift

    async def full(seconds: float, *, now: float, since: float = 0.0) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(kept.times, "shift", full)
    for step in (DAY, -2 * DAY):
        with pytest.raises(OSError, match="space"):
            await kept.set(step)
    monkeypatch.setattr(kept.times, "shift", shift)
    while kept.clock.now() != NOON - DAY or kept.keeper._owed:
        await kept.keeper._check()
    row = await store.jobs.get(job.id)
    assert row is not None
    assert row.due_at == pytest.approx(NOON - DAY + 10)


async def test_a_clock_set_back_between_two_runs_is_noticed_at_the_start(
    store: Store,
) -> None:
    job = await running(store)
    await Timekeeper(FakeClock(NOON), Times(store.database)).begin()
    for back in (DAY, 2 * DAY):
        await Timekeeper(FakeClock(NOON - back), Times(store.database)).begin()
        row = await store.jobs.get(job.id)
        assert row is not None
        assert row.due_at == pytest.approx(NOON - back + 10)


@pytest.mark.parametrize("downtime", [0.0, 7200.0])
async def test_a_clock_that_is_ahead_at_the_start_and_corrected_later_ages_no_job(
    store: Store, downtime: float
) -> None:
    """The machine has no clock battery: it starts three days ahead and is corrected after 30 s."""
    job = await running(store)
    done = await store.in_state(Status.DELIVERED)
    await Timekeeper(FakeClock(NOON), Times(store.database)).begin()
    kept = Kept(store, at=NOON + downtime + 3 * DAY)
    await kept.keeper.begin()
    fresh = await store.admitted(a_job(now=kept.clock.now()))
    await kept.clock.advance(30)
    await kept.set(-3 * DAY)
    now = kept.clock.now()
    assert now == NOON + downtime + 30
    row, later = await store.jobs.get(job.id), await store.jobs.get(fresh.id)
    assert row is not None
    assert later is not None
    assert row.submitted_at == pytest.approx(NOON), "written by a clock that was right"
    assert row.due_at is not None
    assert row.due_at <= now + 10
    assert later.created_at == pytest.approx(now - 30)
    assert (await store.usage(done, now=now)).person_videos == 3


async def test_the_time_is_saved_regularly_so_that_the_next_start_can_compare(store: Store) -> None:
    kept = Kept(store)
    await kept.keeper.begin()
    assert await kept.times.seen() == NOON
    await kept.clock.advance(30.0 + CHECK_EVERY)
    await kept.keeper._check()
    assert await kept.times.seen() == kept.clock.now()
