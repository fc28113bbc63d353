"""A line of the benchmark's table says exactly what was measured."""

import json
import math

import pytest

from bench.figures import Spread, as_json, at_least, at_most, line, p99, void


def test_the_median_of_the_rounds_decides_whether_the_goal_is_met() -> None:
    spread = Spread.of([1.0, 3.0, 2.0, 9.0, 2.5])
    assert (spread.median, spread.quartiles, spread.rounds) == (2.5, (2.0, 3.0), 5)
    assert at_most("G1", spread, 2.5, what="").verdict == "PASS"
    assert at_most("G1", spread, 2.4, what="").verdict == "FAIL"
    assert at_least("G1", spread, 2.5, what="").verdict == "PASS"
    assert at_least("G1", spread, 2.6, what="").verdict == "FAIL"


def test_a_figure_without_meaning_is_void_with_its_reason() -> None:
    figure = at_most("G1", 1.0, 2.0, what="CPU", void="the machine is busy")
    assert figure.verdict == "VOID"
    assert "the machine is busy" in line(figure)
    assert at_most("G1", math.nan, 2.0, what="CPU").verdict == "VOID"


def test_the_json_output_has_null_for_a_figure_that_was_not_measured() -> None:
    figures = [at_most("G4 idle", 7.5, 15, what=""), void("G9", "–", "no nginx")]
    assert json.loads(as_json(figures)) == [
        {"name": "G4 idle", "figure": 7.5, "goal": "≤ 15", "verdict": "PASS"},
        {"name": "G9", "figure": None, "goal": "–", "verdict": "VOID"},
    ]


@pytest.mark.parametrize(("count", "expected"), [(1, 0), (100, 98), (1000, 989)])
def test_one_of_a_hundred_values_is_above_p99(count: int, expected: int) -> None:
    assert p99(list(map(float, range(count)))) == expected
