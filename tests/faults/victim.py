"""The app with a kill point: run as `python -m tests.faults.victim run …`.

`VICTIM_COMMIT=n` and `VICTIM_SIDE=before|after` make the process SIGKILL itself at its n-th
transaction that writes, just before it begins or just after it is committed: between any two
steps of the service lies one of those, so the numbers 1, 2, 3 … cover every state on disk. Written
batches of looks don't count, for nobody knows how many there are.
`VICTIM_COUNT=file` instead notes how many there were. `VICTIM_LOOKS=n` makes it do so after its
n-th batch of looks was answered, before a line of it is written.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.cli import main
from bot.core.pending import Seen
from bot.store.database import Database
from bot.store.looks import Looks

_number = int(os.environ.get("VICTIM_COMMIT", "0"))
_side = os.environ.get("VICTIM_SIDE", "after")
_count_file = os.environ.get("VICTIM_COUNT")
_batches = int(os.environ.get("VICTIM_LOOKS", "0"))
_begun = 0
_turn = asyncio.Lock()
_whole = Database._whole


async def _counted(self: Database, work: Callable[[AsyncConnection], Awaitable[Any]]) -> Any:
    """A transaction that counts if it wrote anything; one at a time, so that counts are true."""
    async with _turn:
        is_look = getattr(work, "__qualname__", "").startswith(Looks.write.__qualname__)
        return await (_whole if is_look else _one)(self, work)


async def _one(self: Database, work: Callable[[AsyncConnection], Awaitable[Any]]) -> Any:
    global _begun
    before = await _changes(self)
    if _begun + 1 == _number and _side == "before" and await _would_write(self, work):
        os.kill(os.getpid(), signal.SIGKILL)
    result = await _whole(self, work)
    if await _changes(self) != before:
        _begun += 1
        if _count_file:
            Path(_count_file).write_text(str(_begun), "ascii")
        if _begun == _number and _side == "after":
            os.kill(os.getpid(), signal.SIGKILL)
    return result


async def _changes(database: Database) -> int:
    async def read(connection: AsyncConnection) -> int:
        answer = await connection.exec_driver_sql("SELECT total_changes()")
        return int(answer.scalar_one())

    return await _whole(database, read)


async def _would_write(
    database: Database, work: Callable[[AsyncConnection], Awaitable[Any]]
) -> bool:
    """Try it, look, and take it back."""

    class Back(Exception):
        pass

    wrote = False

    async def trial(connection: AsyncConnection) -> None:
        nonlocal wrote
        before = (await connection.exec_driver_sql("SELECT total_changes()")).scalar_one()
        await work(connection)
        after = (await connection.exec_driver_sql("SELECT total_changes()")).scalar_one()
        wrote = after != before
        raise Back

    with contextlib.suppress(Back):
        await _whole(database, trial)
    return wrote


async def _written(self: Looks, seen: Sequence[Seen], *, now: float, ahead: float) -> bool:
    global _batches
    _batches -= 1
    if _batches == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return await _write(self, seen, now=now, ahead=ahead)


if _batches:
    _write = Looks.write
    Looks.write = _written  # type: ignore[method-assign]
else:
    Database._whole = _counted  # type: ignore[method-assign]

if __name__ == "__main__":
    main()
