"""The command line: one module per group of commands, each imported when it is asked for.

An operator's mistake ends in one sentence on standard error and an exit code, never a traceback.
"""

import sys

from bot.cli.main import app
from bot.cli.words import explain
from bot.config import Misconfigured
from bot.core.errors import BotError

CONFIG_ERROR = 78
"""EX_CONFIG of sysexits.h."""
TEMPORARY_FAILURE = 75
"""EX_TEMPFAIL: another instance is running; try again when it has ended."""

__all__ = ["main"]


def main() -> None:
    """Run the command that the arguments name."""
    try:
        app()
    except Misconfigured as wrong:
        for problem in wrong.problems:
            print(problem.sentence("en"), file=sys.stderr)
        sys.exit(CONFIG_ERROR)
    except BotError as error:
        print(explain(error), file=sys.stderr)
        sys.exit(TEMPORARY_FAILURE if error.code == "database_in_use" else 1)
