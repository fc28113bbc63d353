"""The app with a kill point: run as `python -m tests.faults.victim run …`.

`VICTIM_COMMIT=n` and `VICTIM_SIDE=before|after` make the process SIGKILL itself at its n-th writing
transaction, just before it begins or just after its commit. Any two steps of the service have such
a transaction between them, so the numbers 1, 2, 3 … cover every state on disk. The writes of
batches of polls don't count, because their number varies.

`VICTIM_COUNT=file` instead writes the number of transactions to a file. `VICTIM_LOOKS=n` kills the
process after its n-th batch of polls was answered, before the batch is written.
"""

import contextlib
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from bot.cli import main
from bot.core.pending import Seen
from bot.store.engines import PATIENCE, SqliteEngine
from bot.store.polls import Polls

_number = int(os.environ.get("VICTIM_COMMIT", "0"))
_side = os.environ.get("VICTIM_SIDE", "after")
_count_file = os.environ.get("VICTIM_COUNT")
_batches = int(os.environ.get("VICTIM_LOOKS", "0"))
_begun = 0
_whole = SqliteEngine._whole
_TOTAL = "SELECT total_changes()"

Work = Callable[[Connection], Any]


def _counted(self: SqliteEngine, work: Work, patience: float | None) -> Any:
    """Run a transaction, and count it if it wrote anything."""
    global _begun
    is_poll = getattr(work, "__qualname__", "").startswith(Polls.write.__qualname__)
    if patience is None or is_poll:
        return _whole(self, work, patience)
    before = _changes(self)
    if _begun + 1 == _number and _side == "before" and _would_write(self, work):
        os.kill(os.getpid(), signal.SIGKILL)
    result = _whole(self, work, patience)
    if _changes(self) != before:
        _begun += 1
        if _count_file:
            Path(_count_file).write_text(str(_begun), "ascii")
        if _begun == _number and _side == "after":
            os.kill(os.getpid(), signal.SIGKILL)
    return result


def _changes(engine: SqliteEngine) -> int:
    return int(_whole(engine, lambda it: it.exec_driver_sql(_TOTAL).scalar_one(), None))


def _would_write(engine: SqliteEngine, work: Work) -> bool:
    """Run the work, check whether it wrote anything, and roll it back."""

    class Back(Exception):
        pass

    wrote = False

    def trial(connection: Connection) -> None:
        nonlocal wrote
        before = connection.exec_driver_sql(_TOTAL).scalar_one()
        work(connection)
        wrote = connection.exec_driver_sql(_TOTAL).scalar_one() != before
        raise Back

    with contextlib.suppress(Back):
        _whole(engine, trial, PATIENCE)
    return wrote


async def _written(self: Polls, seen: Sequence[Seen], *, now: float, ahead: float) -> bool:
    global _batches
    _batches -= 1
    if _batches == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return await _write(self, seen, now=now, ahead=ahead)


if _batches:
    _write = Polls.write
    Polls.write = _written  # type: ignore[method-assign]
else:
    SqliteEngine._whole = _counted  # type: ignore[method-assign]

if __name__ == "__main__":
    main()
