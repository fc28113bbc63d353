"""A restore that kills itself with SIGKILL: run as `python -m tests.unit.backups.victim FOLDER
BACKUP STEP`. It does so just before its STEP-th step that changes anything on the disk. With one
more argument the restored rows fail their checks, so that the restore is undone.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot.backups import archive, restoring
from bot.store import swap
from tests.unit.backups.site import Site

_left = 0


def _counted(step: Callable[..., Any]) -> Callable[..., Any]:
    """Return `step` with a count that kills the process when it reaches zero."""

    def wrapped(*given: object) -> Any:
        global _left
        _left -= 1
        if _left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return step(*given)

    return wrapped


async def _refuse(*_: object) -> None:
    """Fail as a restore whose rows fail their checks."""
    raise OSError("unwell")


if __name__ == "__main__":
    folder, backup, number, *ill = sys.argv[1:]
    _left = int(number)
    for name in ("_move", "_write", "sync", "settle"):
        setattr(swap, name, _counted(getattr(swap, name)))
    if ill:
        restoring._check_health = _refuse  # type: ignore[assignment]
    asyncio.run(Site(Path(folder)).restore(archive.read(Path(backup))))
