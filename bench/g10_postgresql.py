"""G10: PostgreSQL in batches of 100, beside pgqueuer: CPU per job, two workers, double claims."""

import asyncio
from functools import partial

from bench import queues
from bench.figures import Figure, at_least, at_most
from bench.paired import Child, Round, Slice, children, disturbed, rate, ratio
from tests.fakes.postgres import serve_postgres, url

GOAL = "G10"
ROUNDS, SLICE = 11, 0.5


def figures() -> list[Figure]:
    """Measure one worker of each queue, then two of each at the same time."""
    with serve_postgres() as socket:
        postgres = url(socket, "postgres")
        asyncio.run(queues.make_jobs(postgres))
        asyncio.run(queues.make_queue(postgres))
        ours, theirs = partial(queues.ours, postgres), partial(queues.pgqueuer, postgres)
        workers = {"ours": ours, "ours too": ours, "theirs": theirs, "theirs too": theirs}
        with children(workers) as begun:
            units = sum(begun[name].work(1.0).units for name in ("ours", "ours too"))
            begun["theirs"].work(1.0)
            found = [_round(begun, number) for number in range(ROUNDS)]
        units += sum(each[name].units for each in found for name in ("ours", "ours too", "both"))
        doubles = 2 * units - asyncio.run(queues.steps(postgres))
    void = disturbed(found, "ours", "ours too")
    gain = ratio(found, "both", "ours", rate)
    their_gain = ratio(found, "both theirs", "theirs", rate)
    what = "CPU of a claimed and written job ÷ pgqueuer's, batches of 100"
    two = f"two workers ÷ one; pgqueuer's own is {their_gain.median:.2f}"
    return [
        at_most("G10 CPU", ratio(found, "ours", "theirs"), 0.5, what=what, void=void),
        at_least("G10 two", gain, round(their_gain.median, 2), what=two, void=void),
        at_most("G10 doubles", doubles, 0, what=f"jobs claimed twice, of {units:.0f}"),
    ]


def _round(begun: dict[str, Child], number: int) -> Round:
    turns = {name: [begun[name]] for name in ("ours", "ours too", "theirs")}
    turns["both"] = [begun["ours"], begun["ours too"]]
    turns["both theirs"] = [begun["theirs"], begun["theirs too"]]
    names = list(turns) if number % 2 else list(reversed(turns))
    return {name: _beside(turns[name]) for name in names}


def _beside(workers: list[Child]) -> Slice:
    """Run one slice of all workers at the same time, and return their sum."""
    for worker in workers:
        worker.begin(SLICE)
    done = [worker.heard() for worker in workers]
    longest = max(each.seconds for each in done)
    return Slice(sum(each.units for each in done), longest, sum(each.cpu for each in done))
