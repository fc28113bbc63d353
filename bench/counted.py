"""Run the service and count its transactions that write: `python -m bench.counted run`.

The count is written to the file that `BENCH_COUNT` names. SQLite's trace callback reports each
statement.
"""

import os
from typing import Any

import sqlalchemy as sa

from bot.__main__ import main

_file = os.open(os.environ["BENCH_COUNT"], os.O_CREAT | os.O_WRONLY)
_number = 0


@sa.event.listens_for(sa.Engine, "connect")
def _opened(connection: Any, _record: object) -> None:
    written = 0

    def runs(statement: str) -> None:
        global _number
        nonlocal written
        if statement.startswith("COMMIT") and connection.total_changes != written:
            written = connection.total_changes
            _number += 1
            os.pwrite(_file, b"%8d" % _number, 0)  # one write, because the file is read meanwhile

    connection.set_trace_callback(runs)


if __name__ == "__main__":
    main()
