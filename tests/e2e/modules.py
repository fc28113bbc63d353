"""The app with a report of its imported modules: run as `python -m tests.e2e.modules run …`.

At SIGUSR1 it writes the names of all imported modules to the file `MODULES`, one on each line.
"""

import os
import signal
import sys
from pathlib import Path

from bot.__main__ import main


def tell(*_: object) -> None:
    """Write the names of the imported modules. The file appears only when it is complete."""
    file = Path(os.environ["MODULES"])
    part = file.with_suffix(".part")
    part.write_text("\n".join(sys.modules), "utf-8")
    part.replace(file)


signal.signal(signal.SIGUSR1, tell)

if __name__ == "__main__":
    main()
