"""The deterministic figures of goal G7, in small: `python -m bench G7` has more of them."""

import pytest

from bench.g07_lag import MIXED, NARROW, ONE, Times, cold, learning


@pytest.mark.parametrize(
    ("times", "limit"),
    [*((times, 1.15) for times in ONE[:3]), *((times, 1.3) for times in MIXED)]
    + [(times, 1.5) for times in NARROW],
    ids=lambda value: value.name if isinstance(value, Times) else "",
)
def test_hardly_a_better_schedule_is_possible_with_so_many_looks(
    times: Times, limit: float
) -> None:
    """Learned from what its own looks found, for several hundred videos."""
    looked = learning(times, seed=1)
    assert looked.lag * looked.looks <= limit * times.bound
    assert looked.lag < 8.0, "and it is no cheap one that finds videos late"


def test_looks_that_learned_nothing_cost_far_more() -> None:
    """Negative control."""
    looked = cold(NARROW[0], seed=1)
    assert looked.lag * looked.looks > 5 * NARROW[0].bound
