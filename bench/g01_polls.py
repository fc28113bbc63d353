"""G1: the processor time of a poll whose result is stored, beside a bare loop of GETs."""

from functools import partial

from bench import peers, service
from bench.figures import Figure, Spread, at_least, at_most, folder
from bench.paired import cost, disturbed, rate, ratio, rounds
from bench.stub import counted, gateway

GOAL = "G1"
RUNNING = 10_000
SLICE = 0.5
"""Seconds of a slice. A batch is written every tenth of a second, so a slice has several."""


def figures() -> list[Figure]:
    """Compare both the processor time of a poll and the polls per second with the bare loop."""
    with folder() as scratch, gateway() as beside, gateway() as ours:
        found = rounds(
            {
                "bare": partial(peers.bare, beside),
                "again": partial(peers.bare, beside),
                "ours": partial(service.polling, ours, scratch, RUNNING),
            },
            seconds=SLICE,
        )
        void = disturbed(found, "bare", "again") or service.unwritten(ours, scratch)
        polls = counted(ours)["looks"]
    rates = Spread.of([rate(each["ours"]) for each in found])
    costs = Spread.of([cost(each["ours"]) * 1e6 for each in found])
    what = f"CPU of a persisted poll ÷ bare GET ({costs.median:.0f} µs a poll, {polls} polls)"
    whats = f"persisted polls/s ÷ bare GETs/s ({rates.median:.0f} polls/s)"
    return [
        at_most("G1 CPU", ratio(found, "ours", "bare"), 1.35, what=what, void=void),
        at_least("G1 rate", ratio(found, "ours", "bare", rate), 0.6, what=whats, void=void),
    ]
