"""When to look next, and when it will be ready: learned from how long such videos took.

Looks are few and well placed: none before the earliest plausible end, a fixed step while the end
is likely, then ever wider. Back-off is for errors only.
"""

import zlib
from collections.abc import Sequence

LEAST_SAMPLES = 3
"""Below this many known durations nothing is learned yet."""
UNLEARNED_END = 900.0
"""Seconds in which a video is expected to end while nothing is learned."""
LIVELY = 30.0
"""Seconds between looks before the end is likely: for the progress that people see."""
WIDEST_STEP = 60.0
JITTER = 0.1
LATE_STEP = 600.0
"""Seconds between looks after the hard deadline."""


def next_look(elapsed: float, durations: Sequence[float], *, step: float) -> float:
    """Seconds until the next look at a job that has been running for `elapsed` seconds.

    `durations` are those of finished videos of the same model and length; `step` is the gateway's
    own pace, below which a look can tell nothing new.
    """
    earliest, latest = 0.0, UNLEARNED_END
    if len(durations) >= LEAST_SAMPLES:
        earliest, latest = _quantile(durations, 0.05), _quantile(durations, 0.99)
    if elapsed < earliest:
        # Not all of it at once: people watch, and what got faster must be noticed.
        return min(max(earliest - elapsed, min(step, 1.0)), max(LIVELY, step))
    if elapsed < latest:
        return step
    # Each step half as wide again as the one before: proportional to the time past the end.
    return min(max(step, (elapsed - latest) * 0.5), max(WIDEST_STEP, step))


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
    """Seconds such a video usually takes: the learned median, else the catalogue's figure."""
    if len(durations) < LEAST_SAMPLES:
        return typical
    return _quantile(durations, 0.5)


def _quantile(durations: Sequence[float], share: float) -> float:
    ordered = sorted(durations)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
