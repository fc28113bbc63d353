"""G3: how late the event loop is while 10,000 polls are due, beside the same service at rest."""

from functools import partial
from itertools import chain

from bench import service
from bench.figures import Figure, Spread, at_most, folder, p99
from bench.g01_polls import RUNNING
from bench.naps import disturbance
from bench.paired import rounds
from bench.stub import counted, gateway

GOAL = "G3"
ROUNDS, SLICE = 20, 1.0


def figures() -> list[Figure]:
    """Return the 99th percentile, and the worst minus the worst at rest, both in milliseconds."""
    with folder() as scratch, folder() as other, gateway() as url, gateway() as silent:
        variants = {
            "rest": partial(service.lagging, silent, other, 0),
            "ours": partial(service.lagging, url, scratch, RUNNING),
        }
        before = counted(url)["looks"]
        found = rounds(variants, most=ROUNDS, seconds=SLICE)
        polls = (counted(url)["looks"] - before) / sum(each["ours"].seconds for each in found)
    ours, rest = ([each[name].showed for each in found] for name in ("ours", "rest"))
    still = list(chain(*rest))
    void = disturbance(still)
    worst = max(chain(*ours)) * 1e3 - max(still) * 1e3
    beside = f"at rest {p99(still) * 1e3:.1f}; {polls:.0f} polls/s"
    what = f"ms that the loop is late, p99 ({beside})"
    return [
        at_most("G3 p99", Spread.of([p99(each) * 1e3 for each in ours]), 10, what=what, void=void),
        at_most("G3 worst", worst, 20, what="ms, the worst above the worst at rest", void=void),
    ]
