"""Plans of polls: rules that hold for any learned durations."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.jobs import HARD_DEADLINE
from bot.core.plans import (
    LONGEST_GAP,
    UNLEARNED,
    WIDEST_STEP,
    Density,
    Plan,
    Took,
    learned,
    unlearned,
)

SECONDS = st.floats(0.01, 1e5)
TOOK = st.builds(lambda until, share: Took(until * share, until), SECONDS, st.floats(0.0, 0.99))
SAMPLES = st.lists(TOOK, min_size=3, max_size=50)
STEPS = st.floats(0.05, 120.0)


def plan_of(known: list[Took], step: float) -> Plan:
    return Plan.of(learned(known), step)


def polls(plan: Plan, until: float, *, by: str = "job") -> list[float]:
    """Return the ages of the job at all polls until `until`."""
    ages = [0.0]
    while ages[-1] < until:
        ages.append(ages[-1] + plan.next_poll(ages[-1], by=by))
    return ages[1:]


@settings(max_examples=40)
@given(SAMPLES, STEPS, st.floats(0.0, 1e6), st.text())
def test_the_next_poll_is_neither_nearer_than_the_gateways_step_nor_too_far_away(
    known: list[Took], step: float, age: float, by: str
) -> None:
    wait = plan_of(known, step).next_poll(age, by=by)
    assert step <= wait <= 1.5 * max(LONGEST_GAP, step)


@settings(max_examples=40)
@given(SAMPLES, STEPS, st.lists(st.floats(0.0, 2e5), min_size=2), st.text())
def test_an_older_job_is_not_polled_before_a_younger_one_of_the_same_plan(
    known: list[Took], step: float, ages: list[float], by: str
) -> None:
    plan = plan_of(known, step)
    nexts = [age + plan.next_poll(age, by=by) for age in sorted(ages)]
    assert all(later >= earlier - 1e-6 * later for earlier, later in pairwise(nexts))


@settings(max_examples=40)
@given(SAMPLES)
def test_the_learned_shares_of_durations_sum_to_one_at_most(known: list[Took]) -> None:
    density = learned(known)
    assert min(density.shares) >= 0
    assert 0.5 < sum(density.shares) <= 1 + 1e-9
    assert all(begin < end for begin, end in pairwise(density.ages))


@settings(max_examples=40)
@given(SAMPLES, STEPS, st.text())
def test_poll_before_returns_the_poll_that_preceded_a_given_poll(
    known: list[Took], step: float, by: str
) -> None:
    plan = plan_of(known, step)
    ages = polls(plan, 300.0, by=by)[:40]
    for before, age in pairwise([0.0, *ages]):
        assert plan.poll_before(age, by=by) == pytest.approx(before, rel=1e-3, abs=0.6 * step)


def test_no_poll_is_planned_before_the_earliest_likely_end() -> None:
    plan = plan_of([Took(until - 1, until) for until in range(100, 150)], 10.0)
    first, second, *_ = polls(plan, 150.0)
    assert 85 < first < 115
    assert 10 <= second - first < 20


def test_with_two_groups_of_durations_polls_gather_around_both_groups() -> None:
    known = [Took(0.95 * until, until) for until in [*range(50, 75), *range(300, 325)]]
    ages = polls(plan_of(known, 5.0), 330.0)
    assert len([age for age in ages if 100 < age < 250]) <= 2
    assert len([age for age in ages if 45 < age < 80]) >= 4
    assert len([age for age in ages if 290 < age < 330]) >= 4


def test_polls_become_rare_once_all_earlier_videos_would_have_been_finished() -> None:
    ages = polls(plan_of([Took(55.0, 60.0)] * 20, 10.0), HARD_DEADLINE)
    gaps = [later - earlier for earlier, later in pairwise(ages) if earlier > 100]
    assert gaps[-1] == pytest.approx(WIDEST_STEP)
    assert all(later >= earlier - 1e-6 for earlier, later in pairwise(gaps))


def test_without_learned_durations_polls_begin_at_once() -> None:
    plan = Plan.of(unlearned(), 10.0)
    ages = polls(plan, UNLEARNED)
    assert ages[0] < 12
    assert len(ages) > 10


def test_jobs_of_the_same_age_are_polled_at_different_times() -> None:
    plan = plan_of([Took(55.0, 60.0 + n) for n in range(20)], 10.0)
    assert len({plan.next_poll(0.0, by=f"job {n}") for n in range(50)}) == 50


def test_a_video_found_late_counts_as_made_when_other_videos_were_made() -> None:
    """The interval of that video is long; the others show where in it the end lies."""
    others = [Took(58.0, 62.0)] * 20
    made = learned([*others, *[Took(50.0, 110.0)] * 20])
    assert _share(made, 55.0, 66.0) > 0.85


def test_a_gateway_that_became_faster_is_noticed_within_forty_videos() -> None:
    known, found = [Took(115.0 + n / 10, 120.0 + n / 10) for n in range(50)], 0.0
    for number in range(40):
        plan, age = plan_of(known[-50:], 10.0), 0.0
        while age < 60.0:
            before, age = age, age + plan.next_poll(age, by=f"job {number}")
        known.append(Took(before, age))
        found = age
    assert found < 80


def _share(density: Density, begin: float, end: float) -> float:
    """Return the learned share of durations between two ages."""
    spans = zip(pairwise(density.ages), density.shares, strict=True)
    return sum(share for (first, last), share in spans if first >= begin and last <= end)
