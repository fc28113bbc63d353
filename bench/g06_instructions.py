"""G6: the instructions of SQLite's machine for every claim, due time, save and card.

They are counted with few and with many rows that wait and that are finished today, for the same
rows taken, and repeat exactly. `tests/unit/store/test_queries.py` holds the same figures.
"""

import asyncio
from pathlib import Path

from bench.figures import Figure, at_most, folder
from tests.unit.store.instructions import counts

GOAL = "G6"
FEW, MANY = 1_000, 100_000


def figures() -> list[Figure]:
    """The question that grows most."""
    with folder() as scratch:
        few, many = asyncio.run(_both(scratch))
    growth = {name: many[name] / few[name] for name in few}
    worst = max(growth, key=lambda name: growth[name])
    what = f"instructions at {MANY} rows ÷ at {FEW}; of {len(growth)} questions the worst: {worst}"
    return [at_most(GOAL, growth[worst], 1.1, what=what)]


async def _both(scratch: Path) -> tuple[dict[str, int], dict[str, int]]:
    return await counts(scratch, FEW), await counts(scratch, MANY)
