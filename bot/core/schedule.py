"""Waiting times: jitter, back-off after failures, and how long a video usually takes.

Back-off is for errors only. `plans.py` decides when a job is polled.
"""

import zlib
from collections.abc import Sequence

LEAST_SAMPLES = 3
"""Least known durations before their median is used."""
JITTER = 0.1
"""Share by which `spread` changes a wait at most."""
LATE_STEP = 600.0
"""Seconds between polls after the hard deadline."""


def spread(seconds: float, *, by: str) -> float:
    """Return `seconds` plus or minus up to a tenth, always the same for the same `by`.

    So jobs that an outage or a restart delayed together don't stay together.
    """
    share = zlib.crc32(by.encode()) / 2**32
    return seconds * (1 + JITTER * (2 * share - 1))


def back_off(attempts: int, *, base: float, most: float) -> float:
    """Return the seconds to wait after `attempts` failures in a row.

    The wait starts at `base`, doubles with each failure and is at most `most`.
    """
    return float(min(most, base * 2 ** min(max(attempts - 1, 0), 20)))


def expected(durations: Sequence[float], *, typical: float) -> float:
    """Return the seconds that such a video usually takes.

    That is the median of the known durations, or `typical` if too few are known.
    """
    if len(durations) < LEAST_SAMPLES:
        return typical
    return _quantile(durations, 0.5)


def _quantile(durations: Sequence[float], share: float) -> float:
    ordered = sorted(durations)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
