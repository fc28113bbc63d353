"""Figures with their goals and verdicts, and how they are printed."""

import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Literal, Self

Verdict = Literal["PASS", "FAIL", "VOID"]


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of a figure's rounds, with its quartiles."""

    median: float
    quartiles: tuple[float, float]
    rounds: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Return the median and quartiles of `values`, which has one value per round."""
        if len(values) < 2:
            return cls(values[0], (values[0], values[0]), len(values))
        low, _, high = quantiles(values, n=4, method="inclusive")
        return cls(median(values), (low, high), len(values))


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure. Its name is its goal's, plus a word if the goal has several figures."""

    name: str
    figure: float
    goal: str
    verdict: Verdict
    what: str
    """A description of what was measured, or the reason why the figure is void."""
    quartiles: tuple[float, float] | None = None
    rounds: int = 0


def at_most(name: str, value: Spread | float, limit: float, *, what: str, void: str = "") -> Figure:
    """Return a figure that passes up to `limit`. `void`: why this run is void, or empty."""
    return _judged(name, value, f"≤ {limit:g}", lambda it: it <= limit, what, void)


def at_least(
    name: str, value: Spread | float, limit: float, *, what: str, void: str = ""
) -> Figure:
    """Return a figure that passes from `limit` on. `void`: why this run is void, or empty."""
    return _judged(name, value, f"≥ {limit:g}", lambda it: it >= limit, what, void)


def void(name: str, goal: str, why: str) -> Figure:
    """Return a figure that says why nothing was measured."""
    return Figure(name, math.nan, goal, "VOID", why)


def _judged(
    name: str,
    value: Spread | float,
    goal: str,
    passes: Callable[[float], bool],
    what: str,
    void: str,
) -> Figure:
    spread = value if isinstance(value, Spread) else Spread(value, (value, value), 1)
    figure = spread.median
    verdict: Verdict = (
        "VOID" if void or math.isnan(figure) else "PASS" if passes(figure) else "FAIL"
    )
    note = f"{what}; {void}" if void else what
    quartiles = spread.quartiles if spread.rounds > 1 else None
    return Figure(name, figure, goal, verdict, note, quartiles, spread.rounds)


def line(figure: Figure) -> str:
    """Return a figure as one line of text for people."""
    low, high = figure.quartiles or (figure.figure, figure.figure)
    value = "–" if math.isnan(figure.figure) else f"{figure.figure:.4g}"
    quartiles = f"{low:.4g} … {high:.4g}" if figure.quartiles else "–"
    return (
        f"{figure.name:<14} {value:>9}  {quartiles:<19} {figure.rounds:>3} rounds  "
        f"goal {figure.goal:<8} {figure.verdict}  {figure.what}"
    )


def as_json(figures: Iterable[Figure]) -> str:
    """Return figures as JSON for programs. A figure that was not measured is null."""
    rows = [
        {
            "name": figure.name,
            "figure": None if math.isnan(figure.figure) else figure.figure,
            "goal": figure.goal,
            "verdict": figure.verdict,
        }
        for figure in figures
    ]
    return json.dumps(rows, ensure_ascii=False, indent=1)


def p99(values: Sequence[float]) -> float:
    """Return the 99th percentile: 99 of 100 values are not above it."""
    return sorted(values)[math.ceil(len(values) * 0.99) - 1]


@contextmanager
def folder() -> Iterator[Path]:
    """Yield a temporary folder on a disk, because /tmp may be in memory. `BENCH_FOLDER` names
    another disk."""
    scratch = os.environ.get("BENCH_FOLDER", "/var/tmp")
    with TemporaryDirectory(prefix="bench-", dir=scratch) as made:
        yield Path(made)
