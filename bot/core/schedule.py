"""Waits: how they are spread, how they grow with each failure, and what a video usually takes.

When to look at a job that is being made stands in `plans.py`. Back-off is for errors only.
"""

import zlib
from collections.abc import Sequence

LEAST_SAMPLES = 3
"""Below this many known durations nothing is learned yet."""
JITTER = 0.1
LATE_STEP = 600.0
"""Seconds between looks after the hard deadline."""


def spread(seconds: float, *, by: str) -> float:
    """Up to a tenth more or less, always the same for the same `by`.

    Jobs put off together, by an outage or a restart, do not come back together for ever.
    """
    share = zlib.crc32(by.encode()) / 2**32
    return seconds * (1 + JITTER * (2 * share - 1))


def back_off(attempts: int, *, base: float, most: float) -> float:
    """Seconds to wait after the `attempts`-th failure in a row: doubling, bounded."""
    return float(min(most, base * 2 ** min(max(attempts - 1, 0), 20)))


def expected(durations: Sequence[float], *, typical: float) -> float:
    """Seconds such a video usually takes: the learned median, else the catalog's figure."""
    if len(durations) < LEAST_SAMPLES:
        return typical
    return _quantile(durations, 0.5)


def _quantile(durations: Sequence[float], share: float) -> float:
    ordered = sorted(durations)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
