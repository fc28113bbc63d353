"""A small run of the deterministic figures of goal G7; `python -m bench G7` has more of them."""

from statistics import median

import pytest

from bench.g07_lag import MIXED, NARROW, ONE, Times, cold, taught


@pytest.mark.parametrize(
    ("times", "limit"),
    [*((times, 1.15) for times in ONE), *((times, 1.3) for times in MIXED)]
    + [(times, 1.5) for times in NARROW],
    ids=lambda value: value.name if isinstance(value, Times) else "",
)
def test_the_planned_polls_are_close_to_the_best_possible_schedule(
    times: Times, limit: float
) -> None:
    """The plan was learned from fifty videos."""
    rounds = [taught(times, seed) for seed in range(5)]
    assert median(each.lag * each.polls for each in rounds) <= limit * times.bound
    assert median(each.lag for each in rounds) < 9.0, "and none that only finds videos late"


def test_negative_control_polls_without_learned_durations_cost_far_more() -> None:
    """Shows that the test above fails without learned durations."""
    polled = cold(NARROW[0], seed=1)
    assert polled.lag * polled.polls > 3 * NARROW[0].bound
