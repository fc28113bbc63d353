"""G6: the instructions that SQLite's virtual machine executes for every claim, due time, save and
card.

Each query runs with few and with many rows in the tables (waiting, or finished today) and takes the
same rows in both cases. The counts repeat exactly. `tests/unit/store/test_queries.py` tests the
same figures.
"""

import asyncio
from pathlib import Path

from bench.figures import Figure, at_most, folder
from tests.unit.store.instructions import counts

GOAL = "G6"
FEW, MANY = 1_000, 100_000


def figures() -> list[Figure]:
    """Return the growth of the query that grows most."""
    with folder() as scratch:
        few, many = asyncio.run(_both(scratch))
    growth = {name: many[name] / few[name] for name in few}
    worst = max(growth, key=lambda name: growth[name])
    what = f"instructions at {MANY} rows ÷ at {FEW}; the worst of {len(growth)} queries: {worst}"
    return [at_most(GOAL, growth[worst], 1.1, what=what)]


async def _both(scratch: Path) -> tuple[dict[str, int], dict[str, int]]:
    return await counts(scratch, FEW), await counts(scratch, MANY)
