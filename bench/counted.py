"""The service, counting its transactions that write: `python -m bench.counted run`.

`BENCH_COUNT` names the file in which the number stands. SQLite itself tells what it runs.
"""

import os
import sqlite3
import sys
from pathlib import Path

from bot.__main__ import main

_file = Path(os.environ["BENCH_COUNT"])
_number = 0


def _opened(event: str, given: tuple[object, ...]) -> None:
    """Python's own hook: every connection to SQLite passes here."""
    if event == "sqlite3.connect/handle" and isinstance(given[0], sqlite3.Connection):
        _watch(given[0])


def _watch(connection: sqlite3.Connection) -> None:
    written = 0

    def runs(statement: str) -> None:
        global _number
        nonlocal written
        if statement.strip().upper().startswith("COMMIT") and connection.total_changes != written:
            written = connection.total_changes
            _number += 1
            _file.write_text(str(_number), "ascii")

    connection.set_trace_callback(runs)


if __name__ == "__main__":
    sys.addaudithook(_opened)
    main()
