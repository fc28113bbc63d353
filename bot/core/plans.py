"""When to look at a job that is being made, planned from how long such videos took.

With f the density of those times and S the share that is still being made, mean lag × looks is
least, ½(∫√(f·S))², where looks stand at equal steps of ∫√(f/S). Plain arithmetic, no clock.
"""

import math
import zlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import NamedTuple

from bot.core.jobs import HARD_DEADLINE

PACE = 1.3
"""Mean time between two looks where videos end, in steps of the gateway.

Two looks may not come closer than a step, where most videos end either: so more looks would go
where they find less.
"""
EARLY = 0.06
"""Share of the looks that may fall where nothing is expected: something may have become faster."""
LONGEST_GAP = 300.0
"""Seconds between two looks at most; a first one may take half as long again.

A job that fails long before its time is noticed by then.
"""
LATER = 0.1
"""Seconds between looks for each second that a job runs, once all others would have been made."""
WIDEST_STEP = 60.0
"""Seconds between two such looks at most."""

UNLEARNED = 300.0
"""Seconds in which half of the videos are made, as long as nothing is known."""
_UNLEARNED_WIDTH = 2.0
"""In the logarithm: nearly anything may be. So looks begin at once, as far apart as may be."""
_DOUBT = 0.7
"""Width, in the logarithm, of where the next video may end for all that was learned …"""
_DOUBTS = 0.3
"""… and how many videos that counts as."""
_CELLS = 80
_ROUNDS = 4
_NARROW = 0.8
"""An interval from below this share of its end says where it began no better than this."""
_FURTHEST = 0.4
_FIRST = (1.1, 1.4)
"""The first looks of jobs lie between these numbers of steps, so that no two jobs keep step.

More than one: while few videos have ended, a look rarely finds one.
"""
_SAME = 1e-6
"""Two counts of looks nearer than this are the same."""


class Took(NamedTuple):
    """How long a video took, as far as looks can tell; in seconds."""

    after: float
    """It was not made yet."""
    until: float
    """It was."""


@dataclass(frozen=True, slots=True)
class Density:
    """The shares of videos that are made between these ages; the first age is 0."""

    ages: tuple[float, ...]
    shares: tuple[float, ...]
    ahead: float = 0.0
    """Looks by which all come earlier: where nothing is known, there is nothing to wait for."""
    longest: float = LONGEST_GAP
    """Seconds between two looks at most."""

    @property
    def cells(self) -> Iterator[tuple[float, float, float]]:
        """Seconds, the share made within them, and the share that is not made halfway."""
        made = 0.0
        for (begin, end), share in zip(pairwise(self.ages), self.shares, strict=True):
            yield end - begin, share, max(1 - made - share / 2, 1e-9)
            made += share


def unlearned() -> Density:
    """For as long as nothing is known."""
    middle = math.log(UNLEARNED)
    first, cell = middle - 3 * _UNLEARNED_WIDTH, 6 * _UNLEARNED_WIDTH / _CELLS
    edges = [first + cell * number for number in range(_CELLS + 1)]
    ages = (0.0, *(math.exp(edge) for edge in edges))
    shares = tuple(_bell(edges, middle, _UNLEARNED_WIDTH))
    return Density(ages, shares, ahead=_FIRST[1] - 1, longest=WIDEST_STEP)


def learned(known: Sequence[Took]) -> Density:
    """From at least two intervals: each spread over its length as all of them make it likely.

    Such a spread, smoothed and begun anew a few times, is the likeliest one (the EMS algorithm).
    """
    spans = [_logarithms(took) for took in known]
    middles = sorted(_middle(took) for took in known)
    width = _smoothing(middles)
    first = min(begin for begin, _ in spans) - 0.1 - 3 * width
    cell = (max(end for _, end in spans) + 0.05 + 3 * width - first) / _CELLS
    edges = [first + cell * number for number in range(_CELLS + 1)]
    overlaps = [_overlap((begin - first) / cell, (end - first) / cell) for begin, end in spans]
    kernel = _kernel(max(width / cell, 0.7))
    below, *doubts = _bell(edges, middles[len(middles) // 2], _DOUBT)
    total = len(known) + _DOUBTS
    shares = [1 / _CELLS] * _CELLS
    for _ in range(_ROUNDS):
        spread = _smoothed(_allotted(overlaps, shares), kernel)
        mixed = zip(spread, doubts, strict=True)
        shares = [(some + _DOUBTS * doubt) / total for some, doubt in mixed]
    ages = (0.0, *(math.exp(edge) for edge in edges))
    return Density(ages, (_DOUBTS * below / total, *shares))


@dataclass(frozen=True, slots=True)
class Plan:
    """The looks at jobs of one kind: how many there are until each age, evenly in between."""

    ages: tuple[float, ...]
    counts: tuple[float, ...]
    step: float
    """Seconds between two looks at least."""

    @classmethod
    def of(cls, density: Density, step: float) -> "Plan":
        """At equal steps of ∫√hazard, as far as the gateway's `step` allows for it."""
        cells = list(density.cells)
        area = sum(math.sqrt(share * left * seconds) for seconds, share, left in cells)
        typical = sum(left * seconds for seconds, _, left in cells)
        unit = PACE * step / area
        least = max(EARLY * area / unit / typical, 1 / max(density.longest, step))
        paces = [math.sqrt(share / seconds / left) / unit for seconds, share, left in cells]
        made = [min(1 / step, max(pace, least)) for pace in paces]
        ages = [*density.ages, *_later(density.ages[-1])]
        widest = max(WIDEST_STEP, step)
        late = [1 / min(max(step, LATER * age), widest) for age in ages[len(made) + 1 :]]
        gaps = (end - begin for begin, end in pairwise(ages))
        polls = (pace * gap for pace, gap in zip([*made, *late], gaps, strict=True))
        return cls(tuple(ages), tuple(accumulate(polls, initial=density.ahead)), step)

    def next_poll(self, age: float, *, by: str) -> float:
        """Seconds until the next look at a job of this age; each `by` has looks of its own."""
        first = _first(by)
        passed = max(-1, math.floor(_along(self.ages, self.counts, age) - first + _SAME))
        return max(_along(self.counts, self.ages, passed + 1 + first) - age, self.step)

    def poll_before(self, age: float, *, by: str) -> float:
        """The age at the look before the one that is due at this age; 0.0 if that is the first."""
        first = _first(by)
        number = round(_along(self.ages, self.counts, age) - first)
        earlier = _along(self.counts, self.ages, number - 1 + first) if number > 0 else 0.0
        return max(0.0, min(earlier, age - self.step))


def _first(by: str) -> float:
    share = zlib.crc32(by.encode()) / 2**32
    return _FIRST[0] + (_FIRST[1] - _FIRST[0]) * share


def _along(xs: Sequence[float], ys: Sequence[float], x: float) -> float:
    """The straight lines through these points; the first and the last go on for ever."""
    index = min(max(bisect_right(xs, x), 1), len(xs) - 1)
    rise = (ys[index] - ys[index - 1]) / (xs[index] - xs[index - 1])
    return ys[index - 1] + (x - xs[index - 1]) * rise


def _later(age: float) -> Iterator[float]:
    """Ages from there on until jobs are looked at slowly."""
    while age < HARD_DEADLINE:
        age *= 1.25
        yield age


# --- densities, in the logarithm of seconds -------------------------------------------------------


def _logarithms(took: Took) -> tuple[float, float]:
    return math.log(max(took.after, _FURTHEST * took.until)), math.log(took.until)


def _middle(took: Took) -> float:
    return math.log((max(took.after, _NARROW * took.until) + took.until) / 2)


def _bell(edges: Sequence[float], middle: float, width: float) -> Iterator[float]:
    """The shares of a normal distribution below the first edge, and between each two."""
    parts = [0.5 * math.erfc((middle - edge) / width / math.sqrt(2)) for edge in edges]
    return (end - begin for begin, end in pairwise((0.0, *parts)))


def _smoothing(ordered: Sequence[float]) -> float:
    """A width that joins neighbours and keeps two groups apart: from how near neighbours are."""
    near = min(max(2, round(math.sqrt(len(ordered)))), len(ordered) - 1)
    reaches = []
    for position, here in enumerate(ordered):
        begins = range(max(0, position - near), min(position, len(ordered) - 1 - near) + 1)
        reaches.append(min(max(here - ordered[at], ordered[at + near] - here) for at in begins))
    return 1.3 * sorted(reaches)[len(reaches) // 2]


def _overlap(begin: float, end: float) -> tuple[int, list[float]]:
    """The first cell that an interval touches, and how much of it and of those that follow."""
    cells = range(max(0, int(begin)), min(int(end), _CELLS - 1) + 1)
    return cells[0], [max(min(cell + 1, end) - max(cell, begin), 1e-3) for cell in cells]


def _allotted(
    overlaps: Sequence[tuple[int, Sequence[float]]], shares: Sequence[float]
) -> list[float]:
    """One video an interval, over its cells as likely as these shares make each."""
    allotted = [0.0] * _CELLS
    for first, parts in overlaps:
        likely = [part * shares[first + position] for position, part in enumerate(parts)]
        whole = sum(likely)
        for position, some in enumerate(likely):
            allotted[first + position] += some / whole
    return allotted


def _kernel(width: float) -> list[float]:
    reach = min(int(3 * width) + 1, _CELLS)
    weights = [math.exp(-0.5 * (position / width) ** 2) for position in range(-reach, reach + 1)]
    whole = sum(weights)
    return [weight / whole for weight in weights]


def _smoothed(values: Sequence[float], kernel: Sequence[float]) -> list[float]:
    reach = len(kernel) // 2
    smoothed = [0.0] * len(values)
    for position, value in enumerate(values):
        if value < _SAME:
            continue
        for at in range(max(0, position - reach), min(len(values), position + reach + 1)):
            smoothed[at] += value * kernel[at - position + reach]
    return smoothed
