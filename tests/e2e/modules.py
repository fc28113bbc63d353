"""The app, whose modules can be read: run as `python -m tests.e2e.modules run …`.

At SIGUSR1 it writes the names of all that it imported, one a line, to the file `MODULES`.
"""

import os
import signal
import sys
from pathlib import Path

from bot.__main__ import main


def tell(*_: object) -> None:
    """Write them whole or not at all."""
    file = Path(os.environ["MODULES"])
    part = file.with_suffix(".part")
    part.write_text("\n".join(sys.modules), "utf-8")
    part.replace(file)


signal.signal(signal.SIGUSR1, tell)

if __name__ == "__main__":
    main()
