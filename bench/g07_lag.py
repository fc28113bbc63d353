"""G7: how long a finished video waits for the poll that finds it. Time is simulated.

Mean lag × mean number of polls (with the poll that finds the video) is at least ½(∫√(f·S))². Here
f is the density of the times that videos take, and S the share that is still being made. That bound
assumes that f is known and that polls may be arbitrarily close. Our plan learns f from fifty
videos, and its polls are at least `STEP` apart.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from statistics import fmean
from typing import NamedTuple

from bench.figures import Figure, Spread, at_most
from bot.core.learned import SAMPLES, Pace
from bot.core.plans import Took

GOAL = "G7"
STEP = 10.0
"""The least seconds between two polls of a job: the default of a gateway's setting."""
ROUNDS = 9
LESSONS = 8
"""Plans per round. Each is learned from different videos."""
VIDEOS = 50
"""Videos that are polled with each plan."""
_CELLS = 20_000


@dataclass(frozen=True, slots=True)
class Times:
    """The times that videos take: groups of share, median in seconds, and width (lognormal)."""

    name: str
    groups: tuple[tuple[float, float, float], ...]

    def draw(self, dice: Random) -> float:
        """Draw at random the seconds that one video takes."""
        (_, median, width), *_ = dice.choices(self.groups, [share for share, *_ in self.groups])
        return median * math.exp(dice.gauss(0.0, width))

    def made(self, age: float) -> float:
        """Return the share of videos that are finished at `age` seconds."""
        return sum(
            share / 2 * math.erfc(math.log(median / age) / width / math.sqrt(2))
            for share, median, width in self.groups
        )

    @property
    def bound(self) -> float:
        """The least possible product of mean lag and mean number of polls."""
        last = max(median * math.exp(5 * width) for _, median, width in self.groups)
        cell, made, area = last / _CELLS, 0.0, 0.0
        for number in range(1, _CELLS + 1):
            before, made = made, self.made(number * cell)
            area += math.sqrt(max(0.0, (made - before) * (1 - (made + before) / 2) * cell))
        return area**2 / 2


@dataclass(frozen=True, slots=True)
class Looked:
    """The result of a round: mean lag in seconds, and mean number of polls, of its videos."""

    lag: float
    polls: float


ONE = [Times(f"{median} s", ((1.0, median, 0.4),)) for median in (60, 120, 300, 900)]
MIXED = [
    Times("60 s and 240 s", ((0.7, 60, 0.25), (0.3, 240, 0.25))),
    Times("90 s and 600 s", ((0.85, 90, 0.2), (0.15, 600, 0.3))),
]
NARROW = [
    Times(f"{median} s ± {width:.0%}", ((1.0, median, width),))
    for median, width in ((120, 0.1), (120, 0.05), (300, 0.05), (900, 0.05))
]


def figures() -> list[Figure]:
    """Return one figure per group of time distributions: that of the worst distribution."""
    return [
        _worst("G7 one mode", ONE, 1.15, taught),
        _worst("G7 mixture", MIXED, 1.3, taught),
        _worst("G7 narrow", NARROW, 1.5, taught),
        _worst("G7 by itself", [*ONE, *MIXED, *NARROW], 1.9, learning),
        _worst("G7 cold", ONE[:3], 1.75, cold),
    ]


def taught(times: Times, seed: int) -> Looked:
    """Poll with plans that were learned from the exact times of fifty videos."""
    dice, found = Random(seed), []
    for _ in range(LESSONS):
        pace = _pace(times, dice)
        found += [_poll(pace, times.draw(dice), dice) for _ in range(VIDEOS)]
    return _mean(found)


def learning(times: Times, seed: int) -> Looked:
    """Poll with a plan that is learned from earlier polls alone, which show no exact times."""
    dice, found = Random(seed), list[_Video]()
    pace = _pace(times, dice)
    for _ in range(SAMPLES + LESSONS * VIDEOS):
        found.append(_poll(pace, times.draw(dice), dice))
        pace.add(found[-1].took)
    return _mean(found[SAMPLES:])


def cold(times: Times, seed: int) -> Looked:
    """Poll with a plan that has learned nothing yet."""
    dice, pace = Random(seed), Pace()
    return _mean([_poll(pace, times.draw(dice), dice) for _ in range(LESSONS * VIDEOS)])


def _pace(times: Times, dice: Random) -> Pace:
    pace = Pace()
    for _ in range(SAMPLES):
        known = times.draw(dice)
        pace.add(Took(known, known))
    return pace


class _Video(NamedTuple):
    lag: float
    polls: int
    took: Took
    """The interval in which the video was finished, as the polls show it."""


def _poll(pace: Pace, made: float, dice: Random) -> _Video:
    job, age, polls = str(dice.random()), 0.0, 0
    while age < made:
        age += pace.next_poll(age, step=STEP, by=job)
        polls += 1
    took = Took(pace.poll_before(age, step=STEP, by=job), age)
    return _Video(age - made, polls, took)


def _mean(found: Sequence[_Video]) -> Looked:
    return Looked(fmean(each.lag for each in found), fmean(each.polls for each in found))


def _worst(
    name: str, kinds: list[Times], limit: float, polled: Callable[[Times, int], Looked]
) -> Figure:
    found = []
    for times in kinds:
        rounds, bound = [polled(times, seed) for seed in range(ROUNDS)], times.bound
        ratios = Spread.of([each.lag * each.polls / bound for each in rounds])
        lag, polls = fmean(each.lag for each in rounds), fmean(each.polls for each in rounds)
        found.append((ratios, f"{times.name} {ratios.median:.2f} ({lag:.1f} s, {polls:.1f} polls)"))
    worst = max((ratios for ratios, _ in found), key=lambda ratios: ratios.median)
    note = ", ".join(line for _, line in found)
    return at_most(name, worst, limit, what=f"lag × polls ÷ the least possible: {note}")
