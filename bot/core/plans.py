"""Plan when to poll a job, from how long such videos took to make.

With f the density of those times and S the share that is still being made, mean lag × polls is
least, ½(∫√(f·S))², if the polls are at equal steps of ∫√(f/S). Plain arithmetic, no clock.
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
"""Mean time between two polls at the ages where videos end, in steps of the gateway.

A step is the least time between two polls. More polls would not fit where most videos end, and
would go to ages where they find less.
"""
EARLY = 0.06
"""Share of the polls at ages where no video is expected: a model may have become faster."""
LONGEST_GAP = 300.0
"""Most seconds between two polls; the first poll may come after one and a half times as long.

So a job that fails early is noticed within this time.
"""
LATER = 0.1
"""Seconds between polls for each second of a job's age, once every known video would be made."""
WIDEST_STEP = 60.0
"""Most seconds between two polls of a job that takes longer than any known video of its model.

The same limit holds while no duration is known.
"""

UNLEARNED = 300.0
"""The median duration, in seconds, that is assumed while no duration is known."""
_UNLEARNED_WIDTH = 2.0
"""Standard deviation of the logarithm of the duration, while no duration is known.

It is so wide that polls begin at once.
"""
_DOUBT = 0.7
"""Standard deviation, in the logarithm, of a broad share that is added to what was learned …"""
_DOUBTS = 0.3
"""… and the number of videos that the broad share counts as."""
_CELLS = 80
_ROUNDS = 4
_NARROW = 0.8
"""The least start of an interval, as a share of its end, when its middle is computed."""
_FURTHEST = 0.4
"""The least start of an interval, as a share of its end, when its logarithms are computed."""
_FIRST = (1.1, 1.4)
"""The first poll of a job comes after a number of planned polls between these two.

The number differs from job to job, so that jobs are not polled at the same moments. It is above 1
because an early poll rarely finds a video.
"""
_SAME = 1e-6
"""Two numbers of polls that differ by less than this are the same."""


class Took(NamedTuple):
    """The interval in which a video was made, in seconds of the job's age, as polls observed it."""

    after: float
    """The age at the last poll that found the video not made yet."""
    until: float
    """The age at the poll that found the video made."""


@dataclass(frozen=True, slots=True)
class Density:
    """The shares of videos that are made between two neighbouring ages. The first age is 0."""

    ages: tuple[float, ...]
    shares: tuple[float, ...]
    ahead: float = 0.0
    """Number of planned polls that count as passed at age 0, so that polls begin earlier."""
    longest: float = LONGEST_GAP
    """Most seconds between two polls."""

    @property
    def cells(self) -> Iterator[tuple[float, float, float]]:
        """For each cell: its seconds, the share made in it, and the share not made at its middle.

        A cell is the time between two neighbouring ages.
        """
        made = 0.0
        for (begin, end), share in zip(pairwise(self.ages), self.shares, strict=True):
            yield end - begin, share, max(1 - made - share / 2, 1e-9)
            made += share


def unlearned() -> Density:
    """Return the density of durations that is assumed for a model while no video of it is known.

    A duration is the time in which a video was made, not the length of the video.
    """
    middle = math.log(UNLEARNED)
    first, cell = middle - 3 * _UNLEARNED_WIDTH, 6 * _UNLEARNED_WIDTH / _CELLS
    edges = [first + cell * number for number in range(_CELLS + 1)]
    ages = (0.0, *(math.exp(edge) for edge in edges))
    shares = tuple(_bell(edges, middle, _UNLEARNED_WIDTH))
    return Density(ages, shares, ahead=_FIRST[1] - 1, longest=WIDEST_STEP)


def learned(known: Sequence[Took]) -> Density:
    """Estimate the density from at least two intervals in which videos were made.

    Each video is spread over its interval in proportion to the current estimate, and the sum is
    smoothed. A few such rounds approach the likeliest density (the EMS algorithm).
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
    """The polls of jobs of one kind: the number of planned polls up to each age.

    Between two ages the number grows linearly.
    """

    ages: tuple[float, ...]
    counts: tuple[float, ...]
    step: float
    """Least seconds between two polls."""

    @classmethod
    def of(cls, density: Density, step: float) -> "Plan":
        """Plan the polls at equal steps of ∫√hazard, at least `step` seconds apart."""
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
        """Return the seconds until the next poll of a job of this age.

        `by` identifies the job: other jobs are polled at other moments.
        """
        first = _first(by)
        passed = max(-1, math.floor(_along(self.ages, self.counts, age) - first + _SAME))
        return max(_along(self.counts, self.ages, passed + 1 + first) - age, self.step)

    def poll_before(self, age: float, *, by: str) -> float:
        """Return the age at the poll before the poll due at `age`; 0.0 if there is none before."""
        first = _first(by)
        number = round(_along(self.ages, self.counts, age) - first)
        earlier = _along(self.counts, self.ages, number - 1 + first) if number > 0 else 0.0
        return max(0.0, min(earlier, age - self.step))


def _first(by: str) -> float:
    share = zlib.crc32(by.encode()) / 2**32
    return _FIRST[0] + (_FIRST[1] - _FIRST[0]) * share


def _along(xs: Sequence[float], ys: Sequence[float], x: float) -> float:
    """Interpolate linearly between the points; extend the first and the last line beyond them."""
    index = min(max(bisect_right(xs, x), 1), len(xs) - 1)
    rise = (ys[index] - ys[index - 1]) / (xs[index] - xs[index - 1])
    return ys[index - 1] + (x - xs[index - 1]) * rise


def _later(age: float) -> Iterator[float]:
    """Yield growing ages, from above `age` to just beyond the hard deadline of jobs."""
    while age < HARD_DEADLINE:
        age *= 1.25
        yield age


# --- densities, in the logarithm of seconds -------------------------------------------------------


def _logarithms(took: Took) -> tuple[float, float]:
    return math.log(max(took.after, _FURTHEST * took.until)), math.log(took.until)


def _middle(took: Took) -> float:
    return math.log((max(took.after, _NARROW * took.until) + took.until) / 2)


def _bell(edges: Sequence[float], middle: float, width: float) -> Iterator[float]:
    """Yield the shares of a normal distribution below the first edge and from edge to edge."""
    parts = [0.5 * math.erfc((middle - edge) / width / math.sqrt(2)) for edge in edges]
    return (end - begin for begin, end in pairwise((0.0, *parts)))


def _smoothing(ordered: Sequence[float]) -> float:
    """Return a width for smoothing, from the distances between neighbouring values.

    It is wide enough to join neighbours, and narrow enough to keep two groups apart.
    """
    near = min(max(2, round(math.sqrt(len(ordered)))), len(ordered) - 1)
    reaches = []
    for position, here in enumerate(ordered):
        begins = range(max(0, position - near), min(position, len(ordered) - 1 - near) + 1)
        reaches.append(min(max(here - ordered[at], ordered[at + near] - here) for at in begins))
    return 1.3 * sorted(reaches)[len(reaches) // 2]


def _overlap(begin: float, end: float) -> tuple[int, list[float]]:
    """Return the first cell that an interval touches, and the covered part of each touched cell."""
    cells = range(max(0, int(begin)), min(int(end), _CELLS - 1) + 1)
    return cells[0], [max(min(cell + 1, end) - max(cell, begin), 1e-3) for cell in cells]


def _allotted(
    overlaps: Sequence[tuple[int, Sequence[float]]], shares: Sequence[float]
) -> list[float]:
    """Divide one video for each interval among its cells, in proportion to the cells' shares."""
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
