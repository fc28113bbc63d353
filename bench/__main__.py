"""Measure this build beside other programs: `python -m bench` runs all goals, `… G1 G7` some.

Each goal is a module `gNN_….py` with `GOAL` and `figures()`. A printed line has the name, the
median of the rounds, the quartiles, the number of rounds, the goal and the verdict. VOID means
that nothing was measured, or that the machine was too busy; the line says why. `--json` prints a
list of `{name, figure, goal, verdict}` instead. Everything stays on this machine and takes at most
40 minutes. `docs/performance.md` explains the figures.
"""

import argparse
import importlib
import pkgutil
import re
import sys
from collections.abc import Iterator
from types import ModuleType

import bench
from bench.figures import Figure, as_json, line, void


def main() -> int:
    """Run the goals that were asked for. Return 1 if a goal was missed, else 0."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("goals", nargs="*", metavar="GOAL", help="G1 … G12; none: all")
    parser.add_argument("--json", action="store_true", help="a list for machines")
    asked = parser.parse_args()
    found = []
    for goal, module in _modules({goal.upper() for goal in asked.goals}):
        for figure in _figures(goal, module):
            found.append(figure)
            print(line(figure), file=sys.stderr if asked.json else sys.stdout, flush=True)
    if asked.json:
        print(as_json(found))
    return int(any(figure.verdict == "FAIL" for figure in found))


def _modules(goals: set[str]) -> Iterator[tuple[str, str]]:
    """Yield the goals that are asked for, in order, each with the name of its module."""
    for each in sorted(module.name for module in pkgutil.iter_modules(bench.__path__)):
        if number := re.match(r"g(\d\d)_", each):
            goal = f"G{int(number[1])}"
            if not goals or goal in goals:
                yield goal, each


def _figures(goal: str, name: str) -> list[Figure]:
    """Measure one goal. If that fails, return a void figure, so that the other goals still run."""
    try:
        module: ModuleType = importlib.import_module(f"bench.{name}")
        figures: list[Figure] = module.figures()
    except Exception as error:  # noqa: BLE001 - for example a peer that is not installed
        return [void(goal, "–", f"{type(error).__name__}: {error}")]
    return figures


if __name__ == "__main__":
    sys.exit(main())
